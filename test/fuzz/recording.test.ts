import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Prng, seedPrng } from '../../src/base/prng.js';
import type { RunSpec } from '../../src/loader/launch.js';
import { Fold } from '../../src/recording/fold.js';
import { blobDigest } from '../../src/recording/format/blobs.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { ColumnBuffer, type Schema } from '../../src/recording/format/columns.js';
import type { RecordingEnd, RecordingHeader } from '../../src/recording/format/header.js';
import { KINDS } from '../../src/recording/format/kinds.js';
import { Recording } from '../../src/recording/format/reader.js';
import { RecordingError } from '../../src/recording/format/recording-error.js';
import { RecordingWriter } from '../../src/recording/format/writer.js';
import { Diverged, Player } from '../../src/recording/player.js';
import { Recorder } from '../../src/recording/recorder.js';
import { guest, jacinth, jacinthEach, scratchFolder } from '../cli/jacinth.js';
import { recordRun, specFor } from '../property/runs.js';
import { boundaries, type RawChunk, seal, unseal } from '../recording/sample.js';

const MEMORY_LIMIT_BYTES = 256 << 20;
const TIME_LIMIT_MS = 10_000;
/** Steps that a mutant may run: what it claims of its length is not believed. */
const STEP_LIMIT = 200_000;

const SPEC = specFor('futex-mutex', ['2'], { cores: 2, seed: 1, quantumSteps: 300 });
const ESSENTIAL = recordRun(SPEC, 'essential');
const FULL = recordRun(specFor('hello', []), 'full');

/** Recorded as a slow run is: written in many small chunks. */
const IN_PIECES = inPieces({ ...SPEC, quantumSteps: 12 });

function inPieces(spec: RunSpec): { readonly bytes: Uint8Array; readonly steps: number } {
  const parts: Uint8Array[] = [];
  const sink = { write: (part: Uint8Array) => void parts.push(part), flushDue: () => true };
  const { steps } = new Recorder(spec, 'essential', () => sink).run();
  return { bytes: new Uint8Array(Buffer.concat(parts)), steps };
}

/** Replays what may be a recording: what came of it, in a word. Whatever is no answer for a user is thrown on. */
function attempt(bytes: Uint8Array, stepLimit = STEP_LIMIT): string {
  return replay(bytes, stepLimit).outcome;
}

function replay(bytes: Uint8Array, stepLimit: number): { readonly outcome: string; readonly steps: number } {
  let steps = 0;
  try {
    const player = new Player(Recording.open(bytesSource(bytes)));
    while (!player.atEnd && player.command()) {
      steps = player.machine.k.state.steps;
      if (steps > stepLimit) return { outcome: 'long', steps };
    }
    return { outcome: player.atEnd ? 'replayed' : 'cut', steps };
  } catch (reason) {
    return { outcome: trouble(reason), steps };
  }
}

function attemptFold(bytes: Uint8Array): string {
  try {
    new Fold(Recording.open(bytesSource(bytes))).run();
    return 'folded';
  } catch (reason) {
    return trouble(reason);
  }
}

function trouble(reason: unknown): string {
  if (!(reason instanceof RecordingError || reason instanceof Diverged)) throw reason;
  if (!/^\P{Cc}{5,3000}$/u.test(reason.message)) throw new Error(`not one line: ${reason.message}`);
  return reason instanceof Diverged ? 'diverged' : reason.trouble;
}

type Attempt = (bytes: Uint8Array) => string;

function attemptAll(
  mutants: Iterable<readonly [string, Uint8Array]>,
  one: Attempt = attempt,
): Map<string, number> {
  const outcomes = new Map<string, number>();
  for (const [name, bytes] of mutants) {
    const started = performance.now();
    try {
      const outcome = one(bytes);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    } catch (reason) {
      throw new Error(`${name}: ${reason instanceof Error ? reason.stack : reason}`);
    }
    const ms = performance.now() - started;
    if (ms > TIME_LIMIT_MS) throw new Error(`${name}: took ${ms.toFixed()} ms`);
  }
  return outcomes;
}

const summary = (outcomes: Map<string, number>): string =>
  [...outcomes].map((pair) => pair.join(' ')).join(', ');

