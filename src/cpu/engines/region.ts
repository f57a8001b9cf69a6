import type { Page } from '../../memory/page.js';
import type { Decoded } from './evaluator.js';
import { type Facts, factsOf } from './facts.js';
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

/** One instruction, at a distance in bytes from the start of its region. */
export interface Instruction {
  readonly at: number;
  readonly d: Decoded;
  readonly facts: Facts;
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

/** Reads code: null where there is none, or none that regions take. */
export interface CodeSource {
  decodeAt(address: bigint): Decoded | null;
  readonly pages: Map<number, Page>;
}

/** Instructions of a loop that is made one region, at most. */
const LOOP_LIMIT = 1000;
/** Up to so many instructions, all that is reached is one region; else it ends where others start. */
const WHOLE_LIMIT = 250;
/** How far from its start a region reaches, bytes. */
const REACH = 1 << 16;
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
  private readonly found = new Map<number, Instruction | null>();
  private leaders = new Set<number>();
  private size = 0;
  private limit = 0;
  private isOutside: (at: number) => boolean = () => false;

  constructor(
    private readonly isa: RegionSet,
    private readonly source: CodeSource,
    private readonly address: bigint,
    private readonly isStart: (address: bigint) => boolean,
  ) {}

  find(): Region | null {
    this.explore(WHOLE_LIMIT, () => false);
    if (this.instructionAt(0) === null) return null;
    if (this.size >= WHOLE_LIMIT) this.explore(LOOP_LIMIT, () => false);
    const whole = this.blocksAt(this.starts());
    const loop = loopAround(whole);
    // What starts in a loop is that loop; how it came to it, and what comes behind, are regions of their own.
    if (loop !== null) return this.regionOf(this.blocksAt(this.starts().filter((_, i) => loop.has(i))));
    if (this.size < WHOLE_LIMIT) return this.regionOf(whole);
    this.explore(WHOLE_LIMIT, (at) => at !== 0 && this.isStart(this.addressAt(at)));
    return this.regionOf(this.blocksAt(this.starts()));
  }

  private explore(limit: number, isOutside: (at: number) => boolean): void {
    this.found.clear();
    this.leaders = new Set([0]);
    this.size = 0;
    this.limit = limit;
    this.isOutside = isOutside;
    const work = [0];
    for (let next = work.shift(); next !== undefined; next = work.shift()) this.follow(next, work);
  }

  /** Where blocks start, the region's start first. */
  private starts(): number[] {
    const rest = [...this.leaders].filter((at) => at !== 0 && this.found.get(at)).sort((a, b) => a - b);
    return [0, ...rest];
  }

  private regionOf(blocks: readonly Block[]): Region {
    const instructions = blocks.flatMap((b) => b.instructions);
    const hasFloat = instructions.some(({ facts }) => facts.hasFloat);
    const { address, source } = this;
    return { address, blocks, size: instructions.length, hasFloat, pages: source.pages };
  }

  private addressAt(at: number): bigint {
    return BigInt.asUintN(64, this.address + BigInt(at));
  }

  /** The instruction at a place, if the region has it. */
  private instructionAt(at: number): Instruction | null {
    const known = this.found.get(at);
    if (known !== undefined) return known;
    if (this.size >= this.limit || Math.abs(at) > REACH || this.isOutside(at)) return null;
    const d = this.source.decodeAt(this.addressAt(at));
    const facts = d === null ? null : factsOf(d, this.isa);
    const instruction = facts === null ? null : { at, d: d!, facts };
    this.found.set(at, instruction);
    if (instruction !== null) this.size++;
    return instruction;
  }

  private follow(start: number, work: number[]): void {
    for (let at = start; ; ) {
      if (this.found.has(at) && at !== start) return;
      const instruction = this.instructionAt(at);
      if (instruction === null) return;
      const { d, facts } = instruction;
      const behind = at + d.lengthBytes;
      if (facts.control === 'next') {
        at = behind;
        continue;
      }
      const targets: number[] = [];
      if (facts.control === 'branch') targets.push(behind, at + d.disp);
      else if (facts.links) targets.push(behind);
      else if (facts.control === 'jump') targets.push(at + d.disp);
      for (const target of targets) {
        if (this.leaders.has(target)) continue;
        this.leaders.add(target);
        work.push(target);
      }
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
      const instruction = this.found.get(at) ?? null;
      if (at !== start && this.leaders.has(at) && instruction !== null) {
        return { at: start, instructions, end: { kind: 'next', next: numbers.get(at) ?? null, at } };
      }
      if (instruction === null) return { at: start, instructions, end: this.leave(at) };
      instructions.push(instruction);
      const end = this.endOf(instruction, numbers);
      if (end !== null) return { at: start, instructions, end };
      at += instruction.d.lengthBytes;
    }
  }

  /** Why there is no instruction of the region here. */
  private leave(at: number): End {
    const d = this.source.decodeAt(this.addressAt(at));
    const operations = d === null ? [] : this.isa.entries[d.entry]!.operations;
    const stop = operations.find(({ op }) => op === 'syscall' || op === 'breakpoint');
    return { kind: 'leave', at, stop: (stop?.op ?? null) as 'syscall' | 'breakpoint' | null };
  }

  private endOf({ at, d, facts }: Instruction, numbers: ReadonlyMap<number, number>): End | null {
    const nextAt = at + d.lengthBytes;
    const next = numbers.get(nextAt) ?? null;
    const targetAt = at + d.disp;
    switch (facts.control) {
      case 'next':
        return null;
      case 'branch':
        return { kind: 'branch', taken: numbers.get(targetAt) ?? null, takenAt: targetAt, next, nextAt };
      case 'jump':
        if (facts.links) return { kind: 'call', targetAt, next, nextAt };
        return { kind: 'next', next: numbers.get(targetAt) ?? null, at: targetAt };
      case 'jumpTo':
        if (facts.links) return { kind: 'indirect-call', next, nextAt };
        return { kind: this.isa.linkSlots.includes(d.rs1) ? 'return' : 'indirect' };
    }
  }
}
