import { FunctionCode } from '../wasm/code.js';
import { type AccessGroup, groupAccesses, type Member } from './access-groups.js';
import { ExitStubs, NO_EXIT, UNRETIRED_MASK } from './exit-stubs.js';
import { CONTROL } from './host-memory.js';
import { REGION_SIGNATURE } from './interpreter-code.js';
import { addChunk, type Chunk, chunkOf, type WayOut, wayOut } from './loop-chunks.js';
import { registerAddress } from './lowering.js';
import type { Block, Region, RegionSet } from './region.js';
import { type Flow, flowOf, targetsByPlace } from './region-flow.js';
import { DEPTH, LEFT } from './region-pieces.js';
import { narrow, RegionWriter } from './region-writer.js';
import type { RegisterSet } from './register-set.js';
import type { Templates } from './template.js';
import { VARIABLE } from './template-code.js';

/** What a region's code needs from around it. */
export interface RegionContext {
  /** The number of the import that calls a function of the table. */
  readonly dispatch: number;
  /** The function of a region that is in the same module; null when it is not, or has floats and who asks has none. */
  functionOf(address: bigint, hasFloat: boolean): number | null;
}

const NO_MEMBERS: readonly (Member | undefined)[] = [];

// Of one region at a time, for many are made:

/** Chunks by the block that their loop starts with. */
const chunks: (Chunk | null)[] = [];
/** Blocks that several ways lead to, in order. */
const mergedBlocks: number[] = [];
/** Groups of accesses of each block, by instruction. */
const groupedOf: (readonly (Member | undefined)[])[] = [];
/** How many blocks are open around the labels of blocks: before them, and at loops. */
const before: number[] = [];
const loops: number[] = [];
const stubs = new ExitStubs();

/** Which of its block's stubs each instruction is left by, from the first on. Of one block at a time. */
const exits = new Uint16Array(UNRETIRED_MASK);

/** Structured code for one region: blocks by the tree of dominators, registers in locals. */
export class RegionCode extends RegionWriter {
  private readonly flow: Flow;
  /** Whether instructions are left to the host, and whether control goes elsewhere. */
  private hasExits = false;
  private hasOuts = false;
  /** Of the block at hand, the stubs that it is left by where it starts and ends. */
  private firstStub = 0;
  private lastStub = 0;

  constructor(
    isa: RegionSet,
    private readonly region: Region,
    private readonly context: RegionContext,
    templates: Templates,
    /** What it is written behind. */
    code = new FunctionCode(REGION_SIGNATURE),
  ) {
    super(isa, templates, region.address, code);
    this.flow = flowOf(region);
  }

  write(): FunctionCode {
    const { code, flow, pieces } = this;
    this.begin();
    stubs.clear();
    mergedBlocks.length = 0;
    this.findChunks();
    code.isLess(LEFT, flow.cost[0]!);
    if (this.templates.notes) code.tape(pieces.isOtherRounding, this).op('i32.or');
    code.if();
    this.storePc(0);
    code.tape(pieces.stop('short'), this);
    code.end();
    this.reload(flow.live[0]!);
    const start = code.size;
    this.tree(0);
    code.op('unreachable');
    const { spilled, fallsThrough } = stubs;
    const last = spilled.length - 1;
    // Around the labels is one that leads behind all of them.
    code.insertBlocks(start, last > 0 ? last + 2 : last + 1);
    for (let i = 0; i <= last; i++) {
      code.end();
      this.spill(spilled[i]!);
      if (!fallsThrough[i] && i < last) code.br(last - i);
    }
    if (last > 0) code.end();
    this.leave();
    return code;
  }

  // Structure

  /** A block, and all that it dominates. */
  private tree(block: number): void {
    const { code, flow } = this;
    const merged = this.mergedBehind(block);
    this.findExits(block);
    if (flow.isLoop[block]) {
      loops[block] = this.depth;
      code.loop();
      this.depth++;
      this.checkBudget(block);
    }
    for (let i = merged.length - 1; i >= 0; i--) {
      before[merged[i]!] = this.depth;
      this.open();
    }
    const chunk = chunks[block]!;
    if (chunk !== null) this.chunk(block, chunk);
    const behind = this.block(block);
    if (behind !== null) this.tree(behind);
    for (let i = 0; i < merged.length; i++) {
      this.close();
      this.tree(merged[i]!);
    }
    if (flow.isLoop[block]) this.close();
  }

