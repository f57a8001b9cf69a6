import type { Page } from '../../memory/page.js';
import type { Decoded } from './evaluator.js';
import { type Instruction, instructionOf } from './facts.js';
import { RegisterSet } from './register-set.js';
import type { Effects, Operation } from './transcript.js';

/** What is told of the instructions in a table. */
export interface RegionSet {
  readonly name: string;
  readonly zeroSlot: number;
  readonly sinkSlot: number;
  readonly pcSlot: number;
  readonly floatStatusSlot: number;
  /** Registers that hold return addresses: a jump to one of them is a return. */
  readonly linkSlots: readonly number[];
  isFloatSlot(slot: number): boolean;
  readonly entries: readonly { readonly operations: readonly Operation[]; readonly effects: Effects }[];
}

/** Where control goes behind a block. Numbers are of blocks; null is a place outside of the region. */
export type End =
  | { readonly kind: 'next'; readonly next: number | null; readonly at: number }
  | {
      readonly kind: 'branch';
      readonly taken: number | null;
      readonly takenAt: number;
      readonly next: number | null;
      readonly nextAt: number;
    }
  | {
      readonly kind: 'call';
      readonly targetAt: number;
      readonly next: number | null;
      readonly nextAt: number;
    }
  | { readonly kind: 'indirect-call'; readonly next: number | null; readonly nextAt: number }
  | { readonly kind: 'return' }
  /** To an address that is known then: by the region's dispatch, when it has one. */
  | { readonly kind: 'indirect'; readonly next: number | null }
  /** To that of some blocks that starts at the address at hand, or out of the region. */
  | { readonly kind: 'dispatch'; readonly targets: readonly number[] }
  /** At an instruction that is not done by regions. */
  | { readonly kind: 'leave'; readonly at: number; readonly stop: 'syscall' | 'breakpoint' | null };

export interface Block {
  readonly at: number;
  readonly instructions: readonly Instruction[];
  /** What it reads before it writes it, and what it writes. */
  readonly reads: RegisterSet;
  readonly writes: RegisterSet;
  /** Whether some instruction may have to be left to the host. */
  readonly canLeave: boolean;
  end: End;
}

/** A block that has no instructions. */
function emptyBlock(at: number, end: End): Block {
  return { at, instructions: [], reads: new RegisterSet(), writes: new RegisterSet(), canLeave: false, end };
}

export interface Region {
  readonly address: bigint;
  /** The first starts the region. */
  readonly blocks: readonly Block[];
  readonly size: number;
  readonly hasFloat: boolean;
  /** Pages that its code was read from, by number. */
  readonly pages: ReadonlyMap<number, Page>;
}

/** Reads code. */
export interface CodeSource {
  /** Where the region starts. */
  readonly address: bigint;
  /** The instruction at a distance in bytes from there; null where there is none. */
  decodeAt(at: number): Decoded | null;
  /** Whether a region starts there already. */
  startsRegionAt(at: number): boolean;
  /** Places nearby that were jumped to again and again, in order. */
  jumpTargets(): readonly number[];
  readonly pages: ReadonlyMap<number, Page>;
}

/** Instructions of a loop that is made one region, at most. */
const LOOP_LIMIT = 1000;
/** Up to so many instructions, all that is reached is one region; else it ends where others start. */
const WHOLE_LIMIT = 250;
/** Behind a loop so many instructions are looked at for ways back into it, or as many as it has. */
const BEHIND_LOOP = 16;
/** With what its indirect jumps were seen to go to, it has at most so many; so far is looked whether that comes back. */
const DISPATCH_LIMIT = 600;
const TRIAL_LIMIT = 64;
/** How far from its start a region reaches, bytes. */
export const REACH = 1 << 16;

/** Bits of an instruction's and of a block's number, which are below LOOP_LIMIT, and 0 for none. */
const NUMBER_BITS = 10;
const NUMBER_MASK = (1 << NUMBER_BITS) - 1;
const LEADS = 1 << (2 * NUMBER_BITS);
const ERA_SHIFT = 2 * NUMBER_BITS + 1;
const LAST_ERA = 2 ** (32 - ERA_SHIFT) - 1;

/**
 * What is known by place, that is by half-word within reach, in one word, since it is in no cache any more: the number of
 * the instruction that was found there, that of the block made of it, and whether a block is to start there, found or
 * not. To forget all of it takes no time. Of one exploration at a time.
 */
class Places {
  private readonly words = new Int32Array(REACH + 1);
  /** Words of another are of an exploration before. */
  private era = 0;

  clear(): void {
    if (this.era === LAST_ERA) {
      this.words.fill(0);
      this.era = 0;
    }
    this.era++;
  }

