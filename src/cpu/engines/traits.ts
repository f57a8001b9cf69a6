import { assert } from '../../base/assert.js';
import { prepared } from '../../base/prepared.js';
import type { OperandName } from './algebra.js';
import { FLOAT } from './float-shapes.js';
import { accessSize } from './lowering.js';
import { isOperation } from './plan.js';
import type { RegionSet } from './region.js';
import type { Argument, Operation } from './transcript.js';

/** What all instructions of an entry have in common, as bits. */
export const TRAIT = {
  /** Regions do not have them. */
  leftOut: 1,
  /** They may have to be left to the host. */
  canLeave: 2,
  hasFloat: 4,
  writesStatus: 8,
  /** All they do is to put the sum of rs1 and the immediate into rd. */
  addsConstant: 0x10,
  /** They shift by the immediate. */
  shifts: 0x20,
  /** Registers that they read and write. */
  rs1: 0x40,
  rs2: 0x80,
  rs3: 0x100,
  rd: 0x200,
} as const;

/** From here on two bits, which of these it is; and behind them which of the accesses, from 1 on. */
const CONTROL_SHIFT = 10;
export const CONTROLS = ['next', 'branch', 'jump', 'jumpTo'] as const;
const ACCESS_SHIFT = 12;

/** What an instruction does that is one load or store at a register and a constant, and no more with memory. */
export interface Access {
  readonly store: boolean;
  readonly sizeBytes: number;
}

/** Loads and stores of 1, 2, 4 and 8 bytes. */
const ACCESSES: readonly Access[] = [1, 2, 4, 8].flatMap((sizeBytes) => [
  { store: false, sizeBytes },
  { store: true, sizeBytes },
]);

export function controlOf(traits: number): (typeof CONTROLS)[number] {
  return CONTROLS[(traits >> CONTROL_SHIFT) & 3]!;
}

export function accessOf(traits: number): Access | null {
  return traits >> ACCESS_SHIFT === 0 ? null : ACCESSES[(traits >> ACCESS_SHIFT) - 1]!;
}

const known = new WeakMap<RegionSet['entries'], Uint16Array>();

/** The traits of each entry of a table. */
export function traitsOf({ entries, name }: RegionSet): Uint16Array {
  let traits = known.get(entries);
  if (traits === undefined) {
    const bytes = prepared(
      `traits of ${name}`,
      () => new Uint8Array(Uint16Array.from(entries, findTraits).buffer),
    );
    traits = new Uint16Array(bytes.slice().buffer);
    known.set(entries, traits);
  }
  return traits;
}

/** What regions leave to the interpreter. */
const LEFT_OUT: ReadonlySet<string> = new Set(['time', 'setFloatRounding']);

function findTraits({ operations, effects }: RegionSet['entries'][number]): number {
  if (effects.control === 'stop' || operations.some(({ op }) => LEFT_OUT.has(op))) return TRAIT.leftOut;
  let traits = effects.loads || effects.stores ? TRAIT.canLeave : 0;
  const last = operations[operations.length - 1];
  if (operations.length === 4 && last?.op === 'set' && isSum(last.args[1])) traits |= TRAIT.addsConstant;
  for (const { op, args } of operations) {
    if (op === 'branch' || op === 'jump' || op === 'jumpTo') traits |= CONTROLS.indexOf(op) << CONTROL_SHIFT;
    else if (op === 'setFloatFlags') traits |= TRAIT.canLeave | TRAIT.writesStatus;
    else if (FLOAT.test(op)) traits |= TRAIT.canLeave | TRAIT.hasFloat;
    if (/^sh/.test(op) && (args[1] as Operation).op === 'imm') traits |= TRAIT.shifts;
  }
  for (const name of [...effects.reads, ...effects.writes]) traits |= registerTrait(name);
  return (traits & TRAIT.hasFloat) === 0 ? traits | (accessNumber(operations) << ACCESS_SHIFT) : traits;
}

function registerTrait(name: OperandName): number {
  assert(name === 'rs1' || name === 'rs2' || name === 'rs3' || name === 'rd', `${name} is no register`);
  return TRAIT[name];
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

/** Of memory, an operation that is no plain load or store is none that an access can be: 0. */
function accessNumber(operations: readonly Operation[]): number {
  const [only, ...more] = operations.filter(({ op }) => /^(?:load|store|checkAtomic)/.test(op));
  if (only === undefined || more.length > 0 || !isSum(only.args[0])) return 0;
  const stores = only.op.startsWith('store');
  return (
    ACCESSES.findIndex(({ store, sizeBytes }) => store === stores && sizeBytes === accessSize(only.op)) + 1
  );
}