  /** What a block dominates and several ways lead to, in order. */
  private mergedBehind(block: number): number[] {
    const behind: number[] = [];
    for (let i = 0; i < mergedBlocks.length; i++) {
      const next = mergedBlocks[i]!;
      if (this.flow.idom[next] === block) behind.push(next);
    }
    return behind;
  }

  /** At a loop's start: leaves when the budget does not reach to where it is looked at next. */
  private checkBudget(block: number): void {
    const { code, flow } = this;
    code.isLess(LEFT, flow.cost[block]!);
    this.openIf();
    const { at, end } = this.region.blocks[block]!;
    if (end.kind === 'dispatch') this.leaveToTarget(this.firstStub);
    else this.leaveTo(at, this.firstStub);
    this.close();
  }

  /** The depth of a block's label; null when it has none, because its code follows where control goes to it. */
  private labelOf(from: number, to: number): number | null {
    const { flow } = this;
    if (flow.position[to]! <= flow.position[from]!) return this.to(loops[to]!);
    return flow.entrances[to]! > 1 ? this.to(before[to]!) : null;
  }

  /** @returns the block whose code comes next, if there is one: not made from here, for blocks in a row can be many */
  private goTo(from: number, to: number | null, at: number, out: number): number | null {
    if (to === null) {
      this.leaveTo(at, out);
      return null;
    }
    const label = this.labelOf(from, to);
    if (label === null) return to;
    this.code.br(label);
    return null;
  }

  /** @returns as `goTo` */
  private block(number: number): number | null {
    const block = this.region.blocks[number]!;
    const { instructions } = block;
    const { firstStub } = this;
    const members = groupedOf[number]!;
    const count = instructions.length;
    narrow.clear();
    this.at = block.at;
    if (count > 0) this.charge(count);
    for (let i = 0; i < count; i++) {
      const instruction = instructions[i]!;
      const member = members[i];
      this.unretired = count - i;
      this.stub = firstStub - exits[i]!;
      if (member?.group.leader === i) this.lead(member.group, instruction.d.rs1);
      this.instruction(instruction, member, 0);
    }
    return this.endBlock(number, block, this.lastStub);
  }

  private findChunks(): void {
    const { flow, region, isa } = this;
    const { order } = flow;
    for (let i = 0; i < order.length; i++) {
      const block = order[i]!;
      this.findMembers(block);
      chunks[block] = null;
      if (!flow.isLoop[block]) continue;
      const chunk = chunkOf(block, region.blocks, flow, isa.zeroSlot);
      if (chunk === null) continue;
      addChunk(chunk, region.blocks, flow);
      chunks[block] = chunk;
    }
    for (let i = 0; i < order.length; i++) if (flow.entrances[order[i]!]! > 1) mergedBlocks.push(order[i]!);
  }

  private findMembers(number: number): void {
    const { at, instructions, canLeave } = this.region.blocks[number]!;
    if (!canLeave) {
      groupedOf[number] = NO_MEMBERS;
      return;
    }
    const members = groupAccesses(instructions, this.isa.zeroSlot, at === 0);
    groupedOf[number] = members;
    for (let i = 0; i < instructions.length && !this.hasExits; i++)
      this.hasExits = instructions[i]!.canLeave && members[i] === undefined;
  }

  /** Chunks, while all that their accesses need is known; goes on behind when it is not. */
  private chunk(head: number, chunk: Chunk): void {
    const { code } = this;
    const slow = this.depth;
    const loop = loops[head]!;
    this.open();
    this.findPlaces(chunk, slow);
    if (chunk.isLoop) {
      const again = this.depth;
      code.loop();
      this.depth++;
      // It ends at one place: for each, V8 would bring all registers to where they are looked for next.
      const last = this.depth;
      this.open();
      this.rounds(head, chunk);
      code.isLess(LEFT, this.flow.cost[head]!).brIf(this.to(last));
      this.findPlaces(chunk, last);
      code.br(this.to(again));
      this.close();
      code.br(this.to(loop));
      this.close();
    } else {
      this.rounds(head, chunk);
      code.br(this.to(loop));
    }
    this.close();
  }