test('a recording cut at any byte replays up to its last whole chunk and says that it is cut', (t) => {
  let replays = 0;
  const { bytes } = IN_PIECES;
  const edges = boundaries(Recording.open(bytesSource(bytes)));
  const steps = new Map<number, number>();
  for (let length = 0; length <= bytes.length; length += length > edges[2] - 50 ? 67 : 797) {
    const cut = bytes.slice(0, length);
    const whole = edges.filter((edge) => edge <= length).length - 1;
    const { outcome, steps: replayed } = replay(cut, STEP_LIMIT);
    // Header and image are what a run is made of.
    if (whole < 2) t.true(['cut', 'foreign', 'damaged'].includes(outcome), `${length}: ${outcome}`);
    else t.true(['cut', 'replayed'].includes(outcome), `${length}: ${outcome}`);
    if (whole < 2) continue;
    t.is(steps.get(whole) ?? replayed, replayed, `${length}`);
    steps.set(whole, replayed);
    replays++;
  }
  t.true(replays > 10 && steps.size > 3);
  t.is([...steps.values()].at(-1), IN_PIECES.steps);
});

test('with any bit flipped, a recording is refused, diverges, or replays what stands before', (t) => {
  function* flips(): Generator<readonly [string, Uint8Array]> {
    const { bytes } = ESSENTIAL;
    for (let bit = 0; bit < 8 * bytes.length; bit += bit < 8 * 200 ? 1 : 97) {
      const copy = bytes.slice();
      copy[bit >> 3] ^= 1 << (bit & 7);
      yield [`bit ${bit}`, copy];
    }
  }
  const outcomes = attemptAll(flips());
  t.log(summary(outcomes));
  t.true(outcomes.size > 2);
});

/** Mutants of a recording's payloads under good checksums: what somebody with bad intentions would send. */
function* resealed(
  bytes: Uint8Array,
  count: number,
  kinds: readonly number[],
): Generator<readonly [string, Uint8Array]> {
  const random = new Prng(seedPrng(count, 'resealed'));
  const chunks = unseal(Recording.open(bytesSource(bytes)));
  const candidates = [...chunks.keys()].filter(
    (i) => kinds.includes(chunks[i].kind) && chunks[i].stored.length > 0,
  );
  for (let i = 0; i < count; i++) {
    const at = candidates[random.below(candidates.length)];
    const stored = chunks[at].stored.slice();
    for (let k = random.below(4); k >= 0; k--) {
      const values = [0, 1, 0x7f, 0x80, 0xff, 0xcf, 0xd3, random.below(256)];
      stored[random.below(stored.length)] = values[random.below(values.length)];
    }
    const changed: RawChunk = { ...chunks[at], stored };
    yield [`mutant ${i} of chunk ${at}`, seal(chunks.with(at, changed).slice(0, -1))];
  }
}

test('payloads changed under good checksums: an answer, whatever they claim', (t) => {
  const { header, schedule, digests, end } = KINDS;
  const kinds = [header, schedule, digests, end].map(({ number }) => number);
  const outcomes = attemptAll(resealed(ESSENTIAL.bytes, 700, kinds));
  t.log(summary(outcomes));
  t.true(outcomes.size >= 4);
});

test('events, spans and steps changed under good checksums: folding gives an answer too', (t) => {
  const { spans, steps } = KINDS;
  const kinds = [KINDS['kernel-events'], spans, steps].map(({ number }) => number);
  const outcomes = attemptAll(resealed(FULL.bytes, 300, kinds), attemptFold);
  t.log(summary(outcomes));
  t.true(outcomes.get('damaged')! > 20 && outcomes.get('diverged')! > 5);
  const replays = attemptAll(resealed(FULL.bytes, 80, kinds));
  t.log(summary(replays));
});

/** A recording made up field by field, written by the real writer. */
function forge(
  change: { header?: object; machine?: object; end?: object },
  write: (writer: RecordingWriter) => void = () => {},
  image = SPEC.program.bytes,
): Uint8Array {
  const parts: Uint8Array[] = [];
  const { header, end } = ESSENTIAL.recording;
  const made = {
    ...header,
    images: [{ name: 'forged', digest: blobDigest(image), sizeBytes: image.length }],
    ...change.header,
    machine: { ...header.machine, ...change.machine },
  } as RecordingHeader;
  const writer = new RecordingWriter({ write: (bytes) => void parts.push(bytes) }, made);
  writer.blob('images', image);
  write(writer);
  writer.end({ ...end, ...change.end } as RecordingEnd);
  return new Uint8Array(Buffer.concat(parts));
}

const HUGE = Number.MAX_SAFE_INTEGER;

function slices(...rows: readonly (readonly [core: number, thread: number, steps: number])[]) {
  return (writer: RecordingWriter): void => {
    for (const [core, thread, steps] of rows) writer.append('schedule', 0, { core, thread, steps });
  };
}

