import type { Position } from '../machine/position.js';

/**
 * Steps, and kernel events, after which a recording has another digest, whichever comes first. A digest costs what
 * changed since the last one: at this distance less than a few percent of the run.
 */
const DIGEST_STEPS = 1 << 23;
const DIGEST_EVENTS = 1 << 17;

/** Says when a run is due for a digest. It depends on the run alone, so that two recordings have them at like places. */
export class DigestCadence {
  private nextSteps = DIGEST_STEPS;
  private nextSeq = DIGEST_EVENTS;

  due(steps: number, position: Position): boolean {
    if (steps < this.nextSteps && position.seq < this.nextSeq) return false;
    while (this.nextSteps <= steps) this.nextSteps += DIGEST_STEPS;
    while (this.nextSeq <= position.seq) this.nextSeq += DIGEST_EVENTS;
    return true;
  }
}
