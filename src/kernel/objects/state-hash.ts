import { type Digest, Hasher } from '../../base/digest.js';
import { IntMap, type IntMapNode } from '../../base/int-map.js';
import { Page } from '../../memory/page.js';
import type { KernelEvent } from './events.js';
import type { KernelState } from './kernel.js';

// Immutable nodes are hashed once: the memo is by identity, so a state costs what changed since the last one.
const nodeDigests = new WeakMap<IntMapNode, Digest>();
const recordDigests = new WeakMap<object, Digest>();

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

/** Folds any plain value: equal values give equal digests, whatever order a record's fields were made in. */
export function hashValue(h: Hasher, value: unknown): void {
  switch (typeof value) {
    case 'number':
      h.word(TAG.number).number(value);
      return;
    case 'string':
      h.word(TAG.string).string(value);
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
  else if (value instanceof Uint8Array) h.word(TAG.bytes).bytes(value);
  else if (value instanceof IntMap) {
    h.word(TAG.map);
    if (value.root === null) h.word(0);
    else h.word(value.root.level + 1).digest(nodeDigest(value.root));
  } else if (value instanceof Page) h.word(TAG.page).digest(value.digest());
  else if (Array.isArray(value)) {
    h.word(TAG.list).word(value.length);
    for (const item of value) hashValue(h, item);
  } else if ('bytes' in value && 'copy' in value) {
    // Registers: their bytes are all there is.
    h.word(TAG.bytes).bytes(value.bytes as Uint8Array);
  } else {
    const record = value as Record<string, unknown>;
    const keys = Object.keys(record).sort();
    h.word(TAG.record).word(keys.length);
    for (const key of keys) {
      h.string(key);
      hashValue(h, record[key]);
    }
  }
}

function nodeDigest(node: IntMapNode): Digest {
  const known = nodeDigests.get(node);
  if (known !== undefined) return known;
  const h = new Hasher(node.level).word(node.bitmap);
  for (const slot of node.slots) {
    if (node.level > 0) h.digest(nodeDigest(slot as IntMapNode));
    else if (typeof slot === 'object' && slot !== null && 'koid' in slot && 'observers' in slot) {
      h.digest(recordDigest(slot));
    } else hashValue(h, slot);
  }
  const digest = h.value();
  nodeDigests.set(node, digest);
  return digest;
}

/** Kernel objects are shared between many states, so each is hashed once. */
function recordDigest(record: object): Digest {
  const known = recordDigests.get(record);
  if (known !== undefined) return known;
  const h = new Hasher();
  hashObject(h, record);
  const digest = h.value();
  recordDigests.set(record, digest);
  return digest;
}

/** The digest of a whole machine. Pass snapshots only: what a cursor still owns may change after its digest was kept. */
export function stateHash(state: KernelState): Digest {
  const h = new Hasher();
  hashValue(h, state);
  return h.value();
}

// The fields of each type of event in order of their names. Events of one type have the same fields.
const fieldsOfType = new Map<string, readonly string[]>();

/** Folds an event into a running digest of a run. */
export function hashEvent(h: Hasher, event: KernelEvent): void {
  let fields = fieldsOfType.get(event.type);
  if (fields === undefined) {
    fields = Object.keys(event).sort();
    fieldsOfType.set(event.type, fields);
  }
  h.string(event.type).word(fields.length);
  for (const field of fields) {
    if (field !== 'type') hashValue(h, (event as Record<string, unknown> & KernelEvent)[field as 'type']);
  }
}
