import { assert } from '../../base/assert.js';
import { type Digest, type DigestWords, Hasher, putBigint, stringWords } from '../../base/digest.js';
import { IntMap, type IntMapNode } from '../../base/int-map.js';
import { LatePages } from '../../memory/late-pages.js';
import { Page } from '../../memory/page.js';
import type { KernelEvent } from './events.js';
import type { KernelState } from './kernel.js';

// Immutable nodes are hashed once: the memo is by identity, so a state costs what changed since the last one.
// As words: to make texts of them and words of those takes longer than the rest of it.
const nodeDigests = new WeakMap<IntMapNode, DigestWords>();
const recordDigests = new WeakMap<object, DigestWords>();

/** The tag of a page and its digest. */
const PAGE_WORDS = 5;

const TAG = {
  undefined: 1,
  null: 2,
  false: 3,
  true: 4,
  number: 5,
  bigint: 6,
  string: 7,
  bytes: 8,
  list: 9,
  map: 10,
  page: 11,
  record: 12,
};

/** Words of a number with its tag: whether a bigint is negative is one more. */
const NUMBER_WORDS = 3;
const BIGINT_WORDS = 4;

/** A number that does not fit one word, with its tag. */
function putLarge(words: Int32Array, at: number, value: number): number {
  if (!Number.isSafeInteger(value)) assert(false, `${value} has no digest: not a safe integer`);
  const high = Math.floor(value / 0x100000000);
  words[at] = TAG.number;
  words[at + 1] = value - high * 0x100000000;
  words[at + 2] = high;
  return at + NUMBER_WORDS;
}

const knownTexts = new Map<string, Int32Array>();
/** Names that the code has are few and short; guests have any. */
const MAX_KNOWN_TEXTS = 512;
const MAX_KNOWN_UNITS = 64;

function textWords(text: string): Int32Array {
  const known = knownTexts.get(text);
  if (known !== undefined) return known;
  const words = stringWords(text);
  if (knownTexts.size < MAX_KNOWN_TEXTS) knownTexts.set(text, words);
  return words;
}

/** Folds any plain value: equal values give equal digests, whatever order a record's fields were made in. */
export function hashValue(h: Hasher, value: unknown): void {
  switch (typeof value) {
    case 'number': {
      const words = h.room(NUMBER_WORDS);
      const at = h.count;
      if ((value | 0) === value) {
        words[at] = TAG.number;
        words[at + 1] = value;
        words[at + 2] = value >> 31;
        h.count = at + NUMBER_WORDS;
      } else h.count = putLarge(words, at, value);
      return;
    }
    case 'string':
      if (value.length <= MAX_KNOWN_UNITS) h.word(TAG.string).list(textWords(value));
      else h.word(TAG.string).string(value);
      return;
    case 'bigint':
      h.word(TAG.bigint)
        .word(value < 0n ? 1 : 0)
        .bigint(value);
      return;
    case 'boolean':
      h.word(value ? TAG.true : TAG.false);
      return;
    case 'undefined':
      h.word(TAG.undefined);
      return;
    default:
      hashObject(h, value as object | null);
  }
}

function hashObject(h: Hasher, value: object | null): void {
  if (value === null) h.word(TAG.null);
  // First of all: most are plain, and asking for each class in turn costs more than hashing a small record.
  else if (Object.getPrototypeOf(value) === Object.prototype) hashRecord(h, value as Record<string, unknown>);
  else if (Array.isArray(value)) {
    h.word(TAG.list).word(value.length);
    for (let i = 0; i < value.length; i++) hashValue(h, value[i]);
  } else if (value instanceof Uint8Array) h.word(TAG.bytes).bytes(value);
  else if (value instanceof IntMap) {
    h.word(TAG.map);
    if (value.root === null) h.word(0);
    else h.word(value.root.level + 1).digestWords(nodeDigest(value.root));
  } else if (value instanceof Page) hashPages(h, [value]);
  else if ('bytes' in value && 'copy' in value) {
    // Registers: their bytes are all there is.
    h.word(TAG.bytes).bytes(value.bytes as Uint8Array);
  } else hashRecord(h, value as Record<string, unknown>);
}

