import { assert } from './assert.js';
import { bitCount, lowestBit } from './bits.js';

/**
 * A persistent ordered map from non-negative safe integers: a 32-way radix tree with bitmap-compressed nodes.
 * Its shape depends on its keys alone, never on the order of changes, so it can be hashed node by node.
 *
 * Changes return a new map that shares what did not change. With an `owner`, nodes that this owner made are
 * changed in place (a *transient*): whoever holds the token owns those nodes until it throws the token away.
 * A map that was changed under its owner's token is spent: only the map that the change returned counts.
 */
export type Owner = object;

const WIDTH = 32;
/** Keys that one of the lowest nodes covers. */
export const LEAF_KEYS = WIDTH;

/** A node covers WIDTH^(level+1) keys; `slots` holds children (level > 0) or values (level 0), packed by bitmap. */
export class IntMapNode {
  constructor(
    readonly level: number,
    public bitmap: number,
    public slots: unknown[],
    readonly owner: Owner | null,
  ) {}
}

const BITS = 5;

/** How many keys one place of a node covers, by level. A root has level 10 at most; its limit is one level further. */
const POWERS: readonly number[] = Array.from({ length: 12 }, (_, level) => 2 ** (BITS * level));
const INVERSES: readonly number[] = POWERS.map((power) => 1 / power);

/** Which of a node's 32 places the key falls in. Above level 5 its bits may lie beyond what a shift keeps. */
function place(key: number, level: number): number {
  const shifted = level <= 5 ? key >>> (BITS * level) : key * INVERSES[level];
  return shifted & (WIDTH - 1);
}

// In `get`, `setIn` and `deleteIn` the place is found without a call, where its bits can be shifted out (a shift to the left
// takes the low five by itself), and the index where a node has one slot, as most above the lowest have: a call for each
// level was half of what the futexes of a short run cost.

function levelFor(key: number): number {
  let level = 0;
  while (key >= POWERS[level + 1]) level++;
  return level;
}

function editable(node: IntMapNode, owner: Owner | null): IntMapNode {
  if (owner !== null && node.owner === owner) return node;
  return new IntMapNode(node.level, node.bitmap, node.slots.slice(), owner);
}

// By hand, because lists are short, most changes are at their ends, and `splice` makes a list of what it removed.

function insertAt(slots: unknown[], index: number, value: unknown): void {
  slots.push(value);
  for (let i = slots.length - 1; i > index; i--) slots[i] = slots[i - 1];
  slots[index] = value;
}

function removeAt(slots: unknown[], index: number): void {
  for (let i = index + 1; i < slots.length; i++) slots[i - 1] = slots[i];
  slots.pop();
}

// Lists that hold numbers begin as lists of objects: V8 keeps a list of numbers alone as floats as soon as one list made
// in the same place had a large one, and what is compiled for small ones is compiled again wherever its numbers go.

function listOf(value: unknown): unknown[] {
  const slots: unknown[] = [null];
  slots[0] = value;
  return slots;
}

function entryOf<V>(key: number, value: unknown): readonly [number, V] {
  const entry: [unknown, unknown] = [null, null];
  entry[0] = key;
  entry[1] = value;
  return entry as [number, V];
}

/** Nodes from this level down that hold one entry. */
function branch(level: number, key: number, value: unknown, owner: Owner | null): IntMapNode {
  let node = new IntMapNode(0, 1 << key, listOf(value), owner);
  for (let l = 1; l <= level; l++) node = new IntMapNode(l, 1 << place(key, l), [node], owner);
  return node;
}

/** Whether the last `setIn` met a key that was not there. Beside the result, because it runs for every syscall. */
let added = false;
/** How many keys that were not there `setAllIn` met. */
let addedKeys = 0;

function setIn(node: IntMapNode, key: number, value: unknown, owner: Owner | null): IntMapNode {
  const { level, bitmap } = node;
  const bit = 1 << (level <= 5 ? key >>> (BITS * level) : place(key, level));
  const present = (bitmap & bit) !== 0;
  const index = bitmap === bit ? 0 : bitCount(bitmap & (bit - 1));
  if (level === 0) {
    if (present && node.slots[index] === value) return node;
    const copy = editable(node, owner);
    if (present) copy.slots[index] = value;
    else {
      insertAt(copy.slots, index, value);
      copy.bitmap |= bit;
      added = true;
    }
    return copy;
  }
  if (present) {
    const child = node.slots[index] as IntMapNode;
    const changed = setIn(child, key, value, owner);
    if (changed === child) return node;
    const copy = editable(node, owner);
    copy.slots[index] = changed;
    return copy;
  }
  const copy = editable(node, owner);
  insertAt(copy.slots, index, branch(level - 1, key, value, owner));
  copy.bitmap |= bit;
  added = true;
  return copy;
}

