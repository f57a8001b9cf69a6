import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { Hasher } from '../../src/base/digest.js';
import { IntMap, IntMapNode, LEAF_KEYS } from '../../src/base/int-map.js';
import type { KernelState } from '../../src/kernel/objects/kernel.js';
import { ARCH } from '../../src/loader/launch.js';
import { AFTER_EVERYTHING } from '../../src/machine/position.js';
import { Page, ZERO_PAGE } from '../../src/memory/page.js';
import { CHECKPOINT_FORMAT, encodePositions } from '../../src/recording/checkpoints/checkpoint-file.js';
import { decodeState, encodeState } from '../../src/recording/checkpoints/state-codec.js';
import { ByteReader } from '../../src/recording/format/bytes.js';
import { PayloadError, RecordingError } from '../../src/recording/format/recording-error.js';
import { RecordingWriter } from '../../src/recording/format/writer.js';
import { Player } from '../../src/recording/player.js';
import { NoSuchPosition, Timeline } from '../../src/timeline/timeline.js';
import { recordRun, specOf } from './runs.js';
import { checkpointFile, fileOf, openStored } from './stored.js';

/** Files of checkpoints that somebody with bad intentions made. */

const SMALL = recordRun(specOf('hello'));
const SMALL_FILE = checkpointFile(SMALL, { steps: 1 << 20, events: 60 });

test('counts that somebody made up do not fill memory', (t) => {
  const many = 4 << 20;
  const ones = new Uint8Array(many).fill(1);
  const positions = Array.from({ length: many / 8 }, (_, i) => ({ seq: i + 1, step: 0, steps: i, chunk: 1 }));
  const cases: [what: RegExp, end: { checkpoints: Uint8Array; slices: Uint8Array }][] = [
    [/too many checkpoints/, { checkpoints: encodePositions(positions), slices: Uint8Array.of(0) }],
    [/more numbers than can be/, { checkpoints: new Uint8Array(0), slices: ones }],
    [/no slice is the first/, { checkpoints: new Uint8Array(0), slices: Uint8Array.of(5) }],
    [/no slice is the first/, { checkpoints: new Uint8Array(0), slices: new Uint8Array(0) }],
  ];
  for (const [what, end] of cases) {
    const parts: Uint8Array[] = [];
    const header = { ...SMALL.header, checkpointsOf: SMALL.lastDigest };
    const writer = new RecordingWriter({ write: (bytes) => parts.push(bytes.slice()) }, header);
    writer.end({ ...SMALL.end!, ...end, checkpointFormat: CHECKPOINT_FORMAT });
    const file = new Uint8Array(Buffer.concat(parts));
    const before = process.memoryUsage().heapUsed;
    const error = t.throws(() => openStored(file, SMALL), { instanceOf: RecordingError });
    t.regex(error.message, what);
    t.false(error.message.includes('\n'));
    // A number takes 8 bytes at least.
    t.true(process.memoryUsage().heapUsed - before < 4 * many);
  }
});

test('where slices are is found out where somebody made it up', (t) => {
  const parts: Uint8Array[] = [];
  const header = { ...SMALL.header, checkpointsOf: SMALL.lastDigest };
  const writer = new RecordingWriter({ write: (bytes) => parts.push(bytes.slice()) }, header);
  const slices = Uint8Array.of(0, 1, 1);
  const end = { ...SMALL.end!, checkpoints: new Uint8Array(0), slices };
  writer.end({ ...end, checkpointFormat: CHECKPOINT_FORMAT });
  const timeline = new Timeline(SMALL, openStored(new Uint8Array(Buffer.concat(parts)), SMALL));
  t.is(timeline.seek(timeline.end).eventHash(), SMALL.end!.eventHash);
});

/** What is told of a checkpoint that has this for a state, its tables all where the file's memory begins. */
function problemWith(state: Uint8Array, tables: number, memory: Uint8Array): string {
  const stored = openStored(SMALL_FILE, SMALL);
  const { seq, step } = stored.positionBefore(AFTER_EVERYTHING)!;
  const parts: Uint8Array[] = [];
  const header = { ...SMALL.header, checkpointsOf: SMALL.lastDigest };
  const writer = new RecordingWriter({ write: (bytes) => parts.push(bytes.slice()) }, header);
  writer.bytes('memory', seq, memory);
  const places = new Uint8Array(tables + 2);
  // A quarter of 2^20, zigzag, then nothing further on.
  places.set([0x80, 0x80, 0x20]);
  const [events, hash] = [new Hasher().save(), new Hasher().value()];
  writer.append('checkpoints', seq, {
    seq,
    step,
    slices: 0,
    span: null,
    events,
    hash,
    state,
    tables: places,
  });
  writer.flush();
  const checkpoints = encodePositions([{ seq, step, steps: 0, chunk: 2 }]);
  writer.end({ ...SMALL.end!, checkpoints, slices: Uint8Array.of(0), checkpointFormat: CHECKPOINT_FORMAT });
  let told = '';
  const file = new Uint8Array(Buffer.concat(parts));
  const timeline = new Timeline(
    SMALL,
    openStored(file, SMALL, ({ message }) => {
      told += message;
    }),
  );
  timeline.seek({ seq, step });
  return told;
}

