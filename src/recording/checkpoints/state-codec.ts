import { assert } from '../../base/assert.js';
import { IntMap, type IntMapNode, LEAF_KEYS, type Leaf } from '../../base/int-map.js';
import type { Arch, Registers } from '../../cpu/arch.js';
import type { KernelState } from '../../kernel/objects/kernel.js';
import type { KernelObject } from '../../kernel/objects/object.js';
import { Page, ZERO_PAGE } from '../../memory/page.js';
import { type ByteReader, ByteWriter } from '../format/bytes.js';
import { PayloadError } from '../format/recording-error.js';

/**
 * A state as bytes. Nothing here knows the fields of any object: a state is plain values, persistent maps, pages and
 * registers, and whatever has a state hash has bytes. Each value is a tag and what it needs; texts and lists of field
 * names stand where they come first and are numbers from then on. Pages are elsewhere: of a map of pages there is where
 * its lowest nodes begin, and which they are is a list of its own.
 */
const TAG = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  /** A safe integer: varint of its size. */
  natural: 4,
  negative: 5,
  /** An integer of 64 bits: varint of its size. */
  bigNatural: 6,
  bigNegative: 7,
  /** UTF-16 units; a varint each, so that texts that are no Unicode come back too. */
  text: 8,
  knownText: 9,
  bytes: 10,
  list: 11,
  /** Size, then key less the key before, and value, each. */
  map: 12,
  /** Names of fields, then values. */
  record: 13,
  /** Number of such a list of names, then values. */
  knownRecord: 14,
  /** Size in tables, then for each how many tables further it is than the one before. */
  pages: 15,
  zeroPage: 16,
  registers: 17,
  /** A kernel object: the number of this version of it, then a record. */
  object: 18,
} as const;

const MAX_DEPTH = 64;
/** More than a kernel object has by far. */
const MAX_FIELDS = 256;
/** Values of a state, a node of a map being two, at most: what a stranger made up takes 60 MiB then. */
const MAX_VALUES = 1 << 20;
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

/** Told of what a state shares with others, in the order of its bytes. */
export interface StateNumbers {
  table(leaf: IntMapNode): void;
  /** A number for this version of an object: equal ones for what was not changed between two states. */
  object(object: KernelObject): number;
}

/** The same when read. */
export interface StateParts {
  /** @returns a node of the lowest level, not empty, with pages */
  table(): IntMapNode;
  /** @param version not checked: any safe integer of 0 or more */
  object(version: number, object: KernelObject): KernelObject;
}

export function encodeState(state: KernelState, numbers: StateNumbers): Uint8Array {
  return new StateEncoder(numbers).encode(state);
}

class StateEncoder {
  private readonly out = new ByteWriter();
  private readonly texts = new Map<string, number>();
  private readonly shapes = new Map<string, number>();

  constructor(private readonly numbers: StateNumbers) {}

  encode(state: KernelState): Uint8Array {
    this.value(state);
    return this.out.take();
  }

  private value(value: unknown): void {
    const { out } = this;
    if (typeof value === 'number') this.integer(value);
    else if (typeof value === 'bigint') this.bigint(value);
    else if (typeof value === 'string') this.text(value);
    else if (typeof value === 'boolean') out.u8(value ? TAG.true : TAG.false);
    else if (value === undefined) out.u8(TAG.undefined);
    else if (value === null) out.u8(TAG.null);
    else this.compound(value as object);
  }

  private compound(value: object): void {
    const { out } = this;
    if (value instanceof Uint8Array) {
      out.u8(TAG.bytes);
      out.varint(value.length);
      out.bytes(value);
    } else if (value instanceof IntMap) this.map(value);
    else if (value === ZERO_PAGE) out.u8(TAG.zeroPage);
    else if (Array.isArray(value)) {
      out.u8(TAG.list);
      out.varint(value.length);
      for (const item of value) this.value(item);
    } else if ('bytes' in value && 'copy' in value) {
      out.u8(TAG.registers);
      out.bytes((value as Registers).bytes);
    } else {
      if ('koid' in value && 'observers' in value) {
        out.u8(TAG.object);
        out.varint(this.numbers.object(value as KernelObject));
      }
      this.record(value as Readonly<Record<string, unknown>>);
    }
  }

