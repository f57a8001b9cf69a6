import type { KernelEvent } from '../objects/events.js';
import type { Kernel } from '../objects/kernel.js';

/**
 * What a decider has: the state to look at, and a way to say what happened. `emit` appends the event to the run and
 * applies it at once, so the next question is answered by the state after it. Deciders change nothing themselves.
 */
export interface Decider {
  readonly k: Kernel;
  emit(event: KernelEvent): void;
}
