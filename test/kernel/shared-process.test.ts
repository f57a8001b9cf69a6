import { fc } from '@fast-check/ava';
import test, { type ExecutionContext } from 'ava';
import { InfoTopic, Property } from '../../src/abi/info.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { decodeStruct, sizeOf } from '../../src/abi/structs.js';
import { ProcessOption } from '../../src/abi/threads.js';
import { ADDRESS_SPACES, MapsType, VmOption } from '../../src/abi/vm.js';
import type { MachineConfig } from '../../src/kernel/objects/kernel.js';
import { endProcess, endThread } from '../../src/kernel/syscalls/tasks.js';
import { isUserWritable, readUser } from '../../src/kernel/syscalls/user-memory.js';
import { ProcessMemory } from '../../src/machine/memory-view.js';
import { Harness } from './harness.js';
import { brokenInvariants } from './invariants.js';
import { gives, INFINITE, koidOf, newEvent, newPort, outcome, words } from './ipc-support.js';
import { map, newVmo, PAGE, RW } from './vm-support.js';

const { SHARED } = ProcessOption;
const { base: USER_BASE, restrictedTop, sharedBase, top } = ADDRESS_SPACES.riscv64;

interface Made {
  readonly process: number;
  readonly vmar: number;
  readonly koid: number;
}

function made(
  h: Harness,
  name: 'zx_process_create' | 'zx_process_create_shared',
  args: readonly number[],
): Made {
  const out = h.scratch(8);
  const result = h.call(name, [...args, out, out + 4]);
  if (result !== 0n) throw new Error(`${name}: ${result}`);
  return { process: h.u32(out), vmar: h.u32(out + 4), koid: koidOf(h, h.u32(out)) };
}

function newPrototype(h: Harness): Made {
  return made(h, 'zx_process_create', [h.handles.job, h.scratch(4), 0, SHARED]);
}

function newMember(h: Harness, prototype: Made): Made {
  return made(h, 'zx_process_create_shared', [prototype.process, 0, h.scratch(4), 0]);
}

/** A thread of a process, running. */
function running(h: Harness, { koid }: Made): number {
  const thread = h.newThread(koid, 'runs');
  if (h.k.get(koid, 'process').life === 'initial') {
    h.emit({ type: 'process-life-changed', koid, life: 'running', returnCode: 0n });
  }
  return thread;
}

/** Memory for a process's own calls, in the shared part: its address. */
function sharedMemory(h: Harness, { vmar }: Made): number {
  return map(h, RW, 0, newVmo(h, 4 * PAGE), 0, 4 * PAGE, vmar);
}

function range(h: Harness, vmar: number): [number, number] {
  const info = h.scratch(16);
  h.call('zx_object_get_info', [vmar, InfoTopic.VMAR, info, 16, 0, 0]);
  return [Number(h.u64(info)), Number(h.u64(info) + h.u64(info + 8))];
}

test('zx_process_create SHARED: the upper part alone; zx_process_create_shared: the lower part on top of it', (t) => {
  const h = new Harness();
  const prototype = newPrototype(h);
  t.deepEqual(range(h, prototype.vmar), [sharedBase, top]);
  const member = newMember(h, prototype);
  t.deepEqual(range(h, member.vmar), [USER_BASE, restrictedTop]);
  const grandchild = newMember(h, member);
  const own = h.k.get(grandchild.koid, 'process');
  t.is(own.shared, prototype.koid);
  t.is(own.job, h.job);
  t.deepEqual(
    brokenInvariants(h.k.state).filter((text) => /^(?:process|vmar|shared)/.test(text)),
    [],
  );
});

test('zx_process_create_shared: INVALID_ARGS, BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED, BAD_STATE', (t) => {
  const h = new Harness();
  const prototype = newPrototype(h);
  const out = h.scratch(8);
  const gets = (status: Parameters<typeof gives>[2], handle: number, options = 0, to = out): void =>
    gives(t, h, status, 'zx_process_create_shared', [handle, options, out, 0, to, to + 4]);
  gets('ERR_INVALID_ARGS', prototype.process, 1);
  gets('ERR_INVALID_ARGS', prototype.process, 0, 0x10);
  gets('ERR_INVALID_ARGS', h.handles.process);
  gets('ERR_BAD_HANDLE', 3);
  gets('ERR_WRONG_TYPE', h.handles.job);
  for (const right of [Right.MANAGE_PROCESS, Right.GET_PROPERTY]) {
    gets('ERR_ACCESS_DENIED', h.give(prototype.koid, DEFAULT_RIGHTS.process & ~right));
  }
  const other = newPrototype(h);
  endProcess(h, other.koid, 0n);
  gets('ERR_BAD_STATE', other.process);
  const plain = made(h, 'zx_process_create', [h.handles.job, out, 0, 0]);
  endProcess(h, plain.koid, 0n);
  gets('ERR_INVALID_ARGS', plain.process);
  gets('OK', prototype.process);
});

