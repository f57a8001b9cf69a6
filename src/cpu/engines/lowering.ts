import { assert } from '../../base/assert.js';
import type { AccessName, FunctionCode, SimpleName, ValueType } from '../wasm/code.js';
import type { OperandName } from './algebra.js';
import { FLOAT } from './float-shapes.js';
import { CONTROL, ENTRY_MASK, LOADS, MISS_MASK, REGISTERS, STORES } from './host-memory.js';
import { isOperation, type Step } from './plan.js';
import type { Argument, Operation } from './transcript.js';

/** Operations that are one instruction of WebAssembly. Shifts take their distance modulo 64 there, too. */
const SAME: Readonly<Record<string, SimpleName>> = {
  add: 'i64.add',
  sub: 'i64.sub',
  mul: 'i64.mul',
  and: 'i64.and',
  or: 'i64.or',
  xor: 'i64.xor',
  shl: 'i64.shl',
  shrS: 'i64.shr_s',
  shrU: 'i64.shr_u',
};

const COMPARE: Readonly<Record<string, SimpleName>> = {
  eq: 'i64.eq',
  ne: 'i64.ne',
  ltS: 'i64.lt_s',
  ltU: 'i64.lt_u',
  geS: 'i64.ge_s',
  geU: 'i64.ge_u',
};

const LOAD: Readonly<Record<string, readonly [AccessName, number]>> = {
  load8S: ['i64.load8_s', 1],
  load8U: ['i64.load8_u', 1],
  load16S: ['i64.load16_s', 2],
  load16U: ['i64.load16_u', 2],
  load32S: ['i64.load32_s', 4],
  load32U: ['i64.load32_u', 4],
  load64: ['i64.load', 8],
};

const STORE: Readonly<Record<string, readonly [AccessName, number]>> = {
  store8: ['i64.store8', 1],
  store16: ['i64.store16', 2],
  store32: ['i64.store32', 4],
  store64: ['i64.store', 8],
};

/** Of an operation that is a plain load or store; null for others. */
export function accessSize(op: string): number | null {
  return (LOAD[op] ?? STORE[op])?.[1] ?? null;
}

/** Bytes of what stops where it is misaligned, before it is known whether it can be stored to; 0 of other instructions. */
export function atomicSize(operations: readonly Operation[]): number {
  const atomic = operations.find(({ op }) => op === 'checkAtomic' || op === 'storeConditional');
  return atomic === undefined ? 0 : (atomic.args[1] as number);
}

export type StopKind = 'syscall' | 'breakpoint';

/**
 * Pushes what is zero above SPACE_BITS if the page is known of the address (i64) on the stack: then the low half is its
 * place. The address is put into a local before, for whoever looks at why it could not be done.
 */
export function emitLookUp(code: FunctionCode, address: number, translations: number): void {
  code.tee(address);
  code.get(address).op('i32.wrap_i64').i32(9).op('i32.shr_u').i32(ENTRY_MASK).op('i32.and');
  code.access('i64.load', translations).op('i64.xor');
}

/**
 * Makes code of descriptions. What operands are, where control goes and how an instruction is left is up to the
 * subclass: the interpreter reads operands from decoded instructions, a region has them as constants and locals.
 */
export abstract class Lowering {
  /** Blocks that are open around the code now, beyond those that the subclass knows of. */
  protected depth = 0;
  /** The address of the access at hand, for whoever looks at why it could not be done. */
  protected readonly address: number;
  private readonly place: number;
  private readonly temporaries: Record<ValueType, number[]> = { i32: [], i64: [], f32: [], f64: [] };
  private readonly used: Record<ValueType, number> = { i32: 0, i64: 0, f32: 0, f64: 0 };
  private readonly made = new Map<Operation, { readonly local: number; readonly type: ValueType }>();

  constructor(protected readonly code: FunctionCode) {
    this.address = code.local('i64');
    this.place = code.local('i64');
  }

