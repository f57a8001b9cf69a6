import { kept } from '../../base/prepared.js';
import type { Decoded } from './evaluator.js';
import { type Narrowness, narrownessOf } from './narrowness.js';
import type { RegionSet } from './region.js';
import { RegisterSet } from './register-set.js';
import { type Access, accessOf, type CONTROLS, controlOf, TRAIT, traitsOf } from './traits.js';

/** What regions must know of an instruction, wherever it stands. */
export interface Instruction {
  readonly d: Decoded;
  /** It may have to be left to the host. */
  readonly canLeave: boolean;
  readonly reads: RegisterSet;
  readonly writes: RegisterSet;
  readonly control: (typeof CONTROLS)[number];
  /** It puts the address behind it into a register. */
  readonly links: boolean;
  readonly hasFloat: boolean;
  readonly access: Access | null;
  /** All it does is to put the sum of rs1 and the immediate into rd. */
  readonly addsConstant: boolean;
  readonly kind: Kind;
}

/** What all instructions are of which the same code is made, but for constants and places of registers. */
export interface Kind extends Narrowness {
  readonly number: number;
  /** What is known of them, as bits. */
  readonly key: number;
  /** It shifts by the immediate, which is below 32. */
  readonly isShort: boolean;
}

/** Of a table of instructions. */
interface Kinds {
  /** In the order that they were first seen in, by key. */
  readonly byKey: Map<number, Kind>;
  /** What a build of the same code found of some, as bits: see `wordsOfKinds`. */
  readonly kept: Map<number, number>;
}

const kindsOf = new WeakMap<RegionSet['entries'], Kinds>();

const NARROWNESS_BITS = 3;

/** Words that a build keeps: keys, and behind each what narrowness it has. */
function wordsOfKinds(kinds: Iterable<Kind>): Uint32Array {
  const words: number[] = [];
  for (const { key, isNarrow, keepsNarrow, likesNarrow } of kinds)
    words.push((key << NARROWNESS_BITS) | (isNarrow ? 1 : 0) | (keepsNarrow ? 2 : 0) | (likesNarrow ? 4 : 0));
  return Uint32Array.from(words);
}

function kindsIn({ entries, name }: RegionSet): Kinds {
  let kinds = kindsOf.get(entries);
  if (kinds === undefined) {
    const byKey = new Map<number, Kind>();
    const bytes = kept(`kinds of ${name}`, () => new Uint8Array(wordsOfKinds(byKey.values()).buffer));
    const words = new Uint32Array(bytes === undefined ? [] : bytes.slice().buffer);
    kinds = { byKey, kept: new Map() };
    for (let i = 0; i < words.length; i++) kinds.kept.set(words[i]! >>> NARROWNESS_BITS, words[i]!);
    kindsOf.set(entries, kinds);
  }
  return kinds;
}

function narrownessIn(bits: number): Narrowness {
  return { isNarrow: (bits & 1) !== 0, keepsNarrow: (bits & 2) !== 0, likesNarrow: (bits & 4) !== 0 };
}

function kindOf(d: Decoded, isa: RegionSet, shifts: boolean): Kind {
  const { entries, zeroSlot, sinkSlot } = isa;
  const isShort = shifts && d.imm >= 0n && d.imm < 32n;
  const { entry, rd, rs1, rs2, rs3, imm, rm } = d;
  let key = (entry << 9) | (rm << 6);
  if (rd === sinkSlot) key |= 1;
  if (imm === 0n) key |= 2;
  if (rs1 === zeroSlot) key |= 4;
  if (rs2 === zeroSlot) key |= 8;
  if (rs3 === zeroSlot) key |= 16;
  if (isShort) key |= 32;
  const { byKey, kept } = kindsIn(isa);
  let kind = byKey.get(key);
  if (kind === undefined) {
    const bits = kept.get(key);
    const narrowness =
      bits === undefined ? narrownessOf(d, entries[entry]!.operations, zeroSlot) : narrownessIn(bits);
    kind = { number: byKey.size, key, isShort, ...narrowness };
    byKey.set(key, kind);
  }
  return kind;
}

/** Null when regions do not have the instruction. Decoded instructions are few and stay: it is found once. */
export function instructionOf(d: Decoded, isa: RegionSet): Instruction | null {
  if (d.facts === undefined) d.facts = find(d, isa);
  return d.facts as Instruction | null;
}

function find(d: Decoded, isa: RegionSet): Instruction | null {
  const { zeroSlot, sinkSlot } = isa;
  const { rd, rs1, rs2, rs3 } = d;
  const traits = traitsOf(isa)[d.entry]!;
  // A write of the status may be left when the old status is in rd already: then it must be right to do it again.
  if ((traits & TRAIT.leftOut) !== 0 || ((traits & TRAIT.writesStatus) !== 0 && rd === rs1)) return null;
  const reads = new RegisterSet();
  const writes = new RegisterSet();
  if ((traits & TRAIT.rs1) !== 0 && rs1 !== zeroSlot) reads.add(rs1);
  if ((traits & TRAIT.rs2) !== 0 && rs2 !== zeroSlot) reads.add(rs2);
  if ((traits & TRAIT.rs3) !== 0 && rs3 !== zeroSlot) reads.add(rs3);
  if ((traits & TRAIT.rd) !== 0 && rd !== sinkSlot) writes.add(rd);
  return {
    d,
    canLeave: (traits & TRAIT.canLeave) !== 0,
    reads,
    writes,
    control: controlOf(traits),
    links: rd !== sinkSlot,
    hasFloat: (traits & TRAIT.hasFloat) !== 0,
    access: accessOf(traits),
    addsConstant: (traits & TRAIT.addsConstant) !== 0,
    kind: kindOf(d, isa, (traits & TRAIT.shifts) !== 0),
  };
}
