import { deflateRawSync, inflateRawSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { deflateSync } from 'fflate';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { decompress } from '../../src/recording/format/codec.js';
import { crc32c } from '../../src/recording/format/crc32c.js';
import { KINDS } from '../../src/recording/format/kinds.js';
import {
  CODEC_DEFLATE,
  encodePrelude,
  HEAD_BYTES,
  MAGIC,
  PRELUDE_BYTES,
} from '../../src/recording/format/layout.js';
import { Recording } from '../../src/recording/format/reader.js';
import { RecordingError, type RecordingTrouble } from '../../src/recording/format/recording-error.js';
import type { RecordingWriter } from '../../src/recording/format/writer.js';
import {
  boundaries,
  concat,
  END,
  HEADER,
  type RawChunk,
  readAll,
  record,
  seal,
  unseal,
  writeSample,
} from './sample.js';

function open(bytes: Uint8Array): Recording {
  return Recording.open(bytesSource(bytes));
}

/** Opens and reads everything; returns the trouble met, null if none. Anything but a RecordingError is thrown on. */
function troubleOf(bytes: Uint8Array): RecordingError | null {
  try {
    const recording = open(bytes);
    readAll(recording);
    return recording.problem;
  } catch (error) {
    if (error instanceof RecordingError) return error;
    throw error;
  }
}

const SAMPLE = record(writeSample);
const CHUNKS = unseal(open(SAMPLE));

function small(writer: RecordingWriter): void {
  writer.append('schedule', 1, { core: 0, thread: 1030, steps: 5 });
  writer.append('kernel-events', 1, { type: 'x' });
  writer.end(END);
}

test('cut at every byte, a recording yields its whole chunks and says that it is cut', (t) => {
  const edges = boundaries(open(SAMPLE));
  const items = edges.slice(0, -1).map((edge, i) => (i === 0 ? 0 : readAll(open(SAMPLE.slice(0, edge)))));
  const afterEnd = edges[edges.length - 2];
  for (let length = 0; length < SAMPLE.length; length++) {
    const cut = SAMPLE.slice(0, length);
    const whole = edges.filter((edge) => edge <= length).length - 1;
    if (whole < 1) {
      const error = t.throws(() => open(cut), { instanceOf: RecordingError });
      t.is(error.trouble, length === 0 ? 'foreign' : 'cut', `cut at ${length}`);
      continue;
    }
    const recording = open(cut);
    t.is(recording.chunkCount, whole, `cut at ${length}`);
    if (length - edges[whole] < 2) t.is(readAll(recording), items[whole], `cut at ${length}`);
    // Only the index is missing here, and nothing needs it.
    t.is(recording.complete, length === afterEnd, `cut at ${length}`);
    t.is(recording.problem?.trouble, length === afterEnd ? undefined : 'cut');
    if (edges.includes(length)) continue;
    t.is(recording.problem?.atByte, edges[whole], `cut at ${length}`);
  }
});

test('with any bit flipped, a recording yields the chunks before it and says where it is damaged', (t) => {
  const bytes = record(small);
  const edges = boundaries(open(bytes));
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    const chunk = edges.filter((edge) => edge <= bit >> 3).length - 1;
    if (chunk < 1) {
      const error = t.throws(() => open(flipped), { instanceOf: RecordingError });
      t.is(error.trouble, bit >> 3 < MAGIC.length ? 'foreign' : 'damaged', `bit ${bit}`);
      continue;
    }
    const recording = open(flipped);
    t.is(recording.chunkCount, chunk, `bit ${bit}`);
    t.false(recording.complete);
    t.is(recording.problem?.trouble, 'damaged');
    t.is(recording.problem?.atByte, edges[chunk]);
    readAll(recording);
    // By the index, what is damaged is found when it is read, or the index itself is not believed.
    try {
      readAll(Recording.openIndexed(bytesSource(flipped)));
    } catch (error) {
      t.true(error instanceof RecordingError, `bit ${bit}: ${String(error)}`);
    }
  }
});

