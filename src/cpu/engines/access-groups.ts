import type { Instruction } from './facts.js';
import { GROUPS } from './template-code.js';

/** Bytes from the first to the last of a group, at most: the more they are, the more often a page ends among them. */
const LONGEST_SPAN = 256;
const LONGEST_CHUNK_SPAN = 1024;

/**
 * Loads, or stores, of one block at constant distances from one value. When all their bytes are in one page that is
 * known, which is looked up where the first of them is made, none of them can fail: what is known changes only when a
 * region is left. (A page with code is not known to stores, nor one that is still a snapshot's.)
 */
export interface AccessGroup {
  /** The first of its instructions, by place in the block. */
  readonly leader: number;
  readonly store: boolean;
  /** From the leader's base register, as it is there, to the lowest address. */
  readonly start: number;
  readonly spanBytes: number;
  /** Which of the block's groups it is. */
  readonly index: number;
}

/** What an instruction is in its group. */
export interface Member {
  readonly group: AccessGroup;
  /** From the group's lowest address on. */
  readonly offset: number;
}

/** What may become a group. Distances are from the value it is about. */
interface Candidate {
  readonly store: boolean;
  readonly root: number;
  readonly leaderBase: number;
  low: number;
  high: number;
  readonly members: { readonly at: number; readonly distance: number }[];
}

/** A group that is looked up where a chunk of a loop starts: from a register as it is there. */
export interface ChunkGroup extends AccessGroup {
  readonly slot: number;
}

const SLOTS = 64;

/** What registers are in a block: each some value, by number, and a constant added to that. Of one block at a time. */
const roots = new Int32Array(SLOTS);
const distances = new Float64Array(SLOTS);

function follow({ d, addsConstant, writes }: Instruction, newRoot: number): void {
  const root = addsConstant ? roots[d.rs1]! : newRoot;
  const distance = addsConstant ? distances[d.rs1]! + Number(d.imm) : 0;
  for (const slot of writes.slots()) {
    roots[slot] = root;
    distances[slot] = distance;
  }
}

function candidatesOf(
  instructions: readonly Instruction[],
  zeroSlot: number,
  longestSpan: number,
): Candidate[] {
  for (let slot = 0; slot < SLOTS; slot++) roots[slot] = slot;
  distances.fill(0);
  const candidates: Candidate[] = [];
  for (let at = 0; at < instructions.length; at++) {
    const instruction = instructions[at]!;
    const { access, d } = instruction;
    if (access !== null && d.rs1 !== zeroSlot) {
      const { store, sizeBytes } = access;
      const root = roots[d.rs1]!;
      const leaderBase = distances[d.rs1]!;
      const distance = leaderBase + Number(d.imm);
      let to = candidates.findLast((candidate) => candidate.root === root && candidate.store === store);
      const low = Math.min(to?.low ?? distance, distance);
      const high = Math.max(to?.high ?? distance, distance + sizeBytes);
      if (to === undefined || high - low > longestSpan) {
        to = { store, root, leaderBase, low: distance, high: distance + sizeBytes, members: [] };
        candidates.push(to);
      } else {
        to.low = low;
        to.high = high;
      }
      to.members.push({ at, distance });
    }
    follow(instruction, SLOTS + at);
  }
  return candidates;
}

/**
 * The groups of a block, by instruction.
 * @param startsRegion a group that starts with the block is made one by one: where a page ends within a group, another
 *   region goes on, which starts there
 */
export function groupAccesses(
  instructions: readonly Instruction[],
  zeroSlot: number,
  startsRegion: boolean,
): (Member | undefined)[] {
  const grouping: (Member | undefined)[] = [];
  let accesses = 0;
  for (const { access } of instructions) if (access !== null) accesses++;
  if (accesses < 2) return grouping;
  let index = 0;
  for (const { store, leaderBase, low, high, members } of candidatesOf(
    instructions,
    zeroSlot,
    LONGEST_SPAN,
  )) {
    const leader = members[0]!.at;
    if (members.length < 2 || index === GROUPS || (startsRegion && leader === 0)) continue;
    const group = { leader, store, start: low - leaderBase, spanBytes: high - low, index: index++ };
    for (const { at, distance } of members) grouping[at] = { group, offset: distance - low };
  }
  return grouping;
}

/** The groups of a chunk of a loop; null when an access is at none of the registers that it starts with. */
export function groupsOfChunk(
  instructions: readonly Instruction[],
  zeroSlot: number,
): { readonly groups: readonly ChunkGroup[]; readonly members: readonly (Member | undefined)[] } | null {
  const members: (Member | undefined)[] = [];
  const groups: ChunkGroup[] = [];
  for (const candidate of candidatesOf(instructions, zeroSlot, LONGEST_CHUNK_SPAN)) {
    const { store, root: slot, low, high } = candidate;
    if (slot >= SLOTS) return null;
    const group = { leader: -1, store, slot, start: low, spanBytes: high - low, index: groups.length };
    groups.push(group);
    for (const { at, distance } of candidate.members) members[at] = { group, offset: distance - low };
  }
  const isComplete = instructions.every(({ access }, i) => access === null || members[i] !== undefined);
  return isComplete && groups.length > 0 ? { groups, members } : null;
}
