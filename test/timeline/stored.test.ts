import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { IntMap } from '../../src/base/int-map.js';
import type { KernelState } from '../../src/kernel/objects/kernel.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { ARCH, machineConfig } from '../../src/loader/launch.js';
import type { Checkpoint } from '../../src/machine/machine.js';
import { AFTER_EVERYTHING, comparePositions, formatPosition } from '../../src/machine/position.js';
import { Page, ZERO_PAGE } from '../../src/memory/page.js';
import { writeCheckpoints } from '../../src/recording/checkpoints/checkpoint-file.js';
import { stateIn } from '../../src/recording/checkpoints/state-check.js';
import { decodeState, encodeState } from '../../src/recording/checkpoints/state-codec.js';
import { ByteReader } from '../../src/recording/format/bytes.js';
import { PayloadError, RecordingError } from '../../src/recording/format/recording-error.js';
import { Player } from '../../src/recording/player.js';
import { Names } from '../../src/timeline/names.js';
import { NoSuchPosition, Timeline } from '../../src/timeline/timeline.js';
import { eachWriter, type MemoryWrite } from '../../src/timeline/writes.js';
import { anyRun, anyShare, positionAt, recordRun, spanSteps, specOf } from './runs.js';
import { checkpointFile, openStored } from './stored.js';

const DENSE = { steps: 500, events: 20 };

/** A state through its bytes, and its pages through copies. */
function throughBytes(state: KernelState): KernelState {
  const pages: Page[] = [];
  const numbers = new Map<unknown, number>();
  const numberOf = (part: unknown): number => {
    if (!numbers.has(part)) numbers.set(part, numbers.size);
    return numbers.get(part)!;
  };
  const bytes = encodeState(state, {
    page: (page) => ({ version: numberOf(page), place: pages.push(page) - 1 }),
    object: numberOf,
  });
  return decodeState(new ByteReader(bytes), ARCH, {
    page: (_, place) => new Page(pages[place].bytes.slice(), null),
    object: (_, object) => object,
  }) as KernelState;
}

test('a state comes back from its bytes, and runs on to the same states and events', (t) => {
  fc.assert(
    fc.property(anyRun, fc.nat(400), ({ guest, ...options }, commands) => {
      const spec = specOf(guest, options);
      const recording = recordRun(spec);
      const player = new Player(recording);
      for (let i = 0; i < commands && !player.atEnd; i++) player.command();
      const checkpoint = player.checkpoint();
      const state = throughBytes(checkpoint.state);
      assert.equal(stateHash(state), stateHash(checkpoint.state));
      assert.equal(stateIn(state, machineConfig(spec)), state);
      const other = new Player(recording);
      other.restore({ ...checkpoint, state });
      // The first player compares events with nothing, the second has its hash to compare.
      while (!player.atEnd) {
        player.command();
        other.command();
        assert.deepEqual(other.machine.position, player.machine.position);
        assert.equal(other.machine.eventHash(), player.machine.eventHash());
      }
      assert.equal(stateHash(other.machine.k.snapshot()), stateHash(player.machine.k.snapshot()));
    }),
    { numRuns: 40 },
  );
  t.pass();
});

/** Names that objects have of their own are refused. */
const fieldName = fc
  .stringMatching(/^[a-z]{1,9}$/)
  .filter((name) => !/^(?:constructor|prototype)$/.test(name));

test('any plain value comes back from its bytes', (t) => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(2n ** 64n) + 1n, max: 2n ** 64n - 1n }),
      fc.string({ unit: 'binary' }),
      fc.constant('\ud800'),
      fc.boolean(),
      fc.constantFrom(null, undefined, ZERO_PAGE),
      fc.uint8Array(),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(fieldName, tie('any'), { maxKeys: 4, noNullPrototype: true }),
      fc
        .array(fc.tuple(fc.maxSafeInteger().map(Math.abs), tie('any')), { maxLength: 4 })
        .map((entries) => IntMap.from(entries.filter(([, item]) => item !== undefined))),
    ),
  })).any;
  fc.assert(
    fc.property(value, (original) => {
      const back = throughBytes(original as unknown as KernelState) as unknown;
      assert.deepEqual(plain(back), plain(original));
    }),
    { numRuns: 500 },
  );
  t.pass();
});

/** Maps as lists of their entries; -0, which no state has, as 0. */
function plain(value: unknown): unknown {
  if (value instanceof IntMap) return { map: [...value].map(([key, item]) => [key, plain(item)]) };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'number') return value + 0;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof Page)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