test('a chunk damaged behind an indexed reading is found when it is read', (t) => {
  const bytes = SAMPLE.slice();
  const victim = CHUNKS.findIndex((chunk) => chunk.kind === KINDS['kernel-events'].number);
  bytes[open(SAMPLE).chunk(victim).offset + HEAD_BYTES + 3] ^= 1;
  const recording = Recording.openIndexed(bytesSource(bytes));
  const error = t.throws(() => [...recording.records('kernel-events')], { instanceOf: RecordingError });
  t.is(error.trouble, 'damaged');
  t.regex(
    error.message,
    /^the recording is damaged in chunk \d+ \(kernel-events\): [^\n]*, at byte \d+, [^\n]+$/,
  );
});

test('what is no recording is called that', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      // By chance it is how every recording starts.
      fc.pre(bytes.length === 0 || !MAGIC.every((byte, i) => i >= bytes.length || bytes[i] === byte));
      const error = t.throws(() => open(bytes), { instanceOf: RecordingError });
      t.is(error.trouble, 'foreign');
      t.regex(error.message, /not a Jacinth recording/);
    }),
  );
  const elf = concat([Uint8Array.of(0x7f, 0x45, 0x4c, 0x46), new Uint8Array(1000)]);
  t.is(troubleOf(elf)?.trouble, 'foreign');
});

test('garbage behind a good beginning is damage', (t) => {
  const start = SAMPLE.slice(0, boundaries(open(SAMPLE))[3]);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: HEAD_BYTES, maxLength: 300 }), (garbage) => {
      t.is(open(concat([start, garbage])).chunkCount, 3);
      const error = t.throws(() => open(concat([encodePrelude(), garbage])), { instanceOf: RecordingError });
      t.is(error.trouble, 'damaged');
    }),
  );
});

function preludeOf(major: number, minor: number): Uint8Array {
  const prelude = encodePrelude();
  const view = new DataView(prelude.buffer);
  view.setUint16(8, major, true);
  view.setUint16(10, minor, true);
  view.setUint32(12, crc32c(prelude.subarray(0, PRELUDE_BYTES - 4)), true);
  return prelude;
}

test('other major versions are refused by name, later minor ones are read', (t) => {
  const error = t.throws(() => open(seal(CHUNKS, preludeOf(2, 0))), { instanceOf: RecordingError });
  t.is(error.trouble, 'version');
  t.is(
    error.message,
    'the recording is made by format 2, this Jacinth reads 1, at byte 8, use a newer Jacinth',
  );
  t.true(open(seal(CHUNKS, preludeOf(1, 9))).complete);
});

test('kinds of later versions are skipped, whatever is in them', (t) => {
  const later: RawChunk = { kind: 200, codec: 9, stored: Uint8Array.of(1, 2, 3), rawLength: 77 };
  const bytes = seal(CHUNKS.flatMap((chunk) => [chunk, later]).slice(0, -1));
  const recording = open(bytes);
  t.is(recording.chunkCount, CHUNKS.length * 2 - 1);
  t.is(readAll(recording), readAll(open(SAMPLE)));
});

test('chunks of a wrong order or of another recording do not pass', (t) => {
  const edges = boundaries(open(SAMPLE));
  const pieces = edges.slice(0, -1).map((edge, i) => SAMPLE.slice(edge, edges[i + 1]));
  const prelude = SAMPLE.slice(0, PRELUDE_BYTES);
  const swapped = open(concat([prelude, pieces[0], pieces[2], pieces[1], ...pieces.slice(3)]));
  t.is(swapped.chunkCount, 1);
  t.regex(String(swapped.problem?.message), /belong/);
  const left = open(concat([prelude, ...pieces.slice(0, 4), ...pieces.slice(5)]));
  t.is(left.chunkCount, 4);
  const other = record((writer) => {
    writer.append('inputs', 0, { other: true });
    writeSample(writer);
  });
  t.is(open(concat([SAMPLE.slice(0, edges[5]), other.slice(boundaries(open(other))[5])])).chunkCount, 5);
});

