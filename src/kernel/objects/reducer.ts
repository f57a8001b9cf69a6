import type { Kernel } from './kernel.js';

/** Applies facts of one family: total, chooses nothing. Event type → what it holds. */
export type Reducers<Events> = {
  readonly [K in keyof Events]: (k: Kernel, event: Events[K]) => void;
};
