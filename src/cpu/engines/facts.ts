import type { Decoded } from './evaluator.js';
import { FLOAT } from './float-shapes.js';
import { accessSize } from './lowering.js';
import { type Narrowness, narrownessOf } from './narrowness.js';
import { isOperation } from './plan.js';
import type { RegionSet } from './region.js';
import { RegisterSet } from './register-set.js';
import type { Argument, Operation } from './transcript.js';

/** What an instruction does that is one load or store at a register and a constant, and no more with memory. */
export interface Access {
  readonly store: boolean;
  readonly sizeBytes: number;
}

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

/** Of each table of instructions, kinds in the order that they were first seen in, by what is known of them, as bits. */
const kindsOf = new WeakMap<RegionSet['entries'], Map<number, Kind>>();

function kindOf(d: Decoded, { entries, zeroSlot, sinkSlot }: RegionSet, shifts: boolean): Kind {
  const isShort = shifts && d.imm >= 0n && d.imm < 32n;
  const { entry, rd, rs1, rs2, rs3, imm, rm } = d;
  let key = (entry << 9) | (rm << 6);
  if (rd === sinkSlot) key |= 1;
  if (imm === 0n) key |= 2;
  if (rs1 === zeroSlot) key |= 4;
  if (rs2 === zeroSlot) key |= 8;
  if (rs3 === zeroSlot) key |= 16;
  if (isShort) key |= 32;
  let kinds = kindsOf.get(entries);
  if (kinds === undefined) {
    kinds = new Map();
    kindsOf.set(entries, kinds);
  }
  let kind = kinds.get(key);
  if (kind === undefined) {
    const { operations } = entries[entry]!;
    kind = { number: kinds.size, key, isShort, ...narrownessOf(d, operations, zeroSlot) };
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
  readonly access: Access | null;
  readonly addsConstant: boolean;
  readonly shifts: boolean;
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
  const last = operations[operations.length - 1];
  const addsConstant = operations.length === 4 && last?.op === 'set' && isSum(last.args[1]);
  let control: Instruction['control'] = 'next';
  for (const { op } of operations) {
    if (LEFT_OUT.has(op)) return null;
    if (op === 'branch' || op === 'jump' || op === 'jumpTo') control = op;
    else if (op === 'setFloatFlags') traits.canLeave = traits.writesStatus = true;
    else if (FLOAT.test(op)) traits.canLeave = traits.hasFloat = true;
  }
  const shifts = operations.some(({ op, args }) => /^sh/.test(op) && (args[1] as Operation).op === 'imm');
  return { ...traits, control, access: traits.hasFloat ? null : accessOf(operations), addsConstant, shifts };
}

function isOf(argument: Argument | undefined, operand: string): boolean {
  return typeof argument === 'object' && 'operand' in argument && argument.operand === operand;
}

/** Whether it is rs1 and the immediate added. */
function isSum(argument: Argument | undefined): boolean {
  if (!isOperation(argument) || argument.op !== 'add') return false;
  const [x, y] = argument.args as [Operation, Operation];
  return x.op === 'get' && isOf(x.args[0], 'rs1') && y.op === 'imm' && isOf(y.args[0], 'imm');
}

/** Of memory, an operation that is no plain load or store is none that an access can be. */
function accessOf(operations: readonly Operation[]): Access | null {
  const [only, ...more] = operations.filter(({ op }) => /^(?:load|store|checkAtomic)/.test(op));
  if (only === undefined || more.length > 0 || !isSum(only.args[0])) return null;
  const sizeBytes = accessSize(only.op);
  return sizeBytes === null ? null : { store: only.op.startsWith('store'), sizeBytes };
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
  const { canLeave, control, hasFloat, access, addsConstant, shifts } = traits;
  const links = d.rd !== sinkSlot;
  const kind = kindOf(d, isa, shifts);
  return { d, canLeave, reads, writes, control, links, hasFloat, access, addsConstant, kind };
}