  /** What a register is kept as. */
  protected abstract registerType(operand: OperandName): ValueType;
  protected abstract pushRegister(operand: OperandName): ValueType;
  /** Takes the value, of the register's type, from the stack. */
  protected abstract setRegister(operand: OperandName): void;
  protected abstract pushImmediate(operand: OperandName): void;
  protected abstract pushPc(): void;
  protected abstract pushLink(): void;
  /** Takes a condition (i32) from the stack: if it holds, the instruction is left for the host to do. */
  protected abstract slow(): void;
  /** Takes a condition from the stack. */
  protected abstract branch(displacement: OperandName): void;
  protected abstract jump(displacement: OperandName): void;
  /** Takes the target from the stack. */
  protected abstract jumpTo(): void;
  protected abstract stop(kind: StopKind): void;
  protected abstract float(operation: Operation): ValueType;
  /** Where the floating-point status is. */
  protected abstract readonly statusAddress: number;
  /** Reads and writes of the thread's floating-point status, and of virtual time. */
  protected abstract special(operation: Operation): ValueType | null;

  /** A local for use within one instruction. */
  protected temporary(type: ValueType): number {
    const list = this.temporaries[type];
    const index = this.used[type]++;
    list[index] ??= this.code.local(type);
    return list[index];
  }

  protected lower(plan: readonly Step[]): void {
    this.made.clear();
    for (const type of ['i32', 'i64', 'f32', 'f64'] as const) this.used[type] = 0;
    for (const { operation, result } of plan) {
      if (result === 'none') this.make(operation);
      else if (result === 'local') {
        const type = this.make(operation)!;
        const local = this.temporary(type);
        this.code.set(local);
        this.made.set(operation, { local, type });
      }
    }
  }

  /** Puts an argument on the stack, as the type that is wanted. */
  protected push(argument: Argument | undefined, wanted: ValueType): void {
    assert(isOperation(argument), 'an operation has no such argument');
    const known = this.made.get(argument);
    if (known === undefined && argument.op === 'load64' && wanted === 'f64') {
      this.translate(argument.args[0], 8, LOADS);
      this.access('f64.load');
      return;
    }
    const type = known === undefined ? this.make(argument)! : known.type;
    if (known !== undefined) this.code.get(known.local);
    this.convert(type, wanted);
  }

  private isFloatRegister(argument: Argument | undefined): boolean {
    if (!isOperation(argument) || argument.op !== 'get' || this.made.has(argument)) return false;
    return this.registerType(operandOf(argument.args[0])) === 'f64';
  }

  /** Raw bits from one type to another; binary32 is in the low half, and what is above it zero. */
  protected convert(from: ValueType, to: ValueType): void {
    const { code } = this;
    if (from === to) return;
    switch (`${from} ${to}`) {
      case 'f64 i64':
        code.op('i64.reinterpret_f64');
        return;
      case 'i64 f64':
        code.op('f64.reinterpret_i64');
        return;
      case 'f32 i64':
        code.op('i32.reinterpret_f32').op('i64.extend_i32_u');
        return;
      case 'i64 f32':
        code.op('i32.wrap_i64').op('f32.reinterpret_i32');
        return;
      default:
        assert(false, `no conversion of ${from} to ${to}`);
    }
  }

  /** Makes one operation. Its result, if it has one, is on the stack. */
  private make(operation: Operation): ValueType | null {
    const { op, args } = operation;
    const { code } = this;
    const same = SAME[op];
    if (same !== undefined) {
      this.push(args[0], 'i64');
      this.push(args[1], 'i64');
      code.op(same);
      return 'i64';
    }
    const compare = COMPARE[op];
    if (compare !== undefined) {
      this.push(args[0], 'i64');
      this.push(args[1], 'i64');
      code.op(compare);
      return 'i32';
    }
    if (LOAD[op] !== undefined) {
      const [name, size] = LOAD[op];
      this.translate(args[0], size, LOADS);
      this.access(name);
      return 'i64';
    }
    if (STORE[op] !== undefined) {
      const [name, size] = STORE[op];
      this.translate(args[0], size, STORES);
      const asFloat = op === 'store64' && this.isFloatRegister(args[1]);
      this.push(args[1], asFloat ? 'f64' : 'i64');
      this.access(asFloat ? 'f64.store' : name);
      return null;
    }
    if (FLOAT.test(op)) return this.float(operation);
    return this.makeOther(operation);
  }

