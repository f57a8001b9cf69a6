import type { Position } from '../machine/position.js';

/**
 * Steps, and kernel events, after which a recording has another digest, whichever comes first. A digest costs what was
 * written since the last one, at most all pages that there are: where those are many, digests are further apart, so
 * that they stay a few percent of the run.
 */
const DIGEST_STEPS = 2 ** 23;
const DIGEST_EVENTS = 1 << 17;
const STEPS_A_PAGE = 2 ** 17;

/** Says when a run is due for a digest. It depends on the run alone, so that two recordings have them at like places. */
export class DigestCadence {
  private lastSteps = 0;
  private nextSeq = DIGEST_EVENTS;

  /** @param pages that the guest's memory takes */
  due(steps: number, position: Position, pages: number): boolean {
    let distance = DIGEST_STEPS;
    while (distance < pages * STEPS_A_PAGE) distance *= 2;
    const next = (Math.floor(this.lastSteps / distance) + 1) * distance;
    if (steps < next && position.seq < this.nextSeq) return false;
    this.lastSteps = steps;
    while (this.nextSeq <= position.seq) this.nextSeq += DIGEST_EVENTS;
    return true;
  }
}