test('misplaced chunks with good checksums are refused', (t) => {
  const header = CHUNKS[0];
  const end = CHUNKS.find((chunk) => chunk.kind === KINDS.end.number)!;
  const events = CHUNKS.find((chunk) => chunk.kind === KINDS['kernel-events'].number)!;
  t.throws(() => open(seal([events, header])), { instanceOf: RecordingError, message: /header comes first/ });
  t.is(open(seal([header, events, header])).chunkCount, 2);
  t.is(open(seal([header, end, events])).chunkCount, 2);
  t.false(open(seal([header, end, end])).complete);
  t.false(open(concat([SAMPLE, Uint8Array.of(0)])).complete);
  t.true(open(seal([header, end])).complete);
});

/** Every one of them is a file with a good header and one bad chunk, all checksums good. */
const CLAIMS: Record<string, { chunk: RawChunk; trouble: RecordingTrouble }> = {
  'more stored bytes than allowed': {
    chunk: { kind: 4, stored: new Uint8Array(8), storedLength: 0xffffffff, rawLength: 8 },
    trouble: 'damaged',
  },
  'more stored bytes than there are': {
    chunk: { kind: 4, stored: new Uint8Array(8), storedLength: 1 << 20, rawLength: 1 << 20 },
    trouble: 'cut',
  },
  'more inflated bytes than allowed': {
    chunk: { kind: 4, codec: CODEC_DEFLATE, stored: deflateSync(new Uint8Array(8)), rawLength: 0xffffffff },
    trouble: 'damaged',
  },
  'less than it inflates to': {
    chunk: { kind: 4, codec: CODEC_DEFLATE, stored: deflateSync(new Uint8Array(17 << 20)), rawLength: 1000 },
    trouble: 'damaged',
  },
  'more than it inflates to': {
    chunk: { kind: 4, codec: CODEC_DEFLATE, stored: deflateSync(new Uint8Array(64)), rawLength: 65 },
    trouble: 'damaged',
  },
  'deflate that is none': {
    chunk: { kind: 4, codec: CODEC_DEFLATE, stored: new Uint8Array(64).fill(0xff), rawLength: 65 },
    trouble: 'damaged',
  },
  'no deflate at all': {
    chunk: { kind: 4, codec: CODEC_DEFLATE, stored: new Uint8Array(), rawLength: 5 },
    trouble: 'damaged',
  },
  'an unknown codec': {
    chunk: { kind: 4, codec: 7, stored: new Uint8Array(4), rawLength: 4 },
    trouble: 'damaged',
  },
  'lengths that disagree': {
    chunk: { kind: 4, stored: new Uint8Array(4), rawLength: 5 },
    trouble: 'damaged',
  },
  'columns that are none': { chunk: { kind: 5, stored: new Uint8Array(40).fill(0xff) }, trouble: 'damaged' },
  'parts of blobs that do not fit': {
    chunk: { kind: 3, stored: new Uint8Array(28).fill(1) },
    trouble: 'damaged',
  },
  'an empty part of a blob': {
    chunk: { kind: 3, stored: concat([new Uint8Array(16), Uint8Array.of(1, 0, 0, 0), new Uint8Array(8)]) },
    trouble: 'damaged',
  },
  'a blob of another digest': { chunk: { kind: 3, stored: new Uint8Array(28) }, trouble: 'damaged' },
};

for (const [what, { chunk, trouble }] of Object.entries(CLAIMS)) {
  test(`a chunk that claims ${what}`, (t) => {
    const error = troubleOf(seal([CHUNKS[0], chunk]));
    t.is(error?.trouble, trouble);
    t.is(error?.atByte, PRELUDE_BYTES + HEAD_BYTES + CHUNKS[0].stored.length);
    t.notRegex(String(error?.message), /\n/);
  });
}

