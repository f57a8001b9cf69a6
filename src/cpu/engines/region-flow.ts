import type { Block, Region } from './region.js';
import { RegisterSet } from './register-set.js';

/** Places outside of the region are no successors. */
export function successors({ end }: Block): number[] {
  switch (end.kind) {
    case 'next':
    case 'call':
    case 'indirect-call':
      return end.next === null ? [] : [end.next];
    case 'branch':
      if (end.taken === null) return end.next === null ? [] : [end.next];
      return end.next === null ? [end.taken] : [end.taken, end.next];
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

type Successors = readonly (readonly number[])[];

function reversePostorder(successorsOf: Successors): number[] {
  const seen = new Set<number>([0]);
  const out: number[] = [];
  const stack = [{ block: 0, left: [...successorsOf[0]!] }];
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!;
    const next = top.left.pop();
    if (next === undefined) {
      out.push(top.block);
      stack.pop();
    } else if (!seen.has(next)) {
      seen.add(next);
      stack.push({ block: next, left: [...successorsOf[next]!] });
    }
  }
  return out.reverse();
}

function predecessors(successorsOf: Successors, order: readonly number[]): number[][] {
  const out: number[][] = successorsOf.map(() => []);
  for (const from of order) for (const to of successorsOf[from]!) out[to]!.push(from);
  return out;
}

/** Immediate dominators (Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm"). */
function dominators(
  order: readonly number[],
  position: readonly number[],
  preds: readonly (readonly number[])[],
): number[] {
  const idom: number[] = position.map(() => -1);
  idom[0] = 0;
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 1; i < order.length; i++) {
      const block = order[i]!;
      let next = -1;
      for (const p of preds[block]!) {
        if (idom[p] === -1) continue;
        if (next === -1) next = p;
        for (let x = p; x !== next; ) {
          if (position[x]! > position[next]!) x = idom[x]!;
          else next = idom[next]!;
        }
      }
      if (idom[block] === next) continue;
      idom[block] = next;
      changed = true;
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
    const successorsOf = blocks.map(successors);
    const order = reversePostorder(successorsOf);
    const position: number[] = blocks.map(() => -1);
    for (let i = 0; i < order.length; i++) position[order[i]!] = i;
    const preds = predecessors(successorsOf, order);
    const idom = dominators(order, position, preds);
    const isBad = (from: number, to: number): boolean =>
      position[to]! <= position[from]! && !dominates(idom, to, from);
    const bad = order.filter((from) => successorsOf[from]!.some((to) => isBad(from, to)));
    if (bad.length === 0) return describe(blocks, { successorsOf, order, position, preds, idom });
    for (const from of bad) cutIrreducible(blocks, from, (to) => isBad(from, to));
  }
}

interface Graph {
  readonly successorsOf: Successors;
  readonly order: readonly number[];
  readonly position: readonly number[];
  readonly preds: readonly (readonly number[])[];
  readonly idom: readonly number[];
}

function describe(blocks: readonly Block[], graph: Graph): Flow {
  const { successorsOf, order, position, preds, idom } = graph;
  const dominated: number[][] = blocks.map(() => []);
  const isLoop: boolean[] = blocks.map(() => false);
  const entrances: number[] = blocks.map(() => 0);
  for (const block of order) {
    if (block !== 0) dominated[idom[block]!]!.push(block);
    for (const from of preds[block]!) {
      if (position[block]! <= position[from]!) isLoop[block] = true;
      else entrances[block]!++;
    }
  }
  const cost = blocks.map((b) => b.instructions.length);
  for (let i = order.length - 1; i >= 0; i--) {
    const block = order[i]!;
    if (isCall(blocks[block]!)) continue;
    let ahead = 0;
    for (const to of successorsOf[block]!) if (!isLoop[to]) ahead = Math.max(ahead, cost[to]!);
    cost[block]! += ahead;
  }
  const summaries = blocks.map(summarise);
  const dirty = dirtyRegisters(blocks, graph, summaries);
  const live = liveRegisters(blocks, graph, summaries, dirty, isLoop);
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
  for (const instruction of instructions) {
    reads.addAllBut(instruction.reads, writes);
    writes.addAll(instruction.writes);
  }
  return { reads, writes };
}

function dirtyRegisters(
  blocks: readonly Block[],
  { order, successorsOf }: Graph,
  summaries: readonly Summary[],
): RegisterSet[] {
  const dirty = blocks.map(() => new RegisterSet());
  for (let changed = true; changed; ) {
    changed = false;
    for (const from of order) {
      if (isCall(blocks[from]!)) continue;
      const out = dirty[from]!.copy();
      out.addAll(summaries[from]!.writes);
      for (const to of successorsOf[from]!) if (dirty[to]!.addAll(out)) changed = true;
    }
  }
  return dirty;
}

/** Whether a block can leave the region, and so put what is dirty into memory. */
function canLeave(block: Block, isLoop: boolean): boolean {
  const { end } = block;
  if (isLoop || block.instructions.some(({ canLeave }) => canLeave)) return true;
  return !(
    (end.kind === 'next' && end.next !== null) ||
    (end.kind === 'branch' && end.next !== null && end.taken !== null)
  );
}

function liveRegisters(
  blocks: readonly Block[],
  { order, successorsOf }: Graph,
  summaries: readonly Summary[],
  dirty: readonly RegisterSet[],
  isLoop: readonly boolean[],
): RegisterSet[] {
  const live = blocks.map((block, i) => {
    const set = summaries[i]!.reads.copy();
    if (canLeave(block, isLoop[i]!)) set.addAll(dirty[i]!);
    return set;
  });
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = order.length - 1; i >= 0; i--) {
      const at = order[i]!;
      if (isCall(blocks[at]!)) continue;
      for (const to of successorsOf[at]!) {
        if (live[at]!.addAllBut(live[to]!, summaries[at]!.writes)) changed = true;
      }
    }
  }
  return live;
}
