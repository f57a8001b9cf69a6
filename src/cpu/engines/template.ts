import { assert } from '../../base/assert.js';
import { RNE } from '../softfloat.js';
import { ACCESS, type AccessName, OTHER, type SimpleName, type ValueType } from '../wasm/opcodes.js';
import type { Tape } from '../wasm/tape.js';
import type { OperandName } from './algebra.js';
import type { Decoded } from './evaluator.js';
import type { Instruction } from './facts.js';
import { EXACT, FastFloat, isFastMode } from './float-code.js';
import { emitResultNoted } from './float-inexact.js';
import { DYNAMIC, FLOAT_SHAPES, type FloatName } from './float-shapes.js';
import { keptTapes } from './kept-tapes.js';
import { Lowering, registerAddress, type StopKind } from './lowering.js';
import { planOf } from './plan.js';
import type { RegionSet } from './region.js';
import { RegionPieces } from './region-pieces.js';
import { specialise } from './specialise.js';
import { HOLE, OPERAND, TemplateCode, VARIABLE } from './template-code.js';
import type { Argument, Operation } from './transcript.js';

/** Makes a tape of one instruction's description, for all instructions that are alike in what code depends on. */
class TemplateLowering extends Lowering {
  private readonly fastFloat: FastFloat;

  constructor(
    private readonly template: TemplateCode,
    private readonly isa: RegionSet,
    /** One of the instructions it is for. */
    private readonly d: Decoded,
    /** Of a group of accesses, whose place is known. */
    private readonly isGrouped: boolean,
    fuses: boolean,
    private readonly notes: boolean,
  ) {
    super(template);
    this.fastFloat = new FastFloat(template, fuses);
  }

  write(operations: readonly Operation[], canLeave: boolean, accesses: boolean): Tape {
    const { template } = this;
    if (canLeave && !this.isGrouped) {
      template.hole(HOLE.exit).set(VARIABLE.exit);
      // Else the last access's address would have to be kept for when this instruction is left.
      if (!accesses) template.i64(0).set(VARIABLE.address);
    }
    this.lower(planOf(operations));
    return template.taped();
  }

  protected registerType(operand: OperandName): ValueType {
    return this.isa.isFloatSlot(this.d[operand] as number) ? 'f64' : 'i64';
  }

  protected pushRegister(operand: OperandName): ValueType {
    this.template.get(OPERAND[operand as 'rs1']);
    return this.registerType(operand);
  }

  protected setRegister(operand: OperandName): void {
    if (this.d[operand] === this.isa.sinkSlot) this.template.op('drop');
    else this.template.set(OPERAND[operand as 'rd']);
  }

  protected pushImmediate(): void {
    this.template.hole(HOLE.imm);
  }

  protected pushPc(): void {
    this.template.hole(HOLE.pc);
  }

  protected pushLink(): void {
    this.template.hole(HOLE.link);
  }

  protected override translate(address: Argument | undefined, sizeBytes: number, translations: number): void {
    if (this.isGrouped) this.template.get(OPERAND.place);
    else super.translate(address, sizeBytes, translations);
  }

  protected override access(name: AccessName): void {
    if (this.isGrouped) this.template.byte(ACCESS[name]).byte(0).hole(HOLE.offset);
    else super.access(name);
  }

  protected slow(): void {
    this.template.byte(OTHER.br_if).hole(HOLE.label + this.depth);
  }

  /** The condition stays on the stack for the end of the block. */
  protected branch(): void {}

  protected jump(): void {}

  protected jumpTo(): void {
    this.template.set(VARIABLE.address);
  }

  protected stop(kind: StopKind): void {
    assert(false, `${kind} in a region`);
  }

  protected float({ op, args }: Operation): ValueType {
    const name = op as FloatName;
    const { operands: types, result, rounded } = FLOAT_SHAPES.get(name)!;
    // The thread's own mode is to nearest where regions run.
    const mode = this.d.rm === DYNAMIC ? RNE : this.d.rm;
    if (!isFastMode(name, mode)) {
      this.template.i32(1);
      this.slow();
      this.pushZero(result);
      return result;
    }
    const operands = args.slice(0, types.length).map((arg) => ({
      f32: () => this.push(arg, 'f32'),
      f64: () => this.push(arg, 'f64'),
      i64: () => this.push(arg, 'i64'),
    }));
    const giveUp = (nesting: number): void => {
      this.depth += nesting;
      this.slow();
      this.depth -= nesting;
    };
    this.fastFloat.emit(name, operands, mode, giveUp);
    if (this.notes && rounded && !EXACT.test(name))
      emitResultNoted(this.template, this.statusAddress, name, operands, giveUp);
    return result;
  }

  protected get statusAddress(): number {
    return registerAddress(this.isa.floatStatusSlot);
  }