/** As `setIn` for keys from `from` to `end`, all of which the node covers. */
function setAllIn(
  node: IntMapNode,
  keys: readonly number[],
  values: readonly unknown[],
  from: number,
  end: number,
  owner: Owner | null,
): IntMapNode {
  const copy = editable(node, owner);
  const { level } = copy;
  if (level === 0) {
    setLeaf(copy, keys, values, from, end);
    return copy;
  }
  for (let start = from; start < end; ) {
    const bit = 1 << place(keys[start], level);
    const behind = (Math.floor(keys[start] * INVERSES[level]) + 1) * POWERS[level];
    let next = start + 1;
    while (next < end && keys[next] < behind) next++;
    const index = bitCount(copy.bitmap & (bit - 1));
    if ((copy.bitmap & bit) === 0) {
      insertAt(copy.slots, index, new IntMapNode(level - 1, 0, [], owner));
      copy.bitmap |= bit;
    }
    copy.slots[index] = setAllIn(copy.slots[index] as IntMapNode, keys, values, start, next, owner);
    start = next;
  }
  return copy;
}

/** The same for one of the lowest nodes, which may be changed: what it has and gets is merged. */
function setLeaf(
  leaf: IntMapNode,
  keys: readonly number[],
  values: readonly unknown[],
  from: number,
  end: number,
): void {
  const { bitmap, slots } = leaf;
  let bits = 0;
  for (let i = from; i < end; i++) bits |= 1 << place(keys[i], 0);
  const merged: unknown[] = [];
  let held = 0;
  let next = from;
  for (let left = bitmap | bits; left !== 0; left &= left - 1) {
    const bit = left & -left;
    const before = (bitmap & bit) === 0 ? undefined : slots[held++];
    merged.push((bits & bit) === 0 ? before : values[next++]);
  }
  leaf.bitmap = bitmap | bits;
  leaf.slots = merged;
  addedKeys += merged.length - slots.length;
}

function withLeaf(node: IntMapNode, key: number, leaf: IntMapNode, owner: Owner): IntMapNode {
  if (node.level === 0) {
    assert(node.bitmap === leaf.bitmap, 'a leaf has other keys');
    return leaf;
  }
  const copy = editable(node, owner);
  const index = bitCount(copy.bitmap & ((1 << place(key, copy.level)) - 1));
  copy.slots[index] = withLeaf(copy.slots[index] as IntMapNode, key, leaf, owner);
  return copy;
}

/** The node without the key (which must be present), or null when nothing is left. */
function deleteIn(node: IntMapNode, key: number, owner: Owner | null): IntMapNode | null {
  const { level, bitmap } = node;
  const bit = 1 << (level <= 5 ? key >>> (BITS * level) : place(key, level));
  const index = bitmap === bit ? 0 : bitCount(bitmap & (bit - 1));
  const rest = level === 0 ? null : deleteIn(node.slots[index] as IntMapNode, key, owner);
  if (rest === null && bitmap === bit) return null;
  const copy = editable(node, owner);
  if (rest === null) {
    removeAt(copy.slots, index);
    copy.bitmap &= ~bit;
  } else copy.slots[index] = rest;
  return copy;
}

/** One of the lowest nodes, behind the first key that it covers. */
export type Leaf = readonly [number, IntMapNode];

export class IntMap<V> {
  private static readonly none = new IntMap<never>(null, 0);

  private constructor(
    /** The root node, for hashing by identity; null when empty. */
    readonly root: IntMapNode | null,
    readonly size: number,
  ) {}

  static empty<V>(): IntMap<V> {
    return IntMap.none as unknown as IntMap<V>;
  }

  static from<V>(entries: Iterable<readonly [number, V]>): IntMap<V> {
    const owner = {};
    let map = IntMap.empty<V>();
    for (const [key, value] of entries) map = map.set(key, value, owner);
    return map;
  }

