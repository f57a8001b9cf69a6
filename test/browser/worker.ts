/** The script of the test page's worker: answers one task. */
import type { Task } from './page.js';
import { perform } from './work.js';

/** The little of a worker that is used. With a browser's types at hand the core could use one, unnoticed. */
declare const self: {
  onmessage: (message: { readonly data: Task }) => void;
  postMessage(answer: unknown): void;
};

self.onmessage = ({ data: { work, engine, bytes } }) => self.postMessage(perform(work, engine, bytes));
