import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  buildGuest,
  type CrossCompiler,
  CrossCompilerError,
  findCrossCompiler,
  findCrossCompilers,
} from '../../src/platform/node/cross-compiler.js';

function scratch(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'jacinth-test-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function build(t: ExecutionContext, compiler: CrossCompiler, source: string, pie: boolean): Buffer {
  const output = join(scratch(t), 'out.elf');
  const result = buildGuest({ compiler, sources: [source], output, pie });
  t.is(result.exitCode, 0, result.messages);
  t.is(result.messages, '');
  return readFileSync(output);
}

const HELLO = resolve('test/guests/hello.c');
const compilers = findCrossCompilers('riscv64');

// Each case names its compiler: where one is missing, the skip is seen in the test report.
for (const command of ['riscv64-linux-gnu-gcc', 'riscv64-unknown-elf-gcc', 'clang']) {
  const compiler = compilers.find((found) => found.command === command);
  const run = compiler === undefined ? test.skip : test;

  run(`${command}: the same source in two directories gives the same bytes`, (t) => {
    const other = join(scratch(t), 'deep', 'er');
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, 'hello.c'), readFileSync(HELLO));
    const here = build(t, compiler!, HELLO, false);
    t.true(here.equals(build(t, compiler!, join(other, 'hello.c'), false)));
    t.false(here.includes(process.cwd()), 'no path of this machine');
  });

  run(`${command}: an error in the source is the compiler's own message and status`, (t) => {
    const directory = scratch(t);
    const source = join(directory, 'wrong.c');
    writeFileSync(source, 'int main(void) { return nothing; }\n');
    const result = buildGuest({
      compiler: compiler!,
      sources: [source],
      output: join(directory, 'wrong.elf'),
    });
    t.not(result.exitCode, 0);
    t.regex(result.messages, /wrong\.c:1:25: error: .*nothing/);
  });

  run(`${command}: extra arguments reach the compiler`, (t) => {
    const directory = scratch(t);
    const source = join(directory, 'defined.c');
    writeFileSync(source, '#if SIZE != 3\n#error not three\n#endif\nint main(void) { return 0; }\n');
    const output = join(directory, 'defined.elf');
    const options = { compiler: compiler!, sources: [source], output };
    t.not(buildGuest(options).exitCode, 0);
    t.is(buildGuest({ ...options, extraArguments: ['-DSIZE=3'] }).exitCode, 0);
  });
}

test.serial('without a compiler the error says what to install', (t) => {
  const path = process.env.PATH;
  process.env.PATH = scratch(t);
  try {
    t.deepEqual(findCrossCompilers('riscv64'), []);
    const error = t.throws(() => findCrossCompiler('riscv64'), { instanceOf: CrossCompilerError });
    t.regex(error.message, /install gcc-riscv64-linux-gnu/);
    t.false(error.message.includes('\n'));
  } finally {
    process.env.PATH = path;
  }
});

test('a bare-metal compiler is not asked for position-independent programs', (t) => {
  t.false(findCrossCompilers('riscv64', true).some(({ kind }) => kind === 'gcc-elf'));
});
