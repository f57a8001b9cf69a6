import test from 'ava';
import { ALL_RIGHTS } from '../../src/abi/rights.js';
import { encodeStruct } from '../../src/abi/structs.js';
import { CachePolicy, VmoChildOption, VmoOp, VmoOption } from '../../src/abi/vm.js';
import { checkRseq } from '../../src/kernel/syscalls/rseq.js';
import type { Harness } from './harness.js';
import { gives, koidOf, newEvent } from './ipc-support.js';
import { bind, enter, restrictedHarness, setState } from './restricted-support.js';
import { brokenMemory, map, newChild, newVmo, PAGE, RW } from './vm-support.js';

const RSEQ = 32;
const ABORT = 0x5000n;
const NO_CPU = 0xffffffff;

interface Registered {
  readonly vmo: number;
  /** Where the main thread's zx_rseq_t is mapped. */
  readonly at: number;
}

function registered(h: Harness, offset = 0): Registered {
  const vmo = newVmo(h, PAGE);
  const at = map(h, RW, 0, vmo, 0, PAGE) + offset;
  describe(h, at, 0n, 0n);
  if (h.call('zx_thread_set_rseq', [vmo, offset, RSEQ]) !== 0n) throw new Error('not registered');
  return { vmo, at };
}

/** What the thread says of its sequence; its core is forgotten. */
function describe(h: Harness, at: number, start_ip: bigint, post_commit_offset: bigint): void {
  const rseq = { cpu_id: NO_CPU, reserved: 0, start_ip, post_commit_offset, abort_ip: ABORT };
  h.poke(at, encodeStruct('zx_rseq_t', rseq));
}

function standAt(h: Harness, pc: bigint): void {
  h.k.arch.setPc(h.k.registersForWrite(h.thread), pc);
}

const pcOf = (h: Harness): bigint => h.k.arch.pc(h.k.registers(h.thread));

test('who registers is told its core at once; a second registration replaces the first, none is fine', (t) => {
  const h = restrictedHarness();
  gives(t, h, 'OK', 'zx_thread_set_rseq', [0, 0, 0]);
  const first = registered(h);
  t.is(h.u32(first.at), 0);
  const second = registered(h, 64);
  t.is(h.u32(second.at), 0);
  describe(h, first.at, 0n, 0n);
  checkRseq(h, h.thread, 3);
  t.is(h.u32(first.at), NO_CPU);
  t.is(h.u32(second.at), 3);
  gives(t, h, 'OK', 'zx_thread_set_rseq', [0, 0, 0]);
  checkRseq(h, h.thread, 2);
  t.is(h.u32(second.at), 3);
  t.deepEqual(brokenMemory(h), []);
});

test('a thread that comes to a core inside its sequence goes on at abort_ip, elsewhere where it was', (t) => {
  const h = restrictedHarness();
  const { at } = registered(h);
  for (const [pc, start, length, aborts] of [
    [0x1000n, 0x1000n, 8n, true],
    [0x1006n, 0x1000n, 8n, true],
    [0x1008n, 0x1000n, 8n, false],
    [0xffen, 0x1000n, 8n, false],
    [0x1000n, 0x1000n, 0n, false],
    // Ranges that go around the end of all addresses.
    [0x1000n, 0xffff_ffff_ffff_fffen, 2n, false],
    [0n, 0xffff_ffff_ffff_fffen, 2n, false],
    [0x1000n, 0x200n, 0xffff_ffff_ffff_ffffn, true],
  ] as const) {
    describe(h, at, start, length);
    standAt(h, pc);
    checkRseq(h, h.thread, 1);
    t.is(pcOf(h), aborts ? ABORT : pc, `${pc} in ${start}+${length}`);
    t.is(h.u32(at), 1);
  }
});

test('abort_ip is any address, but for its lowest bit: who goes there faults there', (t) => {
  const h = restrictedHarness();
  const { at } = registered(h);
  for (const [abort_ip, pc] of [
    [0n, 0n],
    [0x4001n, 0x4000n],
    [0xffff_ffff_ffff_ffffn, 0xffff_ffff_ffff_fffen],
  ]) {
    const everywhere = { start_ip: 0n, post_commit_offset: 0xffff_ffff_ffff_ffffn, abort_ip };
    h.poke(at, encodeStruct('zx_rseq_t', everywhere));
    standAt(h, 0x1000n);
    checkRseq(h, h.thread, 0);
    t.is(pcOf(h), pc);
  }
});