  private makeOther(operation: Operation): ValueType | null {
    const { op, args } = operation;
    const { code } = this;
    switch (op) {
      case 'get':
        return this.pushRegister(operandOf(args[0]));
      case 'set':
        this.set(operandOf(args[0]), args[1]);
        return null;
      case 'imm':
        this.pushImmediate(operandOf(args[0]));
        return 'i64';
      case 'constant':
        code.i64(args[0] as bigint);
        return 'i64';
      case 'sext32':
        this.push(args[0], 'i64');
        code.op('i64.extend32_s');
        return 'i64';
      case 'zext32':
        this.push(args[0], 'i64');
        code.i64(0xffff_ffffn).op('i64.and');
        return 'i64';
      case 'bool':
        this.push(args[0], 'i32');
        code.op('i64.extend_i32_u');
        return 'i64';
      case 'select':
        this.push(args[1], 'i64');
        this.push(args[2], 'i64');
        this.push(args[0], 'i32');
        code.op('select');
        return 'i64';
      case 'mulHighU':
      case 'mulHighS':
      case 'mulHighSU':
        return this.multiplyHigh(operation);
      case 'divS':
      case 'divU':
      case 'remS':
      case 'remU':
        return this.divide(operation);
      default:
        return this.makeEffect(operation);
    }
  }

  /** What touches memory, or where control goes. */
  private makeEffect(operation: Operation): ValueType | null {
    const { op, args } = operation;
    switch (op) {
      case 'pc':
        this.pushPc();
        return 'i64';
      case 'link':
        this.pushLink();
        return 'i64';
      case 'checkAtomic':
        this.translate(args[0], args[1] as number, STORES);
        this.code.op('drop');
        return null;
      case 'loadReserved':
        return this.loadReserved(args[0], args[1] as number);
      case 'storeConditional':
        return this.storeConditional(args[0], args[1] as number, args[2]);
      case 'branch':
        this.push(args[0], 'i32');
        this.branch(operandOf(args[1]));
        return null;
      case 'jump':
        this.jump(operandOf(args[0]));
        return null;
      case 'jumpTo':
        this.push(args[0], 'i64');
        this.jumpTo();
        return null;
      case 'syscall':
      case 'breakpoint':
        this.stop(op);
        return null;
      default:
        return this.special(operation);
    }
  }

  /** The status is `mode << 5 | flags`. */
  protected readStatus(op: 'floatFlags' | 'floatRounding'): ValueType {
    const { code } = this;
    code.i32(0).access('i64.load', this.statusAddress);
    if (op === 'floatFlags') code.i64(31).op('i64.and');
    else code.i64(5).op('i64.shr_u');
    return 'i64';
  }

  private set(operand: OperandName, value: Argument | undefined): void {
    this.push(value, this.registerType(operand));
    this.setRegister(operand);
  }

  /** Leaves the place (i32) of an access on the stack. */
  protected translate(address: Argument | undefined, sizeBytes: number, translations: number): void {
    const { code } = this;
    this.push(address, 'i64');
    emitLookUp(code, this.address, translations);
    code
      .tee(this.place)
      .i64(MISS_MASK | BigInt(sizeBytes - 1))
      .op('i64.and')
      .i64(0)
      .op('i64.ne');
    this.slow();
    code.get(this.place).op('i32.wrap_i64');
  }

  /** A plain load or store, at a place that `translate` left. */
  protected access(name: AccessName): void {
    this.code.access(name, 0);
  }

