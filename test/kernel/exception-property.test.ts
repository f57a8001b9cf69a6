import test from 'ava';
import fc from 'fast-check';
import { ExceptionState, ExceptionType } from '../../src/abi/exceptions.js';
import { Property } from '../../src/abi/info.js';
import { PolicyAction } from '../../src/abi/policy.js';
import { Signal } from '../../src/abi/signals.js';
import type { SyscallName } from '../../src/abi/syscalls.js';
import { answer, canRun, crash, debug, listen, newTarget, receive, take } from './exception-support.js';
import { Harness } from './harness.js';
import { brokenInvariants } from './invariants.js';
import { koidOf, words } from './ipc-support.js';
import { underPolicy } from './policy-support.js';
import { ENTRY, newJob, newRunning, newThread, processInfo, STACK } from './task-support.js';

const { HANDLED, THREAD_EXIT, TRY_NEXT } = ExceptionState;

/** Who may listen, in the order that they are asked. */
const PLACES = ['debugger', 'thread', 'process', 'again', 'job', 'outer'] as const;
type Place = (typeof PLACES)[number];

const course = fc.record({
  listening: fc.subarray(['debugger', 'thread', 'process', 'job', 'outer'] as const),
  /** Whose channel closes before the exception comes. */
  deaf: fc.subarray(['debugger', 'thread', 'process', 'job', 'outer'] as const),
  /** Whose channel closes with the exception in it. */
  careless: fc.subarray(['debugger', 'thread', 'process', 'job', 'outer'] as const),
  secondChance: fc.boolean(),
  answers: fc.array(fc.constantFrom(TRY_NEXT, TRY_NEXT, TRY_NEXT, HANDLED, THREAD_EXIT), {
    minLength: 6,
    maxLength: 6,
  }),
});

test('who is asked, in which order, and what becomes of the thread, is what the documents say', (t) => {
  const property = fc.property(course, ({ listening, deaf, careless, secondChance, answers }) => {
    const h = new Harness();
    const outer = newJob(h);
    const job = newJob(h, outer);
    const { process, thread, tid } = newTarget(h, job);
    const tasks = { debugger: process, thread, process, job, outer };
    const channels = new Map<Place, number>();
    for (const place of listening) {
      channels.set(place, place === 'debugger' ? debug(h, process) : listen(h, tasks[place]));
    }
    for (const place of deaf) {
      const channel = channels.get(place);
      if (channel !== undefined) h.call('zx_handle_close', [channel]);
      channels.delete(place);
    }
    crash(h, tid);
    let end: 'runs' | 'thread gone' | 'killed' = 'killed';
    let again = false;
    for (const [i, place] of PLACES.entries()) {
      if (place === 'again' && !again) continue;
      const listener = place === 'again' ? 'debugger' : place;
      const channel = channels.get(listener);
      if (channel === undefined) continue;
      t.true(h.k.get(tid, 'thread').wait?.kind === 'exception');
      if (careless.includes(listener)) {
        h.call('zx_handle_close', [channel]);
        channels.delete(listener);
        continue;
      }
      const { exception } = take(h, channel);
      if (place === 'debugger' && secondChance) {
        h.call('zx_object_set_property', [exception, Property.EXCEPTION_STRATEGY, h.scratch(words(1)), 4n]);
        again = true;
      }
      answer(h, exception, answers[i]);
      if (answers[i] === TRY_NEXT) continue;
      end = answers[i] === HANDLED ? 'runs' : 'thread gone';
      break;
    }
    t.is(canRun(h, tid), end === 'runs');
    t.is(processInfo(h, process).exited, end !== 'runs');
    const left = h.events.some((event) => event.type === 'exception-unhandled');
    t.is(left, end === 'killed');
    // Nobody hears of it twice; the debugger hears of the thread's end.
    for (const [place, channel] of channels) {
      const last = receive(h, channel);
      if (last === null || last === 'closed') continue;
      t.deepEqual([place, last.type], ['debugger', ExceptionType.THREAD_EXITING]);
    }
  });
  fc.assert(property, { numRuns: 300 });
});

/** Calls that make, take and let go of exceptions, channels and tokens; and faults. */
const ACTIONS: readonly (SyscallName | 'crash')[] = [
  'crash',
  'crash',
  'zx_task_create_exception_channel',
  'zx_task_create_exception_channel',
  'zx_channel_read',
  'zx_channel_read',
  'zx_object_set_property',
  'zx_exception_get_thread',
  'zx_exception_get_process',
  'zx_handle_close',
  'zx_handle_close',
  'zx_handle_replace',
  'zx_task_suspend',
  'zx_thread_read_state',
  'zx_thread_write_state',
  'zx_thread_raise_exception',
  'zx_thread_create',
  'zx_thread_start',
  'zx_thread_exit',
  'zx_event_create',
  'zx_job_set_policy',
  'zx_job_set_critical',
  'zx_process_exit',
  'zx_task_kill',
];

interface Action {
  readonly what: (typeof ACTIONS)[number];
  readonly numbers: readonly number[];
}

const actions = fc.array(
  fc.record({
    what: fc.constantFrom(...ACTIONS),
    numbers: fc.array(fc.nat(0xffff), { minLength: 6, maxLength: 6 }),
  }),
  { minLength: 1, maxLength: 60, size: 'max' },
);

