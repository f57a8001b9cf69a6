/**
 * Runs the programs of test/guests/bench for as many instructions as asked on each engine and compares state hashes all
 * along: `node .build/tools/guest-lockstep.js [--instructions N] [--engines interpreter,jit] [--seed N]`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ENGINE_KINDS, type EngineKind } from '../src/cpu/arch.js';
import { compareOnGuest } from '../test/cpu/lockstep/guest-run.js';

const FOLDER = 'test/guests/bench';
/** Slices between two looks: enough that code stays hot, and snapshots are not all that is done. */
const EVERY = 4;
/** An argument that no program comes to the end of. */
const FOR_EVER = '1000000000';

const { values } = parseArgs({
  options: {
    instructions: { type: 'string', default: '1e9' },
    engines: { type: 'string', default: 'interpreter,jit' },
    seed: { type: 'string', default: '1' },
  },
});
const kinds = values.engines.split(',').map((name) => {
  const kind = ENGINE_KINDS.find((k) => k === name);
  if (kind === undefined) throw new Error(`no engine ${name}, choose from ${ENGINE_KINDS.join(', ')}`);
  return kind satisfies EngineKind;
});
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.elf'));
const maxSteps = Math.ceil(Number(values.instructions) / files.length / kinds.length);
let steps = 0;
for (const file of files) {
  const bytes = new Uint8Array(readFileSync(`${FOLDER}/${file}`));
  const program = { name: file, bytes, args: [file, FOR_EVER], environ: [] };
  const settings = { cores: 2, seed: Number(values.seed), quantumSteps: 30_000, maxSteps };
  const run = compareOnGuest(program, settings, kinds, EVERY);
  steps += run.steps;
  console.log(`${file}: ${run.steps} instructions, ${run.hashes} states, ${run.difference ?? 'equal'}`);
  if (run.difference !== null) process.exitCode = 1;
}
console.log(`guest-lockstep: ${kinds.join(', ')}, ${steps} instructions`);
