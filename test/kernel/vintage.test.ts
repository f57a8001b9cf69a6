import { readFileSync } from 'node:fs';
import test from 'ava';
import { MAGENTA_CALLS } from '../../src/abi/magenta.js';
import { PolicyAction, PolicyCondition } from '../../src/abi/policy.js';
import { isPublic, SYSCALLS, syscallByName } from '../../src/abi/syscalls.js';
import type { Vintage } from '../../src/abi/vintage.js';
import { theVdso } from '../../src/loader/bootstrap.js';
import { DEFAULTS, launch } from '../../src/loader/launch.js';
import { exitStatus } from '../../src/machine/exit-status.js';
import { Harness } from './harness.js';
import { koidOf, newEvent, statusName, words } from './ipc-support.js';
import { type Entry, policyArgs } from './policy-support.js';
import { newJob, newProcess } from './task-support.js';

const { ALLOW, DENY, ALLOW_EXCEPTION, DENY_EXCEPTION, KILL } = PolicyAction;
const { BAD_HANDLE, NEW_ANY, NEW_FIFO, NEW_TIMER, NEW_PROCESS, NEW_SAMPLER } = PolicyCondition;

function policyCall(h: Harness, job: number, entries: readonly Entry[], mode = 0): string {
  return statusName(h.call('zx_job_set_policy', policyArgs(h, job, entries, mode)));
}

test("Magenta's functions give today's calls their arguments", (t) => {
  const names = MAGENTA_CALLS.map(({ name }) => name);
  t.is(new Set(names).size, names.length);
  for (const { name, call, args, from, onlyZero } of MAGENTA_CALLS) {
    const today = syscallByName(call);
    t.true(isPublic(today), name);
    const wanted = today.args.filter((arg) => arg.since === undefined).length;
    if (from === undefined) t.true(args.length >= wanted, name);
    else t.is(from.length, wanted, name);
    for (const source of from ?? []) t.true(typeof source !== 'number' || source < args.length, name);
    t.true(args.length <= 8 && (onlyZero ?? 0) <= args.length, name);
  }
});

test('the vDSO of magenta has the functions of both times, the others are one and the same', (t) => {
  const symbols = (vintage: Vintage): string[] => theVdso(vintage).symbols.map(({ name }) => name);
  t.deepEqual(theVdso('head'), theVdso('2023'));
  t.deepEqual(
    symbols('2023').filter((name) => name.includes('mx_')),
    [],
  );
  t.deepEqual(
    symbols('magenta').filter((name) => !symbols('2023').includes(name)),
    MAGENTA_CALLS.flatMap(({ name }) => [`_${name}`, name]),
  );
  const numbers = new Set(theVdso('2023').traps.values());
  t.deepEqual(new Set(theVdso('magenta').traps.values()), numbers);
  t.is(theVdso('magenta').traps.size, numbers.size + MAGENTA_CALLS.length);
  t.true(numbers.size > SYSCALLS.length / 2);
});

function runPolicy(vintage: Vintage, cores: number): { stdout: string; exitCode: number } {
  const bytes = new Uint8Array(readFileSync('test/guests/magenta-policy.elf'));
  const program = { name: 'magenta-policy', bytes, args: ['magenta-policy'], environ: [] };
  const machine = launch({ ...DEFAULTS, program, vintage, cores });
  const out: Uint8Array[] = [];
  machine.happened.subscribe(({ event }) => {
    if (event.type === 'console-written') out.push(event.bytes);
  });
  machine.run();
  return { stdout: Buffer.concat(out).toString(), exitCode: exitStatus(machine.k.state.halt!) };
}

const MAGENTA_OUTPUT = `a job: 0
channels, denied with an exception: 0
the same again: 0
channels, denied: -26
bad handles, killed: 0
an unknown action: -2
an unknown condition: -10
too many: -14
a process: 0
no longer empty: -20
memory: 0
more of it: 0
its size: 0, 8192
mapped: 0
read only: 0
it holds 42
a timer: 0
set: 0
without end: 0, saw 8
a millisecond later: 1
another clock: -2
a futex of another value: -20
a futex until now: -21
a port: 0
once: 0
again and again: -2
a packet: 0 of key 7
`;

