import test from 'ava';
import fc from 'fast-check';
import {
  NEW_ANY_CONDITIONS,
  PolicyAction,
  PolicyCondition,
  type PolicyConditionName,
  PolicyExceptionCode,
  PolicyMode,
  PolicyOverride,
  PolicyTopic,
} from '../../src/abi/policy.js';
import { Right } from '../../src/abi/rights.js';
import { Status } from '../../src/abi/status.js';
import type { SyscallName } from '../../src/abi/syscalls.js';
import { TaskRetcode } from '../../src/abi/threads.js';
import { ROOT_POLICY } from '../../src/kernel/objects/policy.js';
import { Harness } from './harness.js';
import {
  gives,
  koidOf,
  NO_HANDLE,
  NOWHERE,
  newChannel,
  newEvent,
  statusName,
  text,
  withRights,
  words,
} from './ipc-support.js';
import { type Entry, policyArgs, underPolicy } from './policy-support.js';
import { jobInfo, newJob, newProcess, newRunning, processInfo } from './task-support.js';
import { newVmo, PAGE, RW, X } from './vm-support.js';

const { ALLOW, DENY, ALLOW_EXCEPTION, DENY_EXCEPTION, KILL } = PolicyAction;
const { NEW_ANY, NEW_CHANNEL, NEW_EVENT, NEW_VMO, BAD_HANDLE } = PolicyCondition;
const UNLOCKED = PolicyOverride.ALLOW;
const LOCKED = PolicyOverride.DENY;

function policyOf(h: Harness, job: number) {
  return h.k.get(koidOf(h, job), 'job').policy;
}

test('zx_job_set_policy: arguments are looked at before the handle, entries after it', (t) => {
  const h = new Harness();
  const job = newJob(h);
  const entry = h.scratch(words(NEW_VMO, DENY, 0));
  const set = (...args: (number | bigint)[]): string => statusName(h.call('zx_job_set_policy', args));
  t.is(set(NO_HANDLE, 0, 7, entry, 1), 'ERR_INVALID_ARGS', 'topic');
  t.is(set(NO_HANDLE, 2, 0, entry, 1), 'ERR_INVALID_ARGS', 'mode');
  t.is(set(NO_HANDLE, 0, 0, 0, 1), 'ERR_INVALID_ARGS', 'no pointer');
  t.is(set(NO_HANDLE, 0, 0, NOWHERE, 1), 'ERR_INVALID_ARGS', 'bad pointer');
  t.is(set(NO_HANDLE, 0, 0, entry, 0), 'ERR_INVALID_ARGS', 'no entries');
  t.is(set(NO_HANDLE, 0, 0, entry, 33), 'ERR_INVALID_ARGS', 'more than 32');
  t.is(set(NO_HANDLE, 0, 0, entry, 1), 'ERR_BAD_HANDLE');
  t.is(set(newEvent(h), 0, 0, entry, 1), 'ERR_WRONG_TYPE');
  t.is(set(withRights(h, job, Right.GET_POLICY), 0, 0, entry, 1), 'ERR_ACCESS_DENIED');
  t.is(set(job, 0, 0, h.scratch(256), 32), 'ERR_OUT_OF_RANGE', 'more entries than conditions');
  t.is(set(job, 0, 0, h.scratch(words(17, DENY)), 1), 'ERR_INVALID_ARGS', 'NEW_SAMPLER came after 2023');
  t.is(set(job, 0, 0, h.scratch(words(NEW_VMO, 5)), 1), 'ERR_NOT_SUPPORTED', 'action');
  t.is(
    set(job, 0, PolicyTopic.BASIC_V2, h.scratch(words(NEW_VMO, DENY, 2)), 1),
    'ERR_INVALID_ARGS',
    'override',
  );
  t.is(
    set(job, 0, PolicyTopic.BASIC_V2, h.scratch(words(NEW_ANY, DENY, 2)), 1),
    'ERR_INVALID_ARGS',
    'override',
  );
  t.deepEqual(policyOf(h, job), ROOT_POLICY);
  t.is(set(job, 0, 0, entry, 1), 'OK');
});

