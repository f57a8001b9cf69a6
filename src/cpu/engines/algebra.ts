/**
 * The algebra in which instructions are described: what a description may do, and nothing about how it is done.
 * A description is a function over `Algebra<D>` that is generic in the domain D, so it can neither look at a value
 * nor branch on one. Running it on bigints executes the instruction (`evaluator.ts`); running it on a recorder
 * gives its steps as data (`transcript.ts`), from which code emitters, data flow and checks are made.
 *
 * Descriptions must run each instruction on every path the same way: whatever can stop the instruction (memory,
 * `illegal` rounding modes, stops) comes before the first `set`, so that a stopped instruction has no effects.
 */

/** The types an implementation of the algebra computes with. */
export interface Domain {
  /** 64 bits of integer, address or raw floating-point data (binary32 in the low half, the high half zero). */
  value: unknown;
  condition: unknown;
  /** An operand that names a register. */
  register: unknown;
  /** An operand with a constant, sign-extended to 64 bits. */
  immediate: unknown;
  /** An operand with the distance in bytes from this instruction to a jump target. */
  displacement: unknown;
  /** An operand with a rounding mode: 0 to 4 as in softfloat, 7 the current mode of the thread. */
  rounding: unknown;
}

/** The operands of one decoded instruction. A description uses those its encoding has. */
export interface Operands<D extends Domain> {
  readonly rd: D['register'];
  readonly rs1: D['register'];
  readonly rs2: D['register'];
  readonly rs3: D['register'];
  readonly imm: D['immediate'];
  readonly disp: D['displacement'];
  readonly rm: D['rounding'];
}

export type OperandName = keyof Operands<Domain>;

type Value<D extends Domain> = D['value'];

/**
 * Two values to a value. Shifts take their distance modulo 64. Divisions are total, as RISC-V has them: by zero the
 * quotient is all ones and the remainder the dividend; the overflowing quotient is the dividend, its remainder 0.
 */
export type BinaryName =
  | ('add' | 'sub' | 'mul' | 'mulHighS' | 'mulHighU' | 'mulHighSU' | 'divS' | 'divU' | 'remS' | 'remU')
  | ('and' | 'or' | 'xor' | 'shl' | 'shrS' | 'shrU');

export type CompareName = 'eq' | 'ne' | 'ltS' | 'ltU' | 'geS' | 'geU';

/** Loads sign- (S) or zero-extend (U); any alignment. */
export type LoadName = 'load8S' | 'load8U' | 'load16S' | 'load16U' | 'load32S' | 'load32U' | 'load64';
export type StoreName = 'store8' | 'store16' | 'store32' | 'store64';

type Width = 'f32' | 'f64';
type IntegerFormat = 'I32' | 'U32' | 'I64' | 'U64';
/** Rounded operations: they accrue exception flags, and stop as illegal where the mode is reserved. */
export type FloatUnaryName =
  | `${Width}Sqrt`
  | `${Width}To${IntegerFormat}`
  | `${Width}From${IntegerFormat}`
  | 'f32ToF64'
  | 'f64ToF32';
export type FloatBinaryName = `${Width}${'Add' | 'Sub' | 'Mul' | 'Div'}`;
export type FloatTernaryName = `${Width}MulAdd`;
/** Exact operations; they can only raise the invalid flag. */
export type FloatPickName = `${Width}${'Min' | 'Max'}`;
export type FloatCompareName = `${Width}${'Eq' | 'Lt' | 'Le'}`;
export type FloatClassifyName = `${Width}Classify`;

type Each<Names extends string, Op> = { readonly [K in Names]: Op };

type Integer<D extends Domain> = Each<BinaryName, (x: Value<D>, y: Value<D>) => Value<D>> &
  Each<CompareName, (x: Value<D>, y: Value<D>) => D['condition']> & {
    get(register: D['register']): Value<D>;
    set(register: D['register'], value: Value<D>): void;
    imm(immediate: D['immediate']): Value<D>;
    constant(value: bigint): Value<D>;
    /** The low 32 bits, sign- or zero-extended. */
    sext32(x: Value<D>): Value<D>;
    zext32(x: Value<D>): Value<D>;
    /** 1 or 0. */
    bool(c: D['condition']): Value<D>;
    select(c: D['condition'], yes: Value<D>, no: Value<D>): Value<D>;
  };

type Memory<D extends Domain> = Each<LoadName, (address: Value<D>) => Value<D>> &
  Each<StoreName, (address: Value<D>, value: Value<D>) => void> & {
    /** Stops unless the bytes can be stored to and are naturally aligned: what a read-modify-write starts with. */
    checkAtomic(address: Value<D>, sizeBytes: 4 | 8): void;
    /** A sign-extended load that leaves a reservation of exactly these bytes; misaligned addresses stop. */
    loadReserved(address: Value<D>, sizeBytes: 4 | 8): Value<D>;
    /** Stores if exactly these bytes are reserved, and ends any reservation. True: stored. */
    storeConditional(address: Value<D>, sizeBytes: 4 | 8, value: Value<D>): D['condition'];
  };

type Control<D extends Domain> = {
  /** The address of this instruction, and of the one behind it. */
  pc(): Value<D>;
  link(): Value<D>;
  branch(c: D['condition'], displacement: D['displacement']): void;
  jump(displacement: D['displacement']): void;
  jumpTo(target: Value<D>): void;
  syscall(): void;
  breakpoint(): void;
  /** Virtual time in ns, one instruction being 1 ns. */
  time(): Value<D>;
};

type Float<D extends Domain> = Each<FloatUnaryName, (x: Value<D>, rm: D['rounding']) => Value<D>> &
  Each<FloatBinaryName, (x: Value<D>, y: Value<D>, rm: D['rounding']) => Value<D>> &
  Each<FloatTernaryName, (x: Value<D>, y: Value<D>, z: Value<D>, rm: D['rounding']) => Value<D>> &
  Each<FloatPickName, (x: Value<D>, y: Value<D>) => Value<D>> &
  Each<FloatCompareName, (x: Value<D>, y: Value<D>) => D['condition']> &
  Each<FloatClassifyName, (x: Value<D>) => Value<D>> & {
    /** The thread's accrued flags (5 bits, as in softfloat) and rounding mode (3 bits; 5 to 7 are reserved). */
    floatFlags(): Value<D>;
    setFloatFlags(flags: Value<D>): void;
    floatRounding(): Value<D>;
    setFloatRounding(mode: Value<D>): void;
  };

export type Algebra<D extends Domain> = Integer<D> & Memory<D> & Control<D> & Float<D>;

export type Semantics = <D extends Domain>(a: Algebra<D>, o: Operands<D>) => void;
