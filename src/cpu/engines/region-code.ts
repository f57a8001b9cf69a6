import { assert } from '../../base/assert.js';
import { FunctionCode, type ValueType } from '../wasm/code.js';
import type { OperandName } from './algebra.js';
import { type ExitGroup, exitGroups } from './exit-groups.js';
import { FastFloat, isFastMode } from './float-code.js';
import { FLOAT_SHAPES, type FloatName } from './float-shapes.js';
import { CONTROL, STATUS, STOPPED_BIT } from './host-memory.js';
import { REGION_SIGNATURE } from './interpreter-code.js';
import { Lowering, registerAddress, type StopKind } from './lowering.js';
import type { Block, Instruction, Region, RegionSet } from './region.js';
import { type Flow, flowOf, type RegisterSet } from './region-flow.js';
import { emitRegionIndex } from './region-index.js';
import type { Operation } from './transcript.js';

/** What a region's code needs from around it. */
export interface RegionContext {
  /** Index of REGION_SIGNATURE among the types of the module. */
  readonly regionType: number;
  /** The function of a region that is in the same module; null when it is not. */
  functionOf(address: bigint): number | null;
  /** A number for a place where an instruction is left to the host: its address, and the steps to give back. */
  exitAt(address: bigint, unretired: number): number;
}

/** The rounding operand that asks for the thread's own mode, which is to nearest where regions run. */
const DYNAMIC = 7;
const RNE = 0;

const LEFT = 0;
const DEPTH = 1;

/** A label that branches may go to: a block's start from before it, a loop's start from inside, the way out, or nothing. */
type Label = `block ${number}` | `loop ${number}` | 'out' | null;

/** Structured code for one region: blocks by the tree of dominators, registers in locals. */
export class RegionCode extends Lowering {
  private readonly flow: Flow;
  private readonly fastFloat: FastFloat;
  private readonly locals = new Map<number, number>();
  private readonly labels: Label[] = [];
  private readonly index: number;
  private readonly target: number;
  private readonly page: number;
  /** The instruction at hand, and what is open around it. */
  private instruction: Instruction | null = null;
  private exit = { label: 0, unretired: 0 };

  constructor(
    private readonly isa: RegionSet,
    private readonly region: Region,
    private readonly context: RegionContext,
    fuses: boolean,
  ) {
    super(new FunctionCode(REGION_SIGNATURE));
    this.flow = flowOf(region);
    this.fastFloat = new FastFloat(this.code, fuses);
    this.index = this.code.local('i32');
    this.target = this.code.local('i64');
    this.page = this.code.local('i32');
  }

  write(): FunctionCode {
    const { code, flow } = this;
    code.get(LEFT).i32(flow.cost[0]!).op('i32.lt_s').if();
    this.storePc(() => code.i64(this.region.address));
    this.stopWith(STATUS.short, -1);
    code.op('end');
    this.reload(flow.live[0]!);
    code.block();
    this.open('out');
    this.tree(0);
    code.op('unreachable');
    this.close();
    // On to another region without growing the stack, so that who called this one finds what it returns to.
    this.storePc(() => code.get(this.target));
    this.pushRegionAtTarget();
    code.set(this.index).get(LEFT).get(DEPTH).get(this.index);
    code.returnCallIndirect(this.context.regionType);
    return code;
  }

  // Structure

  private open(label: Label): void {
    this.labels.push(label);
  }

  private close(): void {
    this.labels.pop();
    this.code.op('end');
  }

  private depthOf(label: Label): number {
    const at = this.labels.lastIndexOf(label);
    assert(at >= 0, `no label ${label}`);
    return this.labels.length - 1 - at;
  }

