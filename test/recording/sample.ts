import { crc32c } from '../../src/recording/format/crc32c.js';
import type { RecordingEnd, RecordingHeader } from '../../src/recording/format/header.js';
import { type BlobKind, KINDS } from '../../src/recording/format/kinds.js';
import {
  CODEC_RAW,
  digestOf,
  encodeHead,
  encodePrelude,
  HEAD_BYTES,
} from '../../src/recording/format/layout.js';
import type { Recording } from '../../src/recording/format/reader.js';
import { type RecordingSink, RecordingWriter } from '../../src/recording/format/writer.js';

export const HEADER: RecordingHeader = {
  jacinth: '0.1.0',
  abi: '2023',
  arch: 'riscv64',
  machine: {
    cores: 2,
    quantum: 10_000,
    strategy: 'round-robin',
    seed: 7,
    entropySeed: 2 ** 40,
    detail: 'essential',
    maxSteps: null,
  },
  images: [{ name: 'hello.elf', digest: '00112233445566778899aabbccddeeff', sizeBytes: 1234 }],
  arguments: ['hello', '--loud'],
  environment: ['LANG=C'],
};

export const END: RecordingEnd = {
  exitCode: 3,
  cause: 'exited',
  steps: 10 ** 8,
  events: 40,
  stateHash: 'f'.repeat(32),
  eventHash: '0'.repeat(32),
};

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** What `write` writes, as bytes. */
export function record(
  write: (writer: RecordingWriter) => void,
  sink: Partial<RecordingSink> = {},
): Uint8Array {
  const parts: Uint8Array[] = [];
  write(new RecordingWriter({ ...sink, write: (bytes) => void parts.push(bytes) }, HEADER));
  return concat(parts);
}

/** Something of every kind, in small, over several flushes. */
export function writeSample(writer: RecordingWriter): void {
  writer.blob('images', new TextEncoder().encode('an image, '.repeat(20)));
  for (let seq = 0; seq < 40; seq += 10) {
    writer.append('inputs', seq, { type: 'console-read', bytes: Uint8Array.of(seq, 1, 2) });
    for (let i = 0; i < 10; i++) {
      writer.append('schedule', seq + i, { core: i % 2, thread: 1030 + (i % 3), steps: 1000 + seq });
      writer.append('kernel-events', seq + i, {
        type: 'channel-written',
        channel: 2000 + i,
        time: BigInt(seq * i),
      });
    }
    writer.append('spans', seq, { seq, core: 1, thread: 1030, steps: 77, pc: 0x10000n });
    writer.append('steps', seq, { effect: 0, size: 4, address: 0x10000n, value: 0x13n });
    writer.append('checkpoints', seq, { threads: [{ koid: 1030, registers: new Uint8Array(8) }] });
    writer.append('console', seq, { bytes: new TextEncoder().encode(`line ${seq}\n`) });
    writer.append('annotations', seq, { text: 'hm' });
    writer.append('digests', seq, { seq, step: 0, state: 'a'.repeat(32), events: 'b'.repeat(32) });
    writer.blob('pages', new Uint8Array(100).fill(seq));
    writer.flush();
  }
  writer.end(END);
}

/** Decodes everything there is; returns how many items. */
export function readAll(recording: Recording): number {
  let items = 0;
  for (const [name, definition] of Object.entries(KINDS)) {
    if (definition.encoding === 'records') for (const _ of recording.records(name as 'inputs')) items++;
    if (definition.encoding === 'columns') for (const _ of recording.rows(name as 'schedule')) items++;
    if (definition.encoding === 'blobs') for (const _ of recording.blobs(name as BlobKind)) items++;
  }
  return items;
}

export interface RawChunk {
  readonly kind: number;
  readonly stored: Uint8Array;
  readonly codec?: number;
  readonly rawLength?: number;
  readonly storedLength?: number;
  readonly seq?: number;
}

/** A file of any chunks with good checksums and a good chain, as somebody with bad intentions would make one. */
export function seal(chunks: readonly RawChunk[], prelude = encodePrelude()): Uint8Array {
  const parts = [prelude];
  let previous = digestOf(prelude, new Uint8Array());
  for (const {
    kind,
    stored,
    codec = CODEC_RAW,
    rawLength,
    storedLength = stored.length,
    seq = 0,
  } of chunks) {
    const lengths = { storedLength, rawLength: rawLength ?? stored.length };
    const head = encodeHead({ kind, codec, seq, previous, payloadCrc: crc32c(stored), ...lengths });
    parts.push(head, stored);
    previous = digestOf(head, stored);
  }
  return concat(parts);
}

/** The chunks of an intact recording, payloads inflated, to be changed and sealed again. */
export function unseal(recording: Recording): RawChunk[] {
  return Array.from({ length: recording.chunkCount }, (_, i) => {
    const { kind, seq } = recording.chunk(i);
    return { kind, seq, stored: recording.payload(i) };
  });
}

/** Where each chunk begins, and where the file ends. */
export function boundaries(recording: Recording): number[] {
  const chunks = Array.from({ length: recording.chunkCount }, (_, i) => recording.chunk(i));
  return [
    ...chunks.map((c) => c.offset),
    ...chunks.slice(-1).map((c) => c.offset + HEAD_BYTES + c.storedLength),
  ];
}
