import { comparePositions, type Position } from '../machine/position.js';
import { type Apart, findApart } from './apart.js';
import { CALLS, LEVELS, type Level, OUTCOME, PATH } from './facts.js';
import type { ThreadHistory } from './history.js';
import { type JudgedPaths, judgedPaths, type Suspect } from './judge.js';
import type { Marks } from './marks.js';
import { isCut } from './outcomes.js';
import { pathOf } from './path.js';
import type { Both, SideName, ThreadDifference } from './report.js';
import type { Run } from './run.js';

/** Threads that are listed, and those whose instructions are followed: each costs a pass over both runs. */
const MAX_LISTED = 16;
const MAX_FOLLOWED = 3;
/** Partings of one thread that may be the cause, at most. */
const MAX_SUSPECTS = 2;

export interface ThreadsCompared {
  readonly list: readonly ThreadDifference[];
  readonly counts: { readonly same: number; readonly differ: number };
  /** Those that may be the cause, likeliest first. */
  readonly suspects: readonly Suspect[];
  /** If there is none: the first answer of a call that depends on what others did at that moment. */
  readonly contended: Suspect | null;
  /** Threads whose instructions were followed. */
  readonly followed: readonly JudgedPaths[];
}

/**
 * Compares each thread's own history with that of the same thread in the other run, and follows the instructions of
 * those that lead to what the world sees.
 * @param byAddress one address means the same in both runs: else instructions cannot be followed side by side
 * @throws Diverged
 */
export function compareThreads(runs: Both<Run>, byAddress: boolean): ThreadsCompared {
  const keys = new Set([...runs.a.history.threads.keys(), ...runs.b.history.threads.keys()]);
  const pairs = [...keys].map((key) => {
    const a = runs.a.history.threads.get(key);
    const b = runs.b.history.threads.get(key);
    return { a, b, level: levelOf(runs, a, b) };
  });
  const differing = pairs.filter(({ level }) => level !== null).sort((x, y) => y.level! - x.level!);
  const suspects: Suspect[] = [];
  const contended: Suspect[] = [];
  const followedThreads: JudgedPaths[] = [];
  const list = differing.slice(0, MAX_LISTED).map(({ a, b, level }, i) => {
    const thread = { a: runs.a.threadName(a?.koid ?? 0), b: runs.b.threadName(b?.koid ?? 0) };
    const bare = { thread, level: LEVELS[level!], alike: 0, calls: { a: null, b: null }, parting: null };
    if (a === undefined || b === undefined) return bare;
    if (i >= MAX_FOLLOWED || !byAddress)
      return { ...bare, alike: a.marks[level!].alike(b.marks[level!]).facts };
    const followed = follow(runs, { a, b }, level!);
    suspects.push(...followed.suspects);
    if (followed.contended !== null) contended.push(followed.contended);
    if (followed.thread !== null) followedThreads.push(followed.thread);
    return { ...bare, ...followed.difference };
  });
  const counts = { same: pairs.length - differing.length, differ: differing.length };
  contended.sort((x, y) => comparePositions(x.parting.a.position, y.parting.a.position));
  return { list, counts, suspects, contended: contended[0] ?? null, followed: followedThreads };
}

/** The highest level at which two histories differ; null when they do not. */
function levelOf(runs: Both<Run>, a: ThreadHistory | undefined, b: ThreadHistory | undefined): Level | null {
  const cut = { a: isCut(runs.a), b: isCut(runs.b) };
  if (a === undefined || b === undefined) return (a === undefined ? cut.a : cut.b) ? null : CALLS;
  // What is missing behind a cut is no difference.
  const same = (left: Marks, right: Marks): boolean => {
    const { facts, within } = left.alike(right);
    const covers = ({ length }: Marks): boolean => facts + within > length;
    return left.equals(right) || (cut.a && covers(left)) || (cut.b && covers(right));
  };
  const levels: readonly Level[] = [OUTCOME, CALLS, PATH];
  const differing = levels.find((level) => !same(a.marks[level], b.marks[level]));
  return differing ?? (a.steps === b.steps || cut.a || cut.b ? null : PATH);
}

interface Followed {
  readonly difference: Pick<ThreadDifference, 'alike' | 'calls' | 'parting'>;
  readonly suspects: readonly Suspect[];
  readonly contended: Suspect | null;
  readonly thread: JudgedPaths | null;
}

function follow(runs: Both<Run>, threads: Both<ThreadHistory>, level: Level): Followed {
  const apart = findApart(runs, threads, level);
  if (apart === null) {
    const difference = { alike: 0, calls: { a: null, b: null }, parting: null };
    return { difference, suspects: [], contended: null, thread: null };
  }
  // What leads to the outcome lies behind the last calls of any meaning that are alike.
  const start = (level === OUTCOME ? findApart(runs, threads, CALLS) : null) ?? apart;
  const ends = { a: endOf(runs.a, apart, 'a'), b: endOf(runs.b, apart, 'b') };
  const paths = {
    a: pathOf(runs.a, threads.a, start.before.a, ends.a),
    b: pathOf(runs.b, threads.b, start.before.b, ends.b),
  };
  const thread = judgedPaths(runs, threads, paths);
  const lead = level === OUTCOME ? (thread.leadTo('a', ends.a) ?? thread.leadTo('b', ends.b)) : null;
  const likely = [...(lead === null ? [] : [lead]), ...thread.ranked()];
  const other = likely.some(({ benign }) => benign === null) ? null : thread.gotFromCall;
  const told = [...(other === null ? [] : [other]), ...new Set(likely)].slice(0, MAX_SUSPECTS);
  const suspects = told.map((one) => thread.tell(one));
  const contended = level === OUTCOME ? thread.contended : null;
  const { a, b } = apart.facts;
  const calls = { a: a === null ? null : runs.a.call(a), b: b === null ? null : runs.b.call(b) };
  return {
    difference: { alike: apart.alike, calls, parting: suspects[0]?.parting ?? null },
    suspects: suspects.filter(({ parting: { benign } }) => benign === null),
    contended: contended === null ? null : thread.tell(contended),
    thread,
  };
}

/** Where what differs is over. */
function endOf({ timeline }: Run, { facts }: Apart, side: SideName): Position {
  const fact = facts[side];
  return fact === null ? timeline.end : { seq: fact.seq, step: 0 };
}
