import type { Argument, Operation } from './transcript.js';

/** How code is made of one operation of a description. */
export interface Step {
  readonly operation: Operation;
  /** Where its result goes: `inline` on the stack, just where it is used; `local`; or `none`, when it has none. */
  readonly result: 'inline' | 'local' | 'none';
}

/** Operations that can be left out or moved: they have no effects and depend on registers and operands alone. */
const PURE =
  /^(?:get|imm|constant|pc|pcOffset|link|isZero|bool|select|[sz]ext32|add|sub|mul|mulHigh\w+|div[SU]|rem[SU]|and|or|xor|shl|shr[SU]|eq|ne|[lg][te][SU]|f\d\dClassify|(?:add|sub|mul|and|or|xor|shl|shr[SU])32)$/;
const NO_RESULT = /^(?:set|store\d|branch|jump|checkAtomic|syscall|breakpoint)/;

/** What the patterns say of each name: they are few, and asked again and again. */
const pure = new Map<string, boolean>();

export function isPure(op: string): boolean {
  let answer = pure.get(op);
  if (answer === undefined) {
    answer = PURE.test(op);
    pure.set(op, answer);
  }
  return answer;
}

function usesOf(operations: readonly Operation[]): Map<Operation, number[]> {
  const uses = new Map<Operation, number[]>();
  operations.forEach(({ args }, at) => {
    for (const arg of args) {
      if (!isOperation(arg)) continue;
      uses.set(arg, [...(uses.get(arg) ?? []), at]);
    }
  });
  return uses;
}

export function isOperation(arg: Argument | undefined): arg is Operation {
  return typeof arg === 'object' && 'op' in arg;
}

/**
 * Decides for each operation whether it is made where it stands or where it is used. It can wait when it is used once
 * and nothing comes in between that it depends on; constants and operands can be made as often as they are used.
 */
export function planOf(operations: readonly Operation[]): readonly Step[] {
  const uses = usesOf(operations);
  const madeAt: number[] = operations.map((_, i) => i);
  const results: Step['result'][] = operations.map(() => 'local');
  for (let i = operations.length - 1; i >= 0; i--) {
    const { op } = operations[i];
    const users = uses.get(operations[i]) ?? [];
    if (NO_RESULT.test(op)) results[i] = 'none';
    else if (op === 'constant' || op === 'imm') results[i] = 'inline';
    else if (users.length === 1) {
      const at = madeAt[users[0]];
      const between = operations.slice(i + 1, at);
      const waits = isPure(op)
        ? !between.some((o) => o.op.startsWith('set'))
        : between.every((o) => isPure(o.op));
      if (waits) {
        results[i] = 'inline';
        madeAt[i] = at;
      }
    }
  }
  return operations.map((operation, i) => ({ operation, result: results[i] }));
}
