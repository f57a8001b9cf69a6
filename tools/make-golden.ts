/**
 * Makes the recordings of recordings/ anew, and golden.json, which says what they are of. To be run when the format, the
 * kernel or a guest changed what a run is, on purpose: test/golden fails until then.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULTS, type RunSpec } from '../src/loader/launch.js';
import { Recorder } from '../src/recording/recorder.js';

const FOLDER = 'recordings';
const SEEDS = 1000;

interface Golden {
  readonly name: string;
  readonly guest: string;
  readonly args: readonly string[];
  readonly cores: number;
  /** The first seed from 1 whose run ends so. */
  readonly exitCode: number;
}

const RECORDINGS: readonly Golden[] = [
  { name: 'lost-update', guest: 'lost-update', args: [], cores: 2, exitCode: 1 },
  { name: 'abba-deadlock', guest: 'abba-deadlock', args: [], cores: 2, exitCode: 123 },
  { name: 'process-tree', guest: 'process-tree', args: [], cores: 2, exitCode: 0 },
  { name: 'null-pointer', guest: 'null-pointer', args: [], cores: 1, exitCode: 134 },
  { name: 'producer-consumer', guest: 'producer-consumer', args: ['30'], cores: 2, exitCode: 0 },
];

/** Where it was recorded must not show: no path, and no clock that says when chunks are written. */
function record(golden: Golden, seed: number): { end: ReturnType<Recorder['run']>; bytes: Buffer } {
  const file = `${golden.guest}.elf`;
  const bytes = new Uint8Array(readFileSync(join('test', 'guests', file)));
  const program = { name: file, bytes, args: [golden.guest, ...golden.args], environ: [] };
  const spec: RunSpec = { ...DEFAULTS, program, cores: golden.cores, seed };
  const parts: Uint8Array[] = [];
  const end = new Recorder(spec, 'essential', () => ({ write: (part) => void parts.push(part) })).run();
  return { end, bytes: Buffer.concat(parts) };
}

function make(golden: Golden): object {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { end, bytes } = record(golden, seed);
    if (end.exitCode !== golden.exitCode) continue;
    writeFileSync(join(FOLDER, `${golden.name}.jacinth`), bytes);
    const { steps, events, stateHash, eventHash } = end;
    return { ...golden, seed, steps, events, stateHash, eventHash };
  }
  throw new Error(`${golden.name}: no seed up to ${SEEDS} ends with ${golden.exitCode}`);
}

for (const file of readdirSync(FOLDER)) if (file.endsWith('.jacinth')) rmSync(join(FOLDER, file));
const made = RECORDINGS.map(make);
writeFileSync(join(FOLDER, 'golden.json'), `${JSON.stringify(made, null, 2)}\n`);
console.log(`${made.length} recordings made`);
