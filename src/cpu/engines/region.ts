import type { Page } from '../../memory/page.js';
import type { Decoded } from './evaluator.js';
import { type Instruction, instructionOf } from './facts.js';
import { successors } from './region-flow.js';
import type { Effects, Operation } from './transcript.js';

/** What is told of the instructions in a table. */
export interface RegionSet {
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
  | { readonly kind: 'indirect' }
  /** At an instruction that is not done by regions. */
  | { readonly kind: 'leave'; readonly at: number; readonly stop: 'syscall' | 'breakpoint' | null };

export interface Block {
  readonly at: number;
  readonly instructions: readonly Instruction[];
  end: End;
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
  readonly pages: Map<number, Page>;
}

/** Instructions of a loop that is made one region, at most. */
const LOOP_LIMIT = 1000;
/** Up to so many instructions, all that is reached is one region; else it ends where others start. */
const WHOLE_LIMIT = 250;
/** How far from its start a region reaches, bytes. */
const REACH = 1 << 16;

/** What one exploration knows of places within reach, by half-words: stamped, so that the next one starts with nothing. */
const PLACES = REACH + 1;
const FOUND = 1;
const LEADER = 2;
const marks = new Float64Array(PLACES);
let stamp = 0;

function markOf(at: number): number {
  const mark = marks[(at + REACH) >> 1]! - stamp;
  return mark > 0 ? mark : 0;
}

/**
 * The blocks of the loop that the first one starts, by number; null when it starts none. Compilers put what is in a
 * loop behind its start: ways back by lower addresses are those of a loop around it.
 */
function loopAround(blocks: readonly Block[]): ReadonlySet<number> | null {
  const before: number[][] = blocks.map(() => []);
  blocks.forEach((block, from) => {
    if (block.at >= 0) for (const to of successors(block)) before[to]!.push(from);
  });
  if (before[0]!.length === 0) return null;
  const loop = new Set([0]);
  const work = [...before[0]!];
  while (work.length > 0) {
    const block = work.pop()!;
    if (loop.has(block)) continue;
    loop.add(block);
    work.push(...before[block]!);
  }
  return loop;
}

/** Finds the code that is reached from an address without calls. Null when there is nothing to gain. */
export class RegionFinder {
  /** What was decoded, whether it is of the region or not. */
  private readonly decoded = new Map<number, Instruction | null>();
  private leaders: number[] = [];
  private size = 0;
  private limit = 0;

  constructor(
    private readonly isa: RegionSet,
    private readonly source: CodeSource,
    private readonly isStart: (address: bigint) => boolean,
  ) {}

  find(): Region | null {
    this.explore(WHOLE_LIMIT, () => false);
    if (this.size === 0) return null;
    const isWhole = this.size < WHOLE_LIMIT;
    if (!isWhole) this.explore(LOOP_LIMIT, () => false);
    const all = this.blocksAt(this.starts());
    const loop = loopAround(all);
    // What starts in a loop is that loop; how it came to it, and what comes behind, are regions of their own.
    if (loop !== null) return this.regionOf(this.blocksAt(this.starts().filter((_, i) => loop.has(i))));
    if (isWhole) return this.regionOf(all);
    this.explore(WHOLE_LIMIT, (at) => at !== 0 && this.isStart(this.addressAt(at)));
    return this.regionOf(this.blocksAt(this.starts()));
  }

  private explore(limit: number, isOutside: (at: number) => boolean): void {
    stamp += FOUND + LEADER + 1;
    this.leaders = [];
    this.size = 0;
    this.limit = limit;
    this.lead(0);
    for (let i = 0; i < this.leaders.length; i++) this.follow(this.leaders[i]!, isOutside);
  }

  /** A block may start here. */
  private lead(at: number): void {
    if (at < -REACH || at > REACH) return;
    const mark = markOf(at);
    if (mark >= LEADER) return;
    marks[(at + REACH) >> 1] = stamp + mark + LEADER;
    this.leaders.push(at);
  }

  private has(at: number): boolean {
    return at >= -REACH && at <= REACH && (markOf(at) & FOUND) !== 0;
  }

