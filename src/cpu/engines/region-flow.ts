import type { Block, Region } from './region.js';

/** A set of register slots below 64. */
export class RegisterSet {
  constructor(
    private low = 0,
    private high = 0,
  ) {}

  has(slot: number): boolean {
    return (((slot < 32 ? this.low : this.high) >>> (slot & 31)) & 1) === 1;
  }

  add(slot: number): void {
    if (slot < 32) this.low |= 1 << slot;
    else this.high |= 1 << (slot & 31);
  }

  copy(): RegisterSet {
    return new RegisterSet(this.low, this.high);
  }

  /** @returns whether there was something to add */
  addAll(other: RegisterSet): boolean {
    return this.join(other.low, other.high);
  }

  addAllBut(other: RegisterSet, but: RegisterSet): boolean {
    return this.join(other.low & ~but.low, other.high & ~but.high);
  }

  private join(low: number, high: number): boolean {
    const changed = (low & ~this.low) !== 0 || (high & ~this.high) !== 0;
    this.low |= low;
    this.high |= high;
    return changed;
  }

  /** In order of slot. */
  *[Symbol.iterator](): IterableIterator<number> {
    for (let slot = 0; slot < 64; slot++) if (this.has(slot)) yield slot;
  }
}

/** Places outside of the region are no successors. */
export function successors({ end }: Block): number[] {
  switch (end.kind) {
    case 'next':
    case 'call':
    case 'indirect-call':
      return end.next === null ? [] : [end.next];
    case 'branch':
      return [end.taken, end.next].filter((n): n is number => n !== null);
    default:
      return [];
  }
}

/** Between the block and what comes after it, everything is in memory. */
function isCall({ end }: Block): boolean {
  return end.kind === 'call' || end.kind === 'indirect-call';
}

/** Control and data flow of a region, from which structured code is made. Arrays are by block. */
export interface Flow {
  /** Blocks that are reached, in reverse postorder. */
  readonly order: readonly number[];
  readonly position: readonly number[];
  /** The blocks that a block is the immediate dominator of. */
  readonly dominated: readonly (readonly number[])[];
  readonly isLoop: readonly boolean[];
  /** Ways to come here but for those back to a loop's start. */
  readonly entrances: readonly number[];
  /** Steps from the start of a block, at most, until the budget is looked at again. */
  readonly cost: readonly number[];
  /** Registers that may differ from memory at a block's start. */
  readonly dirty: readonly RegisterSet[];
  /** Registers whose value must be in locals at a block's start. */
  readonly live: readonly RegisterSet[];
}

function reversePostorder(blocks: readonly Block[]): number[] {
  const seen = new Set<number>([0]);
  const out: number[] = [];
  const stack = [{ block: 0, left: successors(blocks[0]!) }];
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!;
    const next = top.left.pop();
    if (next === undefined) {
      out.push(top.block);
      stack.pop();
    } else if (!seen.has(next)) {
      seen.add(next);
      stack.push({ block: next, left: successors(blocks[next]!) });
    }
  }
  return out.reverse();
}

function predecessors(blocks: readonly Block[], order: readonly number[]): number[][] {
  const out: number[][] = blocks.map(() => []);
  for (const from of order) for (const to of successors(blocks[from]!)) out[to]!.push(from);
  return out;
}

/** Immediate dominators (Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm"). */
function dominators(
  order: readonly number[],
  position: readonly number[],
  preds: readonly number[][],
): number[] {
  const idom: number[] = position.map(() => -1);
  idom[0] = 0;
  const common = (a: number, b: number): number => {
    let [x, y] = [a, b];
    while (x !== y) {
      while (position[x]! > position[y]!) x = idom[x]!;
      while (position[y]! > position[x]!) y = idom[y]!;
    }
    return x;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of order.slice(1)) {
      const known = preds[block]!.filter((p) => idom[p] !== -1);
      const next = known.reduce((a, b) => common(a, b));
      if (idom[block] !== next) {
        idom[block] = next;
        changed = true;
      }
    }
  }
  return idom;
}

function dominates(idom: readonly number[], a: number, b: number): boolean {
  let x = b;
  while (x !== a && x !== 0) x = idom[x]!;
  return x === a;
}

