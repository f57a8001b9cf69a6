/** The script of the test page: does work in the page itself, or in a worker. */
import type { EngineKind } from '../../src/index.js';
import { type Outcome, perform, type Work } from './work.js';

/** What a worker is given to do. */
export interface Task {
  readonly work: Work;
  readonly engine: EngineKind;
  readonly bytes: Uint8Array;
}

/** The page's own thread, where a browser allows less than in a worker, or a worker. */
export type Place = 'page' | 'worker';

/** What the script leaves for the test to call. */
export interface PageScope {
  perform(place: Place, work: Work, engine: EngineKind): Promise<Outcome>;
}

/** The little of a browser's worker that is used. With a browser's types at hand the core could use one, unnoticed. */
declare class Worker {
  constructor(url: string, options: { readonly type: 'module' });
  onmessage: (message: { readonly data: Outcome }) => void;
  onerror: (event: { readonly message?: string }) => void;
  postMessage(task: Task): void;
  terminate(): void;
}

async function inWorker(task: Task): Promise<Outcome> {
  const worker = new Worker('/worker.js', { type: 'module' });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message = 'the worker did not start' }) => reject(new Error(message));
      worker.postMessage(task);
    });
  } finally {
    worker.terminate();
  }
}

const scope: PageScope = {
  async perform(place, work, engine) {
    const response = await fetch(`/${work.file}`);
    if (!response.ok) throw new Error(`${work.file}: HTTP status ${response.status}`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    return place === 'worker' ? inWorker({ work, engine, bytes }) : perform(work, engine, bytes);
  },
};
Object.assign(globalThis, scope);
