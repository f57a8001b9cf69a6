import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { COMPARED } from './engines.js';
import { compareOnGuest } from './guest-run.js';

const FOLDER = 'test/guests';
const MAX_STEPS = 80_000;

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.elf'))) {
  test(`${file}: the same state after every slice on all engines`, (t) => {
    const bytes = new Uint8Array(readFileSync(`${FOLDER}/${file}`));
    const program = { name: file, bytes, args: [file], environ: [] };
    const settings = { cores: 2, seed: 5, quantumSteps: 1500, maxSteps: MAX_STEPS };
    const { difference, hashes } = compareOnGuest(program, settings, COMPARED, 1);
    t.is(difference, null);
    t.true(hashes > 1);
  });
}