test('zx_job_set_policy: BAD_STATE for a job with children, or dead', (t) => {
  const h = new Harness();
  const entries = [[NEW_VMO, DENY]];
  const parent = newJob(h);
  const child = newJob(h, parent);
  gives(t, h, 'ERR_BAD_STATE', 'zx_job_set_policy', policyArgs(h, parent, entries));
  const { process } = newProcess(h, child);
  gives(t, h, 'ERR_BAD_STATE', 'zx_job_set_policy', policyArgs(h, child, entries));
  gives(t, h, 'OK', 'zx_task_kill', [process]);
  gives(t, h, 'OK', 'zx_job_set_policy', policyArgs(h, child, entries));
  gives(t, h, 'OK', 'zx_task_kill', [child]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_job_set_policy', policyArgs(h, child, entries));
});

test('policy is taken at birth, by jobs and by processes', (t) => {
  const h = new Harness();
  const job = newJob(h);
  gives(t, h, 'OK', 'zx_job_set_policy', policyArgs(h, job, [[NEW_EVENT, DENY]]));
  const child = newJob(h, job);
  t.is(policyOf(h, child).actions[NEW_EVENT], DENY);
  t.is(policyOf(h, child).overrides[NEW_EVENT], LOCKED);
  const { process } = newProcess(h, child);
  t.is(h.k.get(koidOf(h, process), 'process').policy, policyOf(h, child));
});

test('ABSOLUTE refuses what is locked and changes nothing; RELATIVE passes it over', (t) => {
  const h = new Harness();
  const job = newJob(h);
  gives(t, h, 'OK', 'zx_job_set_policy', policyArgs(h, job, [[NEW_EVENT, DENY]]));
  const child = newJob(h, job);
  const entries = [
    [NEW_VMO, DENY],
    [NEW_EVENT, ALLOW],
  ];
  const before = policyOf(h, child);
  gives(t, h, 'ERR_ALREADY_EXISTS', 'zx_job_set_policy', policyArgs(h, child, entries, PolicyMode.ABSOLUTE));
  t.is(policyOf(h, child), before);
  gives(t, h, 'OK', 'zx_job_set_policy', policyArgs(h, child, entries));
  t.is(policyOf(h, child).actions[NEW_VMO], DENY);
  t.is(policyOf(h, child).actions[NEW_EVENT], DENY);
  const same = policyArgs(h, newJob(h, job), [[NEW_EVENT, DENY]], PolicyMode.ABSOLUTE);
  gives(t, h, 'OK', 'zx_job_set_policy', same);
});

test('NEW_ANY stands for every kind of object, and one entry may say otherwise', (t) => {
  const h = new Harness();
  const job = newJob(h);
  gives(
    t,
    h,
    'OK',
    'zx_job_set_policy',
    policyArgs(h, job, [
      [NEW_ANY, DENY],
      [NEW_CHANNEL, ALLOW],
    ]),
  );
  const { actions, overrides } = policyOf(h, job);
  for (const condition of NEW_ANY_CONDITIONS) {
    if (condition >= 17) continue;
    t.is(actions[condition], condition === NEW_CHANNEL ? ALLOW : DENY, String(condition));
    t.is(overrides[condition], LOCKED);
  }
  for (const condition of [BAD_HANDLE, PolicyCondition.VMAR_WX, PolicyCondition.AMBIENT_MARK_VMO_EXEC]) {
    t.is(actions[condition], ALLOW);
  }
});

test('timer slack grows from job to job and has its own rules', (t) => {
  const h = new Harness();
  const job = newJob(h);
  const slack = (ns: bigint, mode: number): number => {
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setBigInt64(0, ns, true);
    bytes[8] = mode;
    return h.scratch(bytes);
  };
  const topic = PolicyTopic.TIMER_SLACK;
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_job_set_policy', [job, PolicyMode.ABSOLUTE, topic, slack(1n, 0), 1]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_job_set_policy', [job, 0, topic, slack(1n, 0), 2]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_job_set_policy', [job, 0, topic, slack(-1n, 0), 1]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_job_set_policy', [job, 0, topic, slack(1n, 3), 1]);
  gives(t, h, 'OK', 'zx_job_set_policy', [job, 0, topic, slack(500n, 2), 1]);
  t.like(policyOf(h, job), { minSlackNs: 500n, slackMode: 2 });
  gives(t, h, 'OK', 'zx_job_set_policy', [job, 0, topic, slack(20n, 1), 1]);
  t.like(policyOf(h, job), { minSlackNs: 500n, slackMode: 1 });
});

