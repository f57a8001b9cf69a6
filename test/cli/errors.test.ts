import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { recordRun, specFor } from '../property/runs.js';
import { guest, jacinth, MAIN, scratchFolder } from './jacinth.js';

const VERBS = ['cc', 'run', 'record', 'replay', 'info', 'events', 'show', 'writes', 'diff'];
const ESCAPE = '\u001b';

const folder = scratchFolder();
const bank = join(folder, 'bank.jacinth');
writeFileSync(bank, recordRun(specFor('lost-update', ['3'], { cores: 2, seed: 5 }), 'essential').bytes);

test('every verb explains itself, with an example, in 80 columns', (t) => {
  for (const verb of ['', ...VERBS]) {
    const { status, stdout, stderr } = jacinth([...(verb === '' ? [] : [verb]), '--help']);
    t.is(status, 0, verb);
    t.is(stderr, '');
    t.regex(stdout, /^Examples?:\n {2}jacinth /m, verb);
    for (const line of stdout.split('\n')) t.true(line.length <= 80, `${verb}: ${line}`);
  }
  const { stdout } = jacinth(['--help']);
  for (const verb of VERBS) t.regex(stdout, new RegExp(`^ {2}${verb} +\\S`, 'm'));
});

/** Mistakes, and what the one line must speak of. */
const MISTAKES: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [['fly'], /fly/],
  [['run'], /program/],
  [['run', guest('hello'), '--cores', 'many'], /cores/],
  [['run', guest('hello'), '--cores', '0'], /1 to 64/],
  [['run', guest('hello'), '--seed', '-1'], /seed/],
  [['run', guest('hello'), '--seed', '1e5'], /seed/],
  [['run', guest('hello'), '--strategy', 'luck'], /random/],
  [['run', guest('hello'), '--env', 'NOTHING'], /NAME=value/],
  [['run', guest('hello'), '--env', '='], /NAME=value/],
  [['run', guest('hello'), '--no-such-option'], /no-such-option/],
  [['record', guest('hello')], /--output/],
  [['record', guest('hello'), '-o', '/nowhere/at/all.jacinth'], /nowhere/],
  [['record', guest('hello'), '-o', 'package.json'], /package.json exists and is not a recording/],
  [['replay'], /recording/],
  [['replay', bank, '--to', 'soon'], /soon/],
  [['replay', bank, '--fold'], /--detail full/],
  [['replay', 'package.json'], /not a Jacinth recording/],
  [['replay', '/nowhere'], /no such file/],
  [['replay', 'new\nline\u001b[31m'], /no such file/],
  [['info', 'package.json'], /not a Jacinth recording/],
  [['events', bank, '--from', '-1'], /from|-1/],
  [['events', bank, '--to', '1:2:3'], /1:2:3/],
  [['show', bank], /--at/],
  [['show', bank, '--at', '99999999:0'], /99999999/],
  [['show', bank, '--at', '101%'], /101%/],
  [['show', bank, '--at', 'end', 'everything'], /everything/],
  [['show', bank, '--at', 'end', 'mem'], /address/],
  [['writes', bank], /--addr/],
  [['writes', bank, '--addr', 'nobody'], /nobody/],
  [['diff', bank], /argument/],
];

for (const [args, says] of MISTAKES) {
  test(`one line for jacinth ${args
    .join(' ')
    .replace(/[^ -~]+/g, '?')
    .replaceAll(folder, '')}`, (t) => {
    const { status, stdout, stderr } = jacinth(args);
    t.true(status === 125 || (args[0] === 'diff' && status === 2), `${status}`);
    t.is(stdout, '');
    t.regex(stderr, /^jacinth: [^\n]+\n$/);
    t.notRegex(stderr, /internal error/);
    t.false(stderr.includes(ESCAPE));
    t.regex(stderr, says);
  });
}

test('no colour with NO_COLOR, and none where nobody looks', (t) => {
  for (const env of [{ NO_COLOR: '1' }, { NO_COLOR: '' }]) {
    for (const args of [
      ['run', guest('null-pointer')],
      ['show', bank, '--at', 'end'],
      ['diff', bank, bank],
      ['--help'],
    ]) {
      const { stdout, stderr } = jacinth(args, { env });
      t.false(stdout.includes(ESCAPE) || stderr.includes(ESCAPE), args.join(' '));
    }
  }
});

test('a reader that goes away ends the output quietly', (t) => {
  const pipe = (command: string) =>
    spawnSync('bash', ['-o', 'pipefail', '-c', command], { encoding: 'utf8', timeout: 60_000 });
  const main = `'${process.execPath}' '${MAIN}'`;
  for (const verb of [
    `events '${bank}' --detail step`,
    `events '${bank}' --json`,
    `writes '${bank}' --addr balance`,
  ]) {
    const { stdout, stderr } = pipe(`${main} ${verb} | head -n 1`);
    t.is(stdout.split('\n').length, 2, verb);
    t.is(stderr, '', verb);
  }
  const counting = pipe(`${main} run ${guest('count')} -- 2000 100 | head -n 1`);
  t.is(counting.stderr, '');
});

/** Every number of a JSON text, outside of strings. */
function numbersOf(text: string): string[] {
  return text.replace(/"(?:[^"\\]|\\.)*"/g, '""').match(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g) ?? [];
}

test('--json prints documents that parse, with no number that a reader could round', (t) => {
  const calls: readonly (readonly string[])[] = [
    ['info', bank],
    ['events', bank],
    ['events', bank, '--detail', 'write', '--to', '30%'],
    ['events', bank, '--detail', 'step', '--from', '200', '--to', '204'],
    ...['summary', 'threads', 'regs', 'handles', 'maps', 'objects'].map((w) => [
      'show',
      bank,
      '--at',
      '70%',
      w,
    ]),
    ['show', bank, '--at', '70%', 'mem', 'balance', '8'],
    ['writes', bank, '--addr', 'balance'],
    ['writes', bank, '--addr', 'balance', '--last'],
    ['diff', bank, bank],
  ];
  for (const args of calls) {
    const { status, stdout, stderr } = jacinth([...args, '--json']);
    t.is(status, 0, stderr);
    t.is(stderr, '');
    const documents =
      args[0] === 'events' || (args[0] === 'writes' && !args.includes('--last'))
        ? stdout.trimEnd().split('\n')
        : [stdout];
    t.notThrows(() => documents.map((text) => JSON.parse(text)), args.join(' '));
    for (const number of numbersOf(stdout)) {
      const value = Number(number);
      t.true(!Number.isInteger(value) || Number.isSafeInteger(value), `${args.join(' ')}: ${number}`);
    }
  }
  const recorded = jacinth(['record', guest('hello'), '-o', join(folder, 'hello.jacinth'), '--json']);
  t.regex(recorded.stderr, /Hello from Zircon\./);
  const end = JSON.parse(recorded.stdout) as Record<string, unknown>;
  t.is(end.exitCode, 0);
  t.is(typeof end.timeNs, 'string');
});