  private at(at: number): number {
    if (at < -REACH || at > REACH) return 0;
    const word = this.words[(at + REACH) >> 1]!;
    return word >>> ERA_SHIFT === this.era ? word : 0;
  }

  private set(at: number, word: number): void {
    this.words[(at + REACH) >> 1] = word | (this.era << ERA_SHIFT);
  }

  /** The number of the instruction that was found at a place; negative when there is none. */
  found(at: number): number {
    return (this.at(at) & NUMBER_MASK) - 1;
  }

  isFound(at: number): boolean {
    return (this.at(at) & NUMBER_MASK) !== 0;
  }

  find(at: number, number: number): void {
    this.set(at, this.at(at) | (number + 1));
  }

  /** Whether a block is to start at a place. */
  leads(at: number): boolean {
    return (this.at(at) & LEADS) !== 0;
  }

  lead(at: number): void {
    this.set(at, this.at(at) | LEADS);
  }

  /** Whether a block ends before a place. */
  endsBefore(at: number): boolean {
    const word = this.at(at);
    return (word & LEADS) !== 0 || (word & NUMBER_MASK) === 0;
  }

  /** The number of the block that starts at a place; negative when there is none. */
  block(at: number): number {
    return ((this.at(at) >> NUMBER_BITS) & NUMBER_MASK) - 1;
  }

  /** @param number -1 for none */
  setBlock(at: number, number: number): void {
    this.set(at, (this.at(at) & ~(NUMBER_MASK << NUMBER_BITS)) | ((number + 1) << NUMBER_BITS));
  }
}

const places = new Places();

function numberOf(at: number): number | null {
  const number = places.block(at);
  return number >= 0 ? number : null;
}

/** Into a list with the highest first. */
function insert(list: number[], value: number): void {
  let i = list.length;
  for (; i > 0 && list[i - 1]! < value; i--) list[i] = list[i - 1]!;
  list[i] = value;
}

/** Finds the code that is reached from an address without calls. Null when there is nothing to gain. */
export class RegionFinder {
  /** What was found, and where blocks start, by number. */
  private readonly instructions: Instruction[] = [];
  private readonly starts: number[] = [];
  /** Where to go on, highest first, and where behind the loop that is known. */
  private pending: number[] = [];
  private behindLoop: number[] = [];
  /** The last jump back to the start, or into the loop that this closes; -1 before there is one. */
  private latch = -1;
  /** Instructions when that was found. */
  private atLatch = 0;
  private isIndirect = false;
  /** The number of the block that indirect jumps go to. */
  private dispatch: number | null = null;

  constructor(
    private readonly isa: RegionSet,
    private readonly source: CodeSource,
  ) {}

  /**
   * What starts in a loop is that loop; how it came to it, and what comes behind, are regions of their own. Compilers put
   * what is in a loop behind its start: ways back by lower addresses are those of a loop around it.
   */
  find(): Region | null {
    const { instructions } = this;
    this.begin();
    this.exploreLoop();
    if (instructions.length === 0) return null;
    if (this.latch < 0 || this.isIndirect) this.explore(WHOLE_LIMIT, false);
    const targets = this.isIndirect && instructions.length < WHOLE_LIMIT ? this.addTargets() : [];
    if (targets.length > 0) return this.regionOf(this.blockStarts(), targets);
    if (this.latch >= 0) return this.regionOf(this.loop());
    if (instructions.length >= WHOLE_LIMIT) {
      this.begin();
      this.explore(WHOLE_LIMIT, true);
    }
    return this.regionOf(this.blockStarts());
  }

  private begin(): void {
    places.clear();
    this.instructions.length = 0;
    this.starts.length = 0;
    this.pending.length = 0;
    this.behindLoop.length = 0;
    this.isIndirect = false;
    this.lead(0);
  }

  // Exploration

  /** Takes lower places first, so that a loop is closed before what comes behind it is looked at. */
  private exploreLoop(): void {
    for (;;) {
      if (this.pending.length === 0) {
        this.pending = this.behindLoop;
        this.behindLoop = [];
      }
      if (this.pending.length === 0 || this.instructions.length >= LOOP_LIMIT || this.isLoopKnown()) return;
      this.follow(this.pending.pop()!, LOOP_LIMIT, false);
    }
  }

  private isLoopKnown(): boolean {
    const { latch, atLatch, pending, instructions } = this;
    if (latch < 0 || pending[pending.length - 1]! <= latch) return false;
    return instructions.length - atLatch >= Math.max(BEHIND_LOOP, atLatch);
  }

