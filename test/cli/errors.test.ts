import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { recordRun, specFor } from '../property/runs.js';
import { guest, jacinthEach, MAIN, scratchFolder } from './jacinth.js';

const VERBS = ['cc', 'run', 'record', 'replay', 'info', 'events', 'show', 'writes', 'diff'];
const ESCAPE = '\u001b';

const folder = scratchFolder();
const bank = join(folder, 'bank.jacinth');
writeFileSync(bank, recordRun(specFor('lost-update', ['3'], { cores: 2, seed: 5 }), 'essential').bytes);

test('every verb explains itself, with an example, in 80 columns', (t) => {
  const outcomes = jacinthEach([['--help'], ...VERBS.map((verb) => [verb, '--help'])]);
  for (const [i, verb] of ['', ...VERBS].entries()) {
    const { status, stdout, stderr } = outcomes[i];
    t.is(status, 0, verb);
    t.is(stderr, '');
    t.regex(stdout, /^Examples?:\n {2}jacinth /m, verb);
    for (const line of stdout.split('\n')) t.true(line.length <= 80, `${verb}: ${line}`);
  }
  for (const verb of VERBS) t.regex(outcomes[0].stdout, new RegExp(`^ {2}${verb} +\\S`, 'm'));
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
  [['run', 'package.json'], /not an ELF file: .*, in package\.json, give/],
  [['replay', 'package.json'], /package\.json: not a Jacinth recording/],
  [['replay', '/nowhere'], /no such file/],
  [['replay', 'new\nline\u001b[31m'], /no such file/],
  [['info', 'package.json'], /package\.json: not a Jacinth recording/],
  [['show', 'package.json', '--at', 'end'], /package\.json: not a Jacinth recording/],
  [['diff', bank, 'package.json'], /package\.json: not a Jacinth recording/],
  [['events', bank, '--from', '-1'], /from|-1/],
  [['events', bank, '--to', '1:2:3'], /1:2:3/],
  [['show', bank], /--at/],
  [['show', bank, '--at', '99999999:0'], /99999999/],
  [['show', bank, '--at', '101%'], /101%/],
  [['show', bank, '--at', 'end', 'everything'], /everything/],
  [['show', bank, '--at', 'end', 'mem'], /address/],
  [['writes', bank], /--addr/],
  [['writes', bank, '--addr', 'nobody'], /nobody/],
  [['diff'], /argument/],
  [['diff', bank], /argument/],
  [['diff', bank, bank, bank], /argument/],
  [['diff', bank, bank, '--colour'], /--colour/],
  [['diff', bank, '/nowhere'], /no such file/],
];

test('mistakes are one line, with what to do', (t) => {
  const outcomes = jacinthEach(MISTAKES.map(([args]) => args));
  for (const [i, [args, says]] of MISTAKES.entries()) {
    const { status, stdout, stderr } = outcomes[i];
    const line = args.join(' ');
    t.is(status, args[0] === 'diff' ? 2 : args.join(' ') === 'run package.json' ? 126 : 125, line);
    t.is(stdout, '', line);
    t.regex(stderr, /^jacinth: [^\n]+\n$/, line);
    t.notRegex(stderr, /internal error/, line);
    t.false(stderr.includes(ESCAPE), line);
    t.regex(stderr, says, line);
  }
});

test('no colour with NO_COLOR, and none where nobody looks', (t) => {
  const commands = [
    ['run', guest('null-pointer')],
    ['show', bank, '--at', 'end'],
    ['diff', bank, bank],
    ['--help'],
  ];
  for (const env of [{ NO_COLOR: '1' }, { NO_COLOR: '' }]) {
    for (const [i, { stdout, stderr }] of jacinthEach(commands, { env }).entries()) {
      t.not(stdout + stderr, '');
      t.false(stdout.includes(ESCAPE) || stderr.includes(ESCAPE), commands[i].join(' '));
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
  // Gone before anything is said: the writer's own end of the pipe is the only one left.
  for (const verb of ['--help', 'run --help', '--version']) {
    const { stderr, status } = pipe(`exec 3> >(exec true); sleep 0.2; exec ${main} ${verb} >&3`);
    t.is(stderr, '', verb);
    t.is(status, 0, verb);
  }
  const counting = pipe(`${main} run ${guest('count')} -- 2000 100 | head -n 1`);
  t.is(counting.stderr, '');
});

test('what cannot be written is said in one line', (t) => {
  const main = `'${process.execPath}' '${MAIN}'`;
  const full = (verb: string) =>
    spawnSync('bash', ['-c', `${main} ${verb} >/dev/full`], { encoding: 'utf8', timeout: 60_000 });
  for (const [verb, status] of [
    ['--help', 125],
    ['run --help', 125],
    [`run ${guest('count')}`, 125],
    [`info '${bank}'`, 125],
    [`events '${bank}'`, 125],
    [`diff '${bank}' '${bank}'`, 2],
  ] as const) {
    const outcome = full(verb);
    t.is(outcome.stderr, 'jacinth: cannot write to stdout (ENOSPC), check disk space\n', verb);
    t.is(outcome.status, status, verb);
  }
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
  const outcomes = jacinthEach([
    ...calls.map((args) => [...args, '--json']),
    ['record', guest('hello'), '-o', join(folder, 'hello.jacinth'), '--json'],
  ]);
  for (const [i, args] of calls.entries()) {
    const { status, stdout, stderr } = outcomes[i];
    t.is(status, 0, stderr);
    t.is(stderr, '');
    const documents = args[0] === 'events' ? stdout.trimEnd().split('\n') : [stdout];
    t.notThrows(() => documents.map((text) => JSON.parse(text)), args.join(' '));
    for (const number of numbersOf(stdout)) {
      const value = Number(number);
      t.true(!Number.isInteger(value) || Number.isSafeInteger(value), `${args.join(' ')}: ${number}`);
    }
  }
  const recorded = outcomes[calls.length];
  t.regex(recorded.stderr, /Hello from Zircon\./);
  const end = JSON.parse(recorded.stdout) as Record<string, unknown>;
  t.is(end.exitCode, 0);
  t.is(typeof end.timeNs, 'string');
});
