import { readFileSync } from 'node:fs';
import type { Digest } from '../../src/base/digest.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { DEFAULTS, type RunSpec } from '../../src/loader/launch.js';
import type { Machine } from '../../src/machine/machine.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import type { RecordingEnd } from '../../src/recording/format/header.js';
import { Recording } from '../../src/recording/format/reader.js';
import { Recorder } from '../../src/recording/recorder.js';
import type { Detail } from '../../src/recording/run-header.js';

/** A run of one of test/guests. */
export function specFor(guest: string, args: readonly string[], options: Partial<RunSpec> = {}): RunSpec {
  const bytes = new Uint8Array(readFileSync(`test/guests/${guest}.elf`));
  return { ...DEFAULTS, ...options, program: { name: guest, bytes, args: [guest, ...args], environ: [] } };
}

export interface Recorded {
  readonly end: RecordingEnd;
  readonly recording: Recording;
  readonly bytes: Uint8Array;
}

/** Records a run in memory. `watch` may subscribe before it begins. */
export function recordRun(spec: RunSpec, detail: Detail, watch?: (machine: Machine) => void): Recorded {
  const parts: Uint8Array[] = [];
  const recorder = new Recorder(spec, detail, () => ({ write: (part) => void parts.push(part) }));
  watch?.(recorder.machine);
  const end = recorder.run();
  const bytes = new Uint8Array(Buffer.concat(parts));
  return { end, bytes, recording: Recording.open(bytesSource(bytes)) };
}

/** What two equal runs have equal: all events up to here, and the machine here. */
export function hashes(machine: Machine): { readonly events: Digest; readonly state: Digest } {
  return { events: machine.eventHash(), state: stateHash(machine.k.snapshot()) };
}
