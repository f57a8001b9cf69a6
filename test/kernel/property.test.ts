import test from 'ava';
import fc from 'fast-check';
import { PROPERTIES, Property, type PropertyName } from '../../src/abi/info.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Harness } from './harness.js';
import {
  bytesAt,
  gives,
  koidOf,
  NO_HANDLE,
  NOWHERE,
  newChannel,
  newEvent,
  newPort,
  text,
  textAt,
  withRights,
  words,
} from './ipc-support.js';
import { koids, newJob, newProcess, newRunning, newThread } from './task-support.js';
import { contents, fill, map, newVmo, PAGE, R, rightsOf, X } from './vm-support.js';

function get(h: Harness, handle: number, property: PropertyName): bigint {
  const value = h.scratch(8);
  const result = h.call('zx_object_get_property', [handle, Property[property], value, 8]);
  if (result !== 0n) throw new Error(`${property}: ${result}`);
  return h.u64(value);
}

function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

test('NAME: any bytes, cut to 31, of jobs, processes, threads and VMOs', (t) => {
  const h = new Harness();
  const buffer = h.scratch(40);
  const { job, process, thread } = h.handles;
  const named = [job, process, thread, newVmo(h, PAGE)];
  fc.assert(
    fc.property(fc.constantFrom(...named), fc.uint8Array({ maxLength: 40, size: 'max' }), (handle, bytes) => {
      h.poke(buffer, bytes);
      gives(t, h, 'OK', 'zx_object_set_property', [handle, Property.NAME, buffer, bytes.length]);
      gives(t, h, 'OK', 'zx_object_get_property', [handle, Property.NAME, buffer, 32]);
      const end = bytes.indexOf(0);
      const kept = bytes.subarray(0, Math.min(31, end < 0 ? bytes.length : end));
      const expected = new Uint8Array(32);
      expected.set(kept);
      t.deepEqual(bytesAt(h, buffer, 32), expected);
    }),
    { numRuns: 60 },
  );
});

test('NAME: WRONG_TYPE of what has none, BAD_STATE of a dead thread, BUFFER_TOO_SMALL', (t) => {
  const h = new Harness();
  const buffer = h.scratch(text('name'.padEnd(32)));
  const [channel] = newChannel(h);
  for (const object of [channel, newEvent(h), newPort(h), h.handles.rootVmar]) {
    const handle = withRights(h, object, Right.GET_PROPERTY | Right.SET_PROPERTY);
    gives(t, h, 'ERR_WRONG_TYPE', 'zx_object_get_property', [handle, Property.NAME, buffer, 32]);
    gives(t, h, 'ERR_WRONG_TYPE', 'zx_object_set_property', [handle, Property.NAME, buffer, 4]);
  }
  const { process, thread } = newRunning(h);
  gives(t, h, 'ERR_BUFFER_TOO_SMALL', 'zx_object_get_property', [thread, Property.NAME, buffer, 31]);
  gives(t, h, 'OK', 'zx_task_kill', [process]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_object_get_property', [thread, Property.NAME, buffer, 32]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_object_set_property', [thread, Property.NAME, buffer, 4]);
  gives(t, h, 'OK', 'zx_object_get_property', [process, Property.NAME, buffer, 32]);
  t.is(textAt(h, buffer, 6), 'child\0');
});

test('PROCESS_DEBUG_ADDR and PROCESS_BREAK_ON_LOAD keep 64 bits, each its own', (t) => {
  const h = new Harness();
  const { process } = newProcess(h);
  t.is(get(h, process, 'PROCESS_DEBUG_ADDR'), 0n);
  const value = h.scratch(u64(0xfedc_ba98_7654_3210n));
  gives(t, h, 'OK', 'zx_object_set_property', [process, Property.PROCESS_DEBUG_ADDR, value, 8]);
  h.poke(value, u64(5n));
  gives(t, h, 'OK', 'zx_object_set_property', [process, Property.PROCESS_BREAK_ON_LOAD, value, 100]);
  t.is(get(h, process, 'PROCESS_DEBUG_ADDR'), 0xfedc_ba98_7654_3210n);
  t.is(get(h, process, 'PROCESS_BREAK_ON_LOAD'), 5n);
});