function arePages(values: readonly unknown[]): values is readonly Page[] {
  for (const value of values) if (!(value instanceof Page)) return false;
  return true;
}

/** Of those side by side: there are thousands. */
function hashPages(h: Hasher, pages: readonly Page[]): void {
  const out = h.room(PAGE_WORDS * pages.length);
  const start = h.count;
  Page.putDigests(pages, out, start + 1, PAGE_WORDS);
  const end = start + PAGE_WORDS * pages.length;
  for (let at = start; at < end; at += PAGE_WORDS) out[at] = TAG.page;
  h.count = end;
}

/** The same of pages that need not be made for it. */
function hashLatePages(h: Hasher, pages: LatePages): void {
  const words = PAGE_WORDS * pages.count;
  pages.putDigests(h.room(words), h.count, TAG.page);
  h.count += words;
}

function hashRecord(h: Hasher, record: Readonly<Record<string, unknown>>): void {
  const { names, words } = layoutOf(record);
  h.word(TAG.record).word(names.length);
  for (let i = 0; i < names.length; i++) {
    h.list(words[i]);
    hashValue(h, record[names[i]]);
  }
}

/** The fields of a record in order of their names, and those names as words of a digest. */
interface Layout {
  readonly names: readonly string[];
  readonly words: readonly Int32Array[];
}

/** Records made by the same code have the same fields in the same order: a step down a tree for each finds their layout. */
class LayoutTree {
  layout: Layout | null = null;
  /** Apart from the others: most have no more than this one. */
  private firstName = '';
  private first: LayoutTree | null = null;
  private readonly others = new Map<string, LayoutTree>();

  get(name: string): LayoutTree | undefined {
    return name === this.firstName ? (this.first ?? undefined) : this.others.get(name);
  }

  set(name: string, next: LayoutTree): void {
    if (this.first === null) {
      this.firstName = name;
      this.first = next;
    } else this.others.set(name, next);
  }
}

/** More than all code makes: a stranger's recording may hold records with fields of any names. */
const MAX_LAYOUT_STEPS = 4096;
const layouts = new LayoutTree();
let layoutSteps = 0;

function layoutOf(record: Readonly<Record<string, unknown>>): Layout {
  const names = Object.keys(record);
  let node = layouts;
  for (let i = 0; i < names.length; i++) {
    let next = node.get(names[i]);
    if (next === undefined) {
      if (layoutSteps >= MAX_LAYOUT_STEPS) return sorted(names);
      layoutSteps++;
      next = new LayoutTree();
      node.set(names[i], next);
    }
    node = next;
  }
  node.layout ??= sorted(names);
  return node.layout;
}

function sorted(names: string[]): Layout {
  names.sort();
  return { names, words: names.map(stringWords) };
}

/** For nodes of pages, which hold nothing that is hashed meanwhile: each would make room for hundreds of words. */
const pagesHasher = new Hasher();

function nodeDigest(node: IntMapNode): DigestWords {
  const known = nodeDigests.get(node);
  if (known !== undefined) return known;
  const isLate = node instanceof LatePages;
  const isOfPages = isLate || arePages(node.slots);
  const h = (isOfPages ? pagesHasher.restart(node.level) : new Hasher(node.level)).word(node.bitmap);
  if (isLate) hashLatePages(h, node);
  else if (isOfPages) hashPages(h, node.slots as Page[]);
  else
    for (const slot of node.slots) {
      if (node.level > 0) h.digestWords(nodeDigest(slot as IntMapNode));
      else if (typeof slot === 'object' && slot !== null && 'koid' in slot && 'observers' in slot) {
        h.digestWords(recordDigest(slot));
      } else hashValue(h, slot);
    }
  const digest = h.valueWords();
  nodeDigests.set(node, digest);
  return digest;
}

