import test from 'ava';
import fc from 'fast-check';
import { accessesOf } from '../../src/diff/accesses.js';
import { diffRecordings, NotReplayable } from '../../src/diff/diff.js';
import { differentValue } from '../../src/diff/different-value.js';
import { CALLS, PATH } from '../../src/diff/facts.js';
import type { DiffReport } from '../../src/diff/report.js';
import { Run } from '../../src/diff/run.js';
import { reportText } from '../../src/diff/text.js';
import { compareThreads } from '../../src/diff/threads.js';
import { diff } from '../../src/library/diff.js';
import { record } from '../../src/library/record.js';
import { comparePositions, formatPosition, type Position } from '../../src/machine/position.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { Recording } from '../../src/recording/format/reader.js';
import { Recorder } from '../../src/recording/recorder.js';
import { readMemory } from '../../src/timeline/address-space.js';
import { Timeline } from '../../src/timeline/timeline.js';
import { bank as clerks } from '../sdk/bank.js';
import { anyRun, type RunOptions, recordBytes, recordRun, specOf } from '../timeline/runs.js';

const BANK = { cores: 2, args: ['40'] };

/** Seeds of the bank account: one that loses money and one that does not. */
function bankSeeds(): { failing: number; passing: number } {
  const found: { failing?: number; passing?: number } = {};
  for (let seed = 1; found.failing === undefined || found.passing === undefined; seed++) {
    const { exitCode } = recordRun(specOf('lost-update', { ...BANK, seed })).end!;
    found[exitCode === 0 ? 'passing' : 'failing'] ??= seed;
  }
  return { failing: found.failing, passing: found.passing };
}

const { failing, passing } = bankSeeds();
const bank = (seed: number): Recording => recordRun(specOf('lost-update', { ...BANK, seed }));

function lostUpdateOf(report: DiffReport): DiffReport['cause'] & { kind: 'lost-update' } {
  if (report.cause.kind !== 'lost-update') throw new Error(report.cause.summary);
  return report.cause;
}

test('a failing and a passing run of the bank: the lost update, with both tellers, values and positions', (t) => {
  const report = diffRecordings(bank(failing), bank(passing));
  t.false(report.same);
  const cause = lostUpdateOf(report);
  t.is(cause.what, 'balance');
  t.is(cause.side, 'a');
  t.is(cause.counts.b.stores, 0);
  t.true(cause.counts.a.stores > 0 && cause.counts.a.complete && cause.counts.b.complete);
  const { load, store, overwritten, switched, other } = cause;
  t.regex(load.thread!.name, /^teller-[1-4]$/);
  t.is(store.thread!.key, load.thread!.key);
  t.not(overwritten[0].thread!.key, load.thread!.key);
  for (const moment of [load, store, overwritten[0]]) {
    t.regex(moment.where, /^deposit/);
    t.is(moment.stack[0], moment.where);
    t.regex(moment.stack[1], /^teller_main\+/);
  }
  // It wrote what it had made of the old value, over what others had made of it.
  t.is(store.value, load.value + 1n);
  t.is(overwritten[0].value, load.value + 1n);
  t.true(comparePositions(load.position, switched!.position) < 0);
  t.true(comparePositions(switched!.position, overwritten[0].position) < 0);
  t.true(comparePositions(overwritten[0].position, store.position) < 0);
  t.is(other!.store.value, other!.load.value + 1n);
  t.is(other!.store.thread!.key, load.thread!.key);
  t.deepEqual(
    report.outcomes.map(({ kind, a, b }) => [kind, a.slice(0, 8), b.slice(0, 8)]),
    [
      ['exit', 'exit 1', 'exit 0'],
      ['console', 'balance ', 'balance '],
    ],
  );
  t.true(report.memory.variables.some(({ name, b }) => name === 'balance' && b === 160n));
  t.deepEqual([...report.kinds], ['setup', 'schedule', 'syscall', 'memory', 'console', 'exit']);
  t.is(report.first!.kind, 'schedule');
  // The thread that tells the world comes first, and where it saw it.
  t.is(report.threads[0].thread.a!.key, 'main');
  t.is(report.threads[0].level, 'outcome');
  t.is(report.threads[0].calls.a!.where, 'zx_debug_write');
  t.is(report.threads[0].parting!.what, 'balance');
});

