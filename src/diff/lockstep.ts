import type { Observation, Path } from './path.js';

/** Paths are together again where so many instructions are the same. */
const SAME_STEPS = 24;
/** How far ahead that is looked for, on both sides. */
const LOOK_AHEAD_STEPS = 1 << 15;
const MAX_FOUND = 256;
const MAX_STORES = 1 << 17;

/** Where two paths part: in what an instruction or a call got, or in where they go. */
export interface PathParting {
  /** Index of the instruction on both sides; for ways that part, of the first that is not the same. */
  readonly a: number;
  readonly b: number;
  /** Null where the ways part. */
  readonly got: { readonly a: Observation; readonly b: Observation } | null;
}

/**
 * Follows one thread's paths in two runs side by side and tells where they part, in order: loads of one address that
 * give two values, calls with two results, and ways that part; those are followed on from where they meet again. Values
 * that the thread itself stored before do not count: something else made them differ.
 */
export function partings(a: Path, b: Path): PathParting[] {
  const found: PathParting[] = [];
  const seen = new Set<string>();
  const left = new Side(a);
  const right = new Side(b);
  const compare = (): void => {
    for (const got of differences(left.take(), right.take())) {
      const key = `${a.pcs[left.index]} ${got.a.address} ${got.a.call}`;
      if (!seen.has(key)) found.push({ a: left.index, b: right.index, got });
      seen.add(key);
    }
  };
  while (left.index < a.length && right.index < b.length && found.length < MAX_FOUND) {
    if (a.pcs[left.index] !== b.pcs[right.index]) {
      found.push({ a: left.index, b: right.index, got: null });
      const ahead = meeting(a.pcs, left.index, b.pcs, right.index);
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

/** An observation, and whether it only shows what the thread stored itself. */
interface Seen extends Observation {
  readonly own: boolean;
}

function differences(a: readonly Seen[], b: readonly Seen[]): { a: Observation; b: Observation }[] {
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
  private readonly stores = new Map<number, bigint>();

  constructor(private readonly path: Path) {}

  skip(to: number): void {
    for (; this.index < to; this.index++) this.take();
  }

  /** What the instruction here observed. */
  take(): Seen[] {
    const { observations } = this.path;
    const taken: Seen[] = [];
    for (; this.next < observations.length && observations[this.next].index <= this.index; this.next++) {
      const observation = observations[this.next];
      const { kind, address, value } = observation;
      taken.push({ ...observation, own: kind === 'load' && this.stores.get(address) === value });
      if (kind === 'store') {
        if (this.stores.size >= MAX_STORES) this.stores.clear();
        this.stores.set(address, value);
      }
    }
    return taken;
  }
}

/** The nearest place ahead from which both go the same way for a while; null when there is none. */
function meeting(
  a: readonly number[],
  fromA: number,
  b: readonly number[],
  fromB: number,
): { a: number; b: number } | null {
  const firstOfA = new Map<number, number>();
  const firstOfB = new Map<number, number>();
  const matches = (i: number, j: number): boolean => {
    for (let n = 0; n < SAME_STEPS; n++) if (a[i + n] !== b[j + n]) return false;
    return true;
  };
  for (let ahead = 0; ahead < LOOK_AHEAD_STEPS; ahead++) {
    const i = fromA + ahead;
    const j = fromB + ahead;
    if (i + SAME_STEPS > a.length && j + SAME_STEPS > b.length) return null;
    const ofA = i + SAME_STEPS <= a.length ? fingerprint(a, i) : Number.NaN;
    const ofB = j + SAME_STEPS <= b.length ? fingerprint(b, j) : Number.NaN;
    if (!firstOfA.has(ofA)) firstOfA.set(ofA, i);
    if (!firstOfB.has(ofB)) firstOfB.set(ofB, j);
    const inB = firstOfB.get(ofA);
    if (inB !== undefined && matches(i, inB)) return { a: i, b: inB };
    const inA = firstOfA.get(ofB);
    if (inA !== undefined && matches(inA, j)) return { a: inA, b: j };
  }
  return null;
}

function fingerprint(pcs: readonly number[], from: number): number {
  let sum = 0;
  for (let n = 0; n < SAME_STEPS; n++) sum = Math.imul(sum ^ pcs[from + n], 0x2c1b3c6d) ^ (sum >>> 15);
  return sum;
}