test('with stored checkpoints every position is the same as without', (t) => {
  fc.assert(
    fc.property(
      anyRun,
      fc.array(anyShare, { minLength: 1, maxLength: 8 }),
      ({ guest, ...options }, shares) => {
        const spec = specOf(guest, options);
        const steps = spanSteps(recordRun(spec, 'full'));
        const recording = recordRun(spec);
        const stored = openStored(checkpointFile(recording, DENSE), recording);
        assert(stored.count > 2);
        const without = new Timeline(recording);
        const timeline = new Timeline(recording, stored);
        for (const share of shares) {
          const position = positionAt(recording, steps, share);
          const here = timeline.seek(position);
          const there = without.seek(position);
          const where = formatPosition(position);
          assert.equal(stateHash(here.k.snapshot()), stateHash(there.k.snapshot()), where);
          assert.equal(here.eventHash(), there.eventHash(), where);
        }
        const end = timeline.seek(timeline.end);
        assert.equal(end.eventHash(), recording.end!.eventHash);
        assert.equal(stateHash(end.k.snapshot()), recording.end!.stateHash);
      },
    ),
    { numRuns: 30 },
  );
  t.pass();
});

test('a look with stored checkpoints runs no more than what is between two of them', (t) => {
  const recording = recordRun(specOf('lost-update', { cores: 2, seed: 2, quantumSteps: 1000 }));
  const file = checkpointFile(recording, { steps: 10_000, events: 1 << 20 });
  const { steps } = recording.end!;
  for (const share of [0.2, 0.5, 0.99]) {
    const timeline = new Timeline(recording, openStored(file, recording));
    let ran = 0;
    timeline.machine.happened.subscribe(({ event }) => {
      ran += event.type === 'span' ? event.steps : 0;
    });
    const seq = Math.floor(recording.end!.events * share);
    const machine = timeline.seek({ seq, step: 0 });
    t.true(machine.k.state.steps > 10_000 && ran <= 12_000, `ran ${ran} of ${steps} steps`);
  }
});

test('who wrote where is the same with stored checkpoints as without', (t) => {
  const spec = specOf('lost-update', { cores: 2, seed: 2, maxSteps: 60_000 });
  const recording = recordRun(spec);
  const all = (timeline: Timeline): MemoryWrite[] => {
    const list: MemoryWrite[] = [];
    const { k } = timeline.seek(timeline.end);
    const { mainProcess } = k.state;
    const { address, sizeBytes } = new Names(k, spec.program).find(mainProcess, 'balance')!;
    eachWriter(timeline, mainProcess, address, sizeBytes, timeline.end, (write) => list.push(write));
    return list;
  };
  const stored = openStored(checkpointFile(recording, { steps: 3000, events: 50 }), recording);
  const without = all(new Timeline(recording));
  t.true(without.length > 20, `${without.length}`);
  t.deepEqual(all(new Timeline(recording, stored)), without);
});

test('what a file of checkpoints takes grows with what changed, and pages are stored once', (t) => {
  // After its start-up it changes a page of data, and one of stack for each of four threads.
  const recording = recordRun(specOf('lost-update', { cores: 2, seed: 2, quantumSteps: 1000 }));
  const few = checkpointFile(recording, { steps: 200_000, events: 1 << 20 });
  const many = checkpointFile(recording, { steps: 5000, events: 1 << 20 });
  const [one, other] = [few, many].map((file) => openStored(file, recording));
  t.true(other.count > one.count + 40, `${one.count}, ${other.count}`);
  const each = (many.length - few.length) / (other.count - one.count);
  // A state of some 30 objects, and what little is not zero in those pages: all pages are 80 KB.
  t.true(each < 8000, `${each} bytes a checkpoint`);
  t.true(few.length > 20_000);
});

test('checkpoints of another run are not used', (t) => {
  const recording = recordRun(specOf('hello'));
  const other = recordRun(specOf('hello', { seed: 1 }));
  const error = t.throws(() => openStored(checkpointFile(other, DENSE), recording), {
    instanceOf: RecordingError,
  });
  t.regex(error.message, /of another recording/);
});

/** Seeks to some places with a file that is not as it was; whatever it is, states are right or it is refused. */
function lookAround(t: import('ava').ExecutionContext, file: Uint8Array, what: string): void {
  let problems = 0;
  try {
    const timeline = new Timeline(
      SMALL,
      openStored(file, SMALL, () => problems++),
    );
    for (const [seq, hash] of SMALL_HASHES) {
      t.is(stateHash(timeline.seek({ seq, step: 0 }).k.snapshot()), hash, what);
    }
    t.true(problems <= 1);
  } catch (reason) {
    t.true(reason instanceof RecordingError, `${what}: ${String(reason)}`);
  }
}

const SMALL = recordRun(specOf('hello'));
const SMALL_FILE = checkpointFile(SMALL, { steps: 1 << 20, events: 60 });
const SMALL_HASHES = [0.3, 0.6, 1].map((share) => {
  const seq = Math.floor(SMALL.end!.events * share);
  return [seq, stateHash(new Timeline(SMALL).seek({ seq, step: 0 }).k.snapshot())] as const;
});

test('cut anywhere, a file of checkpoints is refused and the run is gone through without', (t) => {
  for (let length = 0; length < SMALL_FILE.length; length += length < 600 ? 1 : 397)
    lookAround(t, SMALL_FILE.slice(0, length), `cut at ${length}`);
});

