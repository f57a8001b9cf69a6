import { integerOf } from '../timeline/text.js';
import type { Given, Observation, Path } from './path.js';

/** Paths are together again where so many instructions are the same. */
const SAME_STEPS = 24;
/** How far ahead that is looked for, on both sides. */
const LOOK_AHEAD_STEPS = 1 << 15;
const MAX_FOUND = 1 << 14;
const MAX_STORES = 1 << 17;
/** Writes of calls into memory that are remembered. */
const MAX_GIVEN = 64;

/** What an instruction or a call got, and where that came from, if it is known. */
export interface Got extends Observation {
  /** The write of a call that a load shows. */
  readonly given: Given | null;
}

/** Where two paths part: in what an instruction or a call got, or in where they go. */
export interface PathParting {
  /** Index of the instruction on both sides; for ways that part, of the first that is not the same. */
  readonly a: number;
  readonly b: number;
  /** Null where the ways part. */
  readonly got: { readonly a: Got; readonly b: Got } | null;
}

/**
 * Follows one thread's paths in two runs side by side and tells where they part, in order: loads of one address that
 * give two values, calls with two results, and ways that part; those are followed on from where they meet again. Values
 * that the thread itself stored before do not count: something else made them differ.
 */
export function partings(a: Path, b: Path): PathParting[] {
  const found: PathParting[] = [];
  const left = new Side(a);
  const right = new Side(b);
  const compare = (): void => {
    for (const got of differences(left.take(), right.take()))
      found.push({ a: left.index, b: right.index, got });
  };
  while (left.index < a.length && right.index < b.length && found.length < MAX_FOUND) {
    if (a.pcs[left.index] !== b.pcs[right.index]) {
      found.push({ a: left.index, b: right.index, got: null });
      const ahead = meeting(a, left.index, b, right.index);
      if (ahead === null) return found;
      left.skip(ahead.a);
      right.skip(ahead.b);
    }
    compare();
    left.index++;
    right.index++;
  }
  // The result of a call that was the last thing.
  if (left.index === a.length && right.index === b.length) compare();
  return found;
}

/**
 * The first thing that a call put into memory and that is not the same as what its how many-th like it put there in the
 * other run: paths that never meet again can be compared in that.
 */
export function givenOtherwise(a: Path, b: Path): { a: Got; b: Got } | null {
  const keyOf = ({ call, address, sizeBytes }: Given): string => `${call} ${address} ${sizeBytes}`;
  const inB = new Map<string, Given[]>();
  for (const given of b.given.toReversed()) {
    const list = inB.get(keyOf(given));
    if (list === undefined) inB.set(keyOf(given), [given]);
    else list.push(given);
  }
  for (const given of a.given) {
    const other = inB.get(keyOf(given))?.pop();
    const offset = other === undefined ? -1 : given.bytes.findIndex((byte, i) => byte !== other.bytes[i]);
    if (other === undefined || offset < 0) continue;
    const word = offset - (offset % WORD_BYTES);
    return { a: wordOf(given, word), b: wordOf(other, word) };
  }
  return null;
}

const WORD_BYTES = 4;

function wordOf(given: Given, offset: number): Got {
  const { index, address, call, position } = given;
  const word = given.bytes.subarray(offset, offset + WORD_BYTES);
  return {
    kind: 'result',
    index,
    address: address + offset,
    sizeBytes: word.length,
    value: integerOf(word),
    call,
    position,
    given,
  };
}

/** An observation, and whether it only shows what the thread stored itself. */
interface Seen extends Got {
  readonly own: boolean;
}

function differences(a: readonly Seen[], b: readonly Seen[]): { a: Got; b: Got }[] {
  const pairs = a.slice(0, b.length).map((left, i) => ({ a: left, b: b[i] }));
  return pairs.filter(
    ({ a: left, b: right }) =>
      left.kind === right.kind &&
      left.kind !== 'store' &&
      left.address === right.address &&
      left.call === right.call &&
      left.value !== right.value &&
      !(left.own && right.own),
  );
}

