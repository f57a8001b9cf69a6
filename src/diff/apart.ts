import { type Position, START } from '../machine/position.js';
import { ENOUGH } from '../timeline/timeline.js';
import { type Fact, FactReader, type Level } from './facts.js';
import type { ThreadHistory } from './history.js';
import type { Both } from './report.js';
import type { Run } from './run.js';

/** Where two histories of one thread part. */
export interface Apart {
  readonly level: Level;
  /** Facts that are alike before. */
  readonly alike: number;
  /** A few of them earlier: what a call put into memory is read later. */
  readonly before: Both<Position>;
  /** The first that are not alike; null where a history ends. */
  readonly facts: Both<Fact | null>;
}

/** Facts that are alike and looked at again. */
const FACTS_BEFORE = 4;

/**
 * The first fact of a level that a thread does not have in common with itself in the other run; null when there is none.
 * The histories' marks bracket it, and only that stretch of each run is read again.
 * @throws Diverged
 */
export function findApart(runs: Both<Run>, threads: Both<ThreadHistory>, level: Level): Apart | null {
  const { a, b } = threads;
  if (a.marks[level].equals(b.marks[level])) return null;
  const { facts: sure, within } = a.marks[level].alike(b.marks[level]);
  // At a multiple of both strides.
  const facts = Math.max(0, sure - within * Math.ceil(FACTS_BEFORE / within));
  const count = sure - facts + within + 1;
  const from = { a: startOf(a, level, facts), b: startOf(b, level, facts) };
  const lists = {
    a: factsFrom(runs.a, a, level, from.a, count),
    b: factsFrom(runs.b, b, level, from.b, count),
  };
  let i = 0;
  while (i < lists.a.length && i < lists.b.length && alike(lists.a[i], lists.b[i], level)) i++;
  const before = (list: readonly Fact[], start: Position): Position =>
    i <= FACTS_BEFORE ? start : { seq: list[i - 1 - FACTS_BEFORE].seq, step: 0 };
  return {
    level,
    alike: facts + i,
    before: { a: before(lists.a, from.a), b: before(lists.b, from.b) },
    facts: { a: lists.a[i] ?? null, b: lists.b[i] ?? null },
  };
}

function startOf(thread: ThreadHistory, level: Level, facts: number): Position {
  return { seq: thread.marks[level].seqAt(facts, thread.madeSeq), step: 0 };
}

function alike(a: Fact, b: Fact, level: Level): boolean {
  return a.digest === b.digest && (level > 0 || a.steps === b.steps);
}

/** At most so many facts of a thread behind a position that one of its own facts ends at. */
function factsFrom(run: Run, thread: ThreadHistory, level: Level, from: Position, count: number): Fact[] {
  const { timeline, history } = run;
  const found: Fact[] = [];
  const { k, position } = timeline.seek(from.seq === 0 ? START : from);
  const reader = new FactReader(k, history.lineage, (fact) => {
    if (fact.thread === thread.koid && fact.level >= level && found.length < count) found.push(fact);
  });
  timeline.events(position, timeline.end, (happened) => {
    reader.note(happened);
    if (found.length >= count) throw ENOUGH;
  });
  if (history.halt?.kind === 'deadlock') reader.endWaits(timeline.end.seq);
  return found;
}