  private integer(value: number): void {
    assert(Number.isSafeInteger(value), `${value} is not a safe integer`);
    this.out.u8(value < 0 ? TAG.negative : TAG.natural);
    this.out.varint(Math.abs(value));
  }

  private bigint(value: bigint): void {
    assert(value > -(1n << 64n) && value < 1n << 64n, `${value} has more than 64 bits`);
    this.out.u8(value < 0n ? TAG.bigNegative : TAG.bigNatural);
    this.out.varint64(value < 0n ? -value : value);
  }

  private text(text: string): void {
    const known = this.texts.get(text);
    if (known !== undefined) {
      this.out.u8(TAG.knownText);
      this.out.varint(known);
      return;
    }
    this.texts.set(text, this.texts.size);
    this.out.u8(TAG.text);
    this.units(text);
  }

  private units(text: string): void {
    this.out.varint(text.length);
    for (let i = 0; i < text.length; i++) this.out.varint(text.charCodeAt(i));
  }

  private map(map: IntMap<unknown>): void {
    if (map.floor(Number.MAX_SAFE_INTEGER)?.[1] instanceof Page) {
      this.pages(map);
      return;
    }
    this.out.u8(TAG.map);
    this.out.varint(map.size);
    let last = 0;
    for (const [key, value] of map) {
      this.out.varint(key - last);
      last = key;
      this.value(value);
    }
  }

  private pages(map: IntMap<unknown>): void {
    const leaves = map.leaves();
    this.out.u8(TAG.pages);
    this.out.varint(leaves.length);
    let last = 0;
    for (const [key, leaf] of leaves) {
      const number = key / LEAF_KEYS;
      this.out.varint(number - last);
      last = number;
      this.numbers.table(leaf);
    }
  }

  private record(record: Readonly<Record<string, unknown>>): void {
    const keys = Object.keys(record);
    const shape = keys.join();
    const known = this.shapes.get(shape);
    if (known === undefined) {
      this.shapes.set(shape, this.shapes.size);
      this.out.u8(TAG.record);
      this.out.varint(keys.length);
      for (const key of keys) this.units(key);
    } else {
      this.out.u8(TAG.knownRecord);
      this.out.varint(known);
    }
    for (const key of keys) this.value(record[key]);
  }
}

/**
 * The value that was encoded, whatever it is: the caller looks at what it got.
 * @throws PayloadError for any bytes that are no encoding
 */
export function decodeState(from: ByteReader, arch: Arch, parts: StateParts): unknown {
  const value = new StateDecoder(from, arch, parts).value(0);
  if (from.left > 0) throw new PayloadError('something follows a state');
  return value;
}

class StateDecoder {
  private readonly texts: string[] = [];
  private readonly shapes: (readonly string[])[] = [];
  private valuesLeft = MAX_VALUES;

  constructor(
    private readonly from: ByteReader,
    private readonly arch: Arch,
    private readonly parts: StateParts,
  ) {}