test('PROCESS_VDSO_BASE_ADDRESS is where the image begins, once its code is mapped', (t) => {
  const h = new Harness();
  const { process, vmar } = newProcess(h);
  t.is(get(h, process, 'PROCESS_VDSO_BASE_ADDRESS'), 0n);
  const koid = h.k.state.nextKoid;
  h.emit({
    type: 'vmo-created',
    koid,
    sizeBytes: 4 * PAGE,
    contentSizeBytes: 4 * PAGE,
    resizable: false,
    discardable: false,
    name: 'vdso',
    vdsoCodeOffset: 3 * PAGE,
    vdsoCodeSizeBytes: PAGE,
  });
  const vdso = h.give(koid, DEFAULT_RIGHTS.vmo | Right.EXECUTE);
  const code = map(h, R | X, 0, vdso, 3 * PAGE, PAGE, vmar);
  t.is(get(h, process, 'PROCESS_VDSO_BASE_ADDRESS'), BigInt(code - 3 * PAGE));
  const value = h.scratch(8);
  const { PROCESS_VDSO_BASE_ADDRESS } = Property;
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_object_set_property', [process, PROCESS_VDSO_BASE_ADDRESS, value, 8]);
  gives(t, h, 'OK', 'zx_task_kill', [process]);
  t.is(get(h, process, 'PROCESS_VDSO_BASE_ADDRESS'), 0n);
});

test('VMO_CONTENT_SIZE is the stream size; what lies past it is zero; OUT_OF_RANGE past the end', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  fill(h, vmo, 0, [1, 2, 3, 4]);
  const value = h.scratch(u64(2n));
  gives(t, h, 'OK', 'zx_object_set_property', [vmo, Property.VMO_CONTENT_SIZE, value, 8]);
  t.is(get(h, vmo, 'VMO_CONTENT_SIZE'), 2n);
  t.deepEqual(contents(h, vmo, 0, 4), [1, 2, 0, 0]);
  h.poke(value, u64(BigInt(PAGE) + 1n));
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_object_set_property', [vmo, Property.VMO_CONTENT_SIZE, value, 8]);
  t.is(get(h, vmo, 'VMO_CONTENT_SIZE'), 2n);
});

test('both calls: BAD_HANDLE, ACCESS_DENIED, INVALID_ARGS, BUFFER_TOO_SMALL, WRONG_TYPE, NOT_SUPPORTED', (t) => {
  const h = new Harness();
  const { process, job } = h.handles;
  const { PROCESS_DEBUG_ADDR } = Property;
  const value = h.scratch(64);
  const strong = withRights(h, job, DEFAULT_RIGHTS.job);
  for (const [name, right] of [
    ['zx_object_get_property', Right.GET_PROPERTY],
    ['zx_object_set_property', Right.SET_PROPERTY],
  ] as const) {
    gives(t, h, 'ERR_BAD_HANDLE', name, [NO_HANDLE, PROCESS_DEBUG_ADDR, value, 8]);
    const weak = withRights(h, process, DEFAULT_RIGHTS.process & ~right);
    gives(t, h, 'ERR_ACCESS_DENIED', name, [weak, PROCESS_DEBUG_ADDR, value, 8]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [process, PROCESS_DEBUG_ADDR, 0, 8]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [NO_HANDLE, PROCESS_DEBUG_ADDR, 0, 8]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [process, PROCESS_DEBUG_ADDR, NOWHERE, 8]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [process, Property.NAME, NOWHERE, 32]);
    gives(t, h, 'ERR_BUFFER_TOO_SMALL', name, [process, PROCESS_DEBUG_ADDR, value, 7]);
    gives(t, h, 'ERR_BUFFER_TOO_SMALL', name, [strong, PROCESS_DEBUG_ADDR, value, 7]);
    gives(t, h, 'ERR_WRONG_TYPE', name, [strong, PROCESS_DEBUG_ADDR, value, 8]);
    for (const property of [
      0,
      1,
      20,
      0xffffffff,
      Property.REGISTER_FS,
      Property.PROCESS_HW_TRACE_CONTEXT_ID,
    ]) {
      const of = property === Property.REGISTER_FS ? h.handles.thread : process;
      gives(t, h, 'ERR_NOT_SUPPORTED', name, [of, property, value, 64]);
    }
  }
  for (const [name, { types, get: readable }] of Object.entries(PROPERTIES)) {
    if (!['socket', 'exception', 'stream'].includes(types[0]) || !readable) continue;
    const number = Property[name as PropertyName];
    gives(t, h, 'ERR_WRONG_TYPE', 'zx_object_get_property', [process, number, value, 64]);
  }
  h.poke(value, words(2, 0));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_object_set_property', [job, Property.JOB_KILL_ON_OOM, value, 8]);
});