  /** Where blocks start, the region's start first. */
  private starts(): number[] {
    const rest = this.leaders.filter((at) => at !== 0 && this.has(at));
    rest.sort((a, b) => a - b);
    return [0, ...rest];
  }

  private regionOf(blocks: readonly Block[]): Region {
    const { address, pages } = this.source;
    let size = 0;
    let hasFloat = false;
    for (const { instructions } of blocks) {
      size += instructions.length;
      for (const instruction of instructions) if (instruction.hasFloat) hasFloat = true;
    }
    return { address, blocks, size, hasFloat, pages };
  }

  private addressAt(at: number): bigint {
    return BigInt.asUintN(64, this.source.address + BigInt(at));
  }

  private instructionAt(at: number): Instruction | null {
    let instruction = this.decoded.get(at);
    if (instruction === undefined) {
      const d = this.source.decodeAt(at);
      instruction = d === null ? null : instructionOf(d, this.isa);
      this.decoded.set(at, instruction);
    }
    return instruction;
  }

  /** Takes instructions into the region from a place on, to where control leaves them or to those that are there. */
  private follow(start: number, isOutside: (at: number) => boolean): void {
    for (let at = start; at >= -REACH && at <= REACH && this.size < this.limit; ) {
      const mark = markOf(at);
      if ((mark & FOUND) !== 0 || isOutside(at)) return;
      const instruction = this.instructionAt(at);
      if (instruction === null) return;
      marks[(at + REACH) >> 1] = stamp + mark + FOUND;
      this.size++;
      const { d, control } = instruction;
      const behind = at + d.lengthBytes;
      if (control === 'next') {
        at = behind;
        continue;
      }
      if (control === 'branch' || instruction.links) this.lead(behind);
      if (control === 'branch' || (control === 'jump' && !instruction.links)) this.lead(at + d.disp);
      return;
    }
  }

  private blocksAt(starts: readonly number[]): Block[] {
    const numbers = new Map(starts.map((at, i) => [at, i]));
    return starts.map((at) => this.blockAt(at, numbers));
  }

  private blockAt(start: number, numbers: ReadonlyMap<number, number>): Block {
    const instructions: Instruction[] = [];
    for (let at = start; ; ) {
      const isFound = this.has(at);
      if (at !== start && isFound && markOf(at) >= LEADER) {
        return { at: start, instructions, end: { kind: 'next', next: numbers.get(at) ?? null, at } };
      }
      if (!isFound) return { at: start, instructions, end: this.leave(at) };
      const instruction = this.decoded.get(at)!;
      instructions.push(instruction);
      const end = this.endOf(at, instruction, numbers);
      if (end !== null) return { at: start, instructions, end };
      at += instruction.d.lengthBytes;
    }
  }

  /** Why there is no instruction of the region here. */
  private leave(at: number): End {
    const d = this.source.decodeAt(at);
    const operations = d === null ? [] : this.isa.entries[d.entry]!.operations;
    const stop = operations.find(({ op }) => op === 'syscall' || op === 'breakpoint');
    return { kind: 'leave', at, stop: (stop?.op ?? null) as 'syscall' | 'breakpoint' | null };
  }

  private endOf(
    at: number,
    { d, control, links }: Instruction,
    numbers: ReadonlyMap<number, number>,
  ): End | null {
    if (control === 'next') return null;
    const nextAt = at + d.lengthBytes;
    const next = numbers.get(nextAt) ?? null;
    const targetAt = at + d.disp;
    switch (control) {
      case 'branch':
        return { kind: 'branch', taken: numbers.get(targetAt) ?? null, takenAt: targetAt, next, nextAt };
      case 'jump':
        if (links) return { kind: 'call', targetAt, next, nextAt };
        return { kind: 'next', next: numbers.get(targetAt) ?? null, at: targetAt };
      case 'jumpTo':
        if (links) return { kind: 'indirect-call', next, nextAt };
        return { kind: this.isa.linkSlots.includes(d.rs1) ? 'return' : 'indirect' };
    }
  }
}