  /** Takes places in the order that ways lead to them. */
  private explore(limit: number, endsAtRegions: boolean): void {
    for (let i = 0; i < this.starts.length && this.instructions.length < limit; i++)
      this.follow(this.starts[i]!, limit, endsAtRegions);
  }

  /** A block may start here. */
  private lead(at: number): void {
    if (at < -REACH || at > REACH || places.leads(at)) return;
    places.lead(at);
    this.starts.push(at);
    if (at >= 0) insert(this.latch >= 0 && at > this.latch ? this.behindLoop : this.pending, at);
  }

  /** Takes instructions into the region from a place on, to where control leaves them or to those that are there. */
  private follow(start: number, limit: number, endsAtRegions: boolean): void {
    const { instructions, source, isa } = this;
    for (let at = start; at >= -REACH && at <= REACH; ) {
      if (endsAtRegions && at !== 0 && source.startsRegionAt(at)) return;
      if (places.isFound(at)) {
        // Where instructions overlap, one way runs into the middle of another: what they share is made once.
        this.lead(at);
        return;
      }
      if (instructions.length >= limit) return;
      const d = source.decodeAt(at);
      const instruction = d === null ? null : instructionOf(d, isa);
      if (instruction === null) return;
      places.find(at, instructions.length);
      instructions.push(instruction);
      const { control, links } = instruction;
      const behind = at + d!.lengthBytes;
      if (control === 'next') {
        at = behind;
        continue;
      }
      if (this.isIndirectJump(instruction)) this.isIndirect = true;
      if (control === 'branch' || links) this.lead(behind);
      if (control === 'branch' || (control === 'jump' && !links)) this.goTo(at, at + d!.disp);
      return;
    }
  }

  /** Control may go from one place to another. */
  private goTo(from: number, to: number): void {
    if (from >= 0 && to >= 0 && to <= Math.max(this.latch, 0)) {
      this.latch = Math.max(this.latch, from);
      this.atLatch = this.instructions.length;
    }
    this.lead(to);
  }

  /** Takes in what indirect jumps go to, as far as it is known by now: what comes to such jumps again. */
  private addTargets(): number[] {
    const targets = this.source.jumpTargets().filter((at) => {
      if ((places.leads(at) && at !== 0) || !this.comesBack(at)) return false;
      this.lead(at);
      this.explore(DISPATCH_LIMIT, false);
      return places.isFound(at);
    });
    const direct = new Set(this.blockStarts().flatMap((at) => this.waysFrom(at)));
    return targets.filter((at) => !direct.has(at));
  }

  /** Whether code goes on in the region, or with an indirect jump. */
  private comesBack(start: number): boolean {
    const work = [start];
    const seen = new Set<number>();
    for (let at = work.pop(); at !== undefined && seen.size < TRIAL_LIMIT; at = work.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      if (places.isFound(at)) return true;
      const d = this.source.decodeAt(at);
      const instruction = d === null ? null : instructionOf(d, this.isa);
      if (instruction === null) continue;
      if (this.isIndirectJump(instruction)) return true;
      work.push(...ways(instruction, at));
    }
    return false;
  }

  private isIndirectJump({ d, control, links }: Instruction): boolean {
    return control === 'jumpTo' && !links && !this.isa.linkSlots.includes(d.rs1);
  }

  // Blocks

  private instructionAt(at: number): Instruction {
    return this.instructions[places.found(at)]!;
  }

  /** Where blocks start, the region's start first, the others in order. */
  private blockStarts(): number[] {
    const starts = [0];
    for (let from = 0; from < this.starts.length; from++) {
      const at = this.starts[from]!;
      if (at === 0 || !places.isFound(at)) continue;
      let i = starts.length;
      for (; i > 1 && starts[i - 1]! > at; i--) starts[i] = starts[i - 1]!;
      starts[i] = at;
    }
    return starts;
  }

  /** Where blocks start from which the start is reached again, and not by way of what is before it. */
  private loop(): number[] {
    const starts: number[] = [];
    const lasts: number[] = [];
    const all = this.blockStarts();
    const isIn: boolean[] = [];
    for (let i = 0; i < all.length; i++) {
      if (all[i]! < 0) continue;
      isIn.push(starts.length === 0);
      starts.push(all[i]!);
      lasts.push(this.lastOf(all[i]!));
    }
    numberBlocks(starts);
    for (let changed = true; changed; ) {
      changed = false;
      // Most ways lead on to higher places: one time is enough for them.
      for (let i = starts.length - 1; i > 0; i--) {
        if (isIn[i] || !this.leadsTo(lasts[i]!, isIn)) continue;
        isIn[i] = true;
        changed = true;
      }
    }
    const loop: number[] = [];
    for (let i = 0; i < starts.length; i++) {
      if (isIn[i]) loop.push(starts[i]!);
      else places.setBlock(starts[i]!, -1);
    }
    return loop;
  }