  private rounds(head: number, chunk: Chunk): void {
    const { code, region } = this;
    const { blocks } = region;
    const { way, rounds, members, sums, moving } = chunk;
    let steps = 0;
    for (let i = 0; i < moving.length; i++) {
      const slot = moving[i]!;
      code.get(this.local(slot)).set(this.local(VARIABLE.starts + slot));
    }
    narrow.clear();
    for (let round = 0; round < rounds; round++) {
      let made = 0;
      for (let place = 0; place < way.length; place++) {
        const { at, instructions } = blocks[way[place]!]!;
        this.at = at;
        for (let i = 0; i < instructions.length; i++) {
          const instruction = instructions[i]!;
          const sum = sums[made];
          if (sum === undefined) this.instruction(instruction, members[made], round);
          else this.sum(instruction, sum, round);
          made++;
        }
        steps += instructions.length;
        const out = wayOut(chunk, place, blocks);
        if (out !== null) this.leaveChunk(head, out, steps);
      }
    }
    this.charge(steps);
  }

  /** Finds where a chunk's accesses are; goes elsewhere when not all of that is known. */
  private findPlaces({ groups }: Chunk, elsewhere: number): void {
    for (let i = 0; i < groups.length; i++) {
      const group = groups[i]!;
      this.lookUp(group, group.slot);
      this.code.brIf(this.to(elsewhere));
      this.setPlace(group);
    }
  }

  /** The condition is on the stack. */
  private leaveChunk(head: number, { to, at, isTaken }: WayOut, steps: number): void {
    const { code } = this;
    if (!isTaken) code.op('i32.eqz');
    this.openIf();
    this.charge(steps);
    if (to === null) this.leaveTo(at, this.firstStub);
    else code.br(this.labelOf(head, to)!);
    this.close();
  }

  /** Finds where a group's accesses are; leaves when they have not all one page that is known. */
  private lead(group: AccessGroup, baseSlot: number): void {
    const { code } = this;
    this.lookUp(group, baseSlot);
    this.openIf();
    code.get(LEFT).i32(this.unretired).op('i32.add').set(LEFT);
    this.leaveTo(this.at, this.stub);
    this.close();
    this.setPlace(group);
  }

  private endBlock(number: number, block: Block, out: number): number | null {
    const { code } = this;
    const { end } = block;
    switch (end.kind) {
      case 'next':
        return this.goTo(number, end.next, end.at, out);
      case 'branch': {
        // The condition is on the stack.
        const label = end.taken === null ? null : this.labelOf(number, end.taken);
        if (label !== null) code.brIf(label);
        else {
          this.openIf();
          const taken = this.goTo(number, end.taken, end.takenAt, out);
          if (taken !== null) this.tree(taken);
          this.close();
        }
        return this.goTo(number, end.next, end.nextAt, out);
      }
      case 'call':
        this.spillAll(number, block);
        this.call(end.targetAt);
        return this.comeBack(number, end.next, end.nextAt);
      case 'indirect-call':
        this.spillAll(number, block);
        code.tape(this.pieces.storeTarget, this);
        this.callAtTarget();
        return this.comeBack(number, end.next, end.nextAt);
      case 'indirect':
        if (end.next !== null) return this.goTo(number, end.next, 0, out);
        this.leaveToTarget(out);
        return null;
      case 'dispatch':
        this.dispatch(number, end.targets);
        this.leaveToTarget(out);
        return null;
      case 'return':
        this.spillAll(number, block);
        code.tape(this.pieces.storeTarget, this);
        code.get(LEFT).op('return');
        return null;
      case 'leave':
        if (end.stop === null) {
          this.leaveTo(end.at, out);
          return null;
        }
        this.spillAll(number, block);
        this.storePc(end.at);
        code.tape(this.pieces.stop(end.stop), this);
        return null;
    }
  }

  /** To the block that starts at the address at hand; goes on behind when there is none. */
  private dispatch(number: number, targets: readonly number[]): void {
    if (targets.length === 0) return;
    const { code, region } = this;
    const distance = this.local(VARIABLE.place);
    const places = targetsByPlace(region.blocks, targets);
    this.open();
    const out = this.to(this.depth - 1);
    code.get(this.local(VARIABLE.address));
    this.pushAddress(region.blocks[targets[0]!]!.at);
    code
      .op('i64.sub')
      .tee(distance)
      .i64(places.length * 2)
      .op('i64.ge_u')
      .brIf(out);
    code.get(distance).op('i32.wrap_i64').i32(1).op('i32.shr_u');
    const labels = places.map((target) => (target === null ? out : this.labelOf(number, target)!));
    code.brTable(labels, out);
    this.close();
  }