/** The first slice of the real recording: a schedule that begins well. */
const [FIRST] = [...ESSENTIAL.recording.rows('schedule')];

const FORGED: Record<string, { bytes: Uint8Array; gives: readonly string[] }> = {
  'a quantum beyond all bounds': { bytes: forge({ machine: { quantum: HUGE } }), gives: ['version'] },
  'memory beyond all bounds': { bytes: forge({ machine: { physicalPages: 1 << 30 } }), gives: ['version'] },
  'no memory': { bytes: forge({ machine: { physicalPages: 0 } }), gives: ['version'] },
  'memory that is a text': {
    bytes: forge({ machine: { physicalPages: '65536' } }),
    gives: ['version', 'cut', 'diverged'],
  },
  'memory that is not there': { bytes: forge({ machine: { physicalPages: undefined } }), gives: ['version'] },
  'one page': { bytes: forge({ machine: { physicalPages: 1 } }), gives: ['cut', 'diverged'] },
  'sixty-four cores': { bytes: forge({ machine: { cores: 64 } }), gives: ['cut', 'diverged'] },
  'another architecture': { bytes: forge({ header: { arch: 'z80' } }), gives: ['version'] },
  'another ABI': { bytes: forge({ header: { abi: '2525' } }), gives: ['version'] },
  'another way to start': { bytes: forge({ header: { bootstrap: 99 } }), gives: ['version'] },
  'no image': { bytes: forge({ header: { images: [] } }), gives: ['damaged'] },
  'an image of another digest': {
    bytes: forge({ header: { images: [{ name: 'x', digest: '0'.repeat(32), sizeBytes: 5 }] } }),
    gives: ['damaged'],
  },
  'too many arguments': {
    bytes: forge({ header: { arguments: Array(9000).fill('argument') } }),
    gives: ['damaged'],
  },
  'an argument with a NUL': { bytes: forge({ header: { arguments: ['a\0b'] } }), gives: ['damaged'] },
  'an image that is no program': {
    bytes: forge({}, undefined, new Uint8Array(100).fill(7)),
    gives: ['damaged'],
  },
  'an empty image': { bytes: forge({}, undefined, new Uint8Array(0)), gives: ['damaged'] },
  'half an image': { bytes: forge({}, undefined, SPEC.program.bytes.slice(0, 4000)), gives: ['damaged'] },
  'a slice of a core that is not there': {
    bytes: forge({}, slices([200, FIRST.thread, 5])),
    gives: ['diverged'],
  },
  'a slice of a thread that is not there': { bytes: forge({}, slices([0, HUGE, 5])), gives: ['diverged'] },
  'a slice of no steps': { bytes: forge({}, slices([FIRST.core, FIRST.thread, 0])), gives: ['diverged'] },
  'a slice of all steps': {
    bytes: forge({}, slices([FIRST.core, FIRST.thread, HUGE])),
    gives: ['cut', 'diverged'],
  },
  'totals beyond all bounds': {
    bytes: forge(
      { end: { steps: HUGE, events: HUGE, exitCode: 255 } },
      slices([FIRST.core, FIRST.thread, 5]),
    ),
    gives: ['cut', 'diverged'],
  },
  'totals of nothing': {
    bytes: forge({ end: { steps: 0, events: 0 } }, slices([FIRST.core, FIRST.thread, 5])),
    gives: ['diverged'],
  },
};

for (const [what, { bytes, gives }] of Object.entries(FORGED)) {
  test(`a forged recording with ${what}`, (t) => {
    const started = performance.now();
    const outcome = attempt(bytes, 50_000);
    t.true(gives.includes(outcome), outcome);
    t.true(performance.now() - started < TIME_LIMIT_MS);
  });
}

/** Stored events that no machine ever emitted. */
const EVENTS: Record<string, unknown> = {
  'no event': 5,
  null: null,
  'a type that every object has': { type: 'toString' },
  'an unknown type': { type: 'gone-fishing' },
  'a fraction': { type: 'clock-advanced', byNs: 0.5 },
  'a time of another type': { type: 'clock-advanced', byNs: 7 },
  'pages without end': { type: 'vmo-pages-committed', vmo: 1026, page: 0, count: HUGE },
  'a page at the end of numbers': {
    type: 'vmo-written',
    vmo: 1026,
    offset: HUGE,
    bytes: new Uint8Array(9000),
  },
  'an object without a koid': { type: 'event-created', koid: -1 },
  'a core that is not there': { type: 'slice-started', core: HUGE, thread: 1035, steps: 1, quantumSteps: 1 },
  'registers that are none': { type: 'entropy-drawn', state: { bytes: { length: HUGE }, copy: 1 } },
  'a table of itself': { type: 'handle-added', process: 1024, slot: HUGE, koid: 1024, rights: 0 },
};

