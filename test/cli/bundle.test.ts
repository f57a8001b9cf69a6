import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { preparedSoFar } from '../../src/base/prepared.js';
import { SUMMARIES } from '../../src/cli/overview.js';
import { tapesOfBytes } from '../../src/cpu/engines/kept-tapes.js';
import { tapeItems } from '../../src/cpu/wasm/tape.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { launch } from '../../src/loader/launch.js';
import { piecesBeside } from '../../src/platform/node/cached-script.js';
import '../../src/platform/node/wasm-features.js';
import { Timeline } from '../../src/timeline/timeline.js';
import { VERSION } from '../../src/version.js';
import { specFor } from '../property/runs.js';
import { recordRun, specOf } from '../timeline/runs.js';
import { checkpointFile, openStored } from '../timeline/stored.js';
import { MAIN, scratchFolder } from './jacinth.js';

const folder = scratchFolder();
mkdirSync(join(folder, 'bundle'));
cpSync(MAIN, join(folder, 'main.cjs'));
/** What says the version, which is no verb's. */
const SCRIPT = 'cc.cjs';
const cache = join(folder, 'bundle', `${SCRIPT}.cache`);
cpSync(join(dirname(MAIN), 'bundle', SCRIPT), join(folder, 'bundle', SCRIPT));

const version = () =>
  spawnSync(process.execPath, [join(folder, 'main.cjs'), '--version'], { encoding: 'utf8' });

test('the command does without the code that V8 kept, and with that of another V8', (t) => {
  t.like(version(), { status: 0, stdout: `${VERSION}\n`, stderr: '' });
  const kept = readFileSync(join(dirname(MAIN), 'bundle', `${SCRIPT}.cache`));
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

test('a script that is cut, or not there, is told of in one line', (t) => {
  const script = join(folder, 'bundle', 'diff.cjs');
  const diff = () =>
    spawnSync(process.execPath, [join(folder, 'main.cjs'), 'diff', 'a', 'b'], { encoding: 'utf8' });
  const cut = readFileSync(join(dirname(MAIN), 'bundle', 'diff.cjs')).subarray(0, 30_000);
  for (const bytes of [null, cut]) {
    if (bytes !== null) writeFileSync(script, bytes);
    const { status, stdout, stderr } = diff();
    t.is(status, 2);
    t.is(stdout, '');
    t.regex(stderr, /^jacinth: cannot start: [^\n]+, install it again\n$/);
  }
});

test('a command loads none of those modules of Node that take milliseconds', (t) => {
  const told = join(folder, 'told.cjs');
  const before = 'const before = new Set(process.moduleLoadList);';
  const after = 'process.moduleLoadList.filter((name) => !before.has(name)).join()';
  writeFileSync(told, `${before} process.on('exit', () => require('node:fs').writeSync(2, ${after}));`);
  const { program } = specFor('hello', []);
  const guest = join(folder, program.name);
  writeFileSync(guest, program.bytes);
  for (const args of [
    ['run', guest],
    ['record', '-o', join(folder, 'hello.jacinth'), guest],
    ['show', join(folder, 'hello.jacinth'), '--at', 'end'],
  ]) {
    const { status, stderr } = spawnSync(process.execPath, ['-r', told, MAIN, ...args], { encoding: 'utf8' });
    t.is(status, 0, stderr);
    const loaded = stderr.split(',').map((name) => name.replace('NativeModule ', ''));
    // What keeps scripts: so something was told.
    t.true(loaded.includes('vm'));
    for (const slow of ['module', 'v8', 'zlib', 'child_process', 'stream', 'worker_threads'])
      t.false(loaded.includes(slow), `${args[0]} loads ${slow}`);
  }
});

const namesOf = (all: readonly [string, Uint8Array][]): string[] =>
  [...new Set(all.map(([name]) => name))].sort();

function itemsByKey(bytes: Uint8Array): Map<number, Uint16Array> {
  return new Map([...tapesOfBytes(bytes)].map(([key, tape]) => [key, tapeItems(tape).slice()]));
}

test('what the build made ahead is what would be made here', (t) => {
  const kept = Object.keys(SUMMARIES).flatMap(
    (verb) => piecesBeside(join(dirname(MAIN), 'bundle', `${verb}.cjs`)) ?? [],
  );
  for (const [guest, size] of [
    ['n-body', '300'],
    ['sha256', '100000'],
  ] as const)
    launch({ ...specFor(guest, [size]), engine: 'auto' }).run();
  const machine = launch({ ...specFor('heap-sort', ['5000']), engine: 'auto', maxSteps: 2 ** 20 });
  machine.run();
  stateHash(machine.k.snapshot());
  const recording = recordRun(specOf('c-threads'));
  const stored = openStored(checkpointFile(recording, { steps: 1 << 20, events: 60 }), recording);
  const timeline = new Timeline(recording, stored);
  // Threads run on from checkpoints, and so read pages of them.
  for (const share of [0.8, 0.5]) timeline.seek({ seq: Math.floor(timeline.end.seq * share), step: 0 });
  const made = preparedSoFar();
  t.true(made.length >= 2);
  const isOfTapes = ([name]: readonly [string, Uint8Array]): boolean => name.startsWith('tapes of');
  const isOfKinds = ([name]: readonly [string, Uint8Array]): boolean => name.startsWith('kinds of');
  const isWhole = (of: readonly [string, Uint8Array]): boolean => !isOfTapes(of) && !isOfKinds(of);
  const whole = new Map(made.filter(isWhole));
  for (const [name, bytes] of kept.filter(isWhole)) t.deepEqual(bytes, whole.get(name), name);
  t.deepEqual(namesOf(kept), namesOf(made));
  // Of the rest, the build has what other programs asked for.
  const kindsOf = (all: readonly [string, Uint8Array][]): number[] =>
    all.filter(isOfKinds).flatMap(([, bytes]) => [...new Uint32Array(bytes.slice().buffer)]);
  const known = new Map(kindsOf(made).map((word) => [word >>> 3, word]));
  const both = kindsOf(kept).filter((word) => known.has(word >>> 3));
  t.true(both.length > 20);
  for (const word of both) t.is(known.get(word >>> 3), word);
  const tapes = new Map(made.filter(isOfTapes).map(([name, bytes]) => [name, itemsByKey(bytes)]));
  let compared = 0;
  for (const [name, bytes] of kept.filter(isOfTapes)) {
    for (const [key, items] of itemsByKey(bytes)) {
      const ours = tapes.get(name)!.get(key);
      if (ours === undefined) continue;
      t.deepEqual(items, ours, `${name}, ${key}`);
      compared++;
    }
  }
  t.true(compared > 20, `${compared} tapes`);
});