test('with any byte changed, checkpoints are right or not used', (t) => {
  lookAround(t, SMALL_FILE, 'whole');
  fc.assert(
    fc.property(fc.nat(SMALL_FILE.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const file = SMALL_FILE.slice();
      file[at] ^= change;
      lookAround(t, file, `byte ${at} ^ ${change}`);
    }),
    { numRuns: 300 },
  );
});

test('bytes that somebody made up are a state or a PayloadError', (t) => {
  const timeline = new Timeline(recordRun(specOf('channel-ping-pong', { maxSteps: 3000 })));
  const state = timeline.seek(timeline.end).k.snapshot();
  const { config } = timeline.machine.k;
  const good = encodeState(state, { page: () => ({ version: 0, place: 0 }), object: () => 0 });
  const parts = { page: () => ZERO_PAGE, object: (_: number, object: never) => object };
  let refused = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      fc.option(fc.nat(good.length)),
      (changes, length) => {
        const bytes = good.slice(0, length ?? good.length);
        for (const [at, to] of changes) bytes[at] = to;
        try {
          stateIn(decodeState(new ByteReader(bytes), ARCH, parts), config);
        } catch (reason) {
          refused++;
          assert(reason instanceof PayloadError, String(reason));
        }
      },
    ),
    { numRuns: 2000 },
  );
  t.true(refused > 500);
  t.is(({} as Record<string, unknown>).polluted, undefined);
});

test('fields that would change what all objects are, are refused', (t) => {
  for (const name of ['__proto__', 'constructor', 'prototype']) {
    const record = Object.defineProperty({}, name, { value: { polluted: 1 }, enumerable: true });
    const bytes = encodeState(record as KernelState, {
      page: () => ({ version: 0, place: 0 }),
      object: () => 0,
    });
    const parts = { page: () => ZERO_PAGE, object: (_: number, object: never) => object };
    t.throws(() => decodeState(new ByteReader(bytes), ARCH, parts), { instanceOf: PayloadError });
  }
});

test('checkpoints share their pages when they are loaded one after the other', (t) => {
  const recording = recordRun(specOf('lost-update', { cores: 2, seed: 2, quantumSteps: 1000 }));
  const stored = openStored(checkpointFile(recording, { steps: 20_000, events: 1 << 20 }), recording);
  const { config, arch } = new Timeline(recording).machine.k;
  const states = [
    ...stored.outlines(
      recording.end === null ? { seq: 0, step: 0 } : { seq: recording.end.events, step: 0 },
      config,
      arch,
    ),
  ];
  t.is(states.length, stored.count);
  const pages = new Set<Page>();
  let named = 0;
  for (const { objects } of states) {
    for (const object of objects.values()) {
      if (object.kind !== 'vmo') continue;
      for (const page of object.pages.values()) {
        named++;
        pages.add(page);
      }
    }
  }
  t.true(pages.size * 3 < named, `${pages.size} of ${named}`);
  t.true(comparePositions(states[0], states[1]) < 0);
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
        const parts: Uint8Array[] = [];
        try {
          const sink = { write: (bytes: Uint8Array) => void parts.push(bytes.slice()) };
          writeCheckpoints(recording, [{ ...checkpoint, state }], sink);
        } catch {
          // What cannot be written cannot be met.
          return;
        }
        const file = new Uint8Array(Buffer.concat(parts));
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
    { numRuns: 300 },
  );
  t.true(refused > 30, `${refused}`);
});

test('a page that was written and has its old bytes again is another version, stored once', (t) => {
  const spec = specOf('spin', { args: ['1000'] });
  const recording = recordRun(spec);
  const player = new Player(recording);
  while (player.machine.k.state.mainProcess === 0) player.command();
  const first = player.checkpoint();
  while (player.machine.k.state.seq < first.state.seq + 3) player.command();
  const second = player.checkpoint();
  const [, vmo] = [...second.state.objects].find(([, o]) => o.kind === 'vmo' && o.pages.size > 0)!;
  assert(vmo.kind === 'vmo');
  const [[number, page]] = vmo.pages;
  const again = new Page(page.bytes.slice(), null);
  const written = { ...vmo, pages: vmo.pages.set(number, again) };
  const state = { ...second.state, objects: second.state.objects.set(vmo.koid, written) };
  const store = (checkpoints: readonly Checkpoint[]): Uint8Array => {
    const parts: Uint8Array[] = [];
    writeCheckpoints(recording, checkpoints, { write: (bytes) => parts.push(bytes.slice()) });
    return new Uint8Array(Buffer.concat(parts));
  };
  const [same, rewritten] = [store([first, second]), store([first, { ...second, state }])];
  t.true(rewritten.length < same.length + 100);
  const pages = (file: Uint8Array): unknown[] => {
    const { config, arch } = player.machine.k;
    return [...openStored(file, recording).outlines(AFTER_EVERYTHING, config, arch)].map(({ objects }) => {
      const object = objects.get(vmo.koid);
      return object?.kind === 'vmo' ? object.pages.get(number) : undefined;
    });
  };
  const [a, b] = pages(same);
  t.is(a, b);
  const [c, d] = pages(rewritten);
  t.true(c !== undefined && d !== undefined && c !== d);
});
