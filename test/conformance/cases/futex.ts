import { DEFAULT_RIGHTS } from '../../../src/abi/rights.js';
import type { Harness } from '../../kernel/harness.js';
import { INFINITE, NO_HANDLE, NOWHERE, newEvent, words } from '../../kernel/ipc-support.js';
import { newThread } from '../../kernel/task-support.js';
import { type Args, cause, excuse, valid } from '../causes.js';

/** An address that could be a futex's but for its alignment. */
const misaligned = (h: Harness): number => h.scratch(8) + 2;

function startedThread(h: Harness): number {
  return h.give(h.newThread(h.process, 'owner'), DEFAULT_RIGHTS.thread);
}

for (const [call, rest] of [
  ['zx_futex_wake', [1]],
  ['zx_futex_wake_single_owner', []],
] as const) {
  for (const bad of [misaligned, () => 0]) {
    cause(call, 'ERR_INVALID_ARGS', 'misaligned or bad pointer', (h) => h.call(call, [bad(h), ...rest]));
  }
}
cause('zx_futex_get_owner', 'ERR_INVALID_ARGS', 'misaligned or bad pointer', (h) =>
  h.call('zx_futex_get_owner', [misaligned(h), h.scratch(8)]),
);
cause('zx_futex_get_owner', 'ERR_INVALID_ARGS', 'misaligned or bad pointer', (h) =>
  h.call('zx_futex_get_owner', [h.scratch(4), NOWHERE]),
);

valid('zx_futex_wait', (h) => [h.scratch(words(1)), 1, startedThread(h), INFINITE]);
const badWait =
  'bad/misaligned pointer, or owner is caller / a waiter on this futex / not started or dead / other process';
const badWaits: readonly ((h: Harness) => Args)[] = [
  () => [NOWHERE, 0, 0, INFINITE],
  (h) => [misaligned(h), 0, 0, INFINITE],
  (h) => [h.scratch(4), 0, h.handles.thread, INFINITE],
  (h) => {
    const futex = h.scratch(4);
    const waiter = h.newThread(h.process, 'waiter');
    h.call('zx_futex_wait', [futex, 0, 0, INFINITE], waiter);
    return [futex, 0, h.give(waiter, DEFAULT_RIGHTS.thread), INFINITE];
  },
  (h) => [h.scratch(4), 0, newThread(h), INFINITE],
  (h) => {
    const stranger = h.newThread(h.newProcess('other'), 'stranger');
    return [h.scratch(4), 0, h.give(stranger, DEFAULT_RIGHTS.thread), INFINITE];
  },
];
for (const bad of badWaits) {
  cause('zx_futex_wait', 'ERR_INVALID_ARGS', badWait, (h) => h.call('zx_futex_wait', bad(h)));
}
cause('zx_futex_wait', 'ERR_BAD_STATE', 'value differs', (h) =>
  h.call('zx_futex_wait', [h.scratch(4), 1, NO_HANDLE, INFINITE]),
);
cause('zx_futex_wait', 'ERR_BAD_HANDLE', 'owner invalid and value matched', (h) =>
  h.call('zx_futex_wait', [h.scratch(4), 0, NO_HANDLE, INFINITE]),
);
cause('zx_futex_wait', 'ERR_WRONG_TYPE', 'owner not a thread', (h) =>
  h.call('zx_futex_wait', [h.scratch(4), 0, newEvent(h), INFINITE]),
);
cause('zx_futex_wait', 'ERR_TIMED_OUT', 'deadline passed', (h) =>
  h.call('zx_futex_wait', [h.scratch(4), 0, 0, 0]),
);

/** value, wake count, expected, where to, how many, owner. */
type Requeue = readonly [from: number, wake: number, value: number, to: number, count: number, owner: number];

for (const call of ['zx_futex_requeue', 'zx_futex_requeue_single_owner'] as const) {
  const args = ([from, wake, ...rest]: Requeue): Args =>
    call === 'zx_futex_requeue' ? [from, wake, ...rest] : [from, ...rest];
  const bad =
    call === 'zx_futex_requeue'
      ? 'bad/misaligned/equal pointers, or owner not allowed (caller or already-waiting or dead thread)'
      : 'as futex_requeue';
  valid(call, (h) => args([h.scratch(4), 1, 0, h.scratch(4), 1, startedThread(h)]));
  cause(call, 'ERR_BAD_STATE', 'value changed', (h) =>
    h.call(call, args([h.scratch(4), 1, 9, h.scratch(4), 1, 0])),
  );
  const bads: readonly ((h: Harness) => Requeue)[] = [
    (h) => [NOWHERE, 1, 0, h.scratch(4), 1, 0],
    (h) => [misaligned(h), 1, 0, h.scratch(4), 1, 0],
    (h) => [h.scratch(4), 1, 0, misaligned(h), 1, 0],
    (h) => {
      const futex = h.scratch(4);
      return [futex, 1, 0, futex, 1, 0];
    },
    (h) => {
      const to = h.scratch(4);
      const waiter = h.newThread(h.process, 'waiter');
      h.call('zx_futex_wait', [to, 0, 0, INFINITE], waiter);
      return [h.scratch(4), 1, 0, to, 1, h.give(waiter, DEFAULT_RIGHTS.thread)];
    },
  ];
  for (const one of bads) cause(call, 'ERR_INVALID_ARGS', bad, (h) => h.call(call, args(one(h))));
}
cause('zx_futex_requeue', 'ERR_BAD_HANDLE', 'owner invalid (checked after value)', (h) =>
  h.call('zx_futex_requeue', [h.scratch(4), 1, 0, h.scratch(4), 1, NO_HANDLE]),
);
cause('zx_futex_requeue', 'ERR_WRONG_TYPE', 'owner not a thread', (h) =>
  h.call('zx_futex_requeue', [h.scratch(4), 1, 0, h.scratch(4), 1, newEvent(h)]),
);

excuse(
  'zx_futex_wake_handle_close_thread_exit',
  'ERR_BAD_HANDLE',
  "close_handle is not in the caller's handle table",
  'the call does not return: the vDSO traps when the handle cannot be closed, and the process ends',
);
