import type { FunctionCode } from '../wasm/code.js';
import { type AccessGroup, groupAccesses, type Member } from './access-groups.js';
import { ExitStubs, NO_EXIT } from './exit-stubs.js';
import { CONTROL } from './host-memory.js';
import { addChunk, type Chunk, chunkOf, type WayOut, wayOut } from './loop-chunks.js';
import { registerAddress } from './lowering.js';
import type { Block, Region, RegionSet } from './region.js';
import { type Flow, flowOf, targetsByPlace } from './region-flow.js';
import { DEPTH, LEFT } from './region-pieces.js';
import { RegionWriter } from './region-writer.js';
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

/** Structured code for one region: blocks by the tree of dominators, registers in locals. */
export class RegionCode extends RegionWriter {
  private readonly flow: Flow;
  /** By the block that their loop starts with. */
  private readonly chunks: (Chunk | null)[] = [];
  /** Blocks that several ways lead to, in order. */
  private readonly merged: number[] = [];
  private readonly stubs = new ExitStubs();
  /** Whether instructions are left to the host, and whether control goes elsewhere. */
  private hasExits = false;
  private hasOuts = false;
  /** How many blocks are open around the labels of blocks: before them, and at loops. */
  private readonly before: number[] = [];
  private readonly loops: number[] = [];
  /** By block. */
  private readonly members: (readonly (Member | undefined)[])[] = [];

  constructor(
    isa: RegionSet,
    private readonly region: Region,
    private readonly context: RegionContext,
    templates: Templates,
  ) {
    super(isa, templates, region.address);
    this.flow = flowOf(region);
  }

  write(): FunctionCode {
    const { code, flow, pieces } = this;
    this.begin();
    this.findChunks();
    code.isLess(LEFT, flow.cost[0]!);
    if (this.templates.notes) code.tape(pieces.isOtherRounding, this).op('i32.or');
    code.if();
    this.storePc(0);
    code.tape(pieces.stop('short'), this);
    code.op('end');
    this.reload(flow.live[0]!);
    this.findExits();
    const stubs = this.stubs.arrange();
    if (stubs.length > 1) this.open();
    for (let i = stubs.length - 1; i >= 0; i--) {
      stubs[i]!.depth = this.depth;
      this.open();
    }
    this.tree(0);
    code.op('unreachable');
    for (let i = 0; i < stubs.length; i++) {
      const { spilled, fallsThrough } = stubs[i]!;
      this.close();
      this.spill(spilled);
      if (!fallsThrough && i < stubs.length - 1) code.br(this.depth - 1);
    }
    if (stubs.length > 1) this.close();
    this.leave();
    return code;
  }

  // Structure

  /** A block, and all that it dominates. */
  private tree(block: number): void {
    const { code, flow } = this;
    const merged = this.mergedBehind(block);
    if (flow.isLoop[block]) {
      this.loops[block] = this.depth;
      code.loop();
      this.depth++;
      this.checkBudget(block);
    }
    for (let i = merged.length - 1; i >= 0; i--) {
      this.before[merged[i]!] = this.depth;
      this.open();
    }
    const chunk = this.chunks[block] ?? null;
    if (chunk !== null) this.chunk(block, chunk);
    const behind = this.block(block);
    if (behind !== null) this.tree(behind);
    for (const next of merged) {
      this.close();
      this.tree(next);
    }
    if (flow.isLoop[block]) this.close();
  }

  /** What a block dominates and several ways lead to, in order. */
  private mergedBehind(block: number): number[] {
    const behind: number[] = [];
    for (const next of this.merged) if (this.flow.idom[next] === block) behind.push(next);
    return behind;
  }

  /** At a loop's start: leaves when the budget does not reach to where it is looked at next. */
  private checkBudget(block: number): void {
    const { code, flow } = this;
    code.isLess(LEFT, flow.cost[block]!);
    this.openIf();
    const { at, end } = this.region.blocks[block]!;
    if (end.kind === 'dispatch') this.leaveToTarget(block, flow.dirty[block]!);
    else this.leaveTo(block, at, flow.dirty[block]!);
    this.close();
  }

  /** The depth of a block's label; null when it has none, because its code follows where control goes to it. */
  private labelOf(from: number, to: number): number | null {
    const { flow } = this;
    if (flow.position[to]! <= flow.position[from]!) return this.to(this.loops[to]!);
    return flow.entrances[to]! > 1 ? this.to(this.before[to]!) : null;
  }

  /** @returns the block whose code comes next, if there is one: not made from here, for blocks in a row can be many */
  private goTo(from: number, to: number | null, at: number, dirty: RegisterSet): number | null {
    if (to === null) {
      this.leaveTo(from, at, dirty);
      return null;
    }
    const label = this.labelOf(from, to);
    if (label === null) return to;
    this.code.br(label);
    return null;
  }

  /** @returns as `goTo` */
  private block(number: number): number | null {
    const { flow } = this;
    const block = this.region.blocks[number]!;
    const { instructions } = block;
    const members = this.members[number]!;
    const dirty = flow.dirty[number]!.copy();
    const count = instructions.length;
    this.narrow.clear();
    this.at = block.at;
    this.stub = null;
    if (count > 0) this.charge(count);
    for (let i = 0; i < count; i++) {
      const instruction = instructions[i]!;
      const member = members[i];
      this.unretired = count - i;
      if (member === undefined) {
        if (instruction.canLeave) this.stub ??= this.stubs.of(number, dirty);
      } else if (member.group.leader === i) this.lead(member.group, instruction.d.rs1, number, dirty);
      this.instruction(instruction, member, 0);
      if (dirty.addAll(instruction.writes)) this.stub = null;
    }
    return this.endBlock(number, block, dirty);
  }

