import type { Row, Schema } from './columns.js';

/**
 * The kinds of chunks, each defined here once for writer and reader. Numbers never change meaning; the order of
 * numbers is the order in which a flush writes, so that what explains comes before what needs it: a recording cut
 * between two chunks has the inputs and slices of whatever digests it has.
 */
export const KINDS = {
  /** One RecordingHeader, the first chunk. */
  header: { number: 1, encoding: 'single' },
  /** ELF bytes of the guests. */
  images: { number: 2, encoding: 'blobs' },
  pages: { number: 3, encoding: 'blobs' },
  inputs: { number: 4, encoding: 'records' },
  /** Who ran: a row is a slice, in order of time. */
  schedule: { number: 5, encoding: 'columns', schema: { core: 'u8', thread: 'varint', steps: 'varint' } },
  'kernel-events': { number: 6, encoding: 'records' },
  /** Runs of one thread on one core between kernel events; `seq` is of the kernel event before, `pc` where it ends. */
  spans: {
    number: 7,
    encoding: 'columns',
    schema: { seq: 'delta', core: 'u8', thread: 'varint', steps: 'varint', pc: 'delta64' },
  },
  /** What instructions did, as an engine's trace tells: `effect` is one of EFFECTS. */
  steps: {
    number: 8,
    encoding: 'columns',
    schema: { effect: 'u8', size: 'u8', address: 'delta64', value: 'u64' },
  },
  checkpoints: { number: 9, encoding: 'records' },
  console: { number: 10, encoding: 'records' },
  annotations: { number: 11, encoding: 'records' },
  /** State and events so far, at position seq:step. */
  digests: {
    number: 12,
    encoding: 'columns',
    schema: { seq: 'delta', step: 'varint', state: 'digest', events: 'digest' },
  },
  /** One RecordingEnd: the run finished and everything was written. */
  end: { number: 13, encoding: 'single' },
  /** Where the chunks are; see index-chunk.ts. */
  index: { number: 14, encoding: 'index' },
  /** Pages and tables of pages, in a file of checkpoints; see checkpoints/stored-memory.ts. */
  memory: { number: 15, encoding: 'bytes' },
} as const satisfies Record<string, KindDefinition>;

/**
 * Rows of `steps`: an instruction (address pc, value its bits, size its length), a register written (address the
 * row's above, size the register's number), memory loaded, memory stored.
 */
export const EFFECTS = { step: 0, register: 1, load: 2, store: 3 } as const;

type KindDefinition =
  | { readonly number: number; readonly encoding: 'single' | 'records' | 'blobs' | 'index' | 'bytes' }
  | { readonly number: number; readonly encoding: 'columns'; readonly schema: Schema };

export type KindName = keyof typeof KINDS;

type KindsOf<E extends KindDefinition['encoding']> = {
  [K in KindName]: (typeof KINDS)[K]['encoding'] extends E ? K : never;
}[KindName];

export type RecordKind = KindsOf<'records'>;
export type ColumnKind = KindsOf<'columns'>;
export type BlobKind = KindsOf<'blobs'>;
export type BytesKind = KindsOf<'bytes'>;

export type SchemaOf<K extends ColumnKind> = (typeof KINDS)[K]['schema'];
/** What one item of a kind is when written. */
export type ItemOf<K extends RecordKind | ColumnKind> = K extends ColumnKind ? Row<SchemaOf<K>> : object;

/** In the order of their numbers. */
export const KIND_NAMES = Object.keys(KINDS) as readonly KindName[];

const NAMES_BY_NUMBER = new Map<number, KindName>(KIND_NAMES.map((name) => [KINDS[name].number, name]));

/** The name of a chunk's kind; null for kinds of later versions, which are skipped. */
export function kindName(number: number): KindName | null {
  return NAMES_BY_NUMBER.get(number) ?? null;
}

/** How messages call a kind. */
export function kindLabel(number: number): string {
  return kindName(number) ?? `kind ${number}`;
}
