import { Packr, REUSE_BUFFER_MODE } from 'msgpackr/pack';
import { Unpackr } from 'msgpackr/unpack';
import { assert } from '../../base/assert.js';
import { sameBytes } from '../../base/bytes.js';
import { ByteReader, ByteWriter } from './bytes.js';
import { MAX_ROWS, MAX_STRUCTURE_FIELDS, MAX_STRUCTURES } from './limits.js';
import { RecordGuard } from './record-guard.js';
import { PayloadError } from './recording-error.js';

/** Writes and reads the list of shapes, which has none itself. */
const plain = new Packr({ useRecords: false });

/**
 * Encodes records to a payload: length of the shape list u32, the list (an array of arrays of keys), records one
 * behind the other. A shape is learned once and numbered for the whole file, and every payload carries the whole
 * list: so each chunk can be read without those before it, and a reader that reads on need not compile again.
 *
 * Records are plain objects and arrays of null, undefined, booleans, numbers, bigints (64 bits), strings and
 * Uint8Arrays, and read back as they were: a number stays a number, a bigint a bigint. Not kept: -0 (becomes 0),
 * classes (Map, Set and typed arrays become objects, arrays and bytes) and unpaired surrogates in strings: text
 * from a guest therefore belongs in a Uint8Array.
 */
export class RecordBuffer {
  private readonly structures: string[][] = [];
  private readonly fieldCounts: number[] = [];
  private readonly packr = new Packr({
    structures: this.structures,
    maxSharedStructures: MAX_STRUCTURES,
    maxOwnStructures: 0,
    shouldShareStructure: (keys: string[]) =>
      keys.length <= MAX_STRUCTURE_FIELDS && !keys.includes('__proto__'),
  });
  private readonly encoded = new ByteWriter();
  private readonly out = new ByteWriter();
  rowCount = 0;

  get sizeBytes(): number {
    return this.encoded.length;
  }

  add(value: object): void {
    const { target, start, end } = this.pack(value);
    while (this.fieldCounts.length < this.structures.length) {
      this.fieldCounts.push(this.structures[this.fieldCounts.length].length);
    }
    // What a reader would refuse is not written.
    assert(
      new RecordGuard(target, this.fieldCounts, end).skip(start) === end,
      'a record does not end where it ends',
    );
    this.encoded.bytes(target.subarray(start, end));
    this.rowCount++;
  }

  /** The payload, until it is taken again; the records are forgotten. */
  take(): Uint8Array {
    const { out } = this;
    out.clear();
    const shapes = plain.pack(this.structures);
    out.u32(shapes.length);
    out.bytes(shapes);
    out.bytes(this.encoded.written);
    this.encoded.clear();
    this.rowCount = 0;
    return out.written;
  }

  /** Where the packer left the record: no view is made for it. */
  private pack(value: object): { target: Uint8Array; start: number; end: number } {
    const target = this.packr.pack(value, REUSE_BUFFER_MODE) as Uint8Array & { start: number; end: number };
    return { target, start: target.start, end: target.end };
  }
}

function decodeShapes(bytes: Uint8Array): string[][] {
  if (new RecordGuard(bytes, []).skip(0) !== bytes.length)
    throw new PayloadError('its list of shapes is too long');
  const shapes: unknown = plain.unpack(bytes);
  if (!Array.isArray(shapes) || shapes.length > MAX_STRUCTURES)
    throw new PayloadError('its list of shapes is none');
  for (const shape of shapes as unknown[]) {
    const good = Array.isArray(shape) && shape.length <= MAX_STRUCTURE_FIELDS;
    if (!good || !shape.every((key) => typeof key === 'string' && key !== '__proto__')) {
      throw new PayloadError('its list of shapes is none');
    }
  }
  return shapes as string[][];
}

/** Decodes payloads of one kind, in any order; payloads with equal shapes share what was compiled for them. */
export class RecordDecoder {
  private shapeBytes = new Uint8Array();
  private fieldCounts: number[] = [];
  private unpackr: Unpackr | null = null;

  /** The records, each built when asked for. Throws PayloadError, or whatever the decoder throws. */
  *decode(payload: Uint8Array): IterableIterator<unknown> {
    const from = new ByteReader(payload);
    const unpackr = this.unpackrFor(from.bytes(from.u32()));
    const guard = new RecordGuard(payload, this.fieldCounts);
    let start = from.at;
    for (let count = 0; start < payload.length; count++) {
      if (count === MAX_ROWS) throw new PayloadError('it holds too many records');
      const end = guard.skip(start);
      yield unpackr.unpack(payload, { start, end });
      start = end;
    }
  }

  private unpackrFor(shapeBytes: Uint8Array): Unpackr {
    if (this.unpackr !== null && sameBytes(shapeBytes, this.shapeBytes)) return this.unpackr;
    const shapes = decodeShapes(shapeBytes);
    this.shapeBytes = shapeBytes.slice();
    this.fieldCounts = shapes.map((shape) => shape.length);
    this.unpackr = new Unpackr({ getStructures: () => shapes, mapsAsObjects: true, copyBuffers: true });
    return this.unpackr;
  }
}