  /**
   * A map of nodes that `leaves` gave, or of new ones like those.
   * @param leaves in ascending order; none is empty
   */
  static fromLeaves<V>(leaves: readonly Leaf[]): IntMap<V> {
    let size = 0;
    let nodes = leaves.map(([key, node]) => {
      size += bitCount(node.bitmap);
      return [key / WIDTH, node] as const;
    });
    if (nodes.length === 0) return IntMap.empty();
    for (let level = 1; nodes.length > 1 || nodes[0][0] > 0; level++) nodes = parents(nodes, level);
    return new IntMap<V>(nodes[0][1], size);
  }

  /** @param key as in `set`; what cannot be a key is not there, but for fractions, which must not be asked for */
  get(key: number): V | undefined {
    let node = this.root;
    if (node === null || !(key >= 0 && key < POWERS[node.level + 1])) return undefined;
    for (;;) {
      const { level, bitmap } = node;
      const bit = 1 << (level <= 5 ? key >>> (BITS * level) : place(key, level));
      if ((bitmap & bit) === 0) return undefined;
      const slot: unknown = node.slots[bitmap === bit ? 0 : bitCount(bitmap & (bit - 1))];
      if (level === 0) return slot as V;
      node = slot as IntMapNode;
    }
  }

  /** The node that holds a key and its neighbours, as `leaves` has it; null when there is none. */
  leaf(key: number): IntMapNode | null {
    let node = this.root;
    if (node === null || !(key >= 0 && key < POWERS[node.level + 1])) return null;
    while (node.level > 0) {
      const bit = 1 << place(key, node.level);
      if ((node.bitmap & bit) === 0) return null;
      node = node.slots[bitCount(node.bitmap & (bit - 1))] as IntMapNode;
    }
    return node;
  }

  /** Which keys of the LEAF_KEYS that this one is among are there, a bit each from the lowest on. */
  neighbours(key: number): number {
    return this.leaf(key)?.bitmap ?? 0;
  }

  has(key: number): boolean {
    return this.get(key) !== undefined;
  }

  /** `value` must not be undefined: that is how absence is told. */
  set(key: number, value: V, owner: Owner | null = null): IntMap<V> {
    if (!Number.isSafeInteger(key) || key < 0) assert(false, `IntMap key ${key}`);
    assert(value !== undefined, 'IntMap value undefined');
    const level = levelFor(key);
    if (this.root === null) return new IntMap<V>(branch(level, key, value, owner), 1);
    let { root } = this;
    while (root.level < level) root = new IntMapNode(root.level + 1, 1, [root], owner);
    added = false;
    const changed = setIn(root, key, value, owner);
    if (added) return new IntMap<V>(changed, this.size + 1);
    return changed === this.root ? this : new IntMap<V>(changed, this.size);
  }

  /** As `set` for each of the keys, which ascend. */
  setAll(keys: readonly number[], values: readonly V[], owner: Owner | null = null): IntMap<V> {
    if (keys.length === 0) return this;
    const last = keys[keys.length - 1];
    assert(Number.isSafeInteger(last) && keys[0] >= 0, 'IntMap keys');
    const level = levelFor(last);
    let root = this.root ?? new IntMapNode(level, 0, [], owner);
    while (root.level < level) root = new IntMapNode(root.level + 1, 1, [root], owner);
    addedKeys = 0;
    const changed = setAllIn(root, keys, values, 0, keys.length, owner);
    return new IntMap<V>(changed, this.size + addedKeys);
  }

  /** The same map with other leaves, where leaves are, each with the same keys as the one that is there. */
  withLeaves(leaves: readonly Leaf[], owner: Owner): IntMap<V> {
    let root = this.root!;
    for (const [key, leaf] of leaves) root = withLeaf(root, key, leaf, owner);
    return new IntMap<V>(root, this.size);
  }

  delete(key: number, owner: Owner | null = null): IntMap<V> {
    if (!this.has(key)) return this;
    let root = deleteIn(this.root!, key, owner);
    while (root !== null && root.level > 0 && root.bitmap === 1) root = root.slots[0] as IntMapNode;
    return root === null ? IntMap.empty() : new IntMap<V>(root, this.size - 1);
  }

  /** The entry with the greatest key at or below `key`. */
  floor(key: number): readonly [number, V] | undefined {
    return this.root === null ? undefined : floorIn<V>(this.root, 0, key);
  }