/** Kernel objects are shared between many states, so each is hashed once. */
function recordDigest(record: object): DigestWords {
  const known = recordDigests.get(record);
  if (known !== undefined) return known;
  const h = new Hasher();
  hashObject(h, record);
  const digest = h.valueWords();
  recordDigests.set(record, digest);
  return digest;
}

/** The digest of a whole machine. Pass snapshots only: what a cursor still owns may change after its digest was kept. */
export function stateHash(state: KernelState): Digest {
  const h = new Hasher();
  hashValue(h, state);
  return h.value();
}

/** What is the same in all events of a type: their fields in order of names, and the words before the first of them. */
interface EventLayout {
  readonly fields: readonly string[];
  readonly head: Int32Array;
}

const layoutOfType = new Map<string, EventLayout>();

function eventLayout(event: KernelEvent): EventLayout {
  const names = Object.keys(event).sort();
  const layout = {
    fields: names.filter((name) => name !== 'type'),
    head: Int32Array.of(...stringWords(event.type), names.length),
  };
  layoutOfType.set(event.type, layout);
  return layout;
}

/** Items of a list that are looked after here. */
const SHORT_LIST = 16;
/** More than any event has; in a stranger's recording there may be more. */
const MANY_FIELDS = 64;

/**
 * Folds an event into a running digest of a run: the same words as `hashValue` has for each field, most of them
 * written here at once. Because it is done for all that ever happens, it makes as few calls as it can.
 */
export function hashEvent(h: Hasher, event: KernelEvent): void {
  const { fields, head } = layoutOfType.get(event.type) ?? eventLayout(event);
  if (fields.length > MANY_FIELDS) {
    h.list(head);
    for (const field of fields) hashValue(h, event[field as 'type']);
    return;
  }
  const room = BIGINT_WORDS * fields.length;
  let words = h.room(head.length + room);
  let at = h.count;
  words.set(head, at);
  at += head.length;
  for (let i = 0; i < fields.length; i++) {
    const value: unknown = event[fields[i] as 'type'];
    if (typeof value === 'number') {
      if ((value | 0) === value) {
        words[at] = TAG.number;
        words[at + 1] = value;
        words[at + 2] = value >> 31;
        at += NUMBER_WORDS;
      } else at = putLarge(words, at, value);
    } else if (typeof value === 'bigint') {
      words[at] = TAG.bigint;
      words[at + 1] = value < 0n ? 1 : 0;
      at = putBigint(words, at + 2, value);
    } else if (typeof value === 'string' && value.length <= MAX_KNOWN_UNITS) {
      const text = textWords(value);
      h.count = at;
      words = h.room(1 + text.length + room);
      at = h.count;
      words[at] = TAG.string;
      words.set(text, at + 1);
      at += 1 + text.length;
    } else {
      h.count = at;
      if (Array.isArray(value) && value.length <= SHORT_LIST) hashList(h, value);
      else hashValue(h, value);
      words = h.room(room);
      at = h.count;
    }
  }
  h.count = at;
}

/** As `hashValue` for a list. */
function hashList(h: Hasher, list: readonly unknown[]): void {
  const room = BIGINT_WORDS * list.length;
  let words = h.room(2 + room);
  let at = h.count;
  words[at] = TAG.list;
  words[at + 1] = list.length;
  at += 2;
  for (let i = 0; i < list.length; i++) {
    const item = list[i];
    if (typeof item === 'number') {
      if ((item | 0) === item) {
        words[at] = TAG.number;
        words[at + 1] = item;
        words[at + 2] = item >> 31;
        at += NUMBER_WORDS;
      } else at = putLarge(words, at, item);
    } else if (typeof item === 'bigint') {
      words[at] = TAG.bigint;
      words[at + 1] = item < 0n ? 1 : 0;
      at = putBigint(words, at + 2, item);
    } else {
      h.count = at;
      hashValue(h, item);
      words = h.room(room);
      at = h.count;
    }
  }
  h.count = at;
}