const CREATES: readonly [SyscallName, PolicyConditionName, (h: Harness) => (number | bigint)[]][] = [
  ['zx_vmo_create', 'NEW_VMO', (h) => [4096n, 0, h.scratch(4)]],
  ['zx_channel_create', 'NEW_CHANNEL', (h) => [0, h.scratch(4), h.scratch(4)]],
  ['zx_event_create', 'NEW_EVENT', (h) => [0, h.scratch(4)]],
  ['zx_eventpair_create', 'NEW_EVENTPAIR', (h) => [0, h.scratch(4), h.scratch(4)]],
  ['zx_port_create', 'NEW_PORT', (h) => [0, h.scratch(4)]],
  ['zx_timer_create', 'NEW_TIMER', (h) => [0, 0, h.scratch(4)]],
  [
    'zx_process_create',
    'NEW_PROCESS',
    (h) => [h.handles.job, h.scratch(text('x')), 1n, 0, h.scratch(4), h.scratch(4)],
  ],
  ['zx_vmar_map', 'VMAR_WX', (h) => [h.handles.rootVmar, RW | X, 0n, executable(h), 0n, PAGE, h.scratch(8)]],
  ['zx_vmo_replace_as_executable', 'AMBIENT_MARK_VMO_EXEC', (h) => [newVmo(h, PAGE), 0, h.scratch(4)]],
];

function executable(h: Harness): number {
  return h.give(koidOf(h, newVmo(h, PAGE)), Right.READ | Right.WRITE | Right.EXECUTE | Right.MAP);
}

for (const [name, condition, args] of CREATES) {
  test(`${name} under each action of ${condition}`, (t) => {
    const raised = (h: Harness) =>
      h.events.find((e) => e.type === 'exception-raised' && e.exception === 'policy');
    for (const action of [ALLOW, DENY, ALLOW_EXCEPTION, DENY_EXCEPTION, KILL]) {
      const h = new Harness();
      const before = args(h);
      underPolicy(h, condition, action);
      const result = h.call(name, before);
      const returned = h.events.findLast((e) => e.type === 'syscall-returned');
      const allowed = action === ALLOW || action === ALLOW_EXCEPTION;
      if (action === ALLOW || action === DENY) {
        t.is(statusName(result), allowed ? 'OK' : 'ERR_ACCESS_DENIED');
        t.is(raised(h), undefined);
        continue;
      }
      // Nobody handles the exception: the process ends, with the result in the register before that.
      t.is(result, 'gone');
      t.is(returned?.result, BigInt(allowed ? Status.OK : Status.ERR_ACCESS_DENIED));
      const { returnCode } = h.k.get(h.process, 'process');
      t.is(returnCode, BigInt(action === KILL ? TaskRetcode.POLICY_KILL : TaskRetcode.EXCEPTION_KILL));
      if (action === KILL) t.is(raised(h), undefined);
      else t.like(raised(h), { code: PolicyExceptionCode[condition], data: 0 });
    }
  });
}

test('BAD_HANDLE: denied whatever the policy, with an exception or an end where it says so', (t) => {
  const calls: [SyscallName, (h: Harness) => (number | bigint)[]][] = [
    ['zx_handle_close', () => [NO_HANDLE]],
    ['zx_handle_close_many', (h) => [h.scratch(words(NO_HANDLE)), 1n]],
    ['zx_object_get_info', (h) => [0, 2, h.scratch(64), 64n, 0, 0]],
    ['zx_object_wait_one', () => [NO_HANDLE, 1, 0n, 0]],
    ['zx_channel_write', (h) => [newChannel(h)[0], 0, 0, 0, h.scratch(words(NO_HANDLE)), 1]],
    ['zx_object_wait_many', (h) => [h.scratch(words(NO_HANDLE, 1, 0)), 1n, 0n]],
  ];
  for (const [name, args] of calls) {
    for (const action of [ALLOW, DENY, DENY_EXCEPTION, ALLOW_EXCEPTION, KILL]) {
      const h = new Harness();
      const values = args(h);
      underPolicy(h, 'BAD_HANDLE', action);
      const result = h.call(name, values);
      const ends = action !== ALLOW && action !== DENY;
      t.is(statusName(result), ends ? 'gone' : 'ERR_BAD_HANDLE', `${name} ${action}`);
      const returned = h.events.findLast((e) => e.type === 'syscall-returned');
      t.is(returned?.result, BigInt(Status.ERR_BAD_HANDLE), name);
    }
  }
});