  private pushZero(type: ValueType): void {
    if (type === 'f64') this.code.f64(0);
    else if (type === 'f32') this.code.f32(0);
    else if (type === 'i64') this.code.i64(0);
    else this.code.i32(0);
  }

  /** The low half of an argument. */
  private pushLow(argument: Argument | undefined): void {
    const { op, args } = argument as Operation;
    if (op === 'imm') this.template.hole(HOLE.imm32);
    else if (op === 'constant') this.template.i32(Number(BigInt.asIntN(32, args[0] as bigint)));
    else {
      this.push(argument, 'i64');
      this.template.op('i32.wrap_i64');
    }
  }

  protected special({ op, args }: Operation): ValueType | null {
    const narrow = NARROW_CODE[op];
    if (narrow !== undefined) {
      this.pushLow(args[0]);
      this.pushLow(args[1]);
      this.template.op(narrow).op('i64.extend_i32_s');
      return 'i64';
    }
    switch (op) {
      case 'floatFlags':
      case 'floatRounding':
        return this.readStatus(op);
      case 'pcOffset':
        this.template.hole(HOLE.pcOffset);
        return 'i64';
      case 'isZero':
        this.push(args[0], 'i64');
        this.template.op('i64.eqz');
        return 'i32';
      default:
        assert(op === 'setFloatFlags', `${op} in a region`);
        this.setFlags(args[0]);
        return null;
    }
  }

  /** Where NX is not noted, flags without it end what the region is made for: such a write is left. */
  private setFlags(flags: Operation['args'][number]): void {
    const { code } = this;
    const value = this.temporary('i64');
    this.push(flags, 'i64');
    code.set(value);
    if (!this.notes) {
      code.get(value).i64(1).op('i64.and').op('i64.eqz');
      this.slow();
    }
    code.i32(0).i32(0).access('i64.load', this.statusAddress).i64(-32).op('i64.and');
    code.get(value).i64(31).op('i64.and').op('i64.or').access('i64.store', this.statusAddress);
  }
}

/** Operations on 32 bits. */
const NARROW_CODE: Readonly<Record<string, SimpleName>> = {
  add32: 'i32.add',
  sub32: 'i32.sub',
  mul32: 'i32.mul',
  and32: 'i32.and',
  or32: 'i32.or',
  xor32: 'i32.xor',
  shl32: 'i32.shl',
  shrU32: 'i32.shr_u',
  shrS32: 'i32.shr_s',
};

const SOURCES = ['rs1', 'rs2', 'rs3'] as const;

/** Tapes of the instructions of a table, made when they are first asked for. */
export class Templates {
  readonly pieces: RegionPieces;
  /** By kind and what is known of it where it stands. */
  private readonly tapes: (Tape | undefined)[] = [];
  /** The same by key: all, and those that a build of the same code made. */
  private readonly byKey = new Map<number, Tape>();
  private readonly kept: ReadonlyMap<number, Tape>;

  /**
   * `fuses`: what `hasFusedMultiplyAdd` says of the host. `notes`: whether arithmetic raises NX where it has to, for
   * threads that do not have it set; else it must be set, or there is none.
   */
  constructor(
    private readonly isa: RegionSet,
    private readonly fuses: boolean,
    readonly notes: boolean,
  ) {
    this.pieces = RegionPieces.of(isa);
    const name = `tapes of ${isa.name}${notes ? ', with notes' : ''}${fuses ? ', fused' : ''}`;
    this.kept = keptTapes(name, () => this.byKey);
  }

  /**
   * @param isGrouped whether it is an access of a group: where that is in memory is known
   * @param areNarrow whether all registers that it reads are sign-extended from 32 bits, if that makes a difference
   */
  tapeOf(instruction: Instruction, isGrouped: boolean, areNarrow: boolean): Tape {
    const where = (isGrouped ? 2 : 0) + (areNarrow ? 1 : 0);
    const index = instruction.kind.number * 4 + where;
    let tape = this.tapes[index];
    if (tape === undefined) {
      const key = instruction.kind.key * 4 + where;
      tape = this.kept.get(key) ?? this.make(instruction, isGrouped, areNarrow);
      this.tapes[index] = tape;
      this.byKey.set(key, tape);
    }
    return tape;
  }

  private make({ d, canLeave, kind }: Instruction, isGrouped: boolean, areNarrow: boolean): Tape {
    const { isa } = this;
    const zero = new Set<OperandName>(SOURCES.filter((name) => d[name] === isa.zeroSlot));
    if (d.imm === 0n) zero.add('imm');
    const { operations, effects } = isa.entries[d.entry]!;
    const accesses = effects.loads || effects.stores;
    const isUnset = d.rd === isa.sinkSlot;
    const special = specialise(operations, { zero, isShort: kind.isShort, areNarrow, isUnset });
    const lowering = new TemplateLowering(new TemplateCode(), isa, d, isGrouped, this.fuses, this.notes);
    return lowering.write(special, canLeave, accesses);
  }
}