test('zx_object_get_child finds what the lists tell of, with the rights asked for', (t) => {
  const h = new Harness();
  const job = newJob(h);
  const child = newJob(h, job);
  const { process, thread } = newRunning(h, job);
  const out = h.scratch(4);
  const find = (parent: number, koid: number, rights: number): number => {
    gives(t, h, 'OK', 'zx_object_get_child', [parent, koid, rights, out]);
    t.is(koidOf(h, h.u32(out)), koid);
    return h.u32(out);
  };
  t.is(rightsOf(h, find(job, koidOf(h, child), Right.SAME_RIGHTS)), DEFAULT_RIGHTS.job);
  t.is(rightsOf(h, find(job, koidOf(h, process), Right.INSPECT | Right.WAIT)), Right.INSPECT | Right.WAIT);
  t.is(rightsOf(h, find(process, koidOf(h, thread), Right.NONE)), Right.NONE);
  // A child nobody has a handle to.
  const lost = koidOf(h, newRunning(h, job).process);
  const { handles, handleSecret } = h.k.sharedBy(h.process);
  for (const [slot, entry] of [...handles]) {
    if (entry.koid === lost) gives(t, h, 'OK', 'zx_handle_close', [((slot ^ handleSecret) << 2) | 3]);
  }
  t.is(h.k.find(lost)?.handleCount, 0);
  const found = find(job, lost, Right.SAME_RIGHTS);
  gives(t, h, 'OK', 'zx_task_kill', [found]);
  t.false(koids(h, job, 'JOB_PROCESSES').includes(lost));
});

test('zx_object_get_child: BAD_HANDLE, ACCESS_DENIED, WRONG_TYPE, NOT_FOUND, INVALID_ARGS', (t) => {
  const h = new Harness();
  const job = newJob(h);
  const { process, thread } = newRunning(h, job);
  const fresh = newThread(h, process);
  const koid = koidOf(h, process);
  const out = h.scratch(4);
  const child = (parent: number, of: number | bigint, rights: number = Right.SAME_RIGHTS) => [
    parent,
    of,
    rights,
    out,
  ];
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_object_get_child', child(NO_HANDLE, koid));
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_object_get_child', child(withRights(h, job, Right.INSPECT), koid));
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_object_get_child', child(job, koid, Right.MAP));
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_object_get_child', child(newEvent(h), koid));
  gives(
    t,
    h,
    'ERR_WRONG_TYPE',
    'zx_object_get_child',
    child(withRights(h, newEvent(h), Right.ENUMERATE), koid),
  );
  const unknown = [0, 1, koidOf(h, job), koidOf(h, thread), 2n ** 53n, 0xffff_ffff_ffff_ffffn];
  for (const other of unknown) gives(t, h, 'ERR_NOT_FOUND', 'zx_object_get_child', child(job, other));
  // Only threads that run are in the list of their process.
  gives(t, h, 'ERR_NOT_FOUND', 'zx_object_get_child', child(process, koidOf(h, fresh)));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_object_get_child', [job, koid, Right.SAME_RIGHTS, NOWHERE]);
  // Descendants of children are not children.
  gives(t, h, 'ERR_NOT_FOUND', 'zx_object_get_child', child(h.handles.job, koid));
});