const BUFFER = 64;

/** What a random number means as an argument of a call. */
function argumentsOf(h: Harness, name: SyscallName, n: readonly number[], out: number): (number | bigint)[] {
  const { handles, handleSecret } = h.k.sharedBy(h.process);
  const slots = [...handles.keys()];
  // Mostly one that fits.
  const handle = (i: number, ...kinds: string[]): number => {
    const fitting = slots.filter((slot) =>
      kinds.includes(h.k.find(handles.get(slot)?.koid ?? 0)?.kind ?? ''),
    );
    const list = fitting.length === 0 || n[i] % 7 === 0 ? slots : fitting;
    return ((list[n[i] % list.length] ^ handleSecret) << 2) | 3;
  };
  switch (name) {
    case 'zx_task_create_exception_channel':
      return [handle(0, 'job', 'process', 'thread'), n[1] % 2, out];
    case 'zx_channel_read':
      return [handle(0, 'channel'), 0, out, out + 32, 24, 1, out + 40, out + 44];
    case 'zx_object_set_property':
      return [
        handle(0, 'exception'),
        n[1] % 3 === 0 ? Property.EXCEPTION_STRATEGY : Property.EXCEPTION_STATE,
        out,
        4n,
      ];
    case 'zx_handle_replace':
      return [handle(0), 0x80000000, out];
    case 'zx_thread_read_state':
    case 'zx_thread_write_state':
      return [handle(0, 'thread'), 0, out, 8n];
    case 'zx_thread_raise_exception':
      return [1, ExceptionType.USER, out];
    case 'zx_thread_create':
      return [handle(0, 'process'), out, 1n, 0, out];
    case 'zx_thread_start':
      return [handle(0, 'thread'), ENTRY, STACK, 0n, 0n];
    case 'zx_event_create':
      return [0, out];
    case 'zx_job_set_policy':
      return [handle(0, 'job'), 0, 0, out, 1];
    case 'zx_job_set_critical':
      return [handle(0, 'job'), n[1] % 2, handle(2, 'process')];
    case 'zx_process_exit':
      return [BigInt(n[0] % 3)];
    case 'zx_exception_get_thread':
    case 'zx_exception_get_process':
      return [handle(0, 'exception'), out];
    case 'zx_task_suspend':
      return [handle(0, 'process', 'thread'), out];
    case 'zx_task_kill':
      return [handle(0, 'process')];
    case 'zx_handle_close':
      return [handle(0, 'exception', 'channel', 'suspend-token')];
    default:
      return [handle(0), out];
  }
}

function run(h: Harness, list: readonly Action[]): unknown[] {
  const outer = newJob(h);
  const inner = newJob(h, outer);
  const targets = [newRunning(h, inner), newRunning(h, inner), newRunning(h, newJob(h, outer))];
  for (const { process } of targets) newThread(h, process);
  underPolicy(h, 'NEW_EVENT', PolicyAction.ALLOW_EXCEPTION, koidOf(h, targets[0].process));
  // Who makes the calls is out of their reach.
  for (const handle of Object.values(h.handles)) h.call('zx_handle_close', [handle]);
  h.emit({ type: 'signals-changed', koid: h.thread, signals: Signal.THREAD_RUNNING });
  const out = h.scratch(BUFFER);
  const results: unknown[] = [];
  for (const { what, numbers: n } of list) {
    const ready = [...h.k.state.runQueue].filter((koid) => h.k.get(koid, 'thread').process !== h.process);
    if (
      what === 'crash' ||
      what === 'zx_thread_exit' ||
      what === 'zx_process_exit' ||
      what === 'zx_event_create'
    ) {
      if (ready.length === 0) continue;
      const thread = ready[n[5] % ready.length];
      if (what === 'crash') crash(h, thread);
      else results.push(h.call(what, argumentsOf(h, what, n, out), thread));
      continue;
    }
    h.poke(out, words(n[3] % 6, n[4] % 6));
    results.push(h.call(what, argumentsOf(h, what, n, out)));
  }
  return results;
}

test('any calls and faults do the same in owned and in drafted states, and nothing is out of place after', (t) => {
  const known = new Set(brokenInvariants(new Harness().k.snapshot()));
  const property = fc.property(actions, (list) => {
    const owned = new Harness({}, 'owned');
    const drafted = new Harness({}, 'immer');
    t.deepEqual(run(owned, list), run(drafted, list));
    t.is(owned.hash(), drafted.hash());
    t.deepEqual(
      brokenInvariants(owned.k.snapshot()).filter((it) => !known.has(it)),
      [],
    );
  });
  fc.assert(property, { numRuns: 150 });
});

test('random calls do get exceptions sent, handled, passed on and left to kill', (t) => {
  const seen = new Map<string, number>();
  const property = fc.property(actions, (list) => {
    const h = new Harness();
    run(h, list);
    for (const { type } of h.events) seen.set(type, (seen.get(type) ?? 0) + 1);
  });
  fc.assert(property, { numRuns: 60, seed: 1 });
  for (const type of [
    'exception-sent',
    'exception-let-go',
    'exception-unhandled',
    'thread-suspended',
    'thread-resumed',
  ]) {
    t.true((seen.get(type) ?? 0) > 5, `${type}: ${seen.get(type)}`);
  }
});
