import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { open } from '../../src/library/open.js';
import { formatPosition, type Position, START } from '../../src/machine/position.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { KINDS } from '../../src/recording/format/kinds.js';
import { Recording } from '../../src/recording/format/reader.js';
import { recordRun, specFor } from '../property/runs.js';
import { seal, unseal } from '../recording/sample.js';
import { guest, jacinth, jacinthEach, type Outcome, scratchFolder } from './jacinth.js';

const folder = scratchFolder();
const at = (name: string): string => join(folder, name);

/** Options of `run`, and how it must end. */
const ENDINGS: readonly (readonly [what: string, args: readonly string[], status: number])[] = [
  ['a program that ends well', [guest('hello')], 0],
  ["the guest's own code", [guest('script')], 2],
  ['an unhandled exception', [guest('null-pointer')], 134],
  ['the step limit', [guest('spin'), '--max-steps', '1000'], 124],
  ['a deadlock', [guest('abba-deadlock')], 123],
  ['no program', ['package.json'], 126],
  ['no file', [at('nothing')], 127],
  ['a mistake on the command line', [guest('hello'), '--cores', '65'], 125],
];

test('run, record and replay end with one status', (t) => {
  const paths = ENDINGS.map((_, i) => at(`${i}.jacinth`));
  const each = (command: (args: readonly string[], i: number) => string[]): Outcome[] =>
    jacinthEach(ENDINGS.map(([, args], i) => command(args, i)));
  const runs = each((args) => ['run', ...args]);
  const records = each(([program, ...rest], i) => ['record', program, '-o', paths[i], ...rest]);
  const replays = each((_, i) => ['replay', paths[i]]);
  for (const [i, [what, , status]] of ENDINGS.entries()) {
    const { [i]: run } = runs;
    t.is(run.status, status, `${what}: ${run.stderr}`);
    t.is(records[i].status, status, `${what}: ${records[i].stderr}`);
    t.is(records[i].stdout, run.stdout, what);
    t.is(records[i].stderr, run.stderr, what);
    // Where nothing was begun there is nothing that could be replayed.
    const begun = status < 125 || status >= 128;
    t.is(replays[i].status, begun ? status : 125, `${what}: ${replays[i].stderr}`);
    if (begun) t.is(replays[i].stdout, run.stdout, what);
  }
  t.is(jacinth(['run', ...ENDINGS[1][1]]).status, ENDINGS[1][2]);
});

test('replay: a recording whose run was another is 125, with both sides', (t) => {
  const { recording } = recordRun(specFor('hello', []), 'essential');
  const chunks = unseal(recording).filter(({ kind }) => kind !== KINDS.index.number);
  const end = chunks.findIndex(({ kind }) => kind === KINDS.end.number);
  const stored = chunks[end].stored.slice();
  const hash = Buffer.from(recording.end!.stateHash);
  const first = Buffer.from(stored).indexOf(hash);
  stored[first] = stored[first] === 0x30 ? 0x31 : 0x30;
  const path = at('other.jacinth');
  writeFileSync(path, seal(chunks.with(end, { ...chunks[end], stored })));
  t.not(Recording.open(bytesSource(seal(chunks))).end, null);
  const { status, stderr } = jacinth(['replay', path]);
  t.is(status, 125);
  t.regex(stderr, /diverges at \d+:\d+ in its state\n {2}recorded: \S+\n {2}replayed: \S+\n/);
});

test('replay --to stops exactly there, and names a position that there is not', (t) => {
  const { bytes, end } = recordRun(specFor('lost-update', ['3'], { cores: 2, seed: 1 }), 'essential');
  const { position, steps } = stepsAt(bytes);
  const path = at('to.jacinth');
  writeFileSync(path, bytes);
  const to = (where: string): string[] => ['replay', path, '--to', where];
  const [inside, kept, looked, over, last, beyond, between] = jacinthEach([
    to(formatPosition(position)),
    [...to(formatPosition(position)), '--keep-checkpoints'],
    ['show', path, '--at', 'end', '--json'],
    to('100%'),
    to(String(end.events)),
    to(String(end.events + 1)),
    to('0:1'),
  ]);
  t.is(inside.status, 0);
  t.is(
    inside.stderr,
    `jacinth: replayed ${steps} steps and ${position.seq} events, the same run as recorded\n`,
  );
  // Checkpoints are between commands, so that one can go on from them.
  t.is(kept.status, 0);
  t.is(looked.stderr, '');
  t.is(JSON.parse(looked.stdout).stateHash, end.stateHash);
  for (const { status, stderr } of [over, last]) {
    t.is(status, end.exitCode);
    t.regex(stderr, new RegExp(`replayed ${end.steps} steps and ${end.events} events`));
  }
  t.is(beyond.status, 125);
  t.regex(beyond.stderr, /^jacinth: no position \d+, the run ends at \d+:0, go there\n$/);
  t.is(between.status, 125);
  t.is(between.stderr, 'jacinth: no position 0:1, the next one is 1:0, go there\n');
});

/** A position in the middle of a stretch of instructions, and how many led there. */
function stepsAt(bytes: Uint8Array): { position: Position; steps: number } {
  const session = open(bytes);
  for (const { seq, event } of session.batches(START, session.end)) {
    if (event.type !== 'span' || event.steps < 100) continue;
    const position = { seq, step: 50 };
    return { position, steps: session.stateAt(position).steps };
  }
  throw new Error('no long span');
}

test('writes is 0 when it found something and 1 when not; diff is 0, 1 or 2', (t) => {
  const bank = (name: string, seed: number): string => {
    const { bytes } = recordRun(specFor('lost-update', ['3'], { cores: 2, seed }), 'essential');
    writeFileSync(at(name), bytes);
    return at(name);
  };
  const [a, again, b] = [bank('a.jacinth', 1), bank('again.jacinth', 1), bank('b.jacinth', 2)];
  const outcomes = jacinthEach([
    ['writes', a, '--addr', 'balance'],
    ['writes', a, '--addr', 'balance', '--before', '3'],
    ['writes', a, '--addr', 'no_such_symbol'],
    ['diff', a, again],
    ['diff', a, b],
    ['diff', a, 'package.json'],
    ['diff', at('nothing'), a],
  ]);
  t.deepEqual(
    outcomes.map(({ status }) => status),
    [0, 1, 125, 0, 1, 2, 2],
  );
});
