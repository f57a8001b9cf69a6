/**
 * The main job, as a user would do it: find a failing and a passing run of a racy program, record both, replay the
 * failing one, compare the two, and look for who wrote the wrong value. Every line after `$` is run as it is printed.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const CLI = join(ROOT, '.build', 'src', 'cli', 'main.cjs');
const FOLDER = '.jacinth';
const GUEST = 'test/guests/lost-update.elf';
const CORES = ['--cores', '2'];
const MAX_SEEDS = 64;

function say(text: string): void {
  process.stdout.write(`\n${text}\n`);
}

function fail(text: string): never {
  process.stderr.write(`main job: ${text}\n`);
  process.exit(1);
}

/** Runs a verb; `show` prints the command and what it says. */
function jacinth(args: readonly string[], show: boolean): { status: number; stdout: string } {
  if (show) process.stdout.write(`$ jacinth ${args.join(' ')}\n`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (show) process.stdout.write(indent(stdout + stderr));
  return { status: status ?? 1, stdout };
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

function record(seed: number, file: string): void {
  jacinth(['record', GUEST, ...CORES, '--seed', String(seed), '-o', file], true);
}

function main(): void {
  const started = performance.now();
  process.chdir(ROOT);
  mkdirSync(FOLDER, { recursive: true });

  say('1. A bank account, four threads, two cores: which schedules lose money?');
  const seeds: { failing?: number; passing?: number } = {};
  for (let seed = 1; seed <= MAX_SEEDS; seed++) {
    const { status, stdout } = jacinth(['run', GUEST, ...CORES, '--seed', String(seed)], false);
    process.stdout.write(
      `  seed ${String(seed).padStart(2)}: exit ${status}, ${stdout.trim().split('\n').at(-1)}\n`,
    );
    if (status === 0) seeds.passing ??= seed;
    else seeds.failing ??= seed;
    if (seeds.failing !== undefined && seeds.passing !== undefined) break;
  }
  const { failing, passing } = seeds;
  if (failing === undefined || passing === undefined)
    fail(`${MAX_SEEDS} seeds gave no failing and passing run`);

  say('2. Both are recorded.');
  const bad = join(FOLDER, 'failing.jacinth');
  const good = join(FOLDER, 'passing.jacinth');
  record(failing, bad);
  record(passing, good);

  say('3. The failing run, three times more: the same every time.');
  for (let i = 0; i < 3; i++) {
    if (jacinth(['replay', bad], true).status !== 1) fail('the replay is not the run that was recorded');
  }

  say('4. Where the two runs part, and why.');
  if (jacinth(['diff', bad, good], true).status !== 1) fail('the two runs do not differ');

  say('5. Who wrote the wrong balance last?');
  if (jacinth(['writes', bad, '--addr', 'balance', '--last'], true).status !== 0)
    fail('nobody wrote the balance');

  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(
    `Done in ${seconds} s. The recordings are in ${relative('.', FOLDER)}/. To go on by hand:\n\n  export PATH=$PWD/node_modules/.bin:$PATH`,
  );
  for (const line of [
    `jacinth info ${bad}`,
    `jacinth events ${bad} --from 50% | head`,
    `jacinth show ${bad} --at end`,
    `jacinth show ${bad} --at 50% regs`,
    `jacinth writes ${bad} --addr balance`,
    `jacinth --help`,
  ]) {
    process.stdout.write(`  ${line}\n`);
  }
}

main();