test('zx_process_create_shared: BAD_STATE in a dead job; a dead prototype will do while the rest lives', (t) => {
  const h = new Harness();
  const out = h.scratch(8);
  gives(t, h, 'OK', 'zx_job_create', [h.handles.job, 0, out]);
  const job = h.u32(out);
  const prototype = made(h, 'zx_process_create', [job, out, 0, SHARED]);
  const member = newMember(h, prototype);
  running(h, member);
  endProcess(h, prototype.koid, 0n);
  const second = newMember(h, prototype);
  t.is(h.k.sharedBy(second.koid).members, 2);
  const elsewhere = newPrototype(h);
  gives(t, h, 'OK', 'zx_task_kill', [job]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_process_create_shared', [member.process, 0, out, 0, out, out + 4]);
  gives(t, h, 'OK', 'zx_process_create_shared', [elsewhere.process, 0, out, 0, out, out + 4]);
});

test('debug address and break-on-load are the prototype’s when the member is made', (t) => {
  const h = new Harness();
  const prototype = newPrototype(h);
  const value = h.scratch(words(0x1234, 0));
  gives(t, h, 'OK', 'zx_object_set_property', [prototype.process, Property.PROCESS_DEBUG_ADDR, value, 8]);
  gives(t, h, 'OK', 'zx_object_set_property', [prototype.process, Property.PROCESS_BREAK_ON_LOAD, value, 8]);
  const { debugAddress, breakOnLoad } = h.k.get(newMember(h, prototype).koid, 'process');
  t.deepEqual([debugAddress, breakOnLoad], [0x1234n, 0x1234n]);
});

test('one handle table: what one process makes the others use, and what one closes is closed for all', (t) => {
  const h = new Harness();
  const prototype = newPrototype(h);
  const [a, b] = [newMember(h, prototype), newMember(h, prototype)];
  const at = sharedMemory(h, prototype);
  const [inA, inB] = [running(h, a), running(h, b)];
  gives(t, h, 'OK', 'zx_event_create', [0, at], inA);
  const event = readUser(h.k, b.koid, at, 4)!;
  const value = new DataView(event.buffer).getUint32(0, true);
  gives(t, h, 'OK', 'zx_object_signal', [value, 0, Signal.EVENT_SIGNALED], inB);
  gives(t, h, 'OK', 'zx_object_wait_one', [value, Signal.EVENT_SIGNALED, 0, 0], inA);
  t.is(h.call('zx_object_wait_one', [value, Signal.EVENT_SIGNALED << 21, INFINITE, 0], inA), 'blocked');
  gives(t, h, 'OK', 'zx_handle_close', [value], inB);
  t.is(outcome(h, inA), 'ERR_CANCELED');
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_object_signal', [value, 0, Signal.EVENT_SIGNALED], inA);
});

test('zx_port_cancel undoes what another process registered through the same handle', (t) => {
  const h = new Harness();
  const prototype = newPrototype(h);
  const [a, b] = [newMember(h, prototype), newMember(h, prototype)];
  const [inA, inB] = [running(h, a), running(h, b)];
  const [event, port] = [newEvent(h), newPort(h)].map((handle) =>
    h.give(koidOf(h, handle), Right.SAME_RIGHTS - 1, a.koid),
  );
  gives(t, h, 'OK', 'zx_object_wait_async', [event, port, 5, Signal.EVENT_SIGNALED, 0], inA);
  gives(t, h, 'OK', 'zx_port_cancel', [port, event, 5], inB);
  gives(t, h, 'ERR_NOT_FOUND', 'zx_port_cancel', [port, event, 5], inA);
});

test('zx_process_start within one table: the argument keeps its value', (t) => {
  const h = new Harness();
  const prototype = newPrototype(h);
  const member = newMember(h, prototype);
  const at = sharedMemory(h, prototype);
  const inPrototype = running(h, prototype);
  const give = (koid: number, rights: number): number => h.give(koid, rights, prototype.koid);
  const process = give(member.koid, DEFAULT_RIGHTS.process);
  const event = give(koidOf(h, newEvent(h)), DEFAULT_RIGHTS.event);
  gives(t, h, 'OK', 'zx_thread_create', [process, at, 0, 0, at], inPrototype);
  const thread = new DataView(readUser(h.k, prototype.koid, at, 4)!.buffer).getUint32(0, true);
  gives(t, h, 'OK', 'zx_process_start', [process, thread, 0x1000, 0, event, 0], inPrototype);
  const started = h.events.find((e) => e.type === 'thread-started' && e.arg1 === BigInt(event));
  t.not(started, undefined);
  gives(t, h, 'OK', 'zx_object_signal', [event, 0, Signal.EVENT_SIGNALED], inPrototype);
});

test('one futex table: a thread of one process wakes that of another', (t) => {
  const h = new Harness();
  const prototype = newPrototype(h);
  const [a, b] = [newMember(h, prototype), newMember(h, prototype)];
  const at = sharedMemory(h, prototype);
  const [inA, inB] = [running(h, a), running(h, b)];
  t.is(h.call('zx_futex_wait', [at, 0, 0, INFINITE], inA), 'blocked');
  t.deepEqual(
    brokenInvariants(h.k.state).filter((text) => text.startsWith('shared')),
    [],
  );
  gives(t, h, 'OK', 'zx_futex_wake', [at, 1], inB);
  t.is(outcome(h, inA), 'OK');
  const outside = map(h, RW, 0, newVmo(h, PAGE), 0, PAGE);
  t.is(h.call('zx_futex_wait', [outside, 0, 0, INFINITE]), 'blocked');
  gives(t, h, 'OK', 'zx_futex_wake', [outside, 1], inB);
  t.is(outcome(h), 'blocked', 'a process that shares nothing has a table of its own');
});

for (const vintage of ['2023', 'head'] as const) {
  test(`${vintage}: what normal and restricted mode see`, (t) => {
    const h = new Harness({ vintage });
    const prototype = newPrototype(h);
    const [a, b] = [newMember(h, prototype), newMember(h, prototype)];
    const shared = sharedMemory(h, prototype);
    const own = 0x400000;
    for (const [member, byte] of [
      [a, 1],
      [b, 2],
    ] as const) {
      const vmo = newVmo(h, PAGE);
      gives(t, h, 'OK', 'zx_vmo_write', [vmo, h.scratch(Uint8Array.of(byte)), 0, 1]);
      map(h, RW | VmOption.SPECIFIC, own - USER_BASE, vmo, 0, PAGE, member.vmar);
    }
    const both = vintage === 'head';
    const sees = (process: number, mode: 'normal' | 'restricted', address: number): number | null =>
      new ProcessMemory(h.k, process, mode).pageForLoad(address / PAGE)?.bytes[0] ?? null;
    for (const [member, byte] of [
      [a, 1],
      [b, 2],
    ] as const) {
      t.is(sees(member.koid, 'restricted', own), byte);
      t.is(sees(member.koid, 'restricted', shared), null);
      t.is(sees(member.koid, 'normal', own), both ? byte : null);
      t.is(sees(member.koid, 'normal', shared), 0);
      t.is(isUserWritable(h.k, member.koid, own, 4), both);
      t.true(isUserWritable(h.k, member.koid, shared, 4));
      t.deepEqual(readUser(h.k, member.koid, own, 1, 'any'), Uint8Array.of(byte));
    }
    t.is(sees(prototype.koid, 'normal', own), null);
  });
}

test('zx_process_read_memory and zx_process_write_memory find the part by the address', (t) => {
  const h = new Harness();
  const prototype = newPrototype(h);
  const member = newMember(h, prototype);
  const shared = sharedMemory(h, prototype);
  const own = map(h, RW, 0, newVmo(h, PAGE), 0, PAGE, member.vmar);
  const buffer = h.scratch(words(11));
  const actual = h.scratch(8);
  for (const address of [shared, own]) {
    h.poke(buffer, words(address));
    gives(t, h, 'OK', 'zx_process_write_memory', [member.process, address, buffer, 4, actual]);
    h.poke(buffer, words(0));
    gives(t, h, 'OK', 'zx_process_read_memory', [member.process, address, buffer, 4, actual]);
    t.is(h.u32(buffer), address % 2 ** 32);
  }
  gives(t, h, 'OK', 'zx_process_read_memory', [prototype.process, shared, buffer, 4, actual]);
  gives(t, h, 'ERR_NOT_FOUND', 'zx_process_read_memory', [prototype.process, own, buffer, 4, actual]);
  gives(t, h, 'ERR_NOT_FOUND', 'zx_process_read_memory', [member.process, restrictedTop, buffer, 4, actual]);
});

function records(
  h: Harness,
  process: number,
  topic: number,
  name: 'zx_info_maps_t' | 'zx_info_vmo_t',
): Uint8Array[] {
  const size = sizeOf(name);
  const buffer = h.scratch(size * 16);
  const actual = h.scratch(8);
  const result = h.call('zx_object_get_info', [process, topic, buffer, size * 16, actual, 0]);
  if (result !== 0n) throw new Error(String(result));
  const count = Number(h.u64(actual));
  return Array.from({ length: count }, (_, i) => new Uint8Array(h.peek(buffer + i * size, size).buffer));
}

test('lists of mappings tell of the restricted part first, lists of VMOs of the shared one', (t) => {
  const h = new Harness();
  const prototype = newPrototype(h);
  const member = newMember(h, prototype);
  sharedMemory(h, prototype);
  map(h, RW, 0, newVmo(h, PAGE), 0, PAGE, member.vmar);
  running(h, member);
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString().replace(/\0.*/, '');
  const maps = records(h, member.process, InfoTopic.PROCESS_MAPS, 'zx_info_maps_t').map((bytes) =>
    decodeStruct('zx_info_maps_t', bytes),
  );
  t.deepEqual(
    maps.map(({ type, base }) => [type, Number(base)]),
    [
      [MapsType.ASPACE, USER_BASE],
      [MapsType.VMAR, USER_BASE],
      [MapsType.MAPPING, USER_BASE],
      [MapsType.ASPACE, sharedBase],
      [MapsType.VMAR, sharedBase],
      [MapsType.MAPPING, sharedBase],
    ],
  );
  const spaces = maps.filter(({ type }) => type === MapsType.ASPACE);
  t.deepEqual(
    spaces.map(({ name }) => text(name)),
    [`proc(restricted):${member.koid}`, `proc:${prototype.koid}`],
  );
  const sizes = records(h, member.process, InfoTopic.PROCESS_VMOS, 'zx_info_vmo_t').map((bytes) =>
    Number(decodeStruct('zx_info_vmo_t', bytes).size_bytes),
  );
  t.deepEqual(sizes, [4 * PAGE, PAGE]);
});

test('task stats: the shared part’s private pages are shared by all who share it', (t) => {
  const h = new Harness();
  const prototype = newPrototype(h);
  const [a] = [newMember(h, prototype), newMember(h, prototype)];
  const shared = sharedMemory(h, prototype);
  const own = map(h, RW, 0, newVmo(h, 2 * PAGE), 0, 2 * PAGE, a.vmar);
  const buffer = h.scratch(words(1));
  const actual = h.scratch(8);
  for (const address of [shared, shared + PAGE, shared + 2 * PAGE, own]) {
    gives(t, h, 'OK', 'zx_process_write_memory', [a.process, address, buffer, 4, actual]);
  }
  const size = sizeOf('zx_info_task_stats_t');
  const stats = (process: number) => {
    const at = h.scratch(size);
    gives(t, h, 'OK', 'zx_object_get_info', [process, InfoTopic.TASK_STATS, at, size, 0, 0]);
    const s = decodeStruct('zx_info_task_stats_t', new Uint8Array(h.peek(at, size).buffer));
    return [s.mem_mapped_bytes, s.mem_private_bytes, s.mem_shared_bytes, s.mem_scaled_shared_bytes].map(
      Number,
    );
  };
  t.deepEqual(stats(a.process), [6 * PAGE, PAGE, 3 * PAGE, PAGE]);
  t.deepEqual(stats(prototype.process), [4 * PAGE, 0, 3 * PAGE, PAGE]);
});

test('the shared part, the handles and the futexes stay until the last process is dead', (t) => {
  const h = new Harness();
  const prototype = newPrototype(h);
  const member = newMember(h, prototype);
  const at = sharedMemory(h, prototype);
  const inMember = running(h, member);
  running(h, prototype);
  gives(t, h, 'OK', 'zx_event_create', [0, at], inMember);
  const event = h.k.state.nextKoid - 1;
  const { rootVmar } = h.k.get(prototype.koid, 'process');
  endProcess(h, prototype.koid, 3n);
  for (const handle of [prototype.process, prototype.vmar]) gives(t, h, 'OK', 'zx_handle_close', [handle]);
  t.is(h.k.find(prototype.koid), undefined, 'the prototype is gone');
  t.false(h.k.get(rootVmar, 'vmar').destroyed);
  t.not(h.k.find(event), undefined);
  gives(t, h, 'OK', 'zx_event_create', [0, at], inMember);
  const added = h.newThread(member.koid, 'second');
  const vmo = newVmo(h, PAGE);
  const root = h.give(rootVmar, DEFAULT_RIGHTS.vmar | (RW * 4), member.koid);
  const inTable = h.give(koidOf(h, vmo), DEFAULT_RIGHTS.vmo, member.koid);
  gives(t, h, 'OK', 'zx_vmar_map', [root, RW, 0, inTable, 0, PAGE, at], added);
  const { restrictedVmar } = h.k.get(member.koid, 'process');
  endThread(h, inMember);
  endThread(h, added);
  t.is(h.k.get(member.koid, 'process').life, 'dead');
  t.is(h.k.state.shared.has(prototype.koid), false);
  t.is(h.k.find(event), undefined);
  t.is(h.k.find(rootVmar), undefined);
  t.true(h.k.get(restrictedVmar, 'vmar').destroyed);
  t.deepEqual(
    brokenInvariants(h.k.state).filter((text) => /^(?:process|vmar|shared|vmo)/.test(text)),
    [],
  );
});

test('the part of its own goes with each process', (t) => {
  const h = new Harness();
  const prototype = newPrototype(h);
  const member = newMember(h, prototype);
  const vmo = newVmo(h, PAGE);
  const koid = koidOf(h, vmo);
  map(h, RW, 0, vmo, 0, PAGE, member.vmar);
  gives(t, h, 'OK', 'zx_handle_close', [vmo]);
  running(h, member);
  t.not(h.k.find(koid), undefined);
  gives(t, h, 'OK', 'zx_task_kill', [member.process]);
  t.is(h.k.find(koid), undefined);
  const out = h.scratch(8);
  const fresh = newVmo(h, PAGE);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmar_map', [member.vmar, RW, 0, fresh, 0, PAGE, out]);
  gives(t, h, 'OK', 'zx_vmar_map', [prototype.vmar, RW, 0, fresh, 0, PAGE, out]);
});

type Step = readonly ['prototype' | 'member' | 'event' | 'map' | 'kill' | 'close' | 'start', number];

const steps: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('prototype', 'member', 'event', 'map', 'kill', 'close', 'start'),
  fc.nat(),
);

