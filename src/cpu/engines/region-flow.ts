import type { Block, Region } from './region.js';
import { RegisterSet } from './register-set.js';

/** Places outside of the region are no successors. */
export function successors({ end }: Block): number[] {
  switch (end.kind) {
    case 'next':
    case 'call':
    case 'indirect-call':
    case 'indirect':
      return end.next === null ? [] : [end.next];
    case 'branch':
      if (end.taken === null) return end.next === null ? [] : [end.next];
      return end.next === null ? [end.taken] : [end.taken, end.next];
    case 'dispatch':
      // Twice: a target is never what just follows the dispatch.
      return [...end.targets, ...end.targets];
    default:
      return [];
  }
}

/** The targets of a dispatch by where they start, in half-words from the first on; null between them. */
export function targetsByPlace(blocks: readonly Block[], targets: readonly number[]): (number | null)[] {
  const places: (number | null)[] = [];
  for (const target of targets) {
    const place = (blocks[target]!.at - blocks[targets[0]!]!.at) / 2;
    while (places.length < place) places.push(null);
    places.push(target);
  }
  return places;
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
  /** Immediate dominators; the first block's is itself, and -1 is that of blocks that are not reached. */
  readonly idom: number[];
  readonly isLoop: readonly boolean[];
  /** Ways to come here but for those back to a loop's start. */
  readonly entrances: number[];
  /** Steps from the start of a block, at most, until the budget is looked at again. */
  readonly cost: number[];
  /** Registers that may differ from memory at a block's start. */
  readonly dirty: readonly RegisterSet[];
  /** Registers whose value must be in locals at a block's start. */
  readonly live: readonly RegisterSet[];
}

type Successors = readonly (readonly number[])[];

// Lists are gone through by number: this code runs seldom, before V8 makes as much of iterators.

/** Without holes, as all lists here are: V8 makes code for one kind. */
function filled(length: number, value: number): number[] {
  const list: number[] = [];
  for (let i = 0; i < length; i++) list.push(value);
  return list;
}

function reversePostorder(successorsOf: Successors): number[] {
  /** Successors that are left to look at; those of blocks that were not seen are none yet. */
  const left = filled(successorsOf.length, -1);
  const out: number[] = [];
  const stack = [0];
  left[0] = successorsOf[0]!.length;
  while (stack.length > 0) {
    const block = stack[stack.length - 1]!;
    if (left[block] === 0) {
      out.push(block);
      stack.pop();
      continue;
    }
    const next = successorsOf[block]![--left[block]!]!;
    if (left[next]! >= 0) continue;
    left[next] = successorsOf[next]!.length;
    stack.push(next);
  }
  return out.reverse();
}

/**
 * Immediate dominators (Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm"), each from block to successor,
 * so that there need be no predecessors: what is found so far goes up in the tree as more ways are known.
 */
