/**
 * Runs the programs of test/guests/bench for as many instructions as asked on each engine and compares state hashes all
 * along. Exit status: 0 equal, 1 different, 2 trouble.
 *
 * guest-lockstep [--instructions N] [--engines interpreter,jit] [--seed N]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { compareOnGuest } from '../test/cpu/lockstep/guest-run.js';
import { engineKind } from './engine-kind.js';
import { commandLine, compareAs, Trouble } from './trouble.js';

const FOLDER = 'test/guests/bench';
/** Slices between two looks: enough that code stays hot, and snapshots are not all that is done. */
const EVERY = 4;
/** An argument that no program comes to the end of. */
const FOR_EVER = '1000000000';

const OPTIONS = {
  instructions: { type: 'string', default: '1e9' },
  engines: { type: 'string', default: 'interpreter,jit' },
  seed: { type: 'string', default: '1' },
} as const;

function main(): number {
  const { values } = commandLine({ options: OPTIONS });
  const kinds = values.engines.split(',').map(engineKind);
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.elf'));
  const [instructions, seed] = [Number(values.instructions), Number(values.seed)];
  if (Number.isNaN(instructions) || !Number.isSafeInteger(seed))
    throw new Trouble('instructions and seed are numbers');
  const maxSteps = Math.ceil(instructions / files.length / kinds.length);
  let steps = 0;
  let status = 0;
  for (const file of files) {
    const bytes = new Uint8Array(readFileSync(`${FOLDER}/${file}`));
    const program = { name: file, bytes, args: [file, FOR_EVER], environ: [] };
    const settings = { cores: 2, seed, quantumSteps: 30_000, maxSteps };
    const run = compareOnGuest(program, settings, kinds, EVERY);
    steps += run.steps;
    console.log(`${file}: ${run.steps} instructions, ${run.hashes} states, ${run.difference ?? 'equal'}`);
    if (run.difference !== null) status = 1;
  }
  console.log(`guest-lockstep: ${kinds.join(', ')}, ${steps} instructions`);
  return status;
}

await compareAs('guest-lockstep', main);