  /** The entry with the least key at or above `key`. */
  ceiling(key: number): readonly [number, V] | undefined {
    return this.root === null ? undefined : ceilingIn<V>(this.root, 0, key);
  }

  /** Entries in ascending key order, from `from` on. Copy them first where the loop changes the map in place. */
  *entries(from = 0): IterableIterator<readonly [number, V]> {
    for (let entry = this.ceiling(from); entry !== undefined; entry = this.ceiling(entry[0] + 1)) yield entry;
  }

  /** All entries at once: a list of its own, for loops that change the map in place. */
  list(): (readonly [number, V])[] {
    const out: (readonly [number, V])[] = [];
    if (this.root !== null) listIn<V>(this.root, 0, out);
    return out;
  }

  /** The nodes that hold the values, in ascending order. They belong to the map. */
  leaves(): Leaf[] {
    const out: Leaf[] = [];
    if (this.root !== null) leavesIn(this.root, 0, out);
    return out;
  }

  *values(): IterableIterator<V> {
    for (const entry of this.entries()) yield entry[1];
  }

  *keys(): IterableIterator<number> {
    for (const entry of this.entries()) yield entry[0];
  }

  [Symbol.iterator](): IterableIterator<readonly [number, V]> {
    return this.entries();
  }
}

function listIn<V>(node: IntMapNode, base: number, out: (readonly [number, V])[]): void {
  let { bitmap } = node;
  for (let i = 0; i < node.slots.length; i++) {
    const p = lowestBit(bitmap);
    bitmap &= bitmap - 1;
    const slot = node.slots[i];
    if (node.level === 0) out.push(entryOf(base + p, slot));
    else listIn<V>(slot as IntMapNode, base + p * POWERS[node.level], out);
  }
}

function leavesIn(node: IntMapNode, base: number, out: Leaf[]): void {
  if (node.level === 0) {
    out.push([base, node]);
    return;
  }
  let { bitmap } = node;
  for (const slot of node.slots) {
    const p = lowestBit(bitmap);
    bitmap &= bitmap - 1;
    leavesIn(slot as IntMapNode, base + p * POWERS[node.level], out);
  }
}

/** The nodes of a level above those given, all with their numbers among the nodes of their level. */
function parents(
  nodes: readonly (readonly [number, IntMapNode])[],
  level: number,
): (readonly [number, IntMapNode])[] {
  const out: (readonly [number, IntMapNode])[] = [];
  for (const [number, node] of nodes) {
    const above = Math.floor(number / WIDTH);
    if (out.length === 0 || out[out.length - 1][0] !== above)
      out.push([above, new IntMapNode(level, 0, [], null)]);
    const parent = out[out.length - 1][1];
    parent.bitmap |= 1 << (number % WIDTH);
    parent.slots.push(node);
  }
  return out;
}

function floorIn<V>(node: IntMapNode, base: number, key: number): readonly [number, V] | undefined {
  const span = POWERS[node.level];
  const last = Math.floor((key - base) / span);
  let bits = last >= WIDTH - 1 ? node.bitmap : last < 0 ? 0 : node.bitmap & ((2 << last) - 1);
  // The second child tried has nothing but lower keys, so there is no third.
  while (bits !== 0) {
    const p = WIDTH - 1 - Math.clz32(bits);
    const bit = 1 << p;
    const slot = node.slots[bitCount(node.bitmap & (bit - 1))];
    if (node.level === 0) return entryOf(base + p, slot);
    const found = floorIn<V>(slot as IntMapNode, base + p * span, key);
    if (found !== undefined) return found;
    bits &= ~bit;
  }
  return undefined;
}

function ceilingIn<V>(node: IntMapNode, base: number, key: number): readonly [number, V] | undefined {
  const span = POWERS[node.level];
  const first = Math.floor((key - base) / span);
  let bits = first <= 0 ? node.bitmap : first >= WIDTH ? 0 : node.bitmap & -(1 << first);
  while (bits !== 0) {
    const bit = bits & -bits;
    const p = WIDTH - 1 - Math.clz32(bit);
    const slot = node.slots[bitCount(node.bitmap & (bit - 1))];
    if (node.level === 0) return entryOf(base + p, slot);
    const found = ceilingIn<V>(slot as IntMapNode, base + p * span, key);
    if (found !== undefined) return found;
    bits &= ~bit;
  }
  return undefined;
}
