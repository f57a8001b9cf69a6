import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deserialize } from 'node:v8';
import test from 'ava';
import { preparedSoFar } from '../../src/base/prepared.js';
import { launch } from '../../src/loader/launch.js';
import '../../src/platform/node/wasm-features.js';
import { VERSION } from '../../src/version.js';
import { specFor } from '../property/runs.js';
import { MAIN, scratchFolder } from './jacinth.js';

const folder = scratchFolder();
mkdirSync(join(folder, 'bundle'));
cpSync(MAIN, join(folder, 'main.cjs'));
const script = join(folder, 'bundle', 'command.cjs');
const cache = `${script}.cache`;
cpSync(join(dirname(MAIN), 'bundle', 'command.cjs'), script);

const version = () =>
  spawnSync(process.execPath, [join(folder, 'main.cjs'), '--version'], { encoding: 'utf8' });

test('the command does without the code that V8 kept, and with that of another V8', (t) => {
  t.like(version(), { status: 0, stdout: `${VERSION}\n`, stderr: '' });
  const kept = readFileSync(join(dirname(MAIN), 'bundle', 'command.cjs.cache'));
  writeFileSync(cache, kept);
  t.like(version(), { status: 0, stdout: `${VERSION}\n`, stderr: '' });
  // The second word is a hash of V8's version.
  kept.writeUInt32LE(~kept.readUInt32LE(4) >>> 0, 4);
  for (const other of [kept, Buffer.from('not a cache'), Buffer.alloc(0)]) {
    writeFileSync(cache, other);
    t.like(version(), { status: 0, stdout: `${VERSION}\n`, stderr: '' });
  }
  rmSync(cache);
});

test('what the build made ahead is what would be made here', (t) => {
  const kept = deserialize(readFileSync(join(dirname(MAIN), 'bundle', 'command.cjs.value')));
  launch({ ...specFor('n-body', ['10']), engine: 'auto' }).run();
  const made = preparedSoFar();
  t.true(made.length >= 2);
  t.deepEqual(new Map(kept), new Map(made));
});
