import { assert } from '../../base/assert.js';
import type { Page } from '../../memory/page.js';

/**
 * The room of pages that nothing but released snapshots had is used again at once: the host's collector comes much
 * later, and the host takes long to give other memory. It is what ZFS does by dead lists: each snapshot lists the pages
 * that were replaced while it was the last; when it goes, those made after the one before it are dead, and that one
 * lists the others.
 */
export class DeadPages {
  /** The last snapshot, if somebody will release it. */
  private latest: SnapshotMark | null = null;
  /** What was made before this epoch may be in states that none of the marks tells of. */
  private start = 0;
  /** Marks up to this epoch are of another way that the run went. */
  private forgotten = -1;
  /** Goes up with each snapshot, at least. */
  epoch = 0;

  /** What is made from here on is not in the snapshots so far. */
  newEpoch(): Epoch {
    return new Epoch(this, ++this.epoch);
  }

  /** A snapshot is taken that nobody will release, before the epoch ends: it keeps its pages for ever. */
  keep(): void {
    this.latest = null;
    this.start = this.epoch;
  }

  /** A snapshot is taken that somebody will release, before the epoch ends. */
  mark(): SnapshotMark {
    const mark = new SnapshotMark(this.epoch, this.start, this.latest);
    if (this.latest !== null) this.latest.after = mark;
    this.latest = mark;
    return mark;
  }

  /** The run goes on from another state, beside what there was: of those pages nobody knows any more who has them. */
  forget(): void {
    this.keep();
    this.forgotten = this.epoch;
  }

  /** A VMO has a copy in the place of a page. */
  replaced(page: Page): void {
    // Code that was made of it, and pages that others have, live longer than snapshots.
    if (this.latest === null || !page.exclusive || page.code !== null) return;
    const { owner } = page;
    if (owner instanceof Epoch && owner.of === this && owner.number > this.latest.start)
      this.latest.replaced.push(page);
  }

  /** Nobody will look at a snapshot any more. */
  release(mark: SnapshotMark): void {
    assert(!mark.isReleased, 'a snapshot is released twice');
    const { before, after } = mark;
    mark.isReleased = true;
    if (mark.epoch <= this.forgotten) return;
    const last = before?.epoch ?? mark.start;
    for (const page of mark.replaced) {
      if ((page.owner as Epoch).number > last) page.release();
      else before!.replaced.push(page);
    }
    if (before !== null) before.after = after;
    if (after !== null) after.before = before;
    if (this.latest === mark) this.latest = before;
    mark.before = null;
    mark.after = null;
    mark.replaced = [];
  }
}

/** Who made something knows when: between which snapshots. */
class Epoch {
  constructor(
    readonly of: DeadPages,
    readonly number: number,
  ) {}
}

/** A snapshot that somebody will release: until then what it has is held, and what those after it list. */
export class SnapshotMark {
  after: SnapshotMark | null = null;
  /** While this was the last snapshot. */
  replaced: Page[] = [];
  isReleased = false;

  /**
   * @param epoch the last one whose pages it has
   * @param start the last epoch whose pages are kept for ever
   */
  constructor(
    readonly epoch: number,
    readonly start: number,
    public before: SnapshotMark | null,
  ) {}
}
