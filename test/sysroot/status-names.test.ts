import { readFileSync } from 'node:fs';
import test from 'ava';
import { Status } from '../../src/abi/status.js';

test('zx_status_get_string knows every status', (t) => {
  const source = readFileSync('src/sysroot/lib/status.c', 'utf8');
  const known = [...source.matchAll(/^ {4}NAME\((\w+)\);$/gm)].map((match) => match[1]);
  t.deepEqual(
    known.sort(),
    Object.keys(Status)
      .map((name) => `ZX_${name}`)
      .sort(),
  );
});