test('values that are told stand in memory, there and not before', (t) => {
  const recording = bank(failing);
  const cause = lostUpdateOf(diffRecordings(recording, bank(passing)));
  const timeline = new Timeline(recording);
  const valueAt = ({ seq, step }: Position): bigint => {
    const { k } = timeline.seek({ seq, step });
    return new DataView(readMemory(k, k.state.mainProcess, cause.address, 8)!.buffer).getBigUint64(0, true);
  };
  t.is(valueAt(cause.load.position), cause.load.value);
  for (const { position, value } of [...cause.overwritten, cause.store]) {
    t.is(valueAt(position), value);
    t.not(valueAt({ ...position, step: position.step - 1 }), value);
  }
});

test('the other way round it is told of the other side', (t) => {
  const [one, other] = [
    lostUpdateOf(diffRecordings(bank(failing), bank(passing))),
    lostUpdateOf(diffRecordings(bank(passing), bank(failing))),
  ];
  t.is(other.side, 'b');
  t.deepEqual(other.load, one.load);
  t.deepEqual(other.store, one.store);
  t.deepEqual(other.counts, { a: one.counts.b, b: one.counts.a });
});

test('two runs that both lose, as much: the lost update all the same, since what came of it differs', (t) => {
  const run = (quantumSteps: number): Recording =>
    recordRun(specOf('lost-update', { cores: 2, seed: 3, quantumSteps }));
  const { counts, what } = lostUpdateOf(diffRecordings(run(16384), run(500)));
  t.is(what, 'balance');
  t.true(counts.a.stores > 0);
  t.is(counts.a.stores, counts.b.stores);
});

test('commands are told as a shell takes them, with the process where it is not the first', (t) => {
  const report = diffRecordings(bank(failing), bank(passing));
  const commands = (changed: DiffReport): string[] =>
    reportText(changed, { a: "it's failing.jacinth", b: 'runs/passing.jacinth' })
      .split('\n')
      .filter((line) => line.startsWith('  jacinth '));
  const plain = commands(report);
  t.true(plain[0].startsWith(String.raw`  jacinth show 'it'\''s failing.jacinth' --at `));
  t.true(plain.at(-1)!.startsWith('  jacinth events runs/passing.jacinth --from '));
  t.false(plain.some((line) => line.includes('--process')));
  const elsewhere = commands({ ...report, cause: { ...lostUpdateOf(report), process: 99 } });
  t.is(elsewhere.filter((line) => line.includes('--addr balance --process 99 ')).length, 1);
});

test('the load that led to the outcome, with who wrote what it read on both sides', (t) => {
  const runs = { a: new Run(bank(failing)), b: new Run(bank(passing)) };
  const { suspects } = compareThreads(runs, true);
  const { threads, parting } = suspects.find(({ threads: { a } }) => a.key === 'main')!;
  const variable = {
    name: parting.what,
    processes: { a: threads.a.process, b: threads.b.process },
    address: parting.address!,
    sizeBytes: 8,
  };
  const accesses = {
    a: accessesOf(runs.a, variable.processes.a, variable.address, 8),
    b: accessesOf(runs.b, variable.processes.b, variable.address, 8),
  };
  const cause = differentValue(runs, parting, variable, accesses)!;
  for (const side of ['a', 'b'] as const) {
    t.is(cause.writer[side]!.value, cause.load[side].value);
    t.regex(cause.writer[side]!.thread!.name, /^teller-/);
    const stores = accesses[side].list.filter(({ kind }) => kind === 'store');
    t.is(formatPosition(cause.writer[side]!.position), formatPosition(stores.at(-1)!.position));
    t.is(cause.next[side], null);
  }
  t.is(cause.load.b.value, 160n);
});

test('a run and itself are the same, whatever it is', (t) => {
  fc.assert(
    fc.property(anyRun, ({ guest, ...options }) => {
      const spec = specOf(guest, options);
      const report = diffRecordings(recordRun(spec), recordRun(spec, 'full'));
      t.true(report.same, JSON.stringify(report.first));
      t.is(report.cause.kind, 'none');
      t.deepEqual([report.kinds.length, report.threads.length, report.outcomes.length], [0, 0, 0]);
    }),
    { numRuns: 10 },
  );
});

test('any two runs of one program get an answer that fits the runs', (t) => {
  const two = fc.tuple(anyRun, anyRun);
  fc.assert(
    fc.property(two, ([{ guest, ...left }, { guest: _, ...right }]) => {
      const [a, b] = [recordRun(specOf(guest, left)), recordRun(specOf(guest, right))];
      const report = diffRecordings(a, b);
      t.is(report.same, a.end!.eventHash === b.end!.eventHash);
      if (report.same) return;
      t.not(report.cause.kind, 'none');
      t.true(report.first !== null);
      if (a.end!.exitCode !== b.end!.exitCode) t.true(report.outcomes.some(({ kind }) => kind === 'exit'));
      const { same, differ } = report.threadCounts;
      t.true(same + differ >= 1 && report.threads.length <= differ);
    }),
    { numRuns: 10 },
  );
});

