/**
 * Steps, and kernel events, after which a recording has another digest, whichever comes first. A digest costs what was
 * written since the last one, at most all pages that there are: each is hashed, and copied at the next store to it,
 * which together takes what some 5000 steps of generated code take. Where pages are many, digests are further apart.
 * The least distance is what 80 ms of the quickest generated code run: a digest takes 0.5 to 3 ms while V8 has not
 * compiled it. The first one comes after few events: code that V8 compiles before a snapshot was taken is of no use
 * behind it.
 */
const DIGEST_STEPS = 2 ** 29;
const DIGEST_EVENTS = 1 << 17;
const FIRST_EVENTS = 1 << 11;
const STEPS_A_PAGE = 2 ** 19;

/** Says when a run is due for a digest. It depends on the run alone, so that two recordings have them at like places. */
export class DigestCadence {
  private lastSteps = 0;
  /** Before this none is due for its steps, however few pages there are. */
  private leastSteps = DIGEST_STEPS;
  private nextSeq = FIRST_EVENTS;

  /**
   * @param seq of the last kernel event
   * @param pages that the guest's memory takes
   */
  due(steps: number, seq: number, pages: number): boolean {
    if (steps < this.leastSteps && seq < this.nextSeq) return false;
    let distance = DIGEST_STEPS;
    while (distance < pages * STEPS_A_PAGE) distance *= 2;
    if (steps < next(this.lastSteps, distance) && seq < this.nextSeq) return false;
    this.lastSteps = steps;
    this.leastSteps = next(steps, DIGEST_STEPS);
    this.nextSeq = next(seq, DIGEST_EVENTS);
    return true;
  }
}

function next(steps: number, distance: number): number {
  return (Math.floor(steps / distance) + 1) * distance;
}