/** Processes that share, made, run and ended at random; the same in both kinds of state. */
function world(
  t: ExecutionContext,
  plan: readonly Step[],
  config: Partial<MachineConfig>,
  mode: 'owned' | 'immer',
): string {
  const h = new Harness(config, mode);
  const all: Made[] = [newPrototype(h)];
  for (const [what, n] of plan) {
    const one = all[n % all.length];
    const life = h.k.find(one.koid)?.kind === 'process' ? h.k.get(one.koid, 'process').life : 'dead';
    const { members } = life === 'dead' ? { members: 0 } : h.k.sharedBy(one.koid);
    if (what === 'prototype') all.push(newPrototype(h));
    else if (what === 'member' && members > 0) {
      all.push(newMember(h, { ...one, process: h.give(one.koid, DEFAULT_RIGHTS.process) }));
    } else if (what === 'start' && (life === 'initial' || life === 'running')) running(h, one);
    else if (what === 'event' && life !== 'dead')
      h.give(koidOf(h, newEvent(h)), DEFAULT_RIGHTS.event, one.koid);
    else if (what === 'map') h.call('zx_vmar_map', [one.vmar, RW, 0, newVmo(h, PAGE), 0, PAGE, h.scratch(8)]);
    else if (what === 'kill') h.call('zx_task_kill', [one.process]);
    else if (what === 'close') h.call('zx_handle_close', [n % 2 === 0 ? one.process : one.vmar]);
    const broken = brokenInvariants(h.k.state).filter((text) => !/^(?:job|thread) /.test(text));
    t.deepEqual(broken, [], `${what} ${n}`);
  }
  return h.hash();
}

test('processes that share, made and ended in any order, leave nothing behind', (t) => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 25 }), (plan) => {
      t.is(world(t, plan, {}, 'owned'), world(t, plan, {}, 'immer'));
    }),
    { numRuns: 40 },
  );
});
