import { groupsOfChunk, type Strides } from './access-groups.js';
import type { Block } from './region.js';
import { type Flow, successors } from './region-flow.js';

/** Rounds of so many instructions are made four at a time, and longer ones two. */
const FOUR_ROUNDS = 35;
const LONGEST_ROUND = 70;
/** Up to so many instructions, a round has few results that only a way out of the loop needs. */
const SHORT_ROUND = 16;
/** Blocks of a way around a loop. */
const LONGEST_WAY = 4;
/** Look-ups before a chunk. */
const MOST_GROUPS = 4;

/**
 * Several rounds of a short loop without a look at the budget or at pages in between. They are made where the loop
 * starts, before one round as ever, which is made when not all accesses of all rounds are in pages that are known.
 *
 * Where the loop starts it can be left, so that all registers it writes must be there, and V8 makes and keeps each of
 * them in every round, halves of rotations, too. Chunks of longer rounds are therefore a loop of their own, inside: what
 * they go on with is looked at behind their last round, where results that only the way out needs are made on that way.
 */
export interface Chunk extends Strides {
  /** The blocks of a round, from the loop's start on. */
  readonly way: readonly number[];
  readonly rounds: number;
  /** Whether it is a loop of its own. */
  readonly isLoop: boolean;
}

/** Goes on in a block until the first of the way is come to again, be it in the middle of the loop's code. */
function goOn(way: number[], block: number, size: number, blocks: readonly Block[], flow: Flow): boolean {
  const { instructions, end } = blocks[block]!;
  const total = size + instructions.length;
  if (total > LONGEST_ROUND || way.length === LONGEST_WAY) return false;
  if (end.kind !== 'next' && end.kind !== 'branch') return false;
  for (let i = 0; i < instructions.length; i++) {
    const { canLeave, access } = instructions[i]!;
    if (canLeave && access === null) return false;
  }
  way.push(block);
  const next = successors(blocks[block]!);
  for (let i = 0; i < next.length; i++) {
    const to = next[i]!;
    if (to === way[0]) return true;
    if (!flow.isLoop[to] && goOn(way, to, total, blocks, flow)) return true;
  }
  way.pop();
  return false;
}

/** The chunk of the loop that starts with a block: a short one of no others, and only branches lead out of it. */
export function chunkOf(head: number, blocks: readonly Block[], flow: Flow, zeroSlot: number): Chunk | null {
  const way: number[] = [];
  if (!goOn(way, head, 0, blocks, flow)) return null;
  let round = blocks[head]!.instructions;
  for (let i = 1; i < way.length; i++) round = round.concat(blocks[way[i]!]!.instructions);
  const rounds = round.length <= FOUR_ROUNDS ? 4 : 2;
  const found = groupsOfChunk(round, rounds, zeroSlot);
  if (found === null || found.groups.length > MOST_GROUPS) return null;
  return { way, rounds, isLoop: round.length > SHORT_ROUND, ...found };
}

/** Where control goes when a chunk ends in the middle, by the branch or behind it. */
export interface WayOut {
  readonly to: number | null;
  readonly at: number;
  readonly isTaken: boolean;
}

/** The way out of a chunk at the end of one of its blocks; null when it always goes on. */
export function wayOut({ way }: Chunk, place: number, blocks: readonly Block[]): WayOut | null {
  const { end } = blocks[way[place]!]!;
  if (end.kind !== 'branch') return null;
  const inside = way[(place + 1) % way.length]!;
  return end.taken === inside
    ? { to: end.next, at: end.nextAt, isTaken: false }
    : { to: end.taken, at: end.takenAt, isTaken: true };
}

/**
 * Puts a chunk into a flow: it is one more way from the loop's start to where its rounds lead out. What is in memory
 * there and what in locals stays as it is, for all that was written in the loop is dirty wherever it starts again.
 */
export function addChunk(chunk: Chunk, blocks: readonly Block[], flow: Flow): void {
  const { way, rounds } = chunk;
  const head = way[0]!;
  let steps = 0;
  for (let i = 0; i < way.length; i++) steps += blocks[way[i]!]!.instructions.length;
  let most = steps * rounds;
  steps *= rounds - 1;
  for (let place = 0; place < way.length; place++) {
    steps += blocks[way[place]!]!.instructions.length;
    const to = wayOut(chunk, place, blocks)?.to ?? null;
    if (to === null || flow.position[to]! <= flow.position[head]!) continue;
    flow.entrances[to]!++;
    if (!flow.isLoop[to]) most = Math.max(most, steps + flow.cost[to]!);
  }
  flow.cost[head] = Math.max(flow.cost[head]!, most);
  if (way.length === 1) return;
  // What several ways lead to is not dominated any more by blocks of the way, but by its first.
  for (const block of flow.order) {
    if (flow.entrances[block]! > 1 && way.includes(flow.idom[block]!)) flow.idom[block] = head;
  }
}
