import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { guest, jacinth, scratchFolder } from '../cli/jacinth.js';

const folder = scratchFolder();
const file = (name: string): string => join(folder, `${name}.jacinth`);

/** Records the bank account with that many deposits a teller; its exit status. */
function bank(seed: number, name: string, deposits = 40): number | null {
  return jacinth([
    'record',
    guest('lost-update'),
    '--cores',
    '2',
    '--seed',
    String(seed),
    '-o',
    file(name),
    '--',
    String(deposits),
  ]).status;
}

test.before((t) => {
  const missing = new Set(['passing', 'failing']);
  for (let seed = 1; missing.size > 0 && seed < 50; seed++) {
    const name = bank(seed, 'candidate') === 0 ? 'passing' : 'failing';
    if (missing.delete(name)) writeFileSync(file(name), readFileSync(file('candidate')));
  }
  t.is(missing.size, 0);
});

test('the same recording twice: 0, differing ones: 1, what cannot be read: 2', (t) => {
  t.is(jacinth(['diff', file('failing'), file('failing')]).status, 0);
  t.is(jacinth(['diff', file('failing'), file('passing')]).status, 1);
  writeFileSync(file('text'), 'not a recording');
  for (const bad of [file('missing'), file('text'), folder]) {
    const { status, stdout, stderr } = jacinth(['diff', file('failing'), bad]);
    t.is(status, 2, bad);
    t.is(stdout, '');
    t.regex(stderr, /^jacinth: [^\n]+\n$/);
  }
});

test('the cause comes first, in words, on about a screen', (t) => {
  const { stdout, stderr } = jacinth(['diff', file('failing'), file('passing')]);
  t.is(stderr, '');
  const lines = stdout.split('\n');
  t.true(lines.length <= 60, `${lines.length} lines`);
  for (const line of lines.filter((text) => !text.includes(folder))) t.true(line.length <= 80, line);
  const text = stdout.replace(/\s+/g, ' ');
  t.regex(text, /Cause: lost update of balance in A/);
  t.regex(
    text,
    /(teller-[1-4]) read (\d+) in deposit.*(teller-[1-4]) wrote (\d+) in deposit.*\1 wrote \4 in deposit/,
  );
  t.regex(text, /the scheduler (preempted teller-\d between its load and its store|let another core run)/);
  t.true(text.indexOf('Cause:') < text.indexOf('Outcome'));
  t.regex(text, /A balance \d+, expected 160: \d+ lost B balance 160, as expected/);
});

test('the commands it gives can be run', (t) => {
  const { stdout } = jacinth(['diff', file('failing'), file('passing')]);
  const commands = stdout.split('\n').filter((line) => line.startsWith('  jacinth '));
  t.true(commands.length >= 3);
  for (const command of commands) {
    const [args] = command.trim().split(' | ');
    const { status, stdout: said } = jacinth(args.split(' ').slice(1));
    t.is(status, 0, command);
    t.true(said.length > 0, command);
  }
});

test('--json is one document with positions and exact numbers', (t) => {
  const { stdout, status } = jacinth(['diff', file('failing'), file('passing'), '--json']);
  t.is(status, 1);
  const report = JSON.parse(stdout);
  t.is(stdout.trimEnd().split('\n').length, 1);
  t.is(report.files.a, file('failing'));
  t.is(report.cause.kind, 'lost-update');
  t.regex(report.cause.load.position, /^\d+:\d+$/);
  t.regex(report.cause.load.value, /^\d+$/);
  t.regex(report.first.position, /^\d+:\d+$/);
});

test('unlike runs: a plain answer', (t) => {
  bank(1, 'longer', 41);
  const { status, stdout } = jacinth(['diff', file('failing'), file('longer')]);
  t.is(status, 1);
  t.regex(stdout, /Cause: the recordings are of unlike runs: other arguments/);
});

test('a damaged recording is trouble, a cut one is compared as far as it goes', (t) => {
  const bytes = readFileSync(file('failing'));
  const damaged = Buffer.from(bytes);
  damaged[bytes.length >> 1] ^= 0x10;
  writeFileSync(file('damaged'), damaged);
  const { status, stderr, stdout } = jacinth(['diff', file('damaged'), file('passing')]);
  t.is(status, 2);
  t.is(stdout, '');
  t.regex(stderr, /^jacinth: [^\n]*damaged\.jacinth: [^\n]*damaged[^\n]*\n$/);
  // Without its index and end.
  writeFileSync(file('cut'), bytes.subarray(0, bytes.length - 200));
  const cut = jacinth(['diff', file('cut'), file('failing')]);
  t.is(cut.status, 0);
  t.regex(cut.stderr, /^jacinth: [^\n]*cut\.jacinth: [^\n]*cut[^\n]*\n$/);
});
