import type { KernelState } from '../kernel/objects/kernel.js';
import type { Happened } from '../machine/machine.js';

/** Who made an object: `key` of the thread (empty: the machine itself), and how many it had made before. */
export interface Origin {
  readonly creator: string;
  readonly ordinal: number;
}

/** Of more objects it is not remembered who made them. */
const MAX_OBJECTS = 1 << 22;
const MAX_TASKS = 1 << 16;
const UNKNOWN: Origin = { creator: '?', ordinal: 0 };

/**
 * Names that mean the same in two runs. Koids and handle values depend on the order in which all threads make
 * objects; who made an object, as its how many-th, does not.
 */
export class Lineage {
  private readonly first: number;
  private next: number;
  /** By koid less `first`. */
  private readonly creators: number[] = [];
  private readonly ordinals: number[] = [];
  /** Objects, threads and processes made by each thread. */
  private readonly made = new Map<number, number>();
  private readonly tasksMade = new Map<string, number>();
  private readonly keys = new Map<number, string>([[0, '']]);

  constructor({ nextKoid }: KernelState) {
    this.first = nextKoid;
    this.next = nextKoid;
  }

  /** To be told of every event of the run in order, with the state behind it. */
  note({ event, by }: Happened, { nextKoid }: KernelState): void {
    const creator = by?.thread ?? 0;
    for (; this.next < nextKoid; this.next++) {
      if (this.creators.length >= MAX_OBJECTS) continue;
      const ordinal = this.made.get(creator) ?? 0;
      this.made.set(creator, ordinal + 1);
      this.creators.push(creator);
      this.ordinals.push(ordinal);
    }
    if (this.keys.size >= MAX_TASKS) return;
    if (event.type === 'thread-created') this.keys.set(event.koid, this.nextKey(creator, '/', 'main'));
    if (event.type === 'process-created') this.keys.set(event.koid, this.nextKey(creator, '+', 'first'));
  }

  private nextKey(creator: number, separator: string, boot: string): string {
    const parent = this.key(creator);
    if (parent === '') return boot;
    const number = (this.tasksMade.get(parent + separator) ?? 0) + 1;
    this.tasksMade.set(parent + separator, number);
    return `${parent}${separator}${number}`;
  }

  /** Key of a thread or process: `main`, `main/2` (its second thread), `main+1` (its first process). */
  key(task: number): string {
    return this.keys.get(task) ?? '?';
  }

  origin(koid: number): Origin {
    const i = koid - this.first;
    if (i < 0 || i >= this.creators.length) return UNKNOWN;
    return { creator: this.key(this.creators[i]), ordinal: this.ordinals[i] };
  }
}
