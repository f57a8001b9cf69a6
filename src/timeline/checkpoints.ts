import type { KernelState } from '../kernel/objects/kernel.js';
import type { Checkpoint } from '../machine/machine.js';
import { comparePositions, type Position } from '../machine/position.js';

/**
 * Of a whole run: how many at most and what they may hold (64 Ki pages are 256 MiB), and the steps and kernel events
 * between them, whichever come first, while the run is short.
 */
export const WHOLE_RUN = {
  limits: { count: 1024, pages: 1 << 16 },
  every: { steps: 1 << 20, events: 1 << 13 },
};

/**
 * What running costs beside a page that is written after a checkpoint: copied, and hashed or stored later. So many
 * steps run in that time, and an event takes as long as so many pages.
 */
const STEPS_A_PAGE = 1 << 12;
const PAGES_AN_EVENT = 4;

/**
 * Whether a checkpoint costs no more than running again from the one before it.
 * @param pages made since that one: as many will be copied after this one, if the run goes on like that
 */
export function worthIt(before: KernelState, { seq, steps }: KernelState, pages: number): boolean {
  return (steps - before.steps) / STEPS_A_PAGE + (seq - before.seq) * PAGES_AN_EVENT >= pages;
}

interface Kept {
  readonly checkpoint: Checkpoint;
  /** Pages that were made between the one before and this one: what it costs, at most. */
  readonly pages: number;
}

/**
 * Checkpoints of one run, in order. They share what did not change between them, so that N of them cost what changed.
 * When there are too many, or they hold too many pages, every second one goes; the first stays for ever.
 */
export class Checkpoints {
  private list: Kept[] = [];
  private pages = 0;
  /** Doubles whenever half of them go, so that they stay evenly spaced however long the run is. */
  private spacing = 1;

  constructor(
    private readonly limits: { readonly count: number; readonly pages: number },
    private readonly every: { readonly steps: number; readonly events: number },
  ) {}

  get count(): number {
    return this.list.length;
  }

  /** Whether a state is far enough from the last one kept before it to be kept too. */
  wants({ seq, step, steps }: KernelState): boolean {
    const last = this.before({ seq, step });
    if (last === null) return true;
    const { state } = last;
    return (
      steps - state.steps >= this.every.steps * this.spacing ||
      seq - state.seq >= this.every.events * this.spacing
    );
  }

  /** @param pages made since the checkpoint before it: how many of this one's are its own, at most */
  add(checkpoint: Checkpoint, pages: number): void {
    const i = this.after(checkpoint.state);
    if (i > 0 && comparePositions(this.list[i - 1].checkpoint.state, checkpoint.state) === 0) return;
    // A page may have been made more than once, for checkpoints or digests that are not kept here.
    const own = Math.min(pages, checkpoint.state.committedPages);
    this.list.splice(i, 0, { checkpoint, pages: own });
    this.pages += own;
    while (this.list.length > this.limits.count || (this.pages > this.limits.pages && this.list.length > 2)) {
      this.thin();
    }
  }

  private thin(): void {
    this.spacing *= 2;
    this.list = this.list.flatMap(({ checkpoint, pages }, i) => {
      if (i % 2 === 1) return [];
      const inherited = i === 0 ? 0 : this.list[i - 1].pages;
      return [{ checkpoint, pages: Math.min(pages + inherited, checkpoint.state.committedPages) }];
    });
    this.pages = this.list.reduce((sum, kept) => sum + kept.pages, 0);
  }

  /** The last one at or before a position. */
  before(position: Position): Checkpoint | null {
    const i = this.after(position);
    return i === 0 ? null : this.list[i - 1].checkpoint;
  }

  /** All of them up to a position. */
  upTo(position: Position): Checkpoint[] {
    return this.list.slice(0, this.after(position)).map(({ checkpoint }) => checkpoint);
  }

  /** How many are at or before a position. */
  private after(position: Position): number {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (comparePositions(this.list[middle].checkpoint.state, position) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
