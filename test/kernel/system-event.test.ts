import test from 'ava';
import { DEFAULT_RIGHTS, Right, SYSTEM_EVENT_RIGHTS } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { SystemEventKind } from '../../src/abi/system.js';
import { Harness } from './harness.js';
import { gives, koidOf, NO_HANDLE, NOWHERE, newEvent, signalsOf, withRights } from './ipc-support.js';

function rootJob(h: Harness): number {
  return h.give(h.k.state.rootJob, DEFAULT_RIGHTS.job);
}

test('zx_system_get_event: NORMAL is signalled, the others are not; everybody has the same', (t) => {
  const h = new Harness();
  const out = h.scratch(4);
  const root = rootJob(h);
  for (const [name, kind] of Object.entries(SystemEventKind)) {
    gives(t, h, 'OK', 'zx_system_get_event', [root, kind, out]);
    const event = h.u32(out);
    t.is(signalsOf(h, event), name === 'MEMORY_PRESSURE_NORMAL' ? Signal.EVENT_SIGNALED : 0);
    const koid = koidOf(h, event);
    gives(t, h, 'ERR_ACCESS_DENIED', 'zx_object_signal', [event, 0, Signal.EVENT_SIGNALED]);
    h.call('zx_handle_close', [event]);
    gives(t, h, 'OK', 'zx_system_get_event', [root, kind, out]);
    t.is(koidOf(h, h.u32(out)), koid);
    const { koid: found, rights } = [...h.k.sharedBy(h.process).handles.values()].at(-1)!;
    t.deepEqual([found, rights], [koid, SYSTEM_EVENT_RIGHTS]);
  }
});

test('zx_system_get_event: statuses', (t) => {
  const h = new Harness();
  const out = h.scratch(4);
  const root = rootJob(h);
  const { OUT_OF_MEMORY } = SystemEventKind;
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_system_get_event', [NO_HANDLE, OUT_OF_MEMORY, out]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_system_get_event', [newEvent(h), OUT_OF_MEMORY, out]);
  const weak = withRights(h, root, DEFAULT_RIGHTS.job & ~Right.MANAGE_PROCESS);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_system_get_event', [weak, OUT_OF_MEMORY, out]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_system_get_event', [h.handles.job, OUT_OF_MEMORY, out]);
  for (const kind of [0, 6]) gives(t, h, 'ERR_INVALID_ARGS', 'zx_system_get_event', [root, kind, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_system_get_event', [root, OUT_OF_MEMORY, NOWHERE]);
});

test('zx_system_watch_memory_stall: no handle is a resource; the arguments come before it', (t) => {
  const h = new Harness();
  const out = h.scratch(4);
  const event = newEvent(h);
  const second = 1_000_000_000n;
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_system_watch_memory_stall', [event, 0, 1, second, out]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_system_watch_memory_stall', [NO_HANDLE, 0, 1, second, out]);
  for (const [threshold, window] of [
    [0n, second],
    [second + 1n, second],
    [1n, 10n * second + 1n],
    [-1n, -1n],
  ]) {
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_system_watch_memory_stall', [NO_HANDLE, 0, threshold, window, out]);
  }
});

test('zx_object_set_profile: no handle is a profile; it comes before the thread', (t) => {
  const h = new Harness();
  const { thread } = h.handles;
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_object_set_profile', [NO_HANDLE, newEvent(h), 0]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_object_set_profile', [thread, NO_HANDLE, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_object_set_profile', [thread, NO_HANDLE, 1]);
});
