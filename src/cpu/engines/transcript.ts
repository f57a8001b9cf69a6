import type { Algebra, Domain, OperandName, Operands, Semantics } from './algebra.js';

/** One operation of a description: its name in the algebra, and what it was given. */
export interface Operation {
  readonly op: string;
  readonly args: readonly Argument[];
}

/** The result of an earlier operation, an operand of the instruction, or a constant. */
export type Argument = Operation | OperandReference | bigint | number;

export interface OperandReference {
  readonly operand: OperandName;
}

interface Symbolic extends Domain {
  value: Operation;
  condition: Operation;
  register: OperandReference;
  immediate: OperandReference;
  displacement: OperandReference;
  rounding: OperandReference;
}

const OPERANDS: Operands<Symbolic> = {
  rd: { operand: 'rd' },
  rs1: { operand: 'rs1' },
  rs2: { operand: 'rs2' },
  rs3: { operand: 'rs3' },
  imm: { operand: 'imm' },
  disp: { operand: 'disp' },
  rm: { operand: 'rm' },
};

/**
 * The operations of a description in the order it performs them. It is the same for every instruction of the entry,
 * with any operands: descriptions cannot look at them.
 *
 * Everything that is derived from descriptions, but for executing them, starts here. It is called once an entry, when
 * the table is made: V8 compiles a description for the one class it has run hot on, and one call on another class in
 * between would make it five times slower for good.
 */
export function transcriptOf(semantics: Semantics): readonly Operation[] {
  const operations: Operation[] = [];
  const recorder = new Proxy(
    {},
    {
      get:
        (_, op: string) =>
        (...args: Argument[]): Operation => {
          const operation = { op, args };
          operations.push(operation);
          return operation;
        },
    },
  ) as Algebra<Symbolic>;
  semantics(recorder, OPERANDS);
  return operations;
}

/** What an instruction can touch, whatever its operands are. */
export interface Effects {
  /** Register operands it reads, and always writes. */
  readonly reads: readonly OperandName[];
  readonly writes: readonly OperandName[];
  readonly loads: boolean;
  readonly stores: boolean;
  readonly control: 'next' | 'branch' | 'jump' | 'stop';
  /** The accrued float flags and dynamic rounding mode. Accruing counts as reading and writing. */
  readonly readsFloatStatus: boolean;
  readonly writesFloatStatus: boolean;
  readonly readsTime: boolean;
}

const BRANCHES = new Set(['branch']);
const JUMPS = new Set(['jump', 'jumpTo']);
const STOPS = new Set(['syscall', 'breakpoint']);
const FLOAT_ARITHMETIC = /^f(32|64)(?!Classify)/;

function isRegister(argument: Argument | undefined): argument is OperandReference {
  return typeof argument === 'object' && 'operand' in argument;
}

function registersOf(operations: readonly Operation[], op: 'get' | 'set'): OperandName[] {
  const names = operations
    .filter((o) => o.op === op)
    .map((o) => o.args[0])
    .filter(isRegister)
    .map((a) => a.operand);
  return [...new Set(names)];
}

function controlOf(has: (names: Set<string>) => boolean): Effects['control'] {
  if (has(STOPS)) return 'stop';
  if (has(JUMPS)) return 'jump';
  return has(BRANCHES) ? 'branch' : 'next';
}

export function effectsOf(operations: readonly Operation[]): Effects {
  const names = operations.map((o) => o.op);
  const some = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  return {
    reads: registersOf(operations, 'get'),
    writes: registersOf(operations, 'set'),
    loads: some(/^load/),
    stores: some(/^store/),
    control: controlOf((set) => names.some((name) => set.has(name))),
    readsFloatStatus: some(/^float/) || some(FLOAT_ARITHMETIC),
    writesFloatStatus: some(/^setFloat/) || some(FLOAT_ARITHMETIC),
    readsTime: some(/^time$/),
  };
}
