import type { Checkpoint } from '../machine/machine.js';
import { comparePositions, type Position } from '../machine/position.js';

/** Most checkpoints kept; beyond, every second one goes, so that spacing grows with the run. */
const MAX_CHECKPOINTS = 128;

function positionOf({ state }: Checkpoint): Position {
  return { seq: state.seq, step: state.step };
}

/**
 * Checkpoints of one run in order. They share what did not change between them, so that N of them cost what
 * changed; the first is kept for ever.
 */
export class Checkpoints {
  private list: Checkpoint[] = [];

  get count(): number {
    return this.list.length;
  }

  add(checkpoint: Checkpoint): void {
    const at = positionOf(checkpoint);
    let i = this.list.length;
    while (i > 0 && comparePositions(positionOf(this.list[i - 1]), at) > 0) i--;
    if (i > 0 && comparePositions(positionOf(this.list[i - 1]), at) === 0) return;
    this.list.splice(i, 0, checkpoint);
    if (this.list.length > MAX_CHECKPOINTS) this.list = this.list.filter((_, index) => index % 2 === 0);
  }

  /** The last one at or before a position. */
  before(position: Position): Checkpoint | null {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (comparePositions(positionOf(this.list[middle]), position) <= 0) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? null : this.list[low - 1];
  }
}
