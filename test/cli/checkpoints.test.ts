import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { guest, jacinth, scratchFolder } from './jacinth.js';

const folder = scratchFolder();
const plain = join(folder, 'plain.jacinth');
const kept = join(folder, 'kept.jacinth');
const KEPT = `${kept}.checkpoints`;
const LOOKS = [
  ['show', '--at', '70%', '--json'],
  ['show', '--at', '40%', 'regs', '--json'],
  ['show', '--at', 'end', 'objects', '--json'],
  ['events', '--from', '99%', '--json'],
  ['writes', '--addr', 'balance', '--last', '--json'],
];

function look([verb, ...args]: readonly string[], recording: string): { stdout: string; stderr: string } {
  const { stdout, stderr } = jacinth([verb, recording, ...args]);
  return { stdout: stdout.replaceAll(recording, 'R'), stderr };
}

let ran: number | null = null;

test.before(() => {
  const made = jacinth(['record', guest('lost-update'), '-o', plain, '--cores', '2', '--seed', '2']);
  ran = made.status;
  copyFileSync(plain, kept);
});

test.serial('replay keeps checkpoints where asked, and looks are the same with them', (t) => {
  t.deepEqual(JSON.parse(jacinth(['info', kept, '--json']).stdout).checkpoints, null);
  const { status, stderr } = jacinth(['replay', kept, '--keep-checkpoints']);
  t.is(status as unknown, ran);
  t.true(status === 0 || status === 1);
  t.regex(stderr, /^jacinth: kept \d+ checkpoints, \d+ bytes, in .*kept\.jacinth\.checkpoints$/m);
  t.deepEqual(readFileSync(kept), readFileSync(plain));
  const facts = JSON.parse(jacinth(['info', kept, '--json']).stdout).checkpoints;
  t.true(facts.count >= 1);
  t.is(facts.bytes, readFileSync(KEPT).length);
  for (const args of LOOKS) {
    const withThem = look(args, kept);
    t.deepEqual(withThem, look(args, plain), args.join(' '));
    t.is(withThem.stderr, '');
    t.not(withThem.stdout, '');
  }
});

test.serial('record keeps the same checkpoints', (t) => {
  const path = join(folder, 'recorded.jacinth');
  const args = [
    'record',
    guest('lost-update'),
    '-o',
    path,
    '--cores',
    '2',
    '--seed',
    '2',
    '--keep-checkpoints',
  ];
  t.regex(jacinth(args).stderr, /kept \d+ checkpoints/);
  const facts = JSON.parse(jacinth(['info', path, '--json']).stdout).checkpoints;
  t.true(facts.count >= 1);
  t.deepEqual(look(LOOKS[0], path), look(LOOKS[0], plain));
  // Recorded anew without: those of before are gone.
  jacinth(args.slice(0, -1));
  t.is(JSON.parse(jacinth(['info', path, '--json']).stdout).checkpoints, null);
  t.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('recorded')),
    ['recorded.jacinth'],
  );
});

test.serial('checkpoints that are damaged, cut or of another recording are told of and not used', (t) => {
  const good = readFileSync(KEPT);
  const damaged = Buffer.from(good);
  for (let at = 300; at < damaged.length - 600; at += 97) damaged[at] ^= 1;
  const cases: [string, Uint8Array][] = [
    ['damaged', damaged],
    ['cut', good.subarray(0, good.length - 5000)],
    ['empty', Buffer.alloc(0)],
    ['something else', Buffer.from('a note of mine\n')],
    ['a recording', readFileSync(plain)],
  ];
  for (const [what, bytes] of cases) {
    writeFileSync(KEPT, bytes);
    const { stdout, stderr } = look(LOOKS[2], kept);
    t.is(stdout, look(LOOKS[2], plain).stdout, what);
    t.regex(stderr, /^jacinth: [^\n]*kept\.jacinth\.checkpoints: [^\n]+\n$/, what);
  }
  // What is not ours stays.
  writeFileSync(KEPT, 'a note of mine\n');
  const refused = jacinth(['replay', kept, '--keep-checkpoints']);
  t.is(refused.status, 125);
  t.regex(refused.stderr, /exists and is not a recording/);
  t.is(readFileSync(KEPT, 'utf8'), 'a note of mine\n');
  t.false(existsSync(`${KEPT}.part`));
  writeFileSync(KEPT, good);
});

test.serial('checkpoints are no recording to look into', (t) => {
  const { status, stderr } = jacinth(['show', KEPT, '--at', 'end']);
  t.is(status, 125);
  t.regex(stderr, /^jacinth: [^\n]*checkpoints[^\n]*\n$/);
});

test('what it is for stands in the help', (t) => {
  for (const verb of ['record', 'replay']) {
    const { stdout } = jacinth([verb, '--help']);
    t.regex(stdout, /--keep-checkpoints/);
  }
  const both = jacinth(['replay', plain, '--fold', '--keep-checkpoints']);
  t.is(both.status, 125);
  t.regex(both.stderr, /^jacinth: [^\n]+\n$/);
});
