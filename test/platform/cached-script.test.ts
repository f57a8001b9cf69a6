import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
  keepCode,
  piecesBeside,
  runScript,
  SCRIPT_HEAD,
  SCRIPT_TAIL,
} from '../../src/platform/node/cached-script.js';

test('what is kept beside a script may be cut or missing: it is made anew then', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'jacinth-cached-script-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'a.cjs');
  writeFileSync(path, `${SCRIPT_HEAD}exports.answer = () => 42;${SCRIPT_TAIL}`);
  t.is(piecesBeside(path), null);
  const pieces: [string, Uint8Array][] = [
    ['a name', Uint8Array.of(1, 2, 3)],
    ['another\n', new Uint8Array(100).fill(10)],
  ];
  const require = createRequire(path);
  await keepCode(
    path,
    require,
    async () => {},
    async () => pieces,
  );
  t.deepEqual(
    piecesBeside(path)?.map(([name, bytes]) => [name, Uint8Array.from(bytes)]),
    pieces,
  );
  for (const kind of ['value', 'cache']) {
    const whole = readFileSync(`${path}.${kind}`);
    for (let length = 0; length < whole.length; length += Math.ceil(whole.length / 50)) {
      writeFileSync(`${path}.${kind}`, whole.subarray(0, length));
      if (kind === 'value') t.is(piecesBeside(path), null);
      t.is((runScript(path, require) as { answer(): number }).answer(), 42);
    }
    writeFileSync(`${path}.${kind}`, whole);
  }
});