test('a header or an end that is none is a RecordingError', (t) => {
  const end = CHUNKS.find((chunk) => chunk.kind === KINDS.end.number)!;
  for (const wrong of ['2023', 'riscv64', 'round-robin', 'essential', '0.1.0', 'hello.elf']) {
    const stored = CHUNKS[0].stored.slice();
    const at = Buffer.from(stored).indexOf(wrong);
    // From a short string to as many small integers: the record goes on, with too many values.
    stored[at - 1] = 0x20;
    t.throws(() => open(seal([{ ...CHUNKS[0], stored }])), { instanceOf: RecordingError }, wrong);
  }
  t.throws(() => open(seal([{ kind: 1, stored: new Uint8Array() }])), { instanceOf: RecordingError });
  const bad = open(seal([CHUNKS[0], { ...end, stored: CHUNKS[1].stored }]));
  t.is(bad.end, null);
  t.false(bad.complete);
  t.is(bad.problem?.trouble, 'damaged');
  t.deepEqual(bad.header, HEADER);
});

test('any byte of any payload changed, checksums made good again: a RecordingError or other contents', (t) => {
  let refused = 0;
  let tried = 0;
  for (const [i, chunk] of CHUNKS.entries()) {
    for (let at = 0; at < chunk.stored.length; at += 1 + (chunk.stored.length >> 5)) {
      for (const value of [0, 0xff, 0xdd, chunk.stored[at] ^ 1]) {
        const stored = chunk.stored.slice();
        stored[at] = value;
        tried++;
        if (troubleOf(seal(CHUNKS.with(i, { ...chunk, stored }))) !== null) refused++;
      }
    }
  }
  t.log(`${refused} of ${tried} refused`);
  t.true(refused > 0 && refused < tried);
});

test('random payloads under good checksums never do worse than a RecordingError', (t) => {
  const chunk = fc.record({
    kind: fc.integer({ min: 1, max: 15 }),
    codec: fc.nat(1),
    stored: fc.uint8Array({ maxLength: 200 }),
    rawLength: fc.nat(4000),
  });
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 4 }), (chunks) => {
      const fixed = chunks.map((c) => (c.codec === 0 ? { ...c, rawLength: c.stored.length } : c));
      troubleOf(seal([CHUNKS[0], ...fixed]));
      t.pass();
    }),
    { numRuns: 2000 },
  );
});

test('an index that lies is not believed', (t) => {
  const recording = open(SAMPLE);
  const index = recording.chunk(recording.chunkCount - 1);
  const payload = SAMPLE.slice(index.offset + HEAD_BYTES);
  // The index of one recording behind the chunks of another that is as long.
  const other = record((writer) => {
    writer.append('annotations', 0, { text: 'more' });
    writeSample(writer);
  });
  const chunks = unseal(open(other)).slice(0, -1);
  const lied = Recording.openIndexed(
    bytesSource(seal([...chunks, { kind: KINDS.index.number, stored: payload }])),
  );
  t.is(lied.chunkCount, chunks.length + 1);
  for (let at = 0; at < payload.length; at++) {
    const stored = payload.slice();
    stored[at] ^= 0x55;
    const changed = seal([...CHUNKS.slice(0, -1), { kind: KINDS.index.number, stored }]);
    t.notThrows(() => {
      try {
        readAll(Recording.openIndexed(bytesSource(changed)));
      } catch (error) {
        if (!(error instanceof RecordingError)) throw error;
      }
    });
  }
});

test("what the host's own inflate refuses is refused in one line, and nothing longer than claimed is made", (t) => {
  const payload = new Uint8Array(5000).fill(65);
  const good = new Uint8Array(deflateRawSync(payload));
  const most: number[] = [];
  const inflate = (stored: Uint8Array, limit: number): Uint8Array => {
    most.push(limit);
    return new Uint8Array(inflateRawSync(stored, { maxOutputLength: limit }));
  };
  t.deepEqual(decompress(CODEC_DEFLATE, good, payload.length, inflate), payload);
  for (const [stored, length] of [
    [good, payload.length - 1],
    [good, payload.length + 1],
    [good.subarray(0, good.length - 2), payload.length],
    [Uint8Array.from(good, (byte) => byte ^ 0x5a), payload.length],
  ] as const) {
    const error = t.throws(() => decompress(CODEC_DEFLATE, stored, length, inflate));
    t.false(error.message.includes('\n'));
  }
  t.true(most.every((limit) => limit <= payload.length + 2));
});