  // Calls and other ways out

  private call(targetAt: number): void {
    const { code, context, region } = this;
    this.storePc(targetAt);
    const fn = context.functionOf(BigInt.asUintN(64, region.address + BigInt(targetAt)), region.hasFloat);
    if (fn === null) {
      this.pushAddress(targetAt);
      code.set(this.local(VARIABLE.address));
      this.callAtTarget();
    } else {
      code.tape(this.pieces.callArguments, this).call(fn).set(LEFT);
    }
  }

  private callAtTarget(): void {
    const { code, context, pieces } = this;
    const index = this.local(VARIABLE.index);
    code.tape(pieces.regionAtTarget, this).set(index).tape(pieces.callArguments, this);
    code.get(index).call(context.dispatch).set(LEFT);
  }

  /** Behind a call: goes on if it came back to here, and there is budget. */
  private comeBack(number: number, next: number | null, nextAt: number): number | null {
    const { code, flow } = this;
    if (next === null) {
      code.get(LEFT).op('return');
      return null;
    }
    code.isLess(LEFT, flow.cost[next]!);
    code.i32(0).access('i64.load', registerAddress(this.isa.pcSlot));
    this.pushAddress(nextAt);
    code.op('i64.ne').op('i32.or').tape(this.pieces.returnLeft, this);
    this.reload(flow.live[next]!);
    return this.goTo(number, next, nextAt, this.lastStub);
  }

  /** The stubs of a block. */
  private findExits(number: number): void {
    const { flow, region } = this;
    const { instructions, canLeave, writes, end } = region.blocks[number]!;
    const dirty = flow.dirty[number]!.copy();
    if (flow.isLoop[number]) this.addOut(dirty);
    if (canLeave) {
      const members = groupedOf[number]!;
      for (let i = 0; i < instructions.length; i++) {
        const { canLeave, writes } = instructions[i]!;
        const member = members[i];
        if (member?.group.leader === i) exits[i] = this.addOut(dirty);
        else if (canLeave && member === undefined) exits[i] = stubs.add(dirty);
        dirty.addAll(writes);
      }
    } else dirty.addAll(writes);
    const leaves =
      (end.kind === 'next' && end.next === null) ||
      (end.kind === 'branch' && (end.next === null || end.taken === null)) ||
      (end.kind === 'leave' && end.stop === null) ||
      end.kind === 'dispatch' ||
      (end.kind === 'indirect' && end.next === null);
    const last = leaves ? this.addOut(dirty) : 0;
    this.firstStub = stubs.endBlock();
    this.lastStub = this.firstStub - last;
  }

  private addOut(dirty: RegisterSet): number {
    this.hasOuts = true;
    return stubs.add(dirty);
  }

  /** Puts all that is dirty at a block's end into memory. */
  private spillAll(number: number, { writes }: Block): void {
    const dirty = this.flow.dirty[number]!.copy();
    dirty.addAll(writes);
    this.spill(dirty);
  }

  private leaveTo(at: number, stub: number): void {
    this.pushAddress(at);
    this.code.set(this.local(VARIABLE.address));
    this.leaveToTarget(stub);
  }

  private leaveToTarget(stub: number): void {
    const { code } = this;
    if (this.hasExits) code.i32(NO_EXIT).set(this.local(VARIABLE.exit));
    code.br(this.depth + stub);
  }

  /** Behind all stubs: registers are in memory. */
  private leave(): void {
    const { code } = this;
    const exit = this.local(VARIABLE.exit);
    if (this.hasOuts) {
      if (this.hasExits) code.get(exit).i32(NO_EXIT).op('i32.eq').if();
      this.leaveToRegion();
      if (this.hasExits) code.end();
    }
    if (!this.hasExits) return;
    code.i32(0).get(this.local(VARIABLE.address)).access('i64.store', CONTROL.address);
    code.i32(0).get(exit).access('i32.store', CONTROL.exit);
    this.storePc(0);
    code.tape(this.pieces.stop('slow'), this);
  }

  /** On to another region without growing the stack, so that who called this one finds what it returns to. */
  private leaveToRegion(): void {
    const { code, pieces } = this;
    const index = this.local(VARIABLE.index);
    code.tape(pieces.storeTarget, this).tape(pieces.regionAtTarget, this);
    code.set(index).get(LEFT).get(DEPTH).get(index);
    code.returnCall(this.context.dispatch);
  }
}
