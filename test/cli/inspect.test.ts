import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { CommanderError } from 'commander';
import { explain } from '../../src/cli/errors.js';
import { eventsCommand } from '../../src/cli/events.js';
import { infoCommand } from '../../src/cli/info.js';
import { showCommand } from '../../src/cli/show.js';
import { writesCommand } from '../../src/cli/writes.js';
import { recordBytes, specOf } from '../timeline/runs.js';
import { JacinthSession, MAIN } from './jacinth.js';

const folder = mkdtempSync(join(tmpdir(), 'jacinth-inspect-'));
const bank = join(folder, 'bank.jacinth');

test.before(() => {
  writeFileSync(bank, recordBytes(specOf('lost-update', { cores: 2, seed: 5, args: ['3'] })));
});
test.after.always(() => rmSync(folder, { recursive: true }));

const session = new JacinthSession();
test.after.always(() => session.end());

function jacinth(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return session.run(args);
}

// biome-ignore lint/suspicious/noExplicitAny: documents of many shapes
async function json(...args: string[]): Promise<any> {
  const { status, stdout, stderr } = await jacinth(...args, '--json');
  if (stderr !== '') throw new Error(`${args.join(' ')}: ${status} ${stderr}`);
  return JSON.parse(stdout);
}

// biome-ignore lint/suspicious/noExplicitAny: events of many shapes
async function lines(...args: string[]): Promise<any[]> {
  const { stdout, stderr } = await jacinth('events', bank, ...args, '--json');
  if (stderr !== '') throw new Error(stderr);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('info says what is recorded, without running it', async (t) => {
  const facts = await json('info', bank);
  t.like(facts, {
    recording: bank,
    guest: 'lost-update.elf',
    arguments: ['lost-update', '3'],
    seed: 5,
    cores: 2,
    quantum: 16384,
    strategy: 'random',
    detail: 'essential',
    exit: 0,
    cause: 'exited',
    complete: true,
    problem: null,
  });
  t.is(facts.bytes, readFileSync(bank).length);
  t.is(facts.timeNs, String(facts.steps));
  t.is(facts.end, `${facts.events}:0`);
  t.regex(facts.stateHash, /^[0-9a-f]{32}$/);
  const { status, stdout } = await jacinth('info', bank);
  t.is(status, 0);
  t.regex(stdout, /^complete +yes$/m);
});

test('info of a recording that was cut says so, and how far it leads', async (t) => {
  const cut = join(folder, 'cut.jacinth');
  const bytes = recordBytes(specOf('lost-update', { cores: 2, seed: 5, args: ['3'] }), 'full');
  writeFileSync(cut, bytes.slice(0, Math.floor(bytes.length * 0.97)));
  const { status, stdout, stderr } = await jacinth('info', cut, '--json');
  t.is(status, 0);
  t.regex(stderr, /^jacinth: .*cut.*\n$/);
  const facts = JSON.parse(stdout);
  t.like(facts, { complete: false, exit: null, cause: null });
  t.regex(facts.problem, /cut/);
  t.true(facts.events > 0 && facts.events <= (await json('info', bank)).events);
});

test('events: one object a line, in order, with positions, threads and exact numbers', async (t) => {
  const all = await lines();
  const kernel = all.filter(({ type }) => type !== 'span');
  t.deepEqual(
    kernel.map(({ position }) => position),
    kernel.map((_, i) => `${i + 1}:0`),
  );
  const entered = all.find(({ type, name }) => type === 'syscall-entered' && name === 'zx_thread_create');
  t.like(entered, { core: 0, args: { name_size: '8', options: 0 } });
  t.regex(entered.args.out, /^0x[0-9a-f]+$/);
  t.is(typeof entered.process, 'number');
  const returned = all.find(({ type, name }) => type === 'syscall-returned' && name === 'zx_thread_create');
  t.like(returned, { returned: 'ZX_OK', result: '0' });
  const span = all.find(({ type }) => type === 'span');
  t.is(span.position.split(':')[1], String(span.steps));
  const { koid } = all.find(({ type, name }) => type === 'object-named' && name === 'teller-2');
  const own = await lines('--thread', String(koid));
  t.true(own.length > 5 && own.length < all.length);
  t.true(own.every(({ thread, by }) => thread === koid || by === koid));
});

test('events: stretches, instructions and writes', async (t) => {
  const all = await lines();
  const span = all.filter(({ type }) => type === 'span').sort((a, b) => b.steps - a.steps)[0];
  const [seq] = span.position.split(':').map(Number);
  const steps = await lines('--from', `${seq}:10`, '--to', `${seq}:15`, '--detail', 'step');
  t.deepEqual(
    steps.map(({ position, type }) => `${type} ${position}`),
    [...[11, 12, 13, 14, 15].map((n) => `step ${seq}:${n}`), `span ${seq}:15`],
  );
  for (const step of steps.slice(0, 5)) {
    t.regex(step.pc, /^0x[0-9a-f]+$/);
    t.regex(step.symbol, /./);
    t.regex(step.instruction, /^[a-z]/);
    t.is(step.thread, span.thread);
  }
  const writes = await lines('--detail', 'write');
  t.true(writes.every(({ type }) => type === 'write'));
  const balance = writes.filter(({ symbol }) => symbol === 'balance');
  t.is(balance.length, 12);
  t.like(balance[0], { by: 'instruction', size: 8, old: '0x0', new: '0x1' });
  t.true(writes.some(({ by, syscall }) => by === 'kernel' && syscall === 'zx_thread_create'));
});

test('events for people: aligned, names instead of numbers, mostly within 80 columns', async (t) => {
  const { stdout } = await jacinth('events', bank);
  const text = stdout.trimEnd().split('\n');
  t.true(text.filter((line) => line.length > 80).length < text.length / 8);
  t.regex(stdout, /^\d+:0 +main\[\d+\] +zx_thread_create\(0x/m);
  t.regex(stdout, /^\d+:0 +main\[\d+\] +zx_thread_create = ZX_OK$/m);
  t.regex(stdout, /console "balance 12, as expected"/);
  t.regex(
    (await jacinth('events', bank, '--detail', 'step', '--from', '64', '--to', '66')).stdout,
    /_start \s+auipc/,
  );
});

test('events from behind the end of a run are refused as a look there is', async (t) => {
  const { events } = await json('info', bank);
  const beyond = `${events + 1}:0`;
  const shown = await jacinth('show', bank, '--at', beyond);
  t.is(shown.status, 125);
  t.regex(shown.stderr, /^jacinth: no position \d+:0, the run ends at \d+:0, look there\n$/);
  for (const detail of ['kernel', 'step', 'write'])
    t.deepEqual(await jacinth('events', bank, '--from', beyond, '--detail', detail), shown);
  // The end itself, and what is asked for up to behind it, are there.
  const last = await lines('--from', `${events - 1}`, '--to', beyond);
  t.is(last.at(-1).position, `${events}:0`);
  t.like(await jacinth('events', bank, '--from', 'end'), { status: 0, stdout: '', stderr: '' });
});

test('events stop quietly when nobody reads on', async (t) => {
  const child = spawn(process.execPath, [MAIN, 'events', bank, '--detail', 'step', '--json']);
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  child.stdout.once('data', () => child.stdout.destroy());
  const status = await new Promise((resolve) => child.on('close', resolve));
  t.is(status, 0);
  t.is(stderr, '');
});

test('show: each part of a state, as text and as a document', async (t) => {
  const summary = await json('show', bank, '--at', '50%');
  t.regex(summary.stateHash, /^[0-9a-f]{32}$/);
  const [process] = summary.processes;
  t.like(process, { name: 'lost-update.elf', life: 'running' });
  const main = process.threads.find(({ name }: { name: string }) => name === 'main');
  t.is(main.backtrace.at(-1).symbol.split('+')[0], '_start');
  const { threads } = await json('show', bank, '--at', '50%', 'regs');
  t.is(threads.length, process.threads.filter(({ pc }: { pc: string | null }) => pc !== null).length);
  t.is(threads[0].registers.pc, main.pc);
  t.is(threads[0].registers.ft0, '0x0');
  const one = await json('show', bank, '--at', '50%', 'regs', '--thread', String(main.koid));
  t.is(one.threads.length, 1);
  const { handles } = (await json('show', bank, '--at', '50%', 'handles')).processes[0];
  t.true(
    handles.some((h: { type: string; rights: string[] }) => h.type === 'thread' && h.rights.includes('WAIT')),
  );
  const { regions } = (await json('show', bank, '--at', '50%', 'maps')).processes[0];
  t.true(regions.some((r: { permissions: string }) => r.permissions === 'r-x'));
  const { objects } = await json('show', bank, '--at', '50%', 'objects');
  t.true(objects.some((o: { type: string; name: string }) => o.type === 'vmo' && o.name === 'vdso/next'));
  for (const what of ['threads', 'regs', 'handles', 'maps', 'objects']) {
    const { status, stdout } = await jacinth('show', bank, what, '--at', '50%');
    t.is(status, 0);
    t.regex(stdout, /lost-update|main/);
  }
  t.regex((await jacinth('show', bank, '--at', 'end')).stdout, /^halted: main process ended with 0$/m);
  t.is((await json('show', bank, '--at', 'start')).steps, 0);
  t.is((await jacinth('show', bank, 'regs', '--at', 'end')).stdout, 'no thread has registers here\n');
});

test('show mem: by symbol and by address, what is mapped of it', async (t) => {
  const { writes } = await json('writes', bank, '--addr', 'balance', '--last');
  const [{ position, address }] = writes;
  const shown = await json('show', bank, '--at', position, 'mem', 'balance');
  t.like(shown, { size: 8, address, symbol: 'balance', chunks: [{ address, bytes: '0c00000000000000' }] });
  t.deepEqual((await json('show', bank, '--at', position, 'mem', address, '8')).chunks, shown.chunks);
  t.is((await json('show', bank, '--at', position, 'mem', 'balance+1', '2')).chunks[0].bytes, '0000');
  const text = (await jacinth('show', bank, '--at', position, 'mem', 'balance')).stdout;
  t.regex(text, /^0x[0-9a-f]+ +0c 00 00 00 00 00 00 00 +\| +\.{8}( +)?\|$/m);
  const page = Number(address) - (Number(address) % 4096);
  const edge = await json('show', bank, '--at', position, 'mem', String(page), '0x10000');
  t.is(edge.chunks[0].address, `0x${page.toString(16)}`);
  t.true(edge.chunks[0].bytes.length < 0x20000);
});

test('writes: everybody, the last one, and none', async (t) => {
  const all = await json('writes', bank, '--addr', 'balance');
  t.is(all.size, 8);
  const values = all.writes.map(({ new: value }: { new: string }) => Number(value));
  t.deepEqual(values, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  t.like(all.writes[0], { by: 'kernel', event: 'vmo-written', thread: null });
  const [last] = (await json('writes', bank, '--addr', 'balance', '--last')).writes;
  t.like(last, { by: 'instruction', old: '0xb', new: '0xc', position: all.writes.at(-1).position });
  t.regex(last.symbol, /^deposit/);
  t.true(last.backtrace.length >= 3);
  t.is(last.pc, last.backtrace[0].address);
  const [before] = (
    await json('writes', bank, '--addr', all.address, '--size', '8', '--last', '--before', last.position)
  ).writes;
  t.is(before.new, '0xb');
  const none = await jacinth('writes', bank, '--addr', 'balance', '--before', '30');
  t.is(none.status, 1);
  t.regex(none.stdout, /nobody wrote/);
  t.is((await jacinth('writes', bank, '--addr', 'balance', '--before', '30', '--json')).status, 1);
});

test('writes and events tell values as a person would: numbers, what a pointer points to, texts', async (t) => {
  const { stdout: last } = await jacinth('writes', bank, '--addr', 'balance', '--last');
  t.regex(last, / balance 11 -> 12$/m);
  const { stdout: pointer } = await jacinth('writes', bank, '--addr', '__zx_vdso_table', '--size', '8');
  t.regex(pointer, / __zx_vdso_table 0 -> 0x[0-9a-f]+ \(__zx_unbound\)$/m);
  const { stdout: text } = await jacinth('events', bank, '--detail', 'write');
  t.regex(text, / balance = 11 -> 12$/m);
});

test('mistakes are one line, with what to do', async (t) => {
  const verbs = { info: infoCommand, events: eventsCommand, show: showCommand, writes: writesCommand };
  for (const [verb, ...args] of [
    ['show', bank, '--at', 'nowhere'],
    ['show', bank, '--at', '5:999999999'],
    ['show', bank, '--at', '999999999'],
    ['show', bank, '--at', '50%', 'mem'],
    ['show', bank, '--at', '50%', 'mem', 'no_such_symbol'],
    ['show', bank, '--at', '50%', 'mem', '0x10'],
    ['show', bank, '--at', '50%', 'mem', '0x1fffffffffffff'],
    ['show', bank, '--at', '50%', 'mem', 'balance', '0x200000'],
    ['show', bank, '--at', '50%', 'everything'],
    ['show', bank, '--at', '50%', 'mem', '0xffffffffffffffff'],
    ['show', bank, '--at', '50%', 'maps', '--process', '7'],
    ['show', bank, '--at', '50%', 'regs', '--thread', '7'],
    ['show', bank, '--at', '50%', 'regs', 'balance'],
    ['show', bank],
    ['events', bank, '--from', '101%'],
    ['events', bank, '--thread', 'main'],
    ['writes', bank],
    ['writes', bank, '--addr', 'balance', '--size', '0'],
    ['writes', bank, '--addr', 'balance', '--process', '7'],
    ['info', join(folder, 'nothing.jacinth')],
    ['info', MAIN],
  ] as const) {
    const command = verbs[verb]()
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    const reason = await t.throwsAsync(command.parseAsync(args, { from: 'user' }), undefined, args.join(' '));
    t.notRegex(reason!.message, /undefined|NaN|\n./);
    if (!(reason instanceof CommanderError)) {
      t.regex(explain(reason).line, /^jacinth: [^\n]+, [^\n]+$/);
      t.is(explain(reason).status, 125);
    }
  }
  const { status, stdout, stderr } = await jacinth('show', bank, '--at', 'nowhere');
  t.is(status, 125);
  t.is(stdout, '');
  t.regex(stderr, /^jacinth: not a position, nowhere, [^\n]+\n$/);
});
