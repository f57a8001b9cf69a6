import test from 'ava';
import { ExceptionType } from '../../src/abi/exceptions.js';
import { PolicyAction, PolicyCondition, PolicyOverride } from '../../src/abi/policy.js';
import { ROOT_POLICY } from '../../src/kernel/objects/policy.js';
import { exceptionEventText } from '../../src/timeline/exception-text.js';

const NOBODY = { stage: 'nobody', job: 0, debuggers: [] } as const;
const SLOT = { channel: 9, threadRights: 0, processRights: 0 };

test('events about exceptions and policy name what they are about', (t) => {
  const created = { type: 'exception-created', koid: 7, thread: 5, process: 4, fault: null } as const;
  const report = new Uint8Array(40);
  t.is(
    exceptionEventText({ ...created, report, exceptionType: ExceptionType.THREAD_STARTING }),
    'makes exception 7: THREAD_STARTING',
  );
  t.is(exceptionEventText({ ...created, report, exceptionType: 0x7008 }), 'makes exception 7: 0x7008');
  const handler = { channelType: 5, threadRights: 0, processRights: 0 };
  t.is(
    exceptionEventText({ type: 'exception-sent', koid: 7, handler, course: NOBODY }),
    'exception 7 goes to the JOB_DEBUGGER channel',
  );
  t.is(
    exceptionEventText({ type: 'exception-answer-set', koid: 7, answer: 2 }),
    'exception 7 will be THREAD_EXIT',
  );
  t.is(
    exceptionEventText({ type: 'exception-channel-bound', task: 4, place: 'job-debugger', slot: SLOT }),
    'channel 9 gets exceptions of 4 as its job-debugger',
  );
  t.is(
    exceptionEventText({ type: 'thread-state-written', thread: 5, kind: 1, bytes: report }),
    'FP_REGS of thread 5 are written',
  );
  t.is(exceptionEventText({ type: 'exception-ended', koid: 7 }), null);
});

test('a policy is told by what it forbids, locks and delays', (t) => {
  const text = (policy: Partial<typeof ROOT_POLICY>) =>
    exceptionEventText({ type: 'job-policy-set', koid: 3, policy: { ...ROOT_POLICY, ...policy } });
  t.is(text({}), 'policy of job 3: all is allowed');
  const actions = ROOT_POLICY.actions.with(PolicyCondition.NEW_VMO, PolicyAction.KILL);
  const overrides = ROOT_POLICY.overrides.with(PolicyCondition.NEW_FIFO, PolicyOverride.DENY);
  t.is(
    text({ actions, overrides, minSlackNs: 5n }),
    'policy of job 3: NEW_VMO KILL, NEW_FIFO ALLOW for good, timers 5 ns late, way 0',
  );
});
