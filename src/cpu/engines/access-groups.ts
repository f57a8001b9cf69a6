import type { Decoded } from './evaluator.js';
import type { Instruction } from './facts.js';
import { GROUPS } from './template-code.js';
import type { Access } from './traits.js';

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
  /** From the group's lowest address on; and how much further on it is in each round of a chunk. */
  readonly offset: number;
  readonly stride: number;
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

/** A sum in a round of a loop: a register as it is where rounds start, and a constant that grows from round to round. */
export interface Sum {
  readonly slot: number;
  readonly distance: number;
  readonly stride: number;
}

/** What is found for several rounds of a loop; lists are by instruction of a round. */
export interface Strides {
  readonly groups: readonly ChunkGroup[];
  readonly members: readonly (Member | undefined)[];
  readonly sums: readonly (Sum | undefined)[];
  /** Registers that such sums are made of. */
  readonly moving: readonly number[];
}

const SLOTS = 64;

/** What registers are in a block: each some value, by number, and a constant added to that. Of one block at a time. */
const roots = new Int32Array(SLOTS);
const distances = new Float64Array(SLOTS);
/** By how much registers grow in each round of a loop. */
const strides = new Float64Array(SLOTS);

function candidatesOf(
  instructions: readonly Instruction[],
  zeroSlot: number,
  longestSpan: number,
): Candidate[] {
  forgetRegisters();
  const candidates: Candidate[] = [];
  for (let at = 0; at < instructions.length; at++) {
    const { access, d, addsConstant } = instructions[at]!;
    if (access !== null && d.rs1 !== zeroSlot) join(candidates, access, d, at, longestSpan);
    follow(d, addsConstant, at);
  }
  return candidates;
}

function forgetRegisters(): void {
  for (let slot = 0; slot < SLOTS; slot++) roots[slot] = slot;
  distances.fill(0);
}

/** What an instruction puts into a register. */
function follow({ rd, rs1, imm }: Decoded, addsConstant: boolean, at: number): void {
  roots[rd] = addsConstant ? roots[rs1]! : SLOTS + at;
  distances[rd] = addsConstant ? distances[rs1]! + Number(imm) : 0;
}

/** Takes an access into the last candidate that is about the same value, or into a new one. */
function join(
  candidates: Candidate[],
  { store, sizeBytes }: Access,
  { rs1, imm }: Decoded,
  at: number,
  longestSpan: number,
): void {
  const root = roots[rs1]!;
  const leaderBase = distances[rs1]!;
  const distance = leaderBase + Number(imm);
  const member = { at, distance };
  for (let i = candidates.length - 1; i >= 0; i--) {
    const known = candidates[i]!;
    if (known.root !== root || known.store !== store) continue;
    const low = Math.min(known.low, distance);
    const high = Math.max(known.high, distance + sizeBytes);
    if (high - low > longestSpan) break;
    known.low = low;
    known.high = high;
    known.members.push(member);
    return;
  }
  candidates.push({ store, root, leaderBase, low: distance, high: distance + sizeBytes, members: [member] });
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
  for (let at = 0; at < instructions.length; at++) if (instructions[at]!.access !== null) accesses++;
  if (accesses < 2) return grouping;
  let index = 0;
  const candidates = candidatesOf(instructions, zeroSlot, LONGEST_SPAN);
  for (let i = 0; i < candidates.length; i++) {
    const { store, leaderBase, low, high, members } = candidates[i]!;
    const leader = members[0]!.at;
    if (members.length < 2 || index === GROUPS || (startsRegion && leader === 0)) continue;
    const group = { leader, store, start: low - leaderBase, spanBytes: high - low, index: index++ };
    for (let j = 0; j < members.length; j++) {
      const { at, distance } = members[j]!;
      grouping[at] = { group, offset: distance - low, stride: 0 };
    }
  }
  return grouping;
}

/**
 * The groups of several rounds of a loop, by instruction of a round; null when an access is at none of the registers that
 * a round starts with, or when such a register is not the same but for a constant when the next starts.
 */
export function groupsOfChunk(
  round: readonly Instruction[],
  rounds: number,
  zeroSlot: number,
): Strides | null {
  const members: (Member | undefined)[] = [];
  const groups: ChunkGroup[] = [];
  let left = 0;
  for (let at = 0; at < round.length; at++) if (round[at]!.access !== null) left++;
  if (left === 0) return null;
  const candidates = candidatesOf(round, zeroSlot, LONGEST_CHUNK_SPAN);
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i]!;
    const { store, root: slot, low, high } = candidate;
    if (slot >= SLOTS || roots[slot] !== slot) return null;
    const stride = distances[slot]!;
    const start = low + Math.min(0, stride) * (rounds - 1);
    const spanBytes = high - low + Math.abs(stride) * (rounds - 1);
    if (spanBytes > LONGEST_CHUNK_SPAN) return null;
    const group = { leader: -1, store, slot, start, spanBytes, index: groups.length };
    groups.push(group);
    for (let j = 0; j < candidate.members.length; j++) {
      const { at, distance } = candidate.members[j]!;
      members[at] = { group, offset: distance - start, stride };
    }
    left -= candidate.members.length;
  }
  if (left > 0) return null;
  return { groups, members, ...sumsOf(round) };
}

/** The sums of a round, once it is known what registers are at its end. */
function sumsOf(round: readonly Instruction[]): Pick<Strides, 'sums' | 'moving'> {
  const sums: (Sum | undefined)[] = [];
  const moving: number[] = [];
  for (let slot = 0; slot < SLOTS; slot++) {
    strides[slot] = roots[slot] === slot ? distances[slot]! : 0;
    if (strides[slot] !== 0) moving.push(slot);
  }
  forgetRegisters();
  for (let at = 0; at < round.length; at++) {
    const { d, addsConstant } = round[at]!;
    follow(d, addsConstant, at);
    // Where nothing remains of the result, it is put into no register.
    if (!addsConstant || d.rd >= SLOTS) continue;
    const slot = roots[d.rd]!;
    const stride = slot < SLOTS ? strides[slot]! : 0;
    if (stride !== 0) sums[at] = { slot, distance: distances[d.rd]!, stride };
  }
  return { sums, moving };
}