  value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw new PayloadError('a state is nested too deeply');
    this.take(1);
    const { from } = this;
    switch (from.u8()) {
      case TAG.undefined:
        return undefined;
      case TAG.null:
        return null;
      case TAG.false:
        return false;
      case TAG.true:
        return true;
      case TAG.natural:
        return from.varint();
      case TAG.negative:
        return 0 - from.varint();
      case TAG.bigNatural:
        return from.varint64();
      case TAG.bigNegative:
        return -from.varint64();
      case TAG.text: {
        const text = this.units();
        this.texts.push(text);
        return text;
      }
      case TAG.knownText:
        return at(this.texts, from.varint());
      case TAG.bytes:
        return from.bytes(from.varint()).slice();
      case TAG.list:
        return this.list(depth);
      case TAG.map:
        return this.map(depth);
      case TAG.record:
        return this.record(this.shape(), depth);
      case TAG.knownRecord:
        return this.record(at(this.shapes, from.varint()), depth);
      case TAG.pages:
        return this.pages();
      case TAG.zeroPage:
        return ZERO_PAGE;
      case TAG.registers:
        return this.arch.registersFrom(from.bytes(this.arch.registersSizeBytes).slice());
      case TAG.object:
        return this.object(depth);
      default:
        throw new PayloadError('a state holds a value of no known type');
    }
  }

  private take(values: number): void {
    this.valuesLeft -= values;
    if (this.valuesLeft < 0) throw new PayloadError('a state has more values than can be');
  }

  private units(): string {
    const length = this.count();
    const parts: string[] = [];
    for (let i = 0; i < length; i++) {
      const unit = this.from.varint();
      if (unit > 0xffff) throw new PayloadError('a text holds what is no letter');
      parts.push(String.fromCharCode(unit));
    }
    return parts.join('');
  }

  /** How many values follow: each takes a byte at least, so no more is believed than there can be. */
  private count(): number {
    const count = this.from.varint();
    if (count > this.from.left) throw new PayloadError('it ends inside a value');
    return count;
  }

  private list(depth: number): unknown[] {
    const length = this.count();
    const list: unknown[] = [];
    for (let i = 0; i < length; i++) list.push(this.value(depth + 1));
    return list;
  }

  private map(depth: number): IntMap<unknown> {
    const size = this.count();
    const owner = {};
    let map = IntMap.empty<unknown>();
    let key = 0;
    for (let i = 0; i < size; i++) {
      const more = this.from.varint();
      key += more;
      if ((more === 0 && i > 0) || key > Number.MAX_SAFE_INTEGER)
        throw new PayloadError('the keys of a map do not go up');
      this.take(2 * newNodes(key - more, key));
      const value = this.value(depth + 1);
      if (value === undefined) throw new PayloadError('a map holds nothing at a key');
      map = map.set(key, value, owner);
    }
    return map;
  }

  private shape(): readonly string[] {
    const length = this.count();
    if (length > MAX_FIELDS) throw new PayloadError('a record has too many fields');
    const shape: string[] = [];
    for (let i = 0; i < length; i++) {
      const name = this.units();
      if (FORBIDDEN.has(name) || shape.includes(name))
        throw new PayloadError('a record has a field that is not allowed');
      shape.push(name);
    }
    this.shapes.push(shape);
    return shape;
  }

  private record(shape: readonly string[], depth: number): Record<string, unknown> {
    const record: Record<string, unknown> = {};
    for (const name of shape) record[name] = this.value(depth + 1);
    return record;
  }

  private pages(): IntMap<unknown> {
    const count = this.count();
    const leaves: Leaf[] = [];
    let number = 0;
    for (let i = 0; i < count; i++) {
      const more = this.from.varint();
      number += more;
      if ((more === 0 && i > 0) || number * LEAF_KEYS > Number.MAX_SAFE_INTEGER)
        throw new PayloadError('the tables of a map do not go up');
      leaves.push([number * LEAF_KEYS, this.parts.table()]);
    }
    return IntMap.fromLeaves(leaves);
  }

  private object(depth: number): KernelObject {
    const version = this.from.varint();
    const value = this.value(depth + 1);
    const named = typeof value === 'object' && value !== null && 'koid' in value && 'observers' in value;
    if (!named) throw new PayloadError('an object of the kernel is none');
    return this.parts.object(version, value as KernelObject);
  }
}

/** Nodes of a map that a key needs when the one before is there. */
function newNodes(before: number, key: number): number {
  let nodes = 0;
  const up = (n: number) => Math.floor(n / LEAF_KEYS);
  for (let [a, b] = [up(before), up(key)]; a !== b; a = up(a), b = up(b)) nodes++;
  return nodes;
}

function at<T>(list: readonly T[], i: number): T {
  if (i >= list.length) throw new PayloadError('a state names what was not there before');
  return list[i];
}