test('what threads do on their own does not depend on the schedule', (t) => {
  const guests = [
    'futex-mutex',
    'port-timer',
    'process-tree',
    'channel-ping-pong',
    'heap-sort',
    'abba-deadlock',
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...guests),
      fc.nat(100),
      fc.nat(100),
      fc.constantFrom(1, 2, 4),
      (guest, x, y, cores) => {
        const runs = [x, y].map(
          (seed) => new Run(recordRun(specOf(guest, { seed, cores, maxSteps: 400_000 }))),
        );
        const [a, b] = runs.map(({ history }) => history.threads);
        t.deepEqual([...a.keys()].sort(), [...b.keys()].sort());
        for (const [key, thread] of a) {
          t.true(
            thread.marks[CALLS].equals(b.get(key)!.marks[CALLS]),
            `${guest} ${key} with seeds ${x} and ${y}`,
          );
          t.is(thread.name, b.get(key)!.name);
        }
      },
    ),
    { numRuns: 10 },
  );
});

test('other entropy is an input, and leaves what threads do as it is', (t) => {
  const options: RunOptions = { seed: 1, cores: 2 };
  const [a, b] = [1, 2].map((entropySeed) =>
    recordRun(specOf('channel-ping-pong', { ...options, entropySeed })),
  );
  const report = diffRecordings(a, b);
  t.is(report.first!.kind, 'input');
  t.is(report.cause.kind, 'input');
  t.deepEqual(report.outcomes, []);
  const runs = { a: new Run(a), b: new Run(b) };
  for (const [key, thread] of runs.a.history.threads) {
    t.true(thread.marks[PATH].equals(runs.b.history.threads.get(key)!.marks[PATH]), key);
  }
});

test('other random addresses are said to be in the way', (t) => {
  const [a, b] = [failing, passing].map((seed) =>
    recordRun(specOf('lost-update', { ...BANK, seed, aslr: true, entropySeed: seed })),
  );
  const { cause, memory, threads } = diffRecordings(a, b);
  t.is(cause.kind, 'unknown');
  t.regex(cause.summary, /record both with one entropy seed/);
  t.deepEqual(memory.variables, []);
  t.true(threads.every(({ parting }) => parting === null));
  const [c, d] = [failing, passing].map((seed) =>
    recordRun(specOf('lost-update', { ...BANK, seed, aslr: true })),
  );
  t.is(diffRecordings(c, d).cause.kind, 'lost-update');
});

test('a step limit is what ended the run that has it', (t) => {
  const spec = specOf('lost-update', { ...BANK, seed: failing });
  const { cause, first, outcomes } = diffRecordings(
    recordRun(spec),
    recordRun({ ...spec, maxSteps: 100_000 }),
  );
  t.is(first!.kind, 'input');
  t.is(cause.kind, 'input');
  t.is(cause.summary, 'B was ended by its step limit, after 100000 steps');
  t.is(outcomes[0].b, 'step limit');
});

test('a deadlock is told as who waits for whom', (t) => {
  const race = (seed: number): Recording =>
    recordRun(specOf('abba-deadlock', { seed, cores: 2, quantumSteps: 300, args: ['8'] }));
  const seeds = Array.from({ length: 20 }, (_, i) => i + 1);
  const stuck = seeds.find((seed) => race(seed).end!.cause === 'deadlock')!;
  const free = seeds.find((seed) => race(seed).end!.cause === 'exited')!;
  const { cause, outcomes } = diffRecordings(race(free), race(stuck));
  if (cause.kind !== 'deadlock') throw new Error(cause.summary);
  t.is(cause.side, 'b');
  t.true(cause.waits.some((wait) => /clerk-a.*futex ledger.*owned by thread clerk-b/.test(wait)));
  t.true(cause.waits.some((wait) => /clerk-b.*futex accounts.*owned by thread clerk-a/.test(wait)));
  t.deepEqual([outcomes[0].a, outcomes[0].b], ['exit 0', 'deadlock']);
});

test('two schedules that end alike differ in the schedule, and nothing else is made of it', (t) => {
  const [a, b] = [1, 2].map((seed) =>
    recordRun(specOf('producer-consumer', { seed, cores: 2, args: ['20'] })),
  );
  const { cause, same, outcomes } = diffRecordings(a, b);
  t.false(same);
  t.is(cause.kind, 'schedule');
  t.deepEqual(outcomes, []);
});

