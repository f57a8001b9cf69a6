import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { DEFAULTS, type RunSpec } from '../../src/loader/launch.js';
import type { Position } from '../../src/machine/position.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { Recording } from '../../src/recording/format/reader.js';
import { Recorder } from '../../src/recording/recorder.js';
import type { Detail } from '../../src/recording/run-header.js';

/** The tests run from the compiler's output; guests stay beside their sources. */
const GUESTS = new URL('../../../test/guests/', import.meta.url);

export interface RunOptions extends Partial<Omit<RunSpec, 'program'>> {
  readonly args?: readonly string[];
}

export function specOf(guest: string, { args = [], ...options }: RunOptions = {}): RunSpec {
  const bytes = new Uint8Array(readFileSync(new URL(`${guest}.elf`, GUESTS)));
  return {
    ...DEFAULTS,
    ...options,
    program: { name: `${guest}.elf`, bytes, args: [guest, ...args], environ: [] },
  };
}

/** The bytes of a recording of that run. */
export function recordBytes(spec: RunSpec, detail: Detail = 'essential'): Uint8Array {
  const parts: Uint8Array[] = [];
  const recorder = new Recorder(spec, detail, () => ({ write: (bytes) => parts.push(bytes.slice()) }));
  recorder.run();
  return new Uint8Array(Buffer.concat(parts));
}

export function recordRun(spec: RunSpec, detail: Detail = 'essential'): Recording {
  return Recording.open(bytesSource(recordBytes(spec, detail)));
}

/** Guests whose runs differ in kind: threads, channels, ports and timers, futexes with LR/SC, a crash, a deadlock, processes. */
const GUESTS_TO_TRY = [
  'lost-update',
  'c-threads',
  'producer-consumer',
  'channel-ping-pong',
  'port-timer',
  'futex-mutex',
  'null-pointer',
  'abba-deadlock',
  'process-tree',
];

/** Short runs of any kind, down to slices of a few steps. */
export const anyRun = fc.record({
  guest: fc.constantFrom(...GUESTS_TO_TRY),
  seed: fc.nat(1000),
  entropySeed: fc.nat(3),
  cores: fc.constantFrom(1, 2, 8),
  quantumSteps: fc.constantFrom(7, 61, 1000, 16384),
  strategy: fc.constantFrom('random' as const, 'round-robin' as const),
  maxSteps: fc.constantFrom(3000, 12_000),
});

/** Every position of a run, by the steps after each kernel event: what a `full` recording says. */
export function spanSteps(recording: Recording): Map<number, number> {
  return new Map([...recording.rows('spans')].map(({ seq, steps }) => [seq, steps]));
}

/** Turns a share of all kernel events, and of the steps behind one, into a position that the run has. */
export function positionAt(
  recording: Recording,
  steps: Map<number, number>,
  share: [number, number],
): Position {
  const seq = Math.floor(share[0] * (recording.end!.events + 1));
  return { seq, step: Math.floor(share[1] * ((steps.get(seq) ?? 0) + 1)) };
}

// Not fc.double: most doubles below 1 are next to 0.
const fraction = fc.integer({ min: 0, max: 2 ** 20 - 1 }).map((n) => n / 2 ** 20);
export const anyShare: fc.Arbitrary<[number, number]> = fc.tuple(fraction, fraction);
