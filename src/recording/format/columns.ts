import { assert } from '../../base/assert.js';
import type { Digest } from '../../base/digest.js';
import { ByteReader, ByteWriter, DIGEST_BYTES } from './bytes.js';
import { MAX_ROWS } from './limits.js';
import { PayloadError } from './recording-error.js';

/**
 * How a column is stored, before deflate. `varint` and `delta` hold safe non-negative integers, the latter as
 * the difference to the row above; `u64` and `delta64` hold unsigned 64-bit bigints; `digest` holds digests.
 */
export type ColumnType = 'u8' | 'u32' | 'varint' | 'delta' | 'u64' | 'delta64' | 'digest';
export type Schema = Readonly<Record<string, ColumnType>>;

export type Cell<T extends ColumnType> = T extends 'u64' | 'delta64'
  ? bigint
  : T extends 'digest'
    ? Digest
    : number;
export type Row<S extends Schema> = { readonly [K in keyof S]: Cell<S[K]> };
export type Columns<S extends Schema> = { readonly [K in keyof S]: ArrayLike<Cell<S[K]>> };

/** Rows kept by column. */
export interface Table<S extends Schema> {
  readonly rowCount: number;
  readonly columns: Columns<S>;
}

interface Storage<V> {
  readonly code: number;
  /** Bytes that a row takes at least: what a row count is checked against before anything is allocated for it. */
  readonly leastBytes: number;
  /** Bytes that a row mostly takes. */
  readonly usualBytes: number;
  accepts(value: V): boolean;
  write(out: ByteWriter, values: Iterable<V> & ArrayLike<V>): void;
  read(from: ByteReader, rowCount: number): ArrayLike<V>;
}

const isU64 = (v: bigint): boolean => typeof v === 'bigint' && v >= 0n && v < 1n << 64n;
const isCount = (v: number): boolean => Number.isSafeInteger(v) && v >= 0;

/** Sign in the lowest bit; the magnitude may need all 53 bits, so the first digit (6 bits) is split off by hand. */
function writeDelta(out: ByteWriter, delta: number): void {
  const magnitude = Math.abs(delta);
  const first = ((magnitude % 0x40) << 1) | (delta < 0 ? 1 : 0);
  const rest = Math.floor(magnitude / 0x40);
  out.u8(rest === 0 ? first : first | 0x80);
  if (rest > 0) out.varint(rest);
}

function readDelta(from: ByteReader): number {
  const first = from.u8();
  const magnitude = ((first & 0x7f) >>> 1) + (first >= 0x80 ? from.varint() * 0x40 : 0);
  return (first & 1) !== 0 ? -magnitude : magnitude;
}

const numbers = {
  u8: {
    code: 1,
    leastBytes: 1,
    usualBytes: 1,
    accepts: (v) => (v & 0xff) === v,
    write: (out, values) => out.bytes(values),
    read: (from, rowCount) => from.bytes(rowCount).slice(),
  },
  u32: {
    code: 2,
    leastBytes: 4,
    usualBytes: 4,
    accepts: (v) => v >>> 0 === v,
    write(out, values) {
      for (const value of values) out.u32(value);
    },
    read(from, rowCount) {
      const values = new Uint32Array(rowCount);
      for (let i = 0; i < rowCount; i++) values[i] = from.u32();
      return values;
    },
  },
  varint: {
    code: 3,
    leastBytes: 1,
    usualBytes: 3,
    accepts: isCount,
    write: (out, values) => out.varints(values),
    read(from, rowCount) {
      const values = new Float64Array(rowCount);
      for (let i = 0; i < rowCount; i++) values[i] = from.varint();
      return values;
    },
  },
  delta: {
    code: 4,
    leastBytes: 1,
    usualBytes: 2,
    accepts: isCount,
    write(out, values) {
      let above = 0;
      for (const value of values) {
        writeDelta(out, value - above);
        above = value;
      }
    },
    read(from, rowCount) {
      const values = new Float64Array(rowCount);
      let value = 0;
      for (let i = 0; i < rowCount; i++) {
        value += readDelta(from);
        if (!isCount(value)) throw new PayloadError('a number is out of range');
        values[i] = value;
      }
      return values;
    },
  },
} satisfies Record<string, Storage<number>>;

const bigints = {
  u64: {
    code: 5,
    leastBytes: 8,
    usualBytes: 8,
    accepts: isU64,
    write(out, values) {
      for (const value of values) out.u64(value);
    },
    read(from, rowCount) {
      const values = new BigUint64Array(rowCount);
      for (let i = 0; i < rowCount; i++) values[i] = from.u64();
      return values;
    },
  },
  delta64: {
    code: 6,
    leastBytes: 1,
    usualBytes: 3,
    accepts: isU64,
    write(out, values) {
      let above = 0n;
      for (const value of values) {
        const delta = BigInt.asIntN(64, value - above);
        out.varint64(BigInt.asUintN(64, (delta << 1n) ^ (delta >> 63n)));
        above = value;
      }
    },
    read(from, rowCount) {
      const values = new BigUint64Array(rowCount);
      let value = 0n;
      for (let i = 0; i < rowCount; i++) {
        const folded = from.varint64();
        value = BigInt.asUintN(64, value + ((folded >> 1n) ^ -(folded & 1n)));
        values[i] = value;
      }
      return values;
    },
  },
} satisfies Record<string, Storage<bigint>>;