test('a program of mx_ functions runs with --abi magenta and knows when it is not there', (t) => {
  for (const cores of [1, 3]) {
    t.deepEqual(runPolicy('magenta', cores), { stdout: MAGENTA_OUTPUT, exitCode: 5 });
    for (const vintage of ['2023', 'head'] as const)
      t.deepEqual(runPolicy(vintage, cores), { stdout: 'this is not Magenta\n', exitCode: 1 });
  }
});

test('mx_job_set_policy: actions are bits, and what they add up to', (t) => {
  const meaning = [ALLOW, DENY, ALLOW_EXCEPTION, DENY_EXCEPTION, KILL, KILL, KILL, KILL];
  for (const [bits, action] of meaning.entries()) {
    const h = new Harness({ vintage: 'magenta' });
    const job = newJob(h);
    t.is(policyCall(h, job, [[NEW_FIFO, bits]]), 'OK');
    t.is(h.k.get(koidOf(h, job), 'job').policy.actions[NEW_FIFO], action, `bits ${bits}`);
  }
});

test('mx_job_set_policy: errors, in the order of its checks', (t) => {
  const h = new Harness({ vintage: 'magenta' });
  const job = newJob(h);
  const entry = h.scratch(words(NEW_FIFO, DENY));
  const set = (...args: (number | bigint)[]): string => statusName(h.call('zx_job_set_policy', args));
  t.is(set(job, 0, 0x0100_0000, entry, 1), 'ERR_INVALID_ARGS', 'BASIC_V2 came later');
  t.is(set(job, 0, 1, entry, 1), 'ERR_INVALID_ARGS', 'so did TIMER_SLACK');
  t.is(set(job, 2, 0, entry, 1), 'ERR_INVALID_ARGS', 'mode');
  t.is(set(job, 0, 0, 0, 1), 'ERR_INVALID_ARGS', 'no pointer');
  t.is(set(job, 0, 0, entry, 0), 'ERR_INVALID_ARGS', 'no entries');
  t.is(set(newEvent(h), 0, 0, entry, 1), 'ERR_WRONG_TYPE');
  const many = h.scratch(256);
  t.is(set(job, 0, 0, many, 13), 'ERR_OUT_OF_RANGE', 'more entries than conditions');
  t.is(set(job, 0, 0, many, 0xffff_ffff), 'ERR_OUT_OF_RANGE', 'many more');
  t.is(policyCall(h, job, [[NEW_FIFO, 8]]), 'ERR_NOT_SUPPORTED', 'action');
  t.is(policyCall(h, job, [[NEW_PROCESS, DENY]]), 'ERR_INVALID_ARGS', 'condition');
  t.is(
    policyCall(h, job, [
      [BAD_HANDLE, KILL | DENY],
      [NEW_TIMER, DENY],
    ]),
    'OK',
  );
  t.is(policyCall(h, job, [[BAD_HANDLE, DENY]], 1), 'ERR_ALREADY_EXISTS');
  t.is(policyCall(h, job, [[BAD_HANDLE, DENY]]), 'OK', 'RELATIVE passes it over');
  t.is(h.k.get(koidOf(h, job), 'job').policy.actions[BAD_HANDLE], KILL);
  newProcess(h, job);
  t.is(policyCall(h, job, [[NEW_TIMER, DENY]]), 'ERR_BAD_STATE');
});

test('NEW_ANY stands for what a vintage knows; NEW_SAMPLER came after 2023', (t) => {
  const denied = (vintage: Vintage): number[] => {
    const h = new Harness({ vintage });
    const job = newJob(h);
    t.is(policyCall(h, job, [[NEW_ANY, DENY]]), 'OK');
    const { actions } = h.k.get(koidOf(h, job), 'job').policy;
    return [NEW_TIMER, NEW_PROCESS, NEW_SAMPLER].filter((condition) => actions[condition] === DENY);
  };
  t.deepEqual(denied('magenta'), [NEW_TIMER]);
  t.deepEqual(denied('2023'), [NEW_TIMER, NEW_PROCESS]);
  t.deepEqual(denied('head'), [NEW_TIMER, NEW_PROCESS, NEW_SAMPLER]);
  for (const [vintage, status] of [
    ['2023', 'ERR_INVALID_ARGS'],
    ['head', 'OK'],
  ] as const) {
    const h = new Harness({ vintage });
    t.is(policyCall(h, newJob(h), [[NEW_SAMPLER, DENY]]), status);
  }
});
