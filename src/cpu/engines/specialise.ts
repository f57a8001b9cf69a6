import type { OperandName } from './algebra.js';
import { isOperation, isPure } from './plan.js';
import type { Argument, Operation } from './transcript.js';

/** What is known of an instruction's operands before code is made of it. */
export interface KnownOperands {
  /** Registers and immediates that are zero. */
  readonly zero: ReadonlySet<OperandName>;
  /** The result is nowhere to be seen. */
  readonly isUnset: boolean;
}

const ZERO = 0n;

function isZero(argument: Argument | undefined): boolean {
  return isOperation(argument) && argument.op === 'constant' && argument.args[0] === ZERO;
}

/** The same operation, or what gives the same result for less. */
function simpler(operation: Operation, zero: ReadonlySet<OperandName>): Operation {
  const { op, args } = operation;
  const [x, y] = args as [Operation, Operation];
  switch (op) {
    case 'get':
    case 'imm': {
      const [operand] = args;
      const known = typeof operand === 'object' && 'operand' in operand && zero.has(operand.operand);
      return known ? { op: 'constant', args: [ZERO] } : operation;
    }
    case 'add':
      if (x.op === 'pc' && y.op === 'imm') return { op: 'pcOffset', args: [] };
      return isZero(y) ? x : isZero(x) ? y : operation;
    case 'or':
    case 'xor':
      return isZero(y) ? x : isZero(x) ? y : operation;
    case 'sub':
      return isZero(y) ? x : operation;
    case 'eq':
      return isZero(y) ? { op: 'isZero', args: [x] } : operation;
    default:
      return operation;
  }
}

/**
 * The operations of a description for operands of which something is known. Two operations are new: `pcOffset`, the
 * immediate added to the address, and `isZero`, a condition.
 */
export function specialise(
  operations: readonly Operation[],
  { zero, isUnset }: KnownOperands,
): readonly Operation[] {
  const becomes = new Map<Operation, Operation>();
  const all = new Set<Operation>();
  for (const operation of operations) {
    const args = operation.args.map((arg) => (isOperation(arg) ? becomes.get(arg)! : arg));
    const made = simpler({ op: operation.op, args }, zero);
    becomes.set(operation, made);
    all.add(made);
  }
  const used = new Set<Argument>();
  const needed = [...all].reverse().filter((operation) => {
    const { op, args } = operation;
    if (isPure(op) && !used.has(operation)) return false;
    if (op === 'set' && isUnset && isPure((args[1] as Operation).op)) return false;
    for (const arg of args) used.add(arg);
    return true;
  });
  return needed.reverse();
}