  /** A block, and all that it dominates. */
  private tree(block: number): void {
    const { code, flow } = this;
    const merged = flow.dominated[block]!.filter((b) => flow.entrances[b]! > 1);
    merged.sort((a, b) => flow.position[b]! - flow.position[a]!);
    if (flow.isLoop[block]) {
      code.loop();
      this.open(`loop ${block}`);
      this.checkBudget(block);
    }
    this.within(block, merged);
    if (flow.isLoop[block]) this.close();
  }

  private within(block: number, merged: readonly number[]): void {
    const [last, ...rest] = merged;
    if (last === undefined) {
      this.block(block);
      return;
    }
    this.code.block();
    this.open(`block ${last}`);
    this.within(block, rest);
    this.close();
    this.tree(last);
  }

  /** At a loop's start: leaves when the budget does not reach to where it is looked at next. */
  private checkBudget(block: number): void {
    const { code, flow } = this;
    code.get(LEFT).i32(flow.cost[block]!).op('i32.lt_s').if();
    this.open(null);
    this.spill(flow.dirty[block]!);
    this.leaveTo(this.addressAt(this.region.blocks[block]!.at));
    this.close();
  }

  private goTo(from: number, to: number | null, at: number, dirty: RegisterSet): void {
    if (to === null) {
      this.spill(dirty);
      this.leaveTo(this.addressAt(at));
    } else if (this.flow.position[to]! <= this.flow.position[from]!) this.code.br(this.depthOf(`loop ${to}`));
    else if (this.flow.entrances[to]! > 1) this.code.br(this.depthOf(`block ${to}`));
    else this.tree(to);
  }

  private block(number: number): void {
    const { code, flow } = this;
    const block = this.region.blocks[number]!;
    const dirty = flow.dirty[number]!.copy();
    const count = block.instructions.length;
    if (count > 0) code.get(LEFT).i32(count).op('i32.sub').set(LEFT);
    const exits = exitGroups(block.instructions);
    if (exits.length > 0) {
      code.block();
      this.open(null);
    }
    for (const _ of exits) {
      code.block('i32');
      this.open(null);
    }
    let group = 0;
    // A branch leaves its condition on the stack, so it comes behind the stubs.
    const straight = block.end.kind === 'branch' ? block.instructions.slice(0, -1) : block.instructions;
    straight.forEach((instruction, i) => {
      if (instruction.facts.canLeave) {
        while (group + 1 < exits.length && exits[group + 1]!.first <= i) group++;
        this.exit = { label: this.labels.length - exits.length + group, unretired: count - i };
      }
      this.instruction = instruction;
      this.lower(instruction.facts.plan);
      for (const slot of instruction.facts.writes) dirty.add(slot);
    });
    if (exits.length > 0) this.leaveStubs(exits, flow.dirty[number]!);
    if (block.end.kind === 'branch') {
      this.instruction = block.instructions[count - 1]!;
      this.lower(this.instruction.facts.plan);
    }
    this.endBlock(number, block, dirty);
  }

  /** Behind a block's code: what puts registers into memory when an instruction was left. Falls through from last to first. */
  private leaveStubs(exits: readonly ExitGroup[], dirty: RegisterSet): void {
    const { code } = this;
    code.br(exits.length);
    for (const { written } of [...exits].reverse()) {
      this.close();
      code.set(this.index);
      for (const slot of written) this.spillOne(slot);
      code.get(this.index);
    }
    code.set(this.index);
    this.spill(dirty);
    code.i32(0).get(this.address).access('i64.store', CONTROL.address);
    code.i32(0).get(this.index).access('i32.store', CONTROL.exit);
    this.setStatus(STATUS.slow);
    code.get(LEFT).i32(STOPPED_BIT).op('i32.or').op('return');
    this.close();
  }

