import { syscallByNumber } from '../abi/syscalls.js';
import { handleSlot } from '../kernel/objects/handle-value.js';
import { comparePositions, type Position } from '../machine/position.js';
import { mappingAt } from '../timeline/address-space.js';
import { accessMoment } from './accesses.js';
import { answerText, callOf } from './answers.js';
import { handleTable, isWait, TIMING_RESULTS, tellsTime } from './facts.js';
import type { ThreadHistory } from './history.js';
import { type Got, givenOtherwise, type PathParting, partings } from './lockstep.js';
import type { Path } from './path.js';
import type { AccessMoment, Both, Parting, SideName, ValueDifference } from './report.js';
import type { Run } from './run.js';

/** Other loads that are told beside one, at most, and how many instructions before it they are looked for. */
const MAX_ALSO = 3;
const ALSO_STEPS = 64;

/** A place where a thread's paths part, told, with what is needed to look further. */
export interface Suspect {
  readonly threads: Both<ThreadHistory>;
  readonly parting: Parting;
  /** Null where the ways part. */
  readonly got: Both<Got> | null;
}

/** A place where paths part, and why it probably does not matter. */
export interface Judged extends PathParting {
  readonly benign: Parting['benign'];
  /** Where it leads. */
  readonly at: Both<Position>;
  readonly pc: Both<number>;
}

/** Where one thread's paths in two runs part; the paths themselves are not kept. */
export class JudgedPaths {
  constructor(
    private readonly runs: Both<Run>,
    readonly threads: Both<ThreadHistory>,
    private readonly list: readonly Judged[],
    /** What a call gave it otherwise, when nothing is found by following its ways. */
    readonly gotFromCall: Judged | null,
  ) {}

  /**
   * What the thread got otherwise that led most directly to what it did at a position of one side: the last before
   * the ways parted there, or before the position where they did not. It is a guess: nothing follows the value on.
   * @param but an address that is known already
   */
  leadTo(side: SideName, position: Position, but: number | null = null): Judged | null {
    const leads = ({ at, got, benign }: Judged): boolean =>
      comparePositions(at[side], position) <= 0 &&
      got !== null &&
      benign === null &&
      (got.a.kind !== 'load' || got.a.address !== but);
    return this.list.findLast(leads) ?? null;
  }

  /** The last call that was answered otherwise because of what others did at that moment. */
  get contended(): Judged | null {
    return (
      this.list.findLast(({ got, benign }) => benign === 'contention' && got?.a.kind === 'result') ?? null
    );
  }

  /** What most likely matters first, one of each kind. */
  ranked(): Judged[] {
    const seen = new Set<string>();
    const isFirst = ({ got, pc }: Judged): boolean => {
      if (got === null) return true;
      const key = `${pc.a} ${got.a.address} ${got.a.call}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    };
    return this.list.filter(isFirst).sort((x, y) => rank(x) - rank(y));
  }

  tell(judged: Judged): Suspect {
    const { threads } = this;
    const { got, benign } = judged;
    const a = this.moment('a', judged);
    const b = this.moment('b', judged);
    const bare = { benign, a, b, address: null, answers: null, also: [] };
    if (got === null) return { threads, got, parting: { ...bare, kind: 'control flow', what: a.where } };
    const call = callOf(got.a);
    if (call !== 0 && call === callOf(got.b)) {
      const what = syscallByNumber(call)?.name ?? 'a call';
      const answers = { a: answerText(got.a), b: answerText(got.b) };
      return { threads, got, parting: { ...bare, kind: 'syscall', what, answers } };
    }
    const { address } = got.a;
    const what = this.nameOf(address);
    return { threads, got, parting: { ...bare, kind: 'memory', what, address, also: this.also(judged) } };
  }

  private nameOf(address: number): string {
    return this.runs.a.names.address(this.threads.a.process, address);
  }

  private moment(side: SideName, { got, at, pc }: Judged): AccessMoment {
    const observation = got?.[side];
    const result = observation?.kind === 'result';
    return accessMoment(this.runs[side], {
      kind: 'load',
      position: at[side],
      thread: this.threads[side].koid,
      pc: result ? null : pc[side],
      call: result ? (syscallByNumber(observation.call)?.name ?? null) : null,
      value: observation?.value ?? BigInt(pc[side]),
      sizeBytes: observation?.sizeBytes ?? 8,
    });
  }

  private also(judged: Judged): ValueDifference[] {
    const found = new Map<number, ValueDifference>();
    const own = judged.got?.a.address;
    for (let i = this.list.indexOf(judged) - 1; i >= 0 && found.size < MAX_ALSO; i--) {
      const { a: index, got, benign } = this.list[i];
      if (index < judged.a - ALSO_STEPS) break;
      if (got === null || benign !== null || got.a.kind !== 'load' || got.a.address === own) continue;
      const { address, sizeBytes, value } = got.a;
      if (found.has(address)) continue;
      found.set(address, { name: this.nameOf(address), sizeBytes, a: value, b: got.b.value });
    }
    return [...found.values()];
  }
}

/** Judges where two paths of a thread part. */
export function judgedPaths(runs: Both<Run>, threads: Both<ThreadHistory>, paths: Both<Path>): JudgedPaths {
  const judge = new Judge(runs, threads, paths);
  const both = <T>(of: (side: SideName) => T): Both<T> => ({ a: of('a'), b: of('b') });
  const judged = (parting: PathParting): Judged => ({
    ...parting,
    benign: judge.benign(parting),
    at: both((side) => parting.got?.[side].position ?? paths[side].position(parting[side])),
    pc: both((side) => paths[side].pcs[parting[side]]),
  });
  const list = partings(paths.a, paths.b).map(judged);
  const got = givenOtherwise(paths.a, paths.b);
  const given = got === null ? null : judged({ a: got.a.index, b: got.b.index, got });
  return new JudgedPaths(runs, threads, list, given?.benign === null ? given : null);
}

const RANKS: readonly Parting['benign'][] = [null, 'own stack', 'address', 'handle', 'contention', 'time'];

/** Least for what most likely matters; in between, what comes first. */
function rank({ benign, got }: Judged): number {
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
      got.a.kind === 'result' && got.a.given === null
        ? benignResult(got.a.call, [got.a.value, got.b.value])
        : this.benignLoad(got);
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
    if (a.given !== null && b.given !== null) return null;
    const { start, end } = paths.a.stack;
    return a.address >= start && a.address < end ? 'own stack' : null;
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