for (const [what, event] of Object.entries(EVENTS)) {
  test(`a forged recording that tells of ${what}`, (t) => {
    const bytes = forge({ machine: { detail: 'full' } }, (writer) => {
      for (let seq = 1; seq < 60; seq++) writer.append('kernel-events', seq, { seq, event } as object);
    });
    t.true(['damaged', 'diverged'].includes(attemptFold(bytes)), attemptFold(bytes));
    t.is(attempt(bytes), 'diverged');
  });
}

test('a span of more steps than are recorded', (t) => {
  const { recording } = FULL;
  const bytes = forge({ machine: { ...recording.header.machine } }, (writer) => {
    for (const item of recording.records('kernel-events'))
      writer.append('kernel-events', (item as { seq: number }).seq, item as object);
    for (const row of recording.rows('spans')) writer.append('spans', row.seq, { ...row, steps: HUGE });
  });
  t.is(attemptFold(bytes), 'damaged');
});

/** Very many rows in a small file: zeros deflate to a thousandth. */
function bomb(kind: 'schedule' | 'digests', chunks: number): Uint8Array {
  const zeros = '0'.repeat(32);
  const zero = { core: 0, thread: 0, steps: 0, seq: 0, step: 0, state: zeros, events: zeros };
  const buffer = new ColumnBuffer<Schema>(KINDS[kind].schema);
  for (let i = 0; i < 1 << 18; i++) buffer.add(zero);
  const columns = buffer.take();
  const whole = unseal(Recording.open(bytesSource(ESSENTIAL.bytes)));
  const { number } = KINDS[kind];
  const chunk: RawChunk = { kind: number, stored: columns };
  const kept = whole.filter(({ kind: other }) => other !== number && other !== KINDS.index.number);
  const end = kept.pop()!;
  return seal([...kept, ...Array<RawChunk>(chunks).fill(chunk), end]);
}

test('jacinth replay: foreign, damaged and hostile files give one line and 125, soon and in little memory', (t) => {
  const folder = scratchFolder();
  const write = (name: string, bytes: Uint8Array | string): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const elf = new Uint8Array(readFileSync(guest('hello')));
  const files: Record<string, string> = {
    'a program': write('program', elf),
    text: write('text', 'Dear diary,\n'),
    'an empty file': write('empty', ''),
    'a cut header': write('cut', ESSENTIAL.bytes.slice(0, 40)),
    'a flipped bit in the image': write('flipped', ESSENTIAL.bytes.with(2000, ESSENTIAL.bytes[2000] ^ 4)),
    'a hostile program': write('hostile', forge({}, undefined, elf.with(24, 1))),
    'a schedule of 4 million slices': write('slices', bomb('schedule', 16)),
    'a million digests': write('digests', bomb('digests', 4)),
    'a folder': join(folder, 'folder'),
    'a pipe': join(folder, 'pipe'),
    'a huge sparse file': write('huge', ESSENTIAL.bytes.slice(0, 9000)),
    'a file that is not there': join(folder, 'nothing'),
  };
  mkdirSync(join(folder, 'folder'));
  execFileSync('mkfifo', [files['a pipe']]);
  truncateSync(files['a huge sparse file'], 2 ** 40);
  const outcomes = jacinthEach(Object.values(files).map((path) => ['replay', path]));
  for (const [i, what] of Object.keys(files).entries()) {
    const { status, stderr, peakBytes } = outcomes[i];
    t.is(status, 125, `${what}: ${stderr}`);
    t.regex(stderr, /^jacinth: .+\n/, what);
    t.notRegex(stderr, /internal error|\n\s+at /, what);
    t.true(peakBytes < MEMORY_LIMIT_BYTES, `${what}: ${peakBytes >> 20} MiB`);
  }
});

test('jacinth replay: a recording that was cut replays to its last whole chunk, says so, and gives 125', (t) => {
  const folder = scratchFolder();
  const path = join(folder, 'cut.jacinth');
  const edges = boundaries(Recording.open(bytesSource(IN_PIECES.bytes)));
  writeFileSync(path, IN_PIECES.bytes.slice(0, edges[edges.length >> 1] + 5));
  const { status, stderr } = jacinth(['replay', path]);
  t.is(status, 125);
  t.regex(stderr, /the recording is cut|stops before|cut/);
  t.regex(stderr, /replayed \d+ steps/);
});
