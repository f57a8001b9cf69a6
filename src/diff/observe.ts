import type { Happened } from '../machine/machine.js';
import { comparePositions, type Position } from '../machine/position.js';
import { expand } from '../timeline/expand.js';
import { ENOUGH, type Timeline } from '../timeline/timeline.js';
import { eachSlice, SliceRunner, type SliceStep } from './slices.js';

export interface Observer {
  /** Threads whose instructions are told. */
  wants(thread: number, process: number): boolean;
  /** Pages that must be touched for an instruction to be told, with a few told besides; null: all are told. */
  readonly pages: ReadonlySet<number> | null;
  /** May throw ENOUGH. */
  step(step: SliceStep): void;
  /** Asked when an event happens, with the machine as it is then: what to do when its turn among the steps comes. */
  event(happened: Happened): (() => void) | null;
}

/**
 * Tells what some threads do after a position up to another, in order.
 * @returns whether the observer did not have enough before
 * @throws Diverged
 */
export function observe(timeline: Timeline, from: Position, to: Position, observer: Observer): boolean {
  let enough = false;
  const step = (done: SliceStep): void => {
    if (comparePositions(done.position, from) <= 0 || enough) return;
    try {
      observer.step(done);
    } catch (reason) {
      enough = true;
      throw reason;
    }
  };
  try {
    if (timeline.recording.programs === null) observeSlices(timeline, from, to, observer, step);
    else observeAll(timeline, from, to, observer, step);
  } catch (reason) {
    if (reason !== ENOUGH) throw reason;
  }
  return !enough;
}

type Tell = (step: SliceStep) => void;

/** Runs what is wanted once more. */
function observeSlices(
  timeline: Timeline,
  from: Position,
  to: Position,
  observer: Observer,
  step: Tell,
): void {
  const { pages } = observer;
  const runner = new SliceRunner(timeline.machine);
  const waiting: { readonly seq: number; readonly tell: () => void }[] = [];
  const takeTurns = (seq: number): void => {
    while (waiting.length > 0 && waiting[0].seq <= seq) waiting.shift()!.tell();
  };
  const subscription = timeline.machine.happened.subscribe((happened) => {
    const { seq } = happened;
    const tell = seq > from.seq ? observer.event(happened) : null;
    if (tell !== null) waiting.push({ seq, tell });
  });
  try {
    const wants = (thread: number, process: number): boolean => observer.wants(thread, process);
    eachSlice(timeline, from, to, wants, (slice) => {
      takeTurns(slice.state.seq);
      const watched = pages === null ? null : runner.watch(slice, pages);
      if (watched === null) runner.trace(slice, step);
      else for (const done of watched) step(done);
    });
    takeTurns(Number.POSITIVE_INFINITY);
  } finally {
    subscription.unsubscribe();
  }
}

/** Traces everything: programs in TypeScript cannot be run once more on the side, and are not long. */
function observeAll(timeline: Timeline, from: Position, to: Position, observer: Observer, step: Tell): void {
  expand(
    timeline,
    from,
    to,
    (happened) => observer.event(happened)?.(),
    (done) => {
      if (observer.wants(done.thread, done.process)) step(done);
    },
  );
}
