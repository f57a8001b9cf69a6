import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { deflateSync } from 'fflate';
import { RecordingFile, RecordingFileSink } from '../../src/platform/node/recording-file.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { KINDS, type KindName } from '../../src/recording/format/kinds.js';
import { CODEC_DEFLATE } from '../../src/recording/format/layout.js';
import { Recording } from '../../src/recording/format/reader.js';
import { RecordingError } from '../../src/recording/format/recording-error.js';
import { RecordingWriter } from '../../src/recording/format/writer.js';
import { concat, HEADER, readAll, record, seal, unseal, writeSample } from './sample.js';

const folder = mkdtempSync(join(tmpdir(), 'jacinth-recording-'));
test.after.always(() => rmSync(folder, { recursive: true }));
const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

function troubleOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof RecordingError) return error.trouble;
    throw error;
  }
  return 'none';
}

/** Everything in a recording, by kind. */
function contents(recording: Recording): unknown[] {
  return Object.entries(KINDS).map(([name, { encoding }]) => {
    if (encoding === 'records') return [...recording.records(name as 'inputs')];
    if (encoding === 'columns') return [...recording.rows(name as 'schedule')];
    return encoding === 'blobs' ? [...recording.blobs(name as 'pages')] : null;
  });
}

test('what is written to a file is read from it', (t) => {
  const path = join(folder, 'sample.jacinth');
  const sink = RecordingFileSink.create(path);
  writeSample(new RecordingWriter(sink, HEADER));
  sink.close();
  const file = RecordingFile.open(path);
  const recording = Recording.open(file);
  t.true(recording.complete);
  t.is(readAll(recording), readAll(Recording.openIndexed(file)));
  // The file is deflated by the host, its bytes may be others.
  t.deepEqual(contents(recording), contents(Recording.open(bytesSource(record(writeSample)))));
  file.close();
});

test('an older recording is replaced, and whoever reads it keeps it', (t) => {
  const path = join(folder, 'again.jacinth');
  for (const content of [record(writeSample), record(writeSample).slice(0, 5), new Uint8Array()]) {
    writeFileSync(path, content);
    const old = RecordingFile.open(path);
    RecordingFileSink.create(path).close();
    t.is(readFileSync(path).length, 0);
    t.deepEqual(old.read(0, content.length), content);
    old.close();
  }
});

test('what is no recording is not overwritten', (t) => {
  const path = join(folder, 'precious.elf');
  writeFileSync(path, '\x7fELF and more');
  t.is(
    troubleOf(() => RecordingFileSink.create(path)),
    'io',
  );
  t.is(readFileSync(path, 'latin1'), '\x7fELF and more');
  const link = join(folder, 'link.jacinth');
  symlinkSync(join(folder, 'target'), link);
  t.is(
    troubleOf(() => RecordingFileSink.create(link)),
    'io',
  );
  t.is(
    troubleOf(() => RecordingFileSink.create(folder)),
    'io',
  );
  t.is(
    troubleOf(() => RecordingFileSink.create(join(folder, 'none', 'a.jacinth'))),
    'missing',
  );
});

test('what cannot be opened is a RecordingError', (t) => {
  t.is(
    troubleOf(() => RecordingFile.open(join(folder, 'none.jacinth'))),
    'missing',
  );
  t.is(
    troubleOf(() => RecordingFile.open(folder)),
    'io',
  );
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  t.is(
    troubleOf(() => RecordingFile.open(pipe)),
    'io',
  );
  t.is(
    troubleOf(() => RecordingFile.open('a\0b')),
    'io',
  );
});

test('a full disk is a RecordingError', (t) => {
  // Everything written to this device fails as on a full disk.
  const full = Object.create(RecordingFileSink.prototype, {
    path: { value: '/dev/full' },
    descriptor: { value: openSync('/dev/full', 'w') },
  }) as RecordingFileSink;
  t.is(
    troubleOf(() => new RecordingWriter(full, HEADER)),
    'io',
  );
});