test('unlike programs and arguments get a plain answer', (t) => {
  const bankRun = bank(passing);
  const arguments_ = diffRecordings(
    bankRun,
    recordRun(specOf('lost-update', { cores: 2, seed: passing, args: ['41'] })),
  );
  t.is(arguments_.cause.kind, 'setup');
  t.deepEqual(arguments_.setup, [{ what: 'arguments', a: '["40"]', b: '["41"]' }]);
  const program = diffRecordings(bankRun, recordRun(specOf('hello')));
  t.is(program.cause.kind, 'setup');
  t.regex(program.cause.summary, /other program/);
  t.is(program.sides.b.ended, 'exit 0');
  const { program: built, ...rest } = specOf('hello');
  const rebuilt = { ...rest, program: { ...built, bytes: new Uint8Array([...built.bytes, 0]) } };
  t.regex(
    diffRecordings(recordRun(specOf('hello')), recordRun(rebuilt)).cause.summary,
    /unlike runs: other builds of hello/,
  );
  const environment = specOf('hello');
  const other = { ...environment, program: { ...environment.program, environ: ['LANG=C'] } };
  t.is(diffRecordings(recordRun(environment), recordRun(other)).cause.kind, 'setup');
});

/** A recording that was written to disk after every few events. */
function flushedOften(spec: ReturnType<typeof specOf>): Uint8Array {
  const parts: Uint8Array[] = [];
  let polls = 0;
  const sink = {
    write: (bytes: Uint8Array) => parts.push(bytes.slice()),
    flushDue: () => ++polls % 10 === 0,
    flushed() {},
  };
  new Recorder(spec, 'essential', () => sink).run();
  return new Uint8Array(Buffer.concat(parts));
}

test('a recording cut at any byte is compared as far as it goes', (t) => {
  const bytes = flushedOften(specOf('lost-update', { ...BANK, seed: failing }));
  const whole = Recording.open(bytesSource(bytes));
  const other = bank(passing);
  const expected = formatPosition(diffRecordings(whole, other).first!.position);
  const start = whole.chunk(2).offset;
  fc.assert(
    fc.property(fc.noBias(fc.integer({ min: start, max: bytes.length - 1 })), (length) => {
      const cut = Recording.open(bytesSource(bytes.slice(0, length)));
      const self = diffRecordings(cut, whole);
      t.true(self.same, `${length}: ${JSON.stringify(self.first)}`);
      const report = diffRecordings(other, cut);
      // It may be cut before the two part.
      if (!report.same) t.is(formatPosition(report.first!.position), expected);
      if (/^cut/.test(report.sides.b.ended)) {
        t.deepEqual(report.memory.variables, []);
        // Others may be there that do differ: what follows the cut is not among it.
        for (const { calls, level } of report.threads) {
          if (level !== 'path') t.false(calls.a !== null && calls.b === null, JSON.stringify(calls));
        }
      }
      if (!report.same && cut.end === null) {
        // What was flushed may be all but the end.
        t.regex(report.sides.b.ended, /^cut at |^exit 1$/);
        t.is(
          report.outcomes.some(({ kind }) => kind === 'exit'),
          report.sides.b.ended === 'exit 1',
        );
      }
    }),
    { numRuns: 8 },
  );
});

test('a recording that does not replay is named', (t) => {
  const good = bank(failing);
  const bytes = recordBytes(specOf('lost-update', { ...BANK, seed: failing }));
  const lie = Recording.open(bytesSource(bytes));
  Object.assign(lie, { end: { ...lie.end, eventHash: '0'.repeat(32) } });
  const error = t.throws(() => diffRecordings(good, lie), { instanceOf: NotReplayable });
  t.is(error.side, 'b');
  t.regex(error.message, /diverged at .*jacinth replay/);
});

test('the library takes bytes', (t) => {
  const bytes = recordBytes(specOf('hello'));
  t.true(diff(bytes, bytesSource(bytes)).same);
});

test('programs in TypeScript are compared too, given the program', (t) => {
  const what = clerks(3, 6, false);
  const made = Array.from({ length: 20 }, (_, seed) =>
    record(what, { seed, cores: 2, quantumSteps: 100 }).finish(),
  );
  const [bad, good] = [1, 0].map((code) => made.find(({ end }) => end.exitCode === code)!);
  const report = diff(bad.bytes, good.bytes, { programs: [what] });
  const { load, store, overwritten } = lostUpdateOf(report);
  t.regex(load.thread!.name, /^clerk/);
  t.not(overwritten[0].thread!.key, load.thread!.key);
  t.is(store.value, load.value + 1n);
  t.throws(() => diff(bad.bytes, good.bytes), { instanceOf: NotReplayable });
});
