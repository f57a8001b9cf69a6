import { groupsOfChunk } from './access-groups.js';
import { type Block, type End, emptyBlock, type Region } from './region.js';
import { successors } from './region-flow.js';

/** Rounds of a chunk: the most that a chunk of so many instructions has room for. */
const ROUNDS = [4, 2] as const;
const CHUNK_INSTRUCTIONS = 32;
const LONGEST_ROUND = CHUNK_INSTRUCTIONS / 2;
/** Blocks of a way around a loop. */
const LONGEST_WAY = 4;
/** Look-ups before a chunk. */
const MOST_GROUPS = 4;

/** Where a loop may start: blocks that are gone back to. */
function headsOf(blocks: readonly Block[]): ReadonlySet<number> {
  const heads = new Set<number>();
  const look = (from: Block, to: number | null): void => {
    if (to !== null && blocks[to]!.at <= from.at) heads.add(to);
  };
  for (const from of blocks) {
    if (from.end.kind === 'branch') look(from, from.end.taken);
    else if (from.end.kind === 'next') look(from, from.end.next);
  }
  return heads;
}

/** The way around a short loop of no others, from its head on by higher addresses; only branches lead out of it. */
function wayAround(blocks: readonly Block[], heads: ReadonlySet<number>, head: number): number[] | null {
  const way: number[] = [];
  const goOn = (block: number, size: number): boolean => {
    const { instructions, at, end } = blocks[block]!;
    const total = size + instructions.length;
    if (total > LONGEST_ROUND || way.length === LONGEST_WAY) return false;
    if (end.kind !== 'next' && end.kind !== 'branch') return false;
    if (instructions.some(({ canLeave, access }) => canLeave && access === null)) return false;
    way.push(block);
    for (const to of successors(blocks[block]!)) {
      if (to === head) return true;
      if (!heads.has(to) && blocks[to]!.at > at && goOn(to, total)) return true;
    }
    way.pop();
    return false;
  };
  return goOn(head, 0) ? way : null;
}

/**
 * Makes chunks of a region's short loops: several rounds without a look at the budget or at pages in between. Before
 * each it is seen whether all accesses of all its rounds are in pages that are known; if not, one round is made as ever.
 */
export function withChunks(region: Region, zeroSlot: number): Region {
  const { blocks } = region;
  const heads = headsOf(blocks);
  const made = [...blocks];
  for (const head of heads) {
    const way = wayAround(blocks, heads, head);
    if (way !== null) addChunk(made, blocks, way, zeroSlot);
  }
  return made.length === blocks.length ? region : { ...region, blocks: made };
}

/** In place of the loop's first block comes the look-up; behind the other blocks that block, the chunk, and ways out. */
function addChunk(made: Block[], blocks: readonly Block[], way: readonly number[], zeroSlot: number): void {
  const round = way.flatMap((block) => blocks[block]!.instructions);
  if (round.every(({ access }) => access === null)) return;
  const rounds = ROUNDS.find((count) => count * round.length <= CHUNK_INSTRUCTIONS)!;
  const chunk = groupsOfChunk(Array.from({ length: rounds }, () => round).flat(), zeroSlot);
  if (chunk === null || chunk.groups.length > MOST_GROUPS) return;
  const head = way[0]!;
  const slow = made.length;
  const fast = slow + 1;
  const behind = fast + rounds * way.length;
  const copies: Block[] = [];
  const outside: Block[] = [];
  const leave = (at: number): number => {
    let index = outside.findIndex((block) => block.at === at);
    if (index < 0) index = outside.push(emptyBlock(at, { kind: 'next', next: null, at })) - 1;
    return behind + index;
  };
  let done = 0;
  for (let copy = fast; copy < behind; copy++) {
    const place = (copy - fast) % way.length;
    const original = blocks[way[place]!]!;
    const { instructions, end } = original;
    const inside = way[(place + 1) % way.length]!;
    const next = copy + 1 === behind ? head : copy + 1;
    const members = chunk.members.slice(done, done + instructions.length);
    done += instructions.length;
    const to = (target: number | null, targetAt: number): number =>
      target === inside ? next : (target ?? leave(targetAt));
    copies.push({ ...original, canLeave: false, end: redirected(end, to), members });
  }
  made.push({ ...blocks[head]! }, ...copies, ...outside);
  made[head] = emptyBlock(blocks[head]!.at, { kind: 'chunk', fast, slow, groups: chunk.groups });
}

function redirected(end: End, to: (target: number | null, at: number) => number): End {
  if (end.kind === 'next') return { ...end, next: to(end.next, end.at) };
  if (end.kind !== 'branch') return end;
  return { ...end, taken: to(end.taken, end.takenAt), next: to(end.next, end.nextAt) };
}