test('in restricted mode there is no sequence; the core is told when the thread leaves', (t) => {
  const h = restrictedHarness();
  const { at } = registered(h);
  const state = bind(h);
  setState(h, state, { pc: 0x1000n } as never);
  describe(h, at, 0x1000n, 8n);
  enter(h);
  checkRseq(h, h.thread, 1);
  t.is(pcOf(h), 0x1000n);
  t.is(h.u32(at), NO_CPU);
  h.emit({ type: 'slice-started', core: 0, thread: h.thread, steps: 100, quantumSteps: 100 });
  // The harness leaves restricted mode by a trap before it makes a call.
  gives(t, h, 'OK', 'zx_restricted_unbind_state', [0]);
  t.is(h.u32(at), 0);
});

test('the kernel keeps the memory until the thread unregisters, replaces it or ends', (t) => {
  const h = restrictedHarness();
  const register = (thread: number): number => {
    const vmo = newVmo(h, PAGE);
    const koid = koidOf(h, vmo);
    gives(t, h, 'OK', 'zx_thread_set_rseq', [vmo, 0, RSEQ], thread);
    gives(t, h, 'OK', 'zx_handle_close', [vmo]);
    return koid;
  };
  const there = (koid: number): boolean => h.k.find(koid) !== undefined;
  const other = h.newThread(h.process, 'other');
  const [first, second] = [register(h.thread), register(other)];
  t.true(there(first) && there(second));
  const third = register(h.thread);
  t.false(there(first));
  gives(t, h, 'OK', 'zx_thread_set_rseq', [0, 0, 0]);
  t.false(there(third));
  h.call('zx_thread_exit', [], other);
  t.false(there(second));
  t.deepEqual(brokenMemory(h), []);
});

test('the page is pinned: not cut off, moved, snapshotted or decommitted, and zeroed in place', (t) => {
  const h = restrictedHarness();
  const vmo = newVmo(h, 4 * PAGE, VmoOption.RESIZABLE);
  gives(t, h, 'OK', 'zx_thread_set_rseq', [vmo, 2 * PAGE + 64, RSEQ]);
  const other = newVmo(h, 4 * PAGE);
  const out = h.scratch(8);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_set_size', [vmo, 2 * PAGE]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_op_range', [vmo, VmoOp.DECOMMIT, 0, 4 * PAGE, 0, 0]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_transfer_data', [other, 0, 0, 4 * PAGE, vmo, 0]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_transfer_data', [vmo, 0, 0, 4 * PAGE, other, 0]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_create_child', [vmo, VmoChildOption.SNAPSHOT, 0, PAGE, out]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_set_cache_policy', [vmo, CachePolicy.UNCACHED]);
  // What is beside it goes as ever.
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.DECOMMIT, 0, 2 * PAGE, 0, 0]);
  gives(t, h, 'OK', 'zx_vmo_set_size', [vmo, 3 * PAGE]);
  h.poke(out, Uint8Array.of(9));
  for (const offset of [0, 2 * PAGE]) gives(t, h, 'OK', 'zx_vmo_write', [vmo, out, offset, 1]);
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.ZERO, 0, 3 * PAGE, 0, 0]);
  t.deepEqual([...h.k.get(koidOf(h, vmo), 'vmo').pages.keys()], [2]);
  gives(t, h, 'OK', 'zx_vmo_read', [vmo, out, 2 * PAGE, 1]);
  t.is(h.u32(out) & 0xff, 0);
  gives(t, h, 'OK', 'zx_vmo_set_stream_size', [vmo, 0]);
  gives(t, h, 'OK', 'zx_thread_set_rseq', [0, 0, 0]);
  gives(t, h, 'OK', 'zx_vmo_set_size', [vmo, PAGE]);
  t.deepEqual(brokenMemory(h), []);
});

test('slices and references lend the memory; children of pagers and uncached memory do not', (t) => {
  const h = restrictedHarness();
  const vmo = newVmo(h, 2 * PAGE);
  const slice = newChild(h, vmo, VmoChildOption.SLICE, PAGE, PAGE);
  gives(t, h, 'OK', 'zx_thread_set_rseq', [slice, 96, RSEQ]);
  const out = h.scratch(4);
  checkRseq(h, h.thread, 5);
  gives(t, h, 'OK', 'zx_vmo_read', [vmo, out, PAGE + 96, 4]);
  t.is(h.u32(out), 5);
  const uncached = newVmo(h, PAGE);
  gives(t, h, 'OK', 'zx_vmo_set_cache_policy', [uncached, CachePolicy.UNCACHED]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_thread_set_rseq', [uncached, 0, RSEQ]);
});

test('the size is looked at before the handle, as the kernel does', (t) => {
  const h = restrictedHarness();
  const event = newEvent(h);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_thread_set_rseq', [0xbadc0ffe, 0, 0]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_thread_set_rseq', [event, 1, RSEQ]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_thread_set_rseq', [0xbadc0ffe, 0, RSEQ]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_thread_set_rseq', [event, 0, RSEQ]);
  const read = h.give(koidOf(h, newVmo(h, PAGE)), ALL_RIGHTS & ~1);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_thread_set_rseq', [read, 0, RSEQ]);
});
