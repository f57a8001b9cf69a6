import type { OperandName } from './algebra.js';
import type { Decoded } from './evaluator.js';
import { NARROW_RESULT } from './specialise.js';
import type { OperandReference, Operation } from './transcript.js';

/** What an instruction has to do with numbers of 32 bits that are sign-extended. */
export interface Narrowness {
  /** What it puts into a register is such a number; or is one if all that it reads are. */
  readonly isNarrow: boolean;
  readonly keepsNarrow: boolean;
  /** It has less to do then. */
  readonly likesNarrow: boolean;
}

/** How sure it is that something is sign-extended. */
const NEVER = 0;
const IF_SOURCES_ARE = 1;
const ALWAYS = 2;

export function narrownessOf(d: Decoded, operations: readonly Operation[], zeroSlot: number): Narrowness {
  const operandOf = (x: Operation): OperandName => (x.args[0] as OperandReference).operand;
  const isZero = (x: Operation): boolean =>
    (x.op === 'get' && d[operandOf(x)] === zeroSlot) || (x.op === 'imm' && d.imm === 0n);
  const of = (x: Operation): number => {
    const [a, b] = x.args as [Operation, Operation];
    // Immediates are at most that long.
    if (isZero(x) || x.op === 'imm' || NARROW_RESULT.test(x.op)) return ALWAYS;
    switch (x.op) {
      case 'get':
        return IF_SOURCES_ARE;
      case 'and':
      case 'or':
      case 'xor':
        return Math.min(of(a), of(b));
      case 'add':
        return isZero(a) ? of(b) : isZero(b) ? of(a) : NEVER;
      case 'shrS':
        return of(a);
      default:
        return NEVER;
    }
  };
  const sets = operations.filter(({ op }) => op === 'set');
  const result = sets.length === 1 ? of(sets[0]!.args[1] as Operation) : NEVER;
  const likesNarrow = operations.some(({ op }) => op === 'sext32') ? d.imm === 0n : result === IF_SOURCES_ARE;
  return { isNarrow: result === ALWAYS, keepsNarrow: result === IF_SOURCES_ARE, likesNarrow };
}