const digests: Storage<Digest> = {
  code: 7,
  leastBytes: DIGEST_BYTES,
  usualBytes: DIGEST_BYTES,
  accepts: (v) => typeof v === 'string' && /^[0-9a-f]{32}$/.test(v),
  write(out, values) {
    for (const value of values) out.digest(value);
  },
  read: (from, rowCount) => Array.from({ length: rowCount }, () => from.digest()),
};

const STORAGE: Readonly<Record<ColumnType, unknown>> = { ...numbers, ...bigints, digest: digests };

function storageOf(type: ColumnType): Storage<unknown> {
  return STORAGE[type] as Storage<unknown>;
}

const FIRST_ROOM = 512;

class Column {
  /** Numbers wait outside of the heap, in room that is used again: the host's collector copies lists that grow. */
  private numbers: Float64Array | null;
  private others: unknown[] = [];
  private count = 0;
  /** Room that is used again: hosts take longer to give memory than to put something there. */
  private readonly cells = new ByteWriter();
  private readonly storage: Storage<unknown>;

  constructor(
    readonly name: string,
    type: ColumnType,
  ) {
    this.storage = storageOf(type);
    this.numbers = type in numbers ? new Float64Array(FIRST_ROOM) : null;
  }

  get code(): number {
    return this.storage.code;
  }

  get usualBytes(): number {
    return this.storage.usualBytes;
  }

  add(value: unknown): void {
    if (!this.storage.accepts(value)) assert(false, `column ${this.name} cannot hold ${String(value)}`);
    if (this.numbers === null) this.others.push(value);
    else {
      if (this.count === this.numbers.length) this.grow(this.numbers);
      this.numbers[this.count++] = value as number;
    }
  }

  private grow(full: Float64Array): void {
    this.numbers = new Float64Array(2 * full.length);
    this.numbers.set(full);
  }

  addAll(values: ArrayLike<unknown>, count: number): void {
    for (let i = 0; i < count; i++) this.add(values[i]);
  }

  /** Its cells, until they are taken again; the values are forgotten. */
  take(): Uint8Array {
    const { cells } = this;
    cells.clear();
    this.storage.write(cells, this.numbers?.subarray(0, this.count) ?? this.others);
    this.count = 0;
    this.others = [];
    return cells.written;
  }
}

/**
 * Encodes rows to a table: rowCount, columnCount, then for each column, in the schema's order: type code, length in
 * bytes, cells. They are encoded together, when they are taken: one by one it took most of what recording costs.
 */
export class ColumnBuffer<S extends Schema> {
  private readonly columns: readonly Column[];
  private readonly rowBytes: number;
  private readonly out = new ByteWriter();
  rowCount = 0;

  constructor(schema: S) {
    this.columns = Object.keys(schema).map((name) => new Column(name, schema[name]));
    this.rowBytes = this.columns.reduce((sum, { usualBytes }) => sum + usualBytes, 0);
  }

  /** What all cells will take, about. */
  get sizeBytes(): number {
    return this.rowCount * this.rowBytes;
  }

  add(row: Row<S>): void {
    for (const column of this.columns) column.add(row[column.name]);
    this.rowCount++;
  }

  /** The first rows of some columns. */
  addRows(columns: Columns<S>, rowCount: number): void {
    for (const column of this.columns) column.addAll(columns[column.name], rowCount);
    this.rowCount += rowCount;
  }

  /** The table, until it is taken again; the rows are forgotten. */
  take(): Uint8Array {
    const { out } = this;
    out.clear();
    out.varint(this.rowCount);
    out.varint(this.columns.length);
    for (const column of this.columns) {
      const cells = column.take();
      out.u8(column.code);
      out.varint(cells.length);
      out.bytes(cells);
    }
    this.rowCount = 0;
    return out.written;
  }
}

/**
 * The table, in typed arrays (digests in an array of strings); columns that a later version put behind the known
 * ones are skipped. Throws PayloadError.
 */
export function decodeColumns<S extends Schema>(schema: S, bytes: Uint8Array, maxRows = MAX_ROWS): Table<S> {
  const from = new ByteReader(bytes);
  const rowCount = from.varint();
  if (rowCount > maxRows) throw new PayloadError(`it claims ${rowCount} rows`);
  const columnCount = from.varint();
  const names = Object.keys(schema);
  if (columnCount < names.length)
    throw new PayloadError(`it has ${columnCount} columns, not ${names.length}`);
  const columns: Record<string, ArrayLike<unknown>> = {};
  for (const name of names) {
    const storage = storageOf(schema[name]);
    if (from.u8() !== storage.code) throw new PayloadError(`column ${name} has another type`);
    const cells = new ByteReader(from.bytes(from.varint()));
    if (rowCount * storage.leastBytes > cells.left) throw new PayloadError(`column ${name} is too short`);
    columns[name] = storage.read(cells, rowCount);
    if (cells.left !== 0) throw new PayloadError(`column ${name} is too long`);
  }
  return { rowCount, columns: columns as unknown as Columns<S> };
}

/** The rows one by one, as objects. */
export function* rowsOf<S extends Schema>(schema: S, table: Table<S>): IterableIterator<Row<S>> {
  const names = Object.keys(schema);
  for (let i = 0; i < table.rowCount; i++) {
    const row: Record<string, unknown> = {};
    for (const name of names) row[name] = table.columns[name][i];
    yield row as Row<S>;
  }
}
