import { syscallByNumber } from '../abi/syscalls.js';
import { handleSlot } from '../kernel/objects/handle-value.js';
import { mappingAt } from '../timeline/address-space.js';
import { accessMoment } from './accesses.js';
import { type Apart, findApart } from './apart.js';
import {
  CALLS,
  handleTable,
  isWait,
  LEVELS,
  type Level,
  OUTCOME,
  PATH,
  TIMING_RESULTS,
  tellsTime,
} from './facts.js';
import type { ThreadHistory } from './history.js';
import { type PathParting, partings } from './lockstep.js';
import type { Marks } from './marks.js';
import { isCut } from './outcomes.js';
import { type Path, pathOf } from './path.js';
import type { AccessMoment, Both, Parting, SideName, ThreadDifference } from './report.js';
import type { Run } from './run.js';

/** Threads that are listed, and those whose instructions are followed: each costs a pass over both runs. */
const MAX_LISTED = 16;
const MAX_FOLLOWED = 3;
/** Partings of one thread that may be the cause, at most. */
const MAX_SUSPECTS = 2;

/** A place where a thread's paths part, told, with what is needed to look further. */
export interface Suspect {
  readonly threads: Both<ThreadHistory>;
  readonly parting: Parting;
}

export interface ThreadsCompared {
  readonly list: readonly ThreadDifference[];
  readonly counts: { readonly same: number; readonly differ: number };
  /** Those that may be the cause, likeliest first. */
  readonly suspects: readonly Suspect[];
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
  const list = differing.slice(0, MAX_LISTED).map(({ a, b, level }, i) => {
    const thread = { a: runs.a.threadName(a?.koid ?? 0), b: runs.b.threadName(b?.koid ?? 0) };
    const bare = { thread, level: LEVELS[level!], alike: 0, calls: { a: null, b: null }, parting: null };
    if (a === undefined || b === undefined) return bare;
    if (i >= MAX_FOLLOWED || !byAddress)
      return { ...bare, alike: a.marks[level!].alike(b.marks[level!]).facts };
    const followed = follow(runs, { a, b }, level!);
    suspects.push(...followed.suspects);
    return { ...bare, ...followed.difference };
  });
  return { list, counts: { same: pairs.length - differing.length, differ: differing.length }, suspects };
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
}

function follow(runs: Both<Run>, threads: Both<ThreadHistory>, level: Level): Followed {
  const apart = findApart(runs, threads, level);
  if (apart === null)
    return { difference: { alike: 0, calls: { a: null, b: null }, parting: null }, suspects: [] };
  // What leads to the outcome lies behind the last call of any meaning that is alike.
  const start = (level === OUTCOME ? findApart(runs, threads, CALLS) : null) ?? apart;
  const paths = {
    a: pathTo(runs.a, threads.a, start, apart, 'a'),
    b: pathTo(runs.b, threads.b, start, apart, 'b'),
  };
  const judge = new Judge(runs, threads, paths);
  const judged = partings(paths.a, paths.b)
    .map((parting) => ({ parting, benign: judge.benign(parting) }))
    .sort((x, y) => rank(x.benign, x.parting) - rank(y.benign, y.parting));
  const told = judged.slice(0, MAX_SUSPECTS).map(({ parting, benign }) => judge.tell(parting, benign));
  const { a, b } = apart.facts;
  const calls = { a: a === null ? null : runs.a.call(a), b: b === null ? null : runs.b.call(b) };
  return {
    difference: { alike: apart.alike, calls, parting: told[0] ?? null },
    suspects: told.filter(({ benign }) => benign === null).map((parting) => ({ threads, parting })),
  };
}

function pathTo(run: Run, thread: ThreadHistory, start: Apart, { facts }: Apart, side: SideName): Path {
  const fact = facts[side];
  return pathOf(
    run,
    thread,
    start.agreed[side],
    fact === null ? run.timeline.end : { seq: fact.seq, step: 0 },
  );
}

const RANKS: readonly Parting['benign'][] = [null, 'own stack', 'address', 'handle', 'contention', 'time'];

/** Least for what most likely matters; in between, what comes first. */
function rank(benign: Parting['benign'], { got }: PathParting): number {
  return RANKS.indexOf(benign) * 2 + (got === null ? 1 : 0);
}

/** Tells partings that matter from those that any two schedules have. */
class Judge {
  /** Ways part because of what differed last before. */
  private last: Parting['benign'] = null;

  constructor(
    private readonly runs: Both<Run>,
    private readonly threads: Both<ThreadHistory>,
    private readonly paths: Both<Path>,
  ) {}

  /** To be asked in the order in which they were found. */
  benign({ got }: PathParting): Parting['benign'] {
    if (got === null) return this.last;
    this.last =
      got.a.kind === 'result' ? benignResult(got.a.call, [got.a.value, got.b.value]) : this.benignLoad(got);
    return this.last;
  }

  private benignLoad({ a, b }: NonNullable<PathParting['got']>): Parting['benign'] {
    const { runs, paths } = this;
    const word = a.address - (a.address % 4);
    if (runs.a.history.futexes.has(word) || runs.b.history.futexes.has(word)) return 'contention';
    if (isHandle(runs.a, this.threads.a, a.value) && isHandle(runs.b, this.threads.b, b.value))
      return 'handle';
    if (isMapped(runs.a, this.threads.a, a.value) && isMapped(runs.b, this.threads.b, b.value))
      return 'address';
    const { start, end } = paths.a.stack;
    return a.address >= start && a.address < end ? 'own stack' : null;
  }

  tell(parting: PathParting, benign: Parting['benign']): Parting {
    const { runs, threads } = this;
    const { got } = parting;
    const a = this.moment('a', parting);
    const b = this.moment('b', parting);
    if (got === null) return { kind: 'control flow', benign, what: a.where, address: null, a, b };
    if (got.a.kind === 'result') {
      const what = syscallByNumber(got.a.call)?.name ?? 'a call';
      return { kind: 'syscall', benign, what, address: null, a, b };
    }
    const { address } = got.a;
    return { kind: 'memory', benign, what: runs.a.names.address(threads.a.process, address), address, a, b };
  }

  private moment(side: SideName, { got, ...at }: PathParting): AccessMoment {
    const path = this.paths[side];
    const observation = got?.[side];
    const index = at[side];
    const result = observation?.kind === 'result';
    return accessMoment(this.runs[side], {
      kind: 'load',
      position: observation?.position ?? path.position(index),
      thread: this.threads[side].koid,
      pc: result ? null : path.pcs[index],
      call: result ? (syscallByNumber(observation.call)?.name ?? null) : null,
      value: observation?.value ?? BigInt(path.pcs[index]),
      sizeBytes: observation?.sizeBytes ?? 8,
    });
  }
}

function benignResult(number: number, values: readonly bigint[]): Parting['benign'] {
  const call = syscallByNumber(number);
  if (call === undefined) return null;
  if (tellsTime(call)) return 'time';
  return isWait(call) || values.some((value) => TIMING_RESULTS.includes(Number(value))) ? 'contention' : null;
}

function isHandle({ k }: Run, { process }: ThreadHistory, value: bigint): boolean {
  const table = handleTable(k, process);
  if (table === null || value > 0xffffffffn) return false;
  const slot = handleSlot(Number(value), table.handleSecret);
  return slot >= 1 && slot < table.nextSlot;
}

function isMapped({ k }: Run, { process }: ThreadHistory, value: bigint): boolean {
  return value < 2n ** 47n && mappingAt(k, process, Number(value)) !== undefined;
}