test('a recording that becomes shorter while it is read is a RecordingError', (t) => {
  const path = join(folder, 'shrinking.jacinth');
  writeFileSync(path, record(writeSample));
  const file = RecordingFile.open(path);
  const recording = Recording.open(file);
  truncateSync(path, 700);
  t.is(
    troubleOf(() => readAll(recording)),
    'damaged',
  );
  file.close();
});

test.serial('kill -9 loses at most the last second', async (t) => {
  const path = join(folder, 'killed.jacinth');
  const child = spawn(process.execPath, [script('record-forever.js'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (text: Buffer) => {
    said += text.toString();
    const lines = said.split('\n').length;
    if (lines > 137) child.kill('SIGKILL');
  });
  await once(child, 'close');
  t.is(child.signalCode, 'SIGKILL');
  const progress = said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { i: number; atMs: number });
  const file = RecordingFile.open(path);
  const recording = Recording.open(file);
  t.false(recording.complete);
  t.is(recording.problem?.trouble, 'cut');
  const events = [...recording.records('kernel-events')] as { i: number }[];
  file.close();
  t.deepEqual(
    events.map((event) => event.i),
    events.map((_, i) => i),
  );
  const last = progress[progress.length - 1];
  const saved = progress.filter(({ i }) => i < events.length);
  const lostMs = last.atMs - saved[saved.length - 1].atMs;
  t.log(`${events.length} of ${last.i + 1} events, the last ${Math.round(lostMs)} ms are lost`);
  t.true(saved.length > 0 && lostMs <= 1000);
});

test('hostile files are read in little memory', (t) => {
  const chunks = unseal(Recording.open(bytesSource(record(writeSample))));
  const records = (bytes: Uint8Array): Uint8Array => concat([Uint8Array.of(1, 0, 0, 0, 0x90), bytes]);
  const maps = records(new Uint8Array((16 << 20) - 5).fill(0x80));
  // Records of as many empty maps as one may have, and of text.
  const array = concat([Uint8Array.of(0xdd, 0, 0, 0x7f, 0xfe), new Uint8Array(0x7ffe).fill(0x80)]);
  const arrays = records(concat(new Array(400).fill(array)));
  const texts = records(concat([Uint8Array.of(0xdb, 0, 0x7f, 0, 0), new Uint8Array(0x7f0000).fill(0x61)]));
  // 2^18 slices, three bytes each.
  const column = (code: number): Uint8Array =>
    concat([Uint8Array.of(code, 0x80, 0x80, 0x10), new Uint8Array(1 << 18)]);
  const slices = concat([Uint8Array.of(0x80, 0x80, 0x10, 3), column(1), column(3), column(3)]);
  // 32 MiB of zeros in parts of 1 MiB; the digest is wrong, which only the last part shows.
  const parts = Array.from({ length: 8 }, (_, i) => i << 20).map((offset) => {
    const head = new DataView(new ArrayBuffer(28));
    head.setUint32(16, 32 << 20, true);
    head.setUint32(20, offset, true);
    head.setUint32(24, 1 << 20, true);
    return concat([new Uint8Array(head.buffer), new Uint8Array(1 << 20)]);
  });
  const bombs: [KindName, Uint8Array, string | null][] = [
    ['inputs', maps, 'too many records'],
    ['kernel-events', arrays, null],
    ['console', texts, null],
    ['schedule', slices, null],
    ['pages', concat(parts), 'do not fit'],
  ];
  for (const [what, payload, expected] of bombs) {
    const stored = deflateSync(payload, { level: 9 });
    const bad = { kind: KINDS[what].number, codec: CODEC_DEFLATE, stored, rawLength: payload.length };
    const path = join(folder, `${what}.jacinth`);
    writeFileSync(path, seal([chunks[0], ...new Array(6).fill(bad)]));
    const out = execFileSync(process.execPath, [script('read-file.js'), path], { encoding: 'utf8' });
    const { peakBytes, items, problem } = JSON.parse(out) as {
      peakBytes: number;
      items: number;
      problem: string;
    };
    t.log(`${what}: ${items} items, ${peakBytes >> 20} MiB, ${problem}`);
    t.true(peakBytes < 256 << 20);
    t.true(problem.includes(expected ?? 'stops before its run ended'));
  }
});
