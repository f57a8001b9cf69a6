import { programImage } from './image.js';
import type { Task } from './operation.js';
import type { Zx } from './zx.js';

/**
 * What a program does. Its return value is the return code of its process, 0 when it gives none; when it throws, its
 * process ends as by an unhandled exception, after the message was written to the console.
 */
export type Main = (zx: Zx) => Task<number | bigint> | Task<void>;

/** A program written in TypeScript. */
export interface Program {
  readonly name: string;
  readonly main: Main;
  /** The ELF file that stands for it wherever a program's file is asked for. */
  readonly image: Uint8Array;
}

/**
 * Makes a program of a generator function. Each `yield*` to a method of `zx` or of a class over a handle is a system
 * call, scheduled like every other thread's; what is between them takes no time.
 *
 * The function must depend on nothing but its arguments and the answers it gets: no clock, no random numbers, nothing
 * kept outside of it. To go back in a recorded run, it is run again from its start with the answers that it got.
 * @throws RangeError for a name that is empty, has a NUL, or takes more than 255 bytes
 */
export function program(name: string, main: Main): Program {
  return { name, main, image: programImage(name) };
}
