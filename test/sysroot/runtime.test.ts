import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { DEFAULTS, launch } from '../../src/loader/launch.js';
import { buildGuest, compileRuntime, findCrossCompilers } from '../../src/platform/node/cross-compiler.js';

interface Outcome {
  readonly stdout: string;
  readonly returnCode: bigint | string;
}

/** Console text and return code of one run, each seed a schedule of its own on two cores. */
function run(file: string, seed: number, args: string[] = [], environ: string[] = []): Outcome {
  const bytes = new Uint8Array(readFileSync(file));
  const program = { name: 'guest', bytes, args: ['guest', ...args], environ };
  const machine = launch({ ...DEFAULTS, cores: 2, seed, quantumSteps: 2000, maxSteps: 5e7, program });
  let stdout = '';
  machine.happened.subscribe(({ event }) => {
    if (event.type === 'console-written') stdout += Buffer.from(event.bytes).toString('latin1');
  });
  machine.run();
  const { halt } = machine.k.state;
  return { stdout, returnCode: halt?.kind === 'exited' ? halt.returnCode : (halt?.kind ?? 'running') };
}

function expectedOf(name: string): Outcome {
  const { stdout, exitCode } = JSON.parse(readFileSync(`test/guests/${name}.expected.json`, 'utf8'));
  return { stdout, returnCode: BigInt(exitCode) };
}

const compilers = findCrossCompilers('riscv64');
const CASES = [
  ['riscv64-linux-gnu-gcc', false],
  ['riscv64-linux-gnu-gcc', true],
  ['riscv64-unknown-elf-gcc', false],
  ['clang', false],
  ['clang', true],
] as const;

for (const [command, pie] of CASES) {
  const compiler = compilers.find((found) => found.command === command);
  const title = `the C library and threads built by ${command}${pie ? ' as PIE' : ''} do what they must`;
  (compiler === undefined ? test.skip : test)(title, (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'jacinth-test-'));
    t.teardown(() => rmSync(directory, { recursive: true, force: true }));
    const runtimeObjects = compileRuntime(compiler!, directory, { pie });
    for (const name of ['c-library', 'c-threads']) {
      const output = join(directory, `${name}.elf`);
      const sources = [`test/guests/${name}.c`];
      const result = buildGuest({ compiler: compiler!, sources, output, pie, runtimeObjects });
      t.is(result.exitCode, 0, result.messages);
      for (const seed of name === 'c-library' ? [0] : [0, 1, 2])
        t.deepEqual(run(output, seed), expectedOf(name));
    }
  });
}

const SAYS_WHAT_IT_GOT = `
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv, char **environment) {
  for (int i = 0; i <= argc; i++) printf("<%s>", argv[i]);
  printf("%s|%s|%s\\n", environment[0], getenv("B"), getenv("NOT"));
  return argc;
}
`;

(compilers.length === 0 ? test.skip : test)('arguments and environment arrive as they were given', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'jacinth-test-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const source = join(directory, 'says.c');
  const output = join(directory, 'says.elf');
  writeFileSync(source, SAYS_WHAT_IT_GOT);
  const result = buildGuest({ compiler: compilers[0], sources: [source], output });
  t.is(result.exitCode, 0, result.messages);
  t.deepEqual(run(output, 0, ['one two', '', 'drei'], ['A=1', 'B=x=y']), {
    stdout: '<guest><one two><><drei><(null)>A=1|x=y|(null)\n',
    returnCode: 4n,
  });
});
