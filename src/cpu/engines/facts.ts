import type { Decoded } from './evaluator.js';
import { FLOAT } from './float-shapes.js';
import type { RegionSet } from './region.js';
import { RegisterSet } from './register-set.js';

/** What regions must know of an instruction, wherever it stands. */
export interface Instruction {
  readonly d: Decoded;
  /** It may have to be left to the host. */
  readonly canLeave: boolean;
  readonly reads: RegisterSet;
  readonly writes: RegisterSet;
  readonly control: 'next' | 'branch' | 'jump' | 'jumpTo';
  /** It puts the address behind it into a register. */
  readonly links: boolean;
  readonly hasFloat: boolean;
  /** A number that all instructions share of which the same code is made, but for constants and places of registers. */
  readonly kind: number;
}

/** Kinds in the order that they were first seen in, by what they are: a bit for each thing that is known, and so on. */
const kinds = new Map<number, number>();

function kindOf({ entry, rd, rs1, rs2, rs3, imm, rm }: Decoded, { zeroSlot, sinkSlot }: RegionSet): number {
  let key = (entry << 8) | (rm << 5);
  if (rd === sinkSlot) key |= 1;
  if (imm === 0n) key |= 2;
  if (rs1 === zeroSlot) key |= 4;
  if (rs2 === zeroSlot) key |= 8;
  if (rs3 === zeroSlot) key |= 16;
  let kind = kinds.get(key);
  if (kind === undefined) {
    kind = kinds.size;
    kinds.set(key, kind);
  }
  return kind;
}

/** What all instructions of an entry have in common. */
interface Traits {
  readonly canLeave: boolean;
  readonly control: Instruction['control'];
  readonly hasFloat: boolean;
  readonly writesStatus: boolean;
}

/** What regions leave to the interpreter. */
const LEFT_OUT: ReadonlySet<string> = new Set(['time', 'setFloatRounding']);

const knownTraits = new WeakMap<RegionSet['entries'][number], Traits | null>();

/** Null when regions do not have the instruction. Decoded instructions are few and stay: it is found once. */
export function instructionOf(d: Decoded, isa: RegionSet): Instruction | null {
  if (d.facts === undefined) d.facts = find(d, isa);
  return d.facts as Instruction | null;
}

function traitsOf(entry: RegionSet['entries'][number]): Traits | null {
  let traits = knownTraits.get(entry);
  if (traits === undefined) {
    traits = findTraits(entry);
    knownTraits.set(entry, traits);
  }
  return traits;
}

function findTraits({ operations, effects }: RegionSet['entries'][number]): Traits | null {
  if (effects.control === 'stop') return null;
  const traits = { canLeave: effects.loads || effects.stores, hasFloat: false, writesStatus: false };
  let control: Instruction['control'] = 'next';
  for (const { op } of operations) {
    if (LEFT_OUT.has(op)) return null;
    if (op === 'branch' || op === 'jump' || op === 'jumpTo') control = op;
    else if (op === 'setFloatFlags') traits.canLeave = traits.writesStatus = true;
    else if (FLOAT.test(op)) traits.canLeave = traits.hasFloat = true;
  }
  return { ...traits, control };
}

function find(d: Decoded, isa: RegionSet): Instruction | null {
  const { entries, zeroSlot, sinkSlot } = isa;
  const entry = entries[d.entry]!;
  const traits = traitsOf(entry);
  // A write of the status may be left when the old status is in rd already: then it must be right to do it again.
  if (traits === null || (traits.writesStatus && d.rd === d.rs1)) return null;
  const reads = new RegisterSet();
  const writes = new RegisterSet();
  for (const name of entry.effects.reads) if (d[name] !== zeroSlot) reads.add(d[name] as number);
  for (const name of entry.effects.writes) if (d[name] !== sinkSlot) writes.add(d[name] as number);
  const { canLeave, control, hasFloat } = traits;
  return { d, canLeave, reads, writes, control, links: d.rd !== sinkSlot, hasFloat, kind: kindOf(d, isa) };
}
