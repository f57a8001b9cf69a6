import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { DEFAULTS, launch } from '../../src/loader/launch.js';
import { exitStatus } from '../../src/machine/exit-status.js';

interface Outcome {
  readonly stdout?: string;
  readonly stdoutPattern?: string;
  readonly exitCode: number;
}

interface Expected extends Outcome {
  readonly alternatives?: readonly Outcome[];
}

const FOLDER = 'test/guests';

function runGuest(name: string, cores: number, seed: number): { stdout: string; exitCode: number } {
  const program = {
    name,
    bytes: new Uint8Array(readFileSync(`${FOLDER}/${name}.elf`)),
    args: [name],
    environ: [],
  };
  const machine = launch({ ...DEFAULTS, program, cores, seed });
  const out: Uint8Array[] = [];
  machine.happened.subscribe(({ event }) => {
    if (event.type === 'console-written') out.push(event.bytes);
  });
  machine.run();
  return { stdout: Buffer.concat(out).toString(), exitCode: exitStatus(machine.k.state.halt!) };
}

function fits({ stdout, exitCode }: { stdout: string; exitCode: number }, expected: Outcome): boolean {
  if (exitCode !== expected.exitCode) return false;
  return expected.stdoutPattern === undefined
    ? stdout === expected.stdout
    : new RegExp(expected.stdoutPattern).test(stdout);
}

const names = ['', 'bench/'].flatMap((folder) =>
  readdirSync(`${FOLDER}/${folder}`)
    .filter((file) => file.endsWith('.elf'))
    .map((file) => folder + file.replace('.elf', '')),
);

for (const name of names) {
  test(`${name} does what is expected of it, on one core and on four`, (t) => {
    const expected = JSON.parse(readFileSync(`${FOLDER}/${name}.expected.json`, 'utf8')) as Expected;
    for (const cores of [1, 4]) {
      const got = runGuest(name, cores, 1);
      t.true(
        [expected, ...(expected.alternatives ?? [])].some((outcome) => fits(got, outcome)),
        `${cores} cores: ${JSON.stringify(got)}`,
      );
    }
  });
}