  private findChunks(): void {
    const { flow, region, isa } = this;
    for (const block of flow.order) {
      if (!flow.isLoop[block]) continue;
      const chunk = chunkOf(block, region.blocks, flow, isa.zeroSlot);
      if (chunk === null) continue;
      addChunk(chunk, region.blocks, flow);
      this.chunks[block] = chunk;
    }
    for (const block of flow.order) if (flow.entrances[block]! > 1) this.merged.push(block);
  }

  /** Chunks, while all that their accesses need is known; goes on behind when it is not. */
  private chunk(head: number, chunk: Chunk): void {
    const { code } = this;
    const slow = this.depth;
    const loop = this.loops[head]!;
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
    for (const slot of moving) code.get(this.local(slot)).set(this.local(VARIABLE.starts + slot));
    this.narrow.clear();
    for (let round = 0; round < rounds; round++) {
      let made = 0;
      for (let place = 0; place < way.length; place++) {
        const { at, instructions } = blocks[way[place]!]!;
        this.at = at;
        for (const instruction of instructions) {
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
    for (const group of groups) {
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
    if (to === null) this.leaveTo(head, at, this.flow.dirty[head]!);
    else code.br(this.labelOf(head, to)!);
    this.close();
  }

  /** Finds where a group's accesses are; leaves when they have not all one page that is known. */
  private lead(group: AccessGroup, baseSlot: number, number: number, dirty: RegisterSet): void {
    const { code } = this;
    this.lookUp(group, baseSlot);
    this.openIf();
    code.get(LEFT).i32(this.unretired).op('i32.add').set(LEFT);
    this.leaveTo(number, this.at, dirty);
    this.close();
    this.setPlace(group);
  }

  private endBlock(number: number, block: Block, dirty: RegisterSet): number | null {
    const { code } = this;
    const { end } = block;
    switch (end.kind) {
      case 'next':
        return this.goTo(number, end.next, end.at, dirty);
      case 'branch': {
        // The condition is on the stack.
        const label = end.taken === null ? null : this.labelOf(number, end.taken);
        if (label !== null) code.brIf(label);
        else {
          this.openIf();
          const taken = this.goTo(number, end.taken, end.takenAt, dirty);
          if (taken !== null) this.tree(taken);
          this.close();
        }
        return this.goTo(number, end.next, end.nextAt, dirty);
      }
      case 'call':
        this.spill(dirty);
        this.call(end.targetAt);
        return this.comeBack(number, end.next, end.nextAt);
      case 'indirect-call':
        this.spill(dirty);
        code.tape(this.pieces.storeTarget, this);
        this.callAtTarget();
        return this.comeBack(number, end.next, end.nextAt);
      case 'indirect':
        if (end.next !== null) return this.goTo(number, end.next, 0, dirty);
        this.leaveToTarget(number, dirty);
        return null;
      case 'dispatch':
        this.dispatch(number, end.targets);
        this.leaveToTarget(number, dirty);
        return null;
      case 'return':
        this.spill(dirty);
        code.tape(this.pieces.storeTarget, this);
        code.get(LEFT).op('return');
        return null;
      case 'leave':
        if (end.stop === null) {
          this.leaveTo(number, end.at, dirty);
          return null;
        }
        this.spill(dirty);
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
    return this.goTo(number, next, nextAt, flow.dirty[next]!);
  }

  /** What is dirty at each place that the region is left at by a stub. */
  private findExits(): void {
    const { flow, stubs, region } = this;
    for (const number of flow.order) {
      const { at, instructions, canLeave, writes, end } = region.blocks[number]!;
      const members = canLeave ? groupAccesses(instructions, this.isa.zeroSlot, at === 0) : NO_MEMBERS;
      this.members[number] = members;
      const dirty = flow.dirty[number]!.copy();
      if (flow.isLoop[number]) this.addOut(number, dirty);
      if (canLeave) {
        for (let i = 0; i < instructions.length; i++) {
          const { canLeave, writes } = instructions[i]!;
          const member = members[i];
          if (member?.group.leader === i) this.addOut(number, dirty);
          else if (canLeave && member === undefined) {
            this.hasExits = true;
            stubs.add(number, dirty);
          }
          dirty.addAll(writes);
        }
      } else dirty.addAll(writes);
      const leaves =
        (end.kind === 'next' && end.next === null) ||
        (end.kind === 'branch' && (end.next === null || end.taken === null)) ||
        (end.kind === 'leave' && end.stop === null) ||
        end.kind === 'dispatch' ||
        (end.kind === 'indirect' && end.next === null);
      if (leaves) this.addOut(number, dirty);
    }
  }

  private addOut(block: number, dirty: RegisterSet): void {
    this.hasOuts = true;
    this.stubs.add(block, dirty);
  }

  /** @param block the block that is left */
  private leaveTo(block: number, at: number, dirty: RegisterSet): void {
    this.pushAddress(at);
    this.code.set(this.local(VARIABLE.address));
    this.leaveToTarget(block, dirty);
  }

  private leaveToTarget(block: number, dirty: RegisterSet): void {
    const { code } = this;
    if (this.hasExits) code.i32(NO_EXIT).set(this.local(VARIABLE.exit));
    code.br(this.to(this.stubs.of(block, dirty).depth));
  }

  /** Behind all stubs: registers are in memory. */
  private leave(): void {
    const { code } = this;
    const exit = this.local(VARIABLE.exit);
    if (this.hasOuts) {
      if (this.hasExits) code.get(exit).i32(NO_EXIT).op('i32.eq').if();
      this.leaveToRegion();
      if (this.hasExits) code.op('end');
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