test('BAD_HANDLE: no misuse to close nothing, or to ask whether there is something', (t) => {
  const h = new Harness();
  underPolicy(h, 'BAD_HANDLE', KILL);
  gives(t, h, 'OK', 'zx_handle_close', [0]);
  gives(t, h, 'ERR_NOT_FOUND', 'zx_handle_check_valid', [NO_HANDLE]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_object_get_info', [NO_HANDLE, 1, 0, 0n, 0, 0]);
  t.is(h.k.get(h.process, 'process').life, 'running');
});

test("it is the caller's policy that counts, not that of the job it names", (t) => {
  const h = new Harness();
  const job = newJob(h);
  gives(t, h, 'OK', 'zx_job_set_policy', policyArgs(h, job, [[PolicyCondition.NEW_PROCESS, DENY]]));
  t.notThrows(() => newProcess(h, job));
});

test('zx_job_set_critical: statuses', (t) => {
  const h = new Harness();
  const job = newJob(h);
  const { process } = newRunning(h, job);
  const elsewhere = newJob(h);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_job_set_critical', [NO_HANDLE, 2, process]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_job_set_critical', [NO_HANDLE, 0, process]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_job_set_critical', [process, 0, process]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_job_set_critical', [withRights(h, job, Right.WAIT), 0, process]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_job_set_critical', [job, 0, job]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_job_set_critical', [job, 0, withRights(h, process, Right.DESTROY)]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_job_set_critical', [elsewhere, 0, process]);
  gives(t, h, 'OK', 'zx_job_set_critical', [h.handles.job, 0, process]);
  gives(t, h, 'ERR_ALREADY_BOUND', 'zx_job_set_critical', [job, 0, process]);
});

test('a critical process takes its job along, with all in it; only on failure if that was asked', (t) => {
  for (const { nonzero, code, dies } of [
    { nonzero: 0, code: 0n, dies: true },
    { nonzero: 1, code: 0n, dies: false },
    { nonzero: 1, code: 7n, dies: true },
  ]) {
    const h = new Harness();
    const job = newJob(h);
    const inner = newJob(h, job);
    const bystander = newRunning(h, job);
    const { process, thread } = newRunning(h, inner);
    gives(t, h, 'OK', 'zx_job_set_critical', [job, nonzero, process]);
    h.call('zx_process_exit', [code], koidOf(h, thread));
    t.deepEqual(jobInfo(h, job), {
      returnCode: dies ? BigInt(TaskRetcode.CRITICAL_PROCESS_KILL) : 0n,
      exited: dies,
    });
    const { returnCode } = processInfo(h, bystander.process);
    t.is(returnCode, dies ? BigInt(TaskRetcode.CRITICAL_PROCESS_KILL) : 0n);
  }
});

/** What the documents say of policy tables, in its own words: a map of conditions, one entry at a time. */
class Model {
  constructor(readonly table: ReadonlyMap<number, { action: number; locked: boolean }> = new Map()) {}

  set(entries: readonly Entry[], absolute: boolean): Model | 'ERR_ALREADY_EXISTS' {
    const table = new Map(this.table);
    let anyLock: boolean | null = null;
    for (const [condition, action, flags = LOCKED] of entries) {
      const isAny = condition === NEW_ANY;
      const each = isAny ? [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16] : [condition];
      for (const one of each) {
        const old = table.get(one) ?? { action: ALLOW, locked: false };
        const locked = !isAny && flags === LOCKED;
        if (!old.locked) table.set(one, { action, locked });
        else if (absolute && !(old.action === action && locked)) return 'ERR_ALREADY_EXISTS';
      }
      if (isAny) anyLock = flags === LOCKED;
    }
    if (anyLock !== null) {
      for (const one of [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16]) {
        table.set(one, { action: table.get(one)?.action ?? ALLOW, locked: anyLock });
      }
    }
    return new Model(table);
  }
}

const entry = (version2: boolean) => {
  const parts = [fc.integer({ min: 0, max: 16 }), fc.integer({ min: 0, max: 4 })];
  return version2 ? fc.tuple(...parts, fc.constantFrom(UNLOCKED, LOCKED)) : fc.tuple(...parts);
};
const step = fc.boolean().chain((version2) =>
  fc.record({
    entries: fc.array(entry(version2), { minLength: 1, maxLength: 6 }),
    absolute: fc.boolean(),
    nest: fc.boolean(),
  }),
);

test('tables of nested jobs are what a model of the documents says', (t) => {
  const property = fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
    const h = new Harness();
    let job = newJob(h);
    let model = new Model();
    for (const { entries, absolute, nest } of steps) {
      if (nest) job = newJob(h, job);
      const mode = absolute ? PolicyMode.ABSOLUTE : PolicyMode.RELATIVE;
      const status = statusName(h.call('zx_job_set_policy', policyArgs(h, job, entries, mode)));
      const next = model.set(entries, absolute);
      t.is(status, typeof next === 'string' ? next : 'OK');
      if (typeof next !== 'string') model = next;
      const { actions, overrides } = policyOf(h, job);
      for (let condition = 0; condition < actions.length; condition++) {
        const { action, locked } = model.table.get(condition) ?? { action: ALLOW, locked: false };
        t.deepEqual([actions[condition], overrides[condition]], [action, locked ? LOCKED : UNLOCKED]);
      }
    }
  });
  fc.assert(property, { numRuns: 150 });
});
