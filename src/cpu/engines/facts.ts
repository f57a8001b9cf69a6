import type { Decoded } from './evaluator.js';
import { planOf, type Step } from './plan.js';
import type { RegionSet } from './region.js';

/** What regions must know of an instruction, wherever it stands. */
export interface Facts {
  readonly plan: readonly Step[];
  /** It may have to be left to the host. */
  readonly canLeave: boolean;
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly control: 'next' | 'branch' | 'jump' | 'jumpTo';
  /** It puts the address behind it into a register. */
  readonly links: boolean;
  readonly hasFloat: boolean;
}

/** What regions leave to the interpreter. */
const LEFT_OUT = /^(?:time|setFloatRounding)$/;
const STATUS_WRITE = /^setFloatFlags$/;
const FLOAT = /^f(?:32|64)/;

/** Decoded instructions are few and stay: their facts are found once. */
const known = new WeakMap<Decoded, Facts | null>();

/** Null when regions do not have the instruction. */
export function factsOf(d: Decoded, isa: RegionSet): Facts | null {
  let facts = known.get(d);
  if (facts === undefined) {
    facts = findFacts(d, isa);
    known.set(d, facts);
  }
  return facts;
}

function findFacts(d: Decoded, { entries, zeroSlot, sinkSlot }: RegionSet): Facts | null {
  const { operations, effects } = entries[d.entry]!;
  const names = operations.map(({ op }) => op);
  if (names.some((op) => LEFT_OUT.test(op)) || effects.control === 'stop') return null;
  // A write of the status may be left when the old status is in rd already: then it must be right to do it again.
  const writesStatus = names.some((op) => STATUS_WRITE.test(op));
  if (writesStatus && d.rd === d.rs1) return null;
  const hasFloat = names.some((op) => FLOAT.test(op));
  return {
    plan: planOf(operations),
    canLeave: writesStatus || hasFloat || effects.loads || effects.stores,
    reads: effects.reads.map((name) => d[name] as number).filter((slot) => slot !== zeroSlot),
    writes: effects.writes.map((name) => d[name] as number).filter((slot) => slot !== sinkSlot),
    control: (['branch', 'jump', 'jumpTo'] as const).find((op) => names.includes(op)) ?? 'next',
    links: d.rd !== sinkSlot,
    hasFloat,
  };
}