function dominators(
  successorsOf: Successors,
  order: readonly number[],
  position: readonly number[],
): number[] {
  const idom = filled(position.length, -1);
  idom[0] = 0;
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 0; i < order.length; i++) {
      const from = order[i]!;
      const next = successorsOf[from]!;
      for (let j = 0; j < next.length; j++) {
        const to = next[j]!;
        const before = idom[to]!;
        let y = before === -1 ? from : before;
        for (let x = from; x !== y; ) {
          if (position[x]! > position[y]!) x = idom[x]!;
          else y = idom[y]!;
        }
        if (y === before) continue;
        idom[to] = y;
        // The first ways are from blocks that were looked at just before.
        if (before !== -1) changed = true;
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

export function flowOf({ blocks }: Region): Flow {
  // Half of all regions are one block.
  if (blocks.length === 1) return flowOfBlock(blocks[0]!);
  for (;;) {
    const successorsOf: number[][] = [];
    for (let i = 0; i < blocks.length; i++) successorsOf.push(successors(blocks[i]!));
    const order = reversePostorder(successorsOf);
    const position = filled(blocks.length, -1);
    for (let i = 0; i < order.length; i++) position[order[i]!] = i;
    const idom = dominators(successorsOf, order, position);
    const graph = { successorsOf, order, position, idom };
    if (!cutIrreducible(blocks, graph)) return describe(blocks, graph);
  }
}

/** The flow of a block alone, that goes round or not. */
function flowOfBlock(block: Block): Flow {
  const isLoop = successors(block).length > 0;
  // A call comes back to its start with everything in memory.
  const goesRound = isLoop && !isCall(block);
  const dirty = goesRound ? block.writes.copy() : new RegisterSet();
  const live = block.reads.copy();
  if (isLoop || canLeave(block)) live.addAll(dirty);
  return {
    order: [0],
    position: [0],
    idom: [0],
    isLoop: [isLoop],
    entrances: [0],
    cost: [block.instructions.length],
    dirty: [dirty],
    live: [live],
  };
}

interface Graph {
  readonly successorsOf: Successors;
  readonly order: readonly number[];
  readonly position: readonly number[];
  readonly idom: number[];
}

/** Makes ways into the middle of a loop leave the region, for which there is no structured code; false when there are none. */
function cutIrreducible(blocks: readonly Block[], { successorsOf, order, position, idom }: Graph): boolean {
  let cuts = false;
  for (let i = 0; i < order.length; i++) {
    const from = order[i]!;
    const next = successorsOf[from]!;
    for (let j = 0; j < next.length; j++) {
      const to = next[j]!;
      if (position[to]! > position[from]! || dominates(idom, to, from)) continue;
      cuts = true;
      const block = blocks[from]!;
      const { end } = block;
      if (end.kind === 'branch' && end.taken === to) block.end = { ...end, taken: null };
      if (end.kind === 'dispatch') block.end = { ...end, targets: end.targets.filter((t) => t !== to) };
      if ('next' in block.end && block.end.next === to) block.end = { ...block.end, next: null };
    }
  }
  return cuts;
}

function describe(blocks: readonly Block[], graph: Graph): Flow {
  const { successorsOf, order, position, idom } = graph;
  const isLoop: boolean[] = [];
  const entrances: number[] = [];
  const cost: number[] = [];
  const dirty: RegisterSet[] = [];
  for (let i = 0; i < blocks.length; i++) {
    isLoop.push(false);
    entrances.push(0);
    cost.push(blocks[i]!.instructions.length);
    dirty.push(new RegisterSet());
  }
  let hasLoops = false;
  for (let i = 0; i < order.length; i++) {
    const from = order[i]!;
    const next = successorsOf[from]!;
    for (let j = 0; j < next.length; j++) {
      const to = next[j]!;
      if (position[to]! > position[from]!) entrances[to]!++;
      else isLoop[to] = hasLoops = true;
    }
  }
  for (let i = order.length - 1; i >= 0; i--) {
    const block = order[i]!;
    if (isCall(blocks[block]!)) continue;
    let ahead = 0;
    const next = successorsOf[block]!;
    for (let j = 0; j < next.length; j++) if (!isLoop[next[j]!]) ahead = Math.max(ahead, cost[next[j]!]!);
    cost[block]! += ahead;
  }
  // Without loops, once is enough: what comes before a block was looked at before it.
  while (passDirty(blocks, graph, dirty) && hasLoops);
  const live: RegisterSet[] = [];
  for (let i = 0; i < blocks.length; i++) {
    const set = blocks[i]!.reads.copy();
    if (isLoop[i] || canLeave(blocks[i]!)) set.addAll(dirty[i]!);
    live.push(set);
  }
  while (passLive(blocks, graph, live) && hasLoops);
  return { order, position, idom, isLoop, entrances, cost, dirty, live };
}

/** Passes on what may differ from memory; the answer is whether there was something to pass on. */
function passDirty(blocks: readonly Block[], { order, successorsOf }: Graph, dirty: RegisterSet[]): boolean {
  let changed = false;
  for (let i = 0; i < order.length; i++) {
    const from = order[i]!;
    const block = blocks[from]!;
    if (isCall(block)) continue;
    const next = successorsOf[from]!;
    for (let j = 0; j < next.length; j++) {
      const set = dirty[next[j]!]!;
      if (set.addAll(dirty[from]!)) changed = true;
      if (set.addAll(block.writes)) changed = true;
    }
  }
  return changed;
}

/** Whether a block can leave the region, and so put what is dirty into memory. */
function canLeave({ canLeave, end }: Block): boolean {
  if (canLeave) return true;
  return !(
    (end.kind === 'next' && end.next !== null) ||
    (end.kind === 'branch' && end.next !== null && end.taken !== null)
  );
}

/** Passes back what must be in locals; the answer is whether there was something to pass back. */
function passLive(blocks: readonly Block[], { order, successorsOf }: Graph, live: RegisterSet[]): boolean {
  let changed = false;
  for (let i = order.length - 1; i >= 0; i--) {
    const at = order[i]!;
    const block = blocks[at]!;
    if (isCall(block)) continue;
    const next = successorsOf[at]!;
    for (let j = 0; j < next.length; j++)
      if (live[at]!.addAllBut(live[next[j]!]!, block.writes)) changed = true;
  }
  return changed;
}