function zeroPages(count: number): { state: Uint8Array; tables: number } {
  const pages = IntMap.from(Array.from({ length: count }, (_, i): [number, Page] => [i, ZERO_PAGE]));
  const numbers = { table: () => {}, object: () => 0 };
  return {
    state: encodeState({ pages } as unknown as KernelState, numbers),
    tables: Math.ceil(count / LEAF_KEYS),
  };
}

test('a state has no more pages than its machine, and tables are read a few together', (t) => {
  // 32 pages of zeros.
  const table = new Uint8Array(4 + 32 * 20).fill(0xff, 0, 4);
  const { physicalPages } = specOf('hello');
  for (const [count, memory, what] of [
    [physicalPages, table, /^a checkpoint cannot be read: a state has other fields than/],
    [physicalPages + 32, table, /^a checkpoint cannot be read: a state has more pages than its machine/],
    [32, new Uint8Array((1 << 16) + 4).fill(0xff), /more tables together than can be/],
  ] as const) {
    const { state, tables } = zeroPages(count);
    const told = problemWith(state, tables, memory);
    t.regex(told, what);
    t.false(told.includes('\n'));
  }
});

test('states that somebody made up of as much as can be in few bytes are refused', (t) => {
  const MANY = 600_000;
  const parts = { table: () => new IntMapNode(0, 1, [ZERO_PAGE], null), object: () => null as never };
  const sparse = IntMap.from(
    Array.from({ length: MANY / 4 }, (_, i): [number, boolean] => [i * 2 ** 25, true]),
  );
  const dense = IntMap.from(Array.from({ length: MANY }, (_, i): [number, boolean] => [i, true]));
  const numbers = { table: () => {}, object: () => 0 };
  for (const [value, isRefused] of [
    [{ list: new Array(MANY).fill({}) }, false],
    [{ list: new Array(2 * MANY).fill({}) }, true],
    [{ dense }, false],
    [{ sparse }, true],
  ] as const) {
    const bytes = encodeState(value as unknown as KernelState, numbers);
    const decode = () => decodeState(new ByteReader(bytes), ARCH, parts);
    if (isRefused) t.throws(decode, { instanceOf: PayloadError, message: /more values than can be/ });
    else t.notThrows(decode);
  }
});

/** A plain value with one of its parts, the `at`-th of those met on the way, changed. */
function withOneChanged(value: unknown, at: { left: number }, to: (old: unknown) => unknown): unknown {
  if (at.left-- === 0) return to(value);
  const next = (item: unknown): unknown => (at.left < 0 ? item : withOneChanged(item, at, to));
  if (value instanceof IntMap) return IntMap.from([...value].map(([key, item]) => [key, next(item)]));
  if (Array.isArray(value)) return value.map(next);
  const whole = value instanceof Uint8Array || value instanceof Page;
  if (typeof value !== 'object' || value === null || whole || 'copy' in value) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, next(item)]));
}

test('a checkpoint that somebody made up leads astray, or to one clear error', (t) => {
  const spec = specOf('c-threads', { cores: 2, seed: 5, quantumSteps: 100, maxSteps: 12_000 });
  const recording = recordRun(spec);
  const player = new Player(recording);
  while (player.machine.k.state.steps < 6000) player.command();
  const checkpoint = player.checkpoint();
  let refused = 0;
  fc.assert(
    fc.property(
      fc.nat(2500),
      fc.oneof(
        fc.maxSafeInteger(),
        fc.integer({ min: -2, max: 1100 }),
        fc.constantFrom(null, true, 7n, [], 'x'),
      ),
      (at, to) => {
        const state = withOneChanged(checkpoint.state, { left: at }, () => to) as KernelState;
        let file: Uint8Array;
        try {
          file = fileOf(recording, [{ ...checkpoint, state }]);
        } catch {
          // What cannot be written cannot be met.
          return;
        }
        try {
          const timeline = new Timeline(
            recording,
            openStored(file, recording, () => refused++),
          );
          timeline.seek(timeline.end);
        } catch (reason) {
          refused++;
          assert(reason instanceof RecordingError || reason instanceof NoSuchPosition, String(reason));
        }
      },
    ),
    { numRuns: 600 },
  );
  t.true(refused > 30, `${refused}`);
});