  private endBlock(number: number, block: Block, dirty: RegisterSet): void {
    const { code } = this;
    const { end } = block;
    switch (end.kind) {
      case 'next':
        this.goTo(number, end.next, end.at, dirty);
        return;
      case 'branch':
        // The condition is on the stack.
        code.if();
        this.open(null);
        this.goTo(number, end.taken, end.takenAt, dirty);
        code.op('else');
        this.goTo(number, end.next, end.nextAt, dirty);
        this.close();
        return;
      case 'call':
        this.spill(dirty);
        this.call(end.targetAt);
        this.comeBack(number, end.next, end.nextAt);
        return;
      case 'indirect-call':
        this.spill(dirty);
        this.storePc(() => code.get(this.target));
        this.pushRegionAtTarget();
        code.set(this.index);
        this.pushCallArguments();
        code.get(this.index).callIndirect(this.context.regionType).set(LEFT);
        this.comeBack(number, end.next, end.nextAt);
        return;
      case 'indirect':
        this.spill(dirty);
        code.br(this.depthOf('out'));
        return;
      case 'return':
        this.spill(dirty);
        this.storePc(() => code.get(this.target));
        code.get(LEFT).op('return');
        return;
      case 'leave':
        this.spill(dirty);
        if (end.stop === null) this.leaveTo(this.addressAt(end.at));
        else {
          this.storePc(() => code.i64(this.addressAt(end.at)));
          this.stopWith(STATUS[end.stop], -1);
        }
    }
  }

  // Calls and other ways out

  private call(targetAt: number): void {
    const { code, context } = this;
    const target = this.addressAt(targetAt);
    this.storePc(() => code.i64(target));
    const fn = context.functionOf(target);
    if (fn === null) {
      code.i64(target).set(this.target);
      this.pushRegionAtTarget();
      code.set(this.index);
      this.pushCallArguments();
      code.get(this.index).callIndirect(context.regionType).set(LEFT);
    } else {
      this.pushCallArguments();
      code.call(fn).set(LEFT);
    }
  }

  /** Leaves instead when the host's stack is deep enough. */
  private pushCallArguments(): void {
    const { code } = this;
    code.get(DEPTH).op('i32.eqz').if().get(LEFT).op('return').op('end');
    code.get(LEFT).get(DEPTH).i32(1).op('i32.sub');
  }

  /** The table index of the region at the target; leaves when there is none. The pc is in memory. */
  private pushRegionAtTarget(): void {
    const { code, target, page, index } = this;
    emitRegionIndex(code, { target, page, offset: index }, this.statusAddress, () => {
      code.if().get(LEFT).op('return').op('end');
    });
  }

  /** Behind a call: goes on if it came back to here, and there is budget. */
  private comeBack(number: number, next: number | null, nextAt: number): void {
    const { code, flow } = this;
    if (next === null) {
      code.get(LEFT).op('return');
      return;
    }
    code.get(LEFT).i32(flow.cost[next]!).op('i32.lt_s');
    code.i32(0).access('i64.load', registerAddress(this.isa.pcSlot));
    code.i64(this.addressAt(nextAt)).op('i64.ne').op('i32.or').if();
    code.get(LEFT).op('return').op('end');
    this.reload(flow.live[next]!);
    this.goTo(number, next, nextAt, flow.dirty[next]!);
  }

  private leaveTo(address: bigint): void {
    this.code.i64(address).set(this.target).br(this.depthOf('out'));
  }

  private stopWith(status: number, exit: number): void {
    const { code } = this;
    this.setStatus(status);
    code.i32(0).i32(exit).access('i32.store', CONTROL.exit);
    code.get(LEFT).i32(STOPPED_BIT).op('i32.or').op('return');
  }

  private setStatus(status: number): void {
    this.code.i32(0).i32(status).access('i32.store', CONTROL.status);
  }

  private storePc(push: () => void): void {
    this.code.i32(0);
    push();
    this.code.access('i64.store', registerAddress(this.isa.pcSlot));
  }

  private addressAt(at: number): bigint {
    return BigInt.asUintN(64, this.region.address + BigInt(at));
  }

  // Registers