  private loadReserved(address: Argument | undefined, sizeBytes: number): ValueType {
    const { code } = this;
    const value = this.temporary('i64');
    this.translate(address, sizeBytes, LOADS);
    code.access(sizeBytes === 4 ? 'i64.load32_s' : 'i64.load', 0).set(value);
    code.i32(0).get(this.address).access('i64.store', CONTROL.reserved);
    code.i32(0).i32(sizeBytes).access('i32.store', CONTROL.reservedBytes);
    code.get(value);
    return 'i64';
  }

  private storeConditional(
    address: Argument | undefined,
    sizeBytes: number,
    value: Argument | undefined,
  ): ValueType {
    const { code } = this;
    const holds = this.temporary('i32');
    this.push(address, 'i64');
    code
      .tee(this.address)
      .op('i32.wrap_i64')
      .i32(sizeBytes - 1)
      .op('i32.and');
    this.slow();
    code.i32(0).access('i64.load', CONTROL.reserved).get(this.address).op('i64.eq');
    code.i32(0).access('i32.load', CONTROL.reservedBytes).i32(sizeBytes).op('i32.eq');
    code.op('i32.and').tee(holds).if();
    this.depth++;
    this.translate(address, sizeBytes, STORES);
    this.push(value, 'i64');
    code.access(sizeBytes === 4 ? 'i64.store32' : 'i64.store', 0);
    this.depth--;
    code.op('end');
    code.i32(0).i32(0).access('i32.store', CONTROL.reservedBytes);
    code.get(holds);
    return 'i32';
  }

  private pushToLocal(argument: Argument | undefined): number {
    const local = this.temporary('i64');
    this.push(argument, 'i64');
    this.code.set(local);
    return local;
  }

  /** By zero, and -2^63 by -1, which trap in WebAssembly, RISC-V has results (see BinaryName). */
  private divide({ op, args }: Operation): ValueType {
    const { code } = this;
    const x = this.pushToLocal(args[0]);
    const y = this.pushToLocal(args[1]);
    code.get(y).op('i64.eqz').if('i64');
    if (op.startsWith('div')) code.i64(-1);
    else code.get(x);
    code.op('else');
    switch (op) {
      case 'divU':
        code.get(x).get(y).op('i64.div_u');
        break;
      case 'remU':
        code.get(x).get(y).op('i64.rem_u');
        break;
      case 'remS':
        code.get(x).get(y).op('i64.rem_s');
        break;
      default:
        code.get(y).i64(-1).op('i64.eq').if('i64');
        code.i64(0).get(x).op('i64.sub').op('else').get(x).get(y).op('i64.div_s').op('end');
    }
    code.op('end');
    return 'i64';
  }

  /** The high half of a product, by halves. */
  private multiplyHigh({ op, args }: Operation): ValueType {
    const { code } = this;
    const x = this.pushToLocal(args[0]);
    const y = this.pushToLocal(args[1]);
    const low = 0xffff_ffffn;
    const [middle, other] = [this.temporary('i64'), this.temporary('i64')];
    const half = (local: number, high: boolean): void => {
      if (high) code.get(local).i64(32).op('i64.shr_u');
      else code.get(local).i64(low).op('i64.and');
    };
    const product = (highX: boolean, highY: boolean): void => {
      half(x, highX);
      half(y, highY);
      code.op('i64.mul');
    };
    product(true, false);
    product(false, false);
    code.i64(32).op('i64.shr_u').op('i64.add').set(middle);
    product(false, true);
    half(middle, false);
    code.op('i64.add').set(other);
    product(true, true);
    half(middle, true);
    code.op('i64.add');
    half(other, true);
    code.op('i64.add');
    const correct = (sign: number, value: number): void => {
      code.get(sign).i64(63).op('i64.shr_s').get(value).op('i64.and').op('i64.sub');
    };
    if (op !== 'mulHighU') correct(x, y);
    if (op === 'mulHighS') correct(y, x);
    return 'i64';
  }
}

function operandOf(argument: Argument | undefined): OperandName {
  assert(typeof argument === 'object' && 'operand' in argument, 'an operation has no such operand');
  return argument.operand;
}

/** Where a register is in memory. */
export function registerAddress(slot: number): number {
  return REGISTERS + slot * 8;
}
