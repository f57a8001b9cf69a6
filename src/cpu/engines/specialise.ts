import type { OperandName } from './algebra.js';
import { isOperation, isPure } from './plan.js';
import type { Argument, Operation } from './transcript.js';

/** What is known of an instruction's operands before code is made of it. */
export interface KnownOperands {
  /** Registers and immediates that are zero. */
  readonly zero: ReadonlySet<OperandName>;
  /** The immediate is a distance below 32. */
  readonly isShort: boolean;
  /** All registers that are read are sign-extended from 32 bits. */
  readonly areNarrow: boolean;
  /** The result is nowhere to be seen. */
  readonly isUnset: boolean;
}

/** What is made of the low halves of two values alone, and sign-extended. */
const NARROW: ReadonlySet<string> = new Set(['add', 'sub', 'mul', 'and', 'or', 'xor']);
/** Results that are sign-extended from 32 bits, or shorter. */
export const NARROW_RESULT =
  /^(?:sext32|bool|load(?:8[SU]|16[SU]|32S)|(?:add|sub|mul|and|or|xor|shl|shr[SU])32)$/;
const WORD_BITS = 32n;

const ZERO = 0n;

function isZero(argument: Argument | undefined): boolean {
  return isOperation(argument) && argument.op === 'constant' && argument.args[0] === ZERO;
}

/** The distance of a shift of 32 bits, if it is one for certain; shifts of 32 bits take it modulo 32. */
function shortDistance(distance: Operation, { isShort }: KnownOperands): Operation | null {
  if (distance.op === 'imm') return isShort ? distance : null;
  if (distance.op !== 'and') return null;
  const [x, y] = distance.args as [Operation, Operation];
  return y.op === 'constant' && y.args[0] === WORD_BITS - 1n ? x : null;
}

function isNarrow(x: Operation, { areNarrow }: KnownOperands): boolean {
  if (x.op === 'constant') return BigInt.asIntN(32, x.args[0] as bigint) === x.args[0];
  // Immediates are at most that long.
  return x.op === 'imm' || (x.op === 'get' && areNarrow) || NARROW_RESULT.test(x.op);
}

/** The sign-extended low half of a value. */
function signExtended(operation: Operation, known: KnownOperands): Operation {
  const x = operation.args[0] as Operation;
  if (isNarrow(x, known)) return x;
  if (NARROW.has(x.op)) return { op: `${x.op}32`, args: x.args };
  if (x.op !== 'shl' && x.op !== 'shrU') return operation;
  const [value, by] = x.args as [Operation, Operation];
  const distance = shortDistance(by, known);
  if (distance === null) return operation;
  if (x.op === 'shl') return { op: 'shl32', args: [value, distance] };
  return value.op === 'zext32' ? { op: 'shrU32', args: [value.args[0]!, distance] } : operation;
}

/** The same operation, or what gives the same result for less. */
function simpler(operation: Operation, known: KnownOperands): Operation {
  const { op, args } = operation;
  const [x, y] = args as [Operation, Operation];
  switch (op) {
    case 'get':
    case 'imm': {
      const [operand] = args;
      const isKnown = typeof operand === 'object' && 'operand' in operand && known.zero.has(operand.operand);
      return isKnown ? { op: 'constant', args: [ZERO] } : operation;
    }
    case 'add':
      if (x.op === 'pc' && y.op === 'imm') return { op: 'pcOffset', args: [] };
      return isZero(y) ? x : isZero(x) ? y : operation;
    case 'or':
    case 'xor':
      if (isZero(y)) return x;
      if (isZero(x)) return y;
      return narrowed(operation, known);
    case 'and':
      return narrowed(operation, known);
    case 'sub':
      return isZero(y) ? x : operation;
    case 'shrS': {
      const distance = isNarrow(x, known) ? shortDistance(y, known) : null;
      return distance === null ? operation : { op: 'shrS32', args: [x, distance] };
    }
    case 'sext32':
      return signExtended(operation, known);
    case 'eq':
      return isZero(y) ? { op: 'isZero', args: [x] } : operation;
    default:
      return operation;
  }
}

/** Bit by bit, what is made of two numbers that are sign-extended is so, too. */
function narrowed(operation: Operation, known: KnownOperands): Operation {
  const { op, args } = operation;
  const isSo = args.every((x) => isNarrow(x as Operation, known));
  return isSo && known.areNarrow ? { op: `${op}32`, args } : operation;
}

/**
 * The operations of a description for operands of which something is known. Some operations are new: `pcOffset`, the
 * immediate added to the address; `isZero`, a condition; and with 32 behind their names those on 32 bits, which take the
 * low halves and sign-extend what comes of them. (V8 takes a value's extension and wrapping back as nothing, and sees
 * what was a rotation.)
 */
export function specialise(operations: readonly Operation[], known: KnownOperands): readonly Operation[] {
  const becomes = new Map<Operation, Operation>();
  const all = new Set<Operation>();
  for (const operation of operations) {
    const args = operation.args.map((arg) => (isOperation(arg) ? becomes.get(arg)! : arg));
    const made = simpler({ op: operation.op, args }, known);
    becomes.set(operation, made);
    all.add(made);
  }
  const used = new Set<Argument>();
  const needed = [...all].reverse().filter((operation) => {
    const { op, args } = operation;
    if (isPure(op) && !used.has(operation)) return false;
    if (op === 'set' && known.isUnset && isPure((args[1] as Operation).op)) return false;
    for (const arg of args) used.add(arg);
    return true;
  });
  return needed.reverse();
}