  private localOf(slot: number): number {
    let local = this.locals.get(slot);
    if (local === undefined) {
      local = this.code.local(this.typeOf(slot));
      this.locals.set(slot, local);
    }
    return local;
  }

  private typeOf(slot: number): ValueType {
    return this.isa.isFloatSlot(slot) ? 'f64' : 'i64';
  }

  private spillOne(slot: number): void {
    const name = this.typeOf(slot) === 'f64' ? 'f64.store' : 'i64.store';
    this.code.i32(0).get(this.localOf(slot)).access(name, registerAddress(slot));
  }

  private spill(dirty: RegisterSet): void {
    for (const slot of dirty) this.spillOne(slot);
  }

  private reload(live: RegisterSet): void {
    for (const slot of live) {
      const name = this.typeOf(slot) === 'f64' ? 'f64.load' : 'i64.load';
      this.code.i32(0).access(name, registerAddress(slot)).set(this.localOf(slot));
    }
  }

  // What descriptions ask for

  private get d() {
    return this.instruction!.d;
  }

  protected pushRegister(operand: OperandName): ValueType {
    const slot = this.d[operand] as number;
    if (slot === this.isa.zeroSlot) {
      this.code.i64(0);
      return 'i64';
    }
    this.code.get(this.localOf(slot));
    return this.typeOf(slot);
  }

  protected setRegister(operand: OperandName, type: ValueType): void {
    const slot = this.d[operand] as number;
    if (slot === this.isa.sinkSlot) {
      this.code.op('drop');
      return;
    }
    this.convert(type, this.typeOf(slot));
    this.code.set(this.localOf(slot));
  }

  protected pushImmediate(): void {
    this.code.i64(this.d.imm);
  }

  protected pushPc(): void {
    this.code.i64(this.addressAt(this.instruction!.at));
  }

  protected pushLink(): void {
    this.code.i64(this.addressAt(this.instruction!.at + this.d.lengthBytes));
  }

  protected slow(): void {
    const { code, exit } = this;
    const address = this.addressAt(this.instruction!.at);
    code.if().i32(this.context.exitAt(address, exit.unretired));
    code.br(this.labels.length - 1 - exit.label + this.depth + 1).op('end');
  }

  /** The condition stays on the stack for the end of the block. */
  protected branch(): void {}

  protected jump(): void {}

  protected jumpTo(): void {
    this.code.set(this.target);
  }

  protected stop(kind: StopKind): void {
    assert(false, `${kind} in a region`);
  }

  protected float({ op, args }: Operation): ValueType {
    const name = op as FloatName;
    const { operands: types, result } = FLOAT_SHAPES.get(name)!;
    const mode = this.d.rm === DYNAMIC ? RNE : this.d.rm;
    if (!isFastMode(name, mode)) {
      this.code.i32(1);
      this.slow();
      this.pushZero(result);
      return result;
    }
    const operands = args.slice(0, types.length).map((arg) => ({
      f32: () => this.push(arg, 'f32'),
      f64: () => this.push(arg, 'f64'),
      i64: () => this.push(arg, 'i64'),
    }));
    return this.fastFloat.emit(name, operands, mode, (nesting) => {
      this.depth += nesting;
      this.slow();
      this.depth -= nesting;
    });
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

  /** Flags without NX end what regions are made for: such a write is left. */
  protected special(operation: Operation): ValueType | null {
    const { op, args } = operation;
    if (op === 'floatFlags' || op === 'floatRounding') return this.readStatus(op);
    assert(op === 'setFloatFlags', `${op} in a region`);
    const { code } = this;
    const value = this.temporary('i64');
    this.push(args[0], 'i64');
    code.tee(value).i64(1).op('i64.and').op('i64.eqz');
    this.slow();
    code.i32(0).i32(0).access('i64.load', this.statusAddress).i64(-32).op('i64.and');
    code.get(value).i64(31).op('i64.and').op('i64.or').access('i64.store', this.statusAddress);
    return null;
  }
}