  /** Whether control goes from an instruction to one of some blocks. */
  private leadsTo(at: number, blocks: readonly boolean[]): boolean {
    const { d, control, links } = this.instructionAt(at);
    if (control === 'branch' || (control === 'jump' && !links)) {
      const taken = places.block(at + d.disp);
      if (taken >= 0 && blocks[taken]!) return true;
    }
    if (control !== 'branch' && control !== 'next' && !links) return false;
    const behind = places.block(at + d.lengthBytes);
    return behind >= 0 && blocks[behind]!;
  }

  /** Where the block goes on that starts at a place. */
  private waysFrom(start: number): number[] {
    const at = this.lastOf(start);
    return ways(this.instructionAt(at), at);
  }

  /** The last instruction of the block that starts at a place. */
  private lastOf(start: number): number {
    for (let at = start; ; ) {
      const { d, control } = this.instructionAt(at);
      const behind = at + d.lengthBytes;
      if (control !== 'next' || places.endsBefore(behind)) return at;
      at = behind;
    }
  }

  /** @param targets what of the starts indirect jumps may go to, in order */
  private regionOf(starts: readonly number[], targets: readonly number[] = []): Region {
    const { address, pages } = this.source;
    numberBlocks(starts);
    this.dispatch = targets.length > 0 ? starts.length : null;
    const blocks: Block[] = [];
    for (let i = 0; i < starts.length; i++) blocks.push(this.blockAt(starts[i]!));
    if (targets.length > 0)
      blocks.push(emptyBlock(0, { kind: 'dispatch', targets: targets.map((at) => places.block(at)) }));
    let size = 0;
    let hasFloat = false;
    for (let i = 0; i < blocks.length; i++) {
      const { instructions } = blocks[i]!;
      size += instructions.length;
      for (let j = 0; j < instructions.length; j++) if (instructions[j]!.hasFloat) hasFloat = true;
    }
    return { address, blocks, size, hasFloat, pages };
  }

  private blockAt(start: number): Block {
    const instructions: Instruction[] = [];
    const reads = new RegisterSet();
    const writes = new RegisterSet();
    let canLeave = false;
    for (let at = start; ; ) {
      const instruction = this.instructionAt(at);
      instructions.push(instruction);
      reads.addAllBut(instruction.reads, writes);
      writes.addAll(instruction.writes);
      if (instruction.canLeave) canLeave = true;
      const behind = at + instruction.d.lengthBytes;
      if (instruction.control !== 'next' || places.endsBefore(behind))
        return { at: start, instructions, reads, writes, canLeave, end: this.endOf(at) };
      at = behind;
    }
  }

  /** @param at the last instruction of a block */
  private endOf(at: number): End {
    const { d, control, links } = this.instructionAt(at);
    const nextAt = at + d.lengthBytes;
    const targetAt = at + d.disp;
    const next = numberOf(nextAt);
    switch (control) {
      case 'next':
        return places.isFound(nextAt) ? { kind: 'next', next, at: nextAt } : this.leave(nextAt);
      case 'branch':
        return { kind: 'branch', taken: numberOf(targetAt), takenAt: targetAt, next, nextAt };
      case 'jump':
        if (links) return { kind: 'call', targetAt, next, nextAt };
        return { kind: 'next', next: numberOf(targetAt), at: targetAt };
      case 'jumpTo':
        if (links) return { kind: 'indirect-call', next, nextAt };
        if (this.isa.linkSlots.includes(d.rs1)) return { kind: 'return' };
        return { kind: 'indirect', next: this.dispatch };
    }
  }

  /** Why there is no instruction of the region here. */
  private leave(at: number): End {
    const d = this.source.decodeAt(at);
    const operations = d === null ? [] : this.isa.entries[d.entry]!.operations;
    const stop = operations.find(({ op }) => op === 'syscall' || op === 'breakpoint');
    return { kind: 'leave', at, stop: (stop?.op ?? null) as 'syscall' | 'breakpoint' | null };
  }
}

/** Where control goes on from an instruction at a place. */
function ways({ d, control, links }: Instruction, at: number): number[] {
  const behind = at + d.lengthBytes;
  if (control === 'branch') return [at + d.disp, behind];
  if (control === 'next' || links) return [behind];
  return control === 'jump' ? [at + d.disp] : [];
}

/** Blocks by where they start; what number each had before is forgotten. */
function numberBlocks(starts: readonly number[]): void {
  for (let i = 0; i < starts.length; i++) places.setBlock(starts[i]!, i);
}