/** One of the paths, and how far it was followed. */
class Side {
  index = 0;
  private next = 0;
  private nextGiven = 0;
  private readonly stores = new Map<number, bigint>();
  /** What calls wrote, the last first. */
  private readonly given: Given[] = [];

  constructor(private readonly path: Path) {}

  skip(to: number): void {
    for (; this.index < to; this.index++) this.take();
  }

  /** What the instruction here observed. */
  take(): Seen[] {
    const { observations } = this.path;
    const taken: Seen[] = [];
    this.takeGiven();
    for (; this.next < observations.length && observations[this.next].index <= this.index; this.next++) {
      const observation = observations[this.next];
      const { kind, address, value } = observation;
      const own = kind === 'load' && this.stores.get(address) === value;
      const given = kind === 'load' && !own ? this.givenAt(observation) : null;
      taken.push({ ...observation, own, given });
      if (kind === 'store') {
        if (this.stores.size >= MAX_STORES) this.stores.clear();
        this.stores.set(address, value);
      }
    }
    return taken;
  }

  private takeGiven(): void {
    const { given } = this.path;
    for (; this.nextGiven < given.length && given[this.nextGiven].index <= this.index; this.nextGiven++) {
      this.given.unshift(given[this.nextGiven]);
      this.given.length = Math.min(this.given.length, MAX_GIVEN);
    }
  }

  /** The last write of a call that covers a load. */
  private givenAt({ address, sizeBytes }: Observation): Given | null {
    const covers = (given: Given): boolean =>
      address >= given.address && address + sizeBytes <= given.address + given.sizeBytes;
    return this.given.find(covers) ?? null;
  }
}

/** The nearest place ahead from which both go the same way for a while; null when there is none. */
function meeting(pathA: Path, fromA: number, pathB: Path, fromB: number): { a: number; b: number } | null {
  const { pcs: a } = pathA;
  const { pcs: b } = pathB;
  const firstOfA = new Map<number, number>();
  const firstOfB = new Map<number, number>();
  const matches = (i: number, j: number): boolean => {
    for (let n = 0; n < SAME_STEPS; n++) if (a[i + n] !== b[j + n]) return false;
    // A function that both call, but from two places, is no meeting.
    const [ofA, ofB] = [
      [...pathA.stackTouches(i, i + SAME_STEPS)],
      [...pathB.stackTouches(j, j + SAME_STEPS)],
    ];
    return ofA.length === ofB.length && ofA.every((address, n) => address === ofB[n]);
  };
  for (let ahead = 0; ahead < LOOK_AHEAD_STEPS; ahead++) {
    const i = fromA + ahead;
    const j = fromB + ahead;
    if (i + SAME_STEPS > a.length && j + SAME_STEPS > b.length) return null;
    const ofA = i + SAME_STEPS <= a.length ? fingerprint(pathA, i) : Number.NaN;
    const ofB = j + SAME_STEPS <= b.length ? fingerprint(pathB, j) : Number.NaN;
    if (!firstOfA.has(ofA)) firstOfA.set(ofA, i);
    if (!firstOfB.has(ofB)) firstOfB.set(ofB, j);
    const inB = firstOfB.get(ofA);
    if (inB !== undefined && matches(i, inB)) return { a: i, b: inB };
    const inA = firstOfA.get(ofB);
    if (inA !== undefined && matches(inA, j)) return { a: inA, b: j };
  }
  return null;
}

function fingerprint(path: Path, from: number): number {
  const { pcs } = path;
  let sum = 0;
  for (let n = 0; n < SAME_STEPS; n++) sum = mixed(sum, pcs[from + n]);
  for (const address of path.stackTouches(from, from + SAME_STEPS)) sum = mixed(sum, address);
  return sum;
}

function mixed(sum: number, word: number): number {
  return Math.imul(sum ^ word, 0x2c1b3c6d) ^ (sum >>> 15);
}