/** Makes ways into the middle of a loop leave the region, for which there is no structured code. */
function cutIrreducible(blocks: readonly Block[], block: number, isBad: (to: number) => boolean): void {
  const b = blocks[block]!;
  const { end } = b;
  const keep = (to: number | null): number | null => (to !== null && isBad(to) ? null : to);
  if (end.kind === 'branch') b.end = { ...end, taken: keep(end.taken), next: keep(end.next) };
  else if ('next' in end) b.end = { ...end, next: keep(end.next) };
}

export function flowOf(region: Region): Flow {
  const { blocks } = region;
  for (;;) {
    const order = reversePostorder(blocks);
    const position: number[] = blocks.map(() => -1);
    order.forEach((block, i) => {
      position[block] = i;
    });
    const preds = predecessors(blocks, order);
    const idom = dominators(order, position, preds);
    const isBad = (from: number, to: number): boolean =>
      position[to]! <= position[from]! && !dominates(idom, to, from);
    const bad = order.filter((from) => successors(blocks[from]!).some((to) => isBad(from, to)));
    if (bad.length === 0) return describe(blocks, order, position, preds, idom);
    for (const from of bad) cutIrreducible(blocks, from, (to) => isBad(from, to));
  }
}

function describe(
  blocks: readonly Block[],
  order: readonly number[],
  position: readonly number[],
  preds: readonly (readonly number[])[],
  idom: readonly number[],
): Flow {
  const dominated: number[][] = blocks.map(() => []);
  for (const block of order) if (block !== 0) dominated[idom[block]!]!.push(block);
  const isBack = (from: number, to: number): boolean => position[to]! <= position[from]!;
  const isLoop = blocks.map((_, to) => preds[to]!.some((from) => isBack(from, to)));
  const entrances = blocks.map((_, to) => preds[to]!.filter((from) => !isBack(from, to)).length);
  const cost = blocks.map((b) => b.instructions.length);
  for (const block of [...order].reverse()) {
    if (isCall(blocks[block]!)) continue;
    const ahead = successors(blocks[block]!).filter((to) => !isLoop[to]);
    cost[block]! += Math.max(0, ...ahead.map((to) => cost[to]!));
  }
  const summaries = blocks.map(summarise);
  const dirty = dirtyRegisters(blocks, order, summaries);
  const live = liveRegisters(blocks, order, summaries, dirty, isLoop);
  return { order, position, dominated, isLoop, entrances, cost, dirty, live };
}

/** What a block reads before it writes it, and what it writes. */
interface Summary {
  readonly reads: RegisterSet;
  readonly writes: RegisterSet;
}

function summarise({ instructions }: Block): Summary {
  const reads = new RegisterSet();
  const writes = new RegisterSet();
  for (const { facts } of instructions) {
    for (const slot of facts.reads) if (!writes.has(slot)) reads.add(slot);
    for (const slot of facts.writes) writes.add(slot);
  }
  return { reads, writes };
}

function dirtyRegisters(
  blocks: readonly Block[],
  order: readonly number[],
  summaries: readonly Summary[],
): RegisterSet[] {
  const dirty = blocks.map(() => new RegisterSet());
  for (let changed = true; changed; ) {
    changed = false;
    for (const from of order) {
      const block = blocks[from]!;
      if (isCall(block)) continue;
      const out = dirty[from]!.copy();
      out.addAll(summaries[from]!.writes);
      for (const to of successors(block)) if (dirty[to]!.addAll(out)) changed = true;
    }
  }
  return dirty;
}

/** Whether a block can leave the region, and so put what is dirty into memory. */
function canLeave(block: Block, isLoop: boolean): boolean {
  const { end } = block;
  if (isLoop || block.instructions.some(({ facts }) => facts.canLeave)) return true;
  return !(
    (end.kind === 'next' && end.next !== null) ||
    (end.kind === 'branch' && end.next !== null && end.taken !== null)
  );
}

function liveRegisters(
  blocks: readonly Block[],
  order: readonly number[],
  summaries: readonly Summary[],
  dirty: readonly RegisterSet[],
  isLoop: readonly boolean[],
): RegisterSet[] {
  const live = blocks.map((block, i) => {
    const set = summaries[i]!.reads.copy();
    if (canLeave(block, isLoop[i]!)) set.addAll(dirty[i]!);
    return set;
  });
  const backwards = [...order].reverse();
  for (let changed = true; changed; ) {
    changed = false;
    for (const at of backwards) {
      const block = blocks[at]!;
      if (isCall(block)) continue;
      for (const to of successors(block)) {
        if (live[at]!.addAllBut(live[to]!, summaries[at]!.writes)) changed = true;
      }
    }
  }
  return live;
}
