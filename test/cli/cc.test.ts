import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { findCrossCompilers } from '../../src/platform/node/cross-compiler.js';
import { jacinth, scratchFolder } from './jacinth.js';

const folder = scratchFolder();
const output = join(folder, 'out.elf');

test('without a cross compiler, cc says in one line what to install', (t) => {
  const { status, stdout, stderr } = jacinth(['cc', 'test/guests/hello.c', '-o', output], {
    env: { PATH: folder },
  });
  t.is(status, 125);
  t.is(stdout, '');
  t.regex(stderr, /^jacinth: [^\n]*install gcc-riscv64-linux-gnu[^\n]*\n$/);
  t.false(existsSync(output));
});

const installed = findCrossCompilers('riscv64').length > 0 ? test : test.skip;

installed('what cc builds runs', (t) => {
  const source = join(folder, 'sum.c');
  writeFileSync(
    source,
    '#include <stdio.h>\nint main(int argc, char **argv) { printf("%d %s\\n", N, argv[1]); return argc; }\n',
  );
  const built = jacinth(['cc', source, '-o', output, '--', '-DN=41']);
  t.is(built.status, 0, built.stderr);
  const run = jacinth(['run', output, '--', 'and one']);
  t.is(run.stdout, '41 and one\n');
  t.is(run.status, 2);
});

installed("an error in the source is the compiler's, with its status", (t) => {
  const source = join(folder, 'wrong.c');
  writeFileSync(source, 'int main(void) { return nothing; }\n');
  const { status, stderr } = jacinth(['cc', source, '-o', join(folder, 'wrong.elf')]);
  t.is(status, 1);
  t.regex(stderr, /wrong\.c:1:25: error/);
});
