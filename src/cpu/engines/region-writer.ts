import { PAGE_SIZE } from '../../memory/page.js';
import type { FunctionCode } from '../wasm/code.js';
import { ACCESS, type ValueType } from '../wasm/opcodes.js';
import type { TapeFiller } from '../wasm/tape.js';
import type { AccessGroup, Member, Sum } from './access-groups.js';
import type { Decoded } from './evaluator.js';
import { exitNumber } from './exit-stubs.js';
import type { Instruction } from './facts.js';
import { registerAddress } from './lowering.js';
import { NarrowRegisters } from './narrow-registers.js';
import type { RegionSet } from './region.js';
import { LEFT, type RegionPieces } from './region-pieces.js';
import type { RegisterSet } from './register-set.js';
import type { Templates } from './template.js';
import { HOLE, OPERAND, REGISTER_SLOTS, VARIABLE, VARIABLES, variableType } from './template-code.js';

/** Addresses below this are exact as numbers. */
const EXACT = 2n ** 52n;

/** What locals the region that is being written has, by variable; 0 is none. */
const locals = new Uint16Array(VARIABLES);
/** What is known of the registers of the block that is being written. */
export const narrow = new NarrowRegisters();

/** Writes what regions are made of: instructions one by one, from tapes, and what puts registers and places into locals. */
export abstract class RegionWriter implements TapeFiller {
  protected readonly pieces: RegionPieces;
  /** The address where the region starts, as a number if that is exact. */
  private readonly start: bigint | number;
  /** Blocks that are open. */
  protected depth = 0;
  /** The instruction at hand, where it is left to, and the steps not made then. */
  private d: Decoded | null = null;
  protected at = 0;
  /** The number of the label. */
  protected stub = 0;
  protected unretired = 0;
  /** Of its group of accesses, the variable; and how far from there on it is, bytes. */
  private place = 0;
  private offset = 0;

  constructor(
    protected readonly isa: RegionSet,
    protected readonly templates: Templates,
    address: bigint,
    protected readonly code: FunctionCode,
  ) {
    this.pieces = templates.pieces;
    this.start = address < EXACT ? Number(address) : address;
  }

  /** Before anything else: locals are of one region at a time. */
  protected begin(): void {
    locals.fill(0);
  }

  // Structure

  protected open(): void {
    this.code.block();
    this.depth++;
  }

  protected openIf(): void {
    this.code.if();
    this.depth++;
  }

  protected close(): void {
    this.depth--;
    this.code.end();
  }

  /** The depth of a label that so many blocks are open around. */
  protected to(around: number): number {
    return this.depth - 1 - around;
  }

  // Instructions

  /** Takes steps off the budget. */
  protected charge(steps: number): void {
    this.code.subtract(LEFT, steps);
  }

  /** @param round of those of a chunk, if it is in one */
  protected instruction(instruction: Instruction, member: Member | undefined, round: number): void {
    const { d } = instruction;
    this.d = d;
    if (member !== undefined) {
      this.place = VARIABLE.groups + member.group.index;
      this.offset = member.offset + member.stride * round;
    }
    const areNarrow = narrow.areAllFor(instruction);
    this.code.tape(this.templates.tapeOf(instruction, member !== undefined, areNarrow), this);
    narrow.after(instruction);
    this.at += d.lengthBytes;
  }

  /** An instruction that is such a sum, in one of the rounds of a chunk. */
  protected sum(instruction: Instruction, { slot, distance, stride }: Sum, round: number): void {
    const { d } = instruction;
    const { code } = this;
    code.get(this.local(VARIABLE.starts + slot)).i64(distance + stride * round);
    code.op('i64.add').set(this.local(d.rd));
    narrow.after(instruction);
    this.at += d.lengthBytes;
  }

  /** Pushes whether a group's accesses have not all one page that is known. */
  protected lookUp({ store, start, spanBytes }: AccessGroup, baseSlot: number): void {
    const { code, pieces } = this;
    code.get(this.local(baseSlot));
    if (start !== 0) code.i64(start).op('i64.add');
    code.tape(store ? pieces.lookUpStores : pieces.lookUpLoads, this);
    code.i64(PAGE_SIZE - spanBytes).op('i64.gt_u');
  }

  protected setPlace({ index }: AccessGroup): void {
    const { code } = this;
    const place = this.local(VARIABLE.groups + index);
    code.get(this.local(VARIABLE.place)).op('i32.wrap_i64').set(place);
  }

  protected storePc(at: number): void {
    this.code.i32(0);
    this.pushAddress(at);
    this.code.access('i64.store', registerAddress(this.isa.pcSlot));
  }

  protected pushAddress(at: number): void {
    const { start } = this;
    this.code.i64(typeof start === 'number' ? start + at : start + BigInt(at));
  }

  // Registers

  protected local(variable: number): number {
    let local = locals[variable]!;
    if (local === 0) {
      local = this.code.local(this.typeOf(variable));
      locals[variable] = local;
    }
    return local;
  }

  private typeOf(variable: number): ValueType {
    if (variable >= REGISTER_SLOTS) return variableType(variable);
    return this.isa.isFloatSlot(variable) ? 'f64' : 'i64';
  }

  protected spill(dirty: RegisterSet): void {
    for (let slot = dirty.next(0); slot >= 0; slot = dirty.next(slot + 1)) {
      const store = this.isa.isFloatSlot(slot) ? ACCESS['f64.store'] : ACCESS['i64.store'];
      this.code.storeLocal(store, registerAddress(slot), locals[slot] || this.local(slot));
    }
  }

  protected reload(live: RegisterSet): void {
    for (let slot = live.next(0); slot >= 0; slot = live.next(slot + 1)) {
      const load = this.isa.isFloatSlot(slot) ? ACCESS['f64.load'] : ACCESS['i64.load'];
      this.code.loadLocal(load, registerAddress(slot), locals[slot] || this.local(slot));
    }
  }

  // What differs between instructions of one template

  localOf(id: number): number {
    if (id < VARIABLES) return locals[id] || this.local(id);
    if (id === OPERAND.place) return this.local(this.place);
    const { rd, rs1, rs2, rs3 } = this.d!;
    const slot = id === OPERAND.rs1 ? rs1 : id === OPERAND.rd ? rd : id === OPERAND.rs2 ? rs2 : rs3;
    return locals[slot] || this.local(slot);
  }

  fill(hole: number): void {
    const { code, at, d } = this;
    switch (hole) {
      case HOLE.imm:
        code.i64(Number(d!.imm));
        return;
      case HOLE.imm32:
        code.i32(Number(d!.imm));
        return;
      case HOLE.pc:
        this.pushAddress(at);
        return;
      case HOLE.link:
        this.pushAddress(at + d!.lengthBytes);
        return;
      case HOLE.pcOffset:
        this.pushAddress(at + Number(d!.imm));
        return;
      case HOLE.exit:
        code.i32(exitNumber({ at, unretired: this.unretired }));
        return;
      case HOLE.offset:
        code.u32(this.offset);
        return;
      default:
        code.u32(this.depth + this.stub + hole - HOLE.label);
    }
  }
}
