import { fc } from '@fast-check/ava';
import test from 'ava';
import { PolicyAction, PolicyCondition } from '../../src/abi/policy.js';
import { RestrictedOption, RestrictedReason } from '../../src/abi/restricted.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { decodeStruct, sizeOf } from '../../src/abi/structs.js';
import { VmOption, VmoChildOption, VmoOp } from '../../src/abi/vm.js';
import { raiseException } from '../../src/kernel/syscalls/exceptions.js';
import { leaveByException, leaveByKick, leaveBySyscall } from '../../src/kernel/syscalls/restricted.js';
import { endThread } from '../../src/kernel/syscalls/tasks.js';
import { brokenInvariants } from './invariants.js';
import { brokenBindings } from './invariants-restricted.js';
import { gives, koidOf, NO_HANDLE, NOWHERE, newEvent } from './ipc-support.js';
import {
  bind,
  CONTEXT,
  enter,
  isRestricted,
  registersOf,
  restrictedHarness,
  STATE_BYTES,
  savedState,
  setState,
  VECTOR,
} from './restricted-support.js';
import { map, PAGE, RW, rightsOf, vmoOf } from './vm-support.js';

const USER_TOP = 2n ** 38n;
const { SYSCALL, EXCEPTION, KICK } = RestrictedReason;
const REPORT_BYTES = sizeOf('zx_exception_report_t');

/** What is left of registers at the vector. */
function atVector(reason: number): Record<string, bigint> {
  const reasonRegister: Record<string, bigint> = reason === 0 ? {} : { a1: BigInt(reason) };
  return { pc: VECTOR, a0: CONTEXT, ...reasonRegister };
}

function withAction(h: ReturnType<typeof restrictedHarness>, action: number): void {
  const process = h.k.get(h.process, 'process');
  const actions = process.policy.actions.with(PolicyCondition.NEW_VMO, action);
  h.k.update(h.process, 'process', (p) => {
    p.policy = { ...p.policy, actions };
  });
}

test('zx_restricted_bind_state: a VMO of one page of zeros, with the rights of a VMO', (t) => {
  const h = restrictedHarness();
  h.poke(h.scratch(1), new Uint8Array(1));
  const pages = h.k.state.committedPages;
  const vmo = bind(h);
  t.is(rightsOf(h, vmo), DEFAULT_RIGHTS.vmo);
  t.is(vmoOf(h, vmo).sizeBytes, PAGE);
  t.is(h.k.state.committedPages, pages + 1, 'its page is there from the start');
  t.deepEqual(Object.values(savedState(h, vmo)), new Array(32).fill(0n));
  t.deepEqual(
    brokenInvariants(h.k.state).filter((text) => text.startsWith('vmo')),
    [],
  );
});

test('zx_restricted_bind_state: INVALID_ARGS for options, ACCESS_DENIED by policy, NO_MEMORY', (t) => {
  const h = restrictedHarness({ physicalPages: 1 });
  const out = h.scratch(4);
  h.poke(out, new Uint8Array(4));
  for (const options of [1, 2, 0xffffffff])
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_restricted_bind_state', [options, out, 0]);
  gives(t, h, 'ERR_NO_MEMORY', 'zx_restricted_bind_state', [0, out, 0]);
  withAction(h, PolicyAction.DENY);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_restricted_bind_state', [1, out, 0]);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_restricted_bind_state', [0, out, 0]);
  t.is(h.k.get(h.thread, 'thread').restrictedState, 0);
});

test('zx_restricted_bind_state: a bad pointer gives INVALID_ARGS and leaves the state bound', (t) => {
  for (const out of [0, NOWHERE]) {
    const h = restrictedHarness();
    const before = bind(h);
    const old = koidOf(h, before);
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_restricted_bind_state', [0, out, 0]);
    const { restrictedState } = h.k.get(h.thread, 'thread');
    t.true(restrictedState !== 0 && restrictedState !== old);
    t.is(h.k.get(restrictedState, 'vmo').handleCount, 0);
    gives(t, h, 'OK', 'zx_restricted_unbind_state', [0]);
    t.is(h.k.find(restrictedState), undefined);
  }
});

test('zx_restricted_bind_state: the state VMO lives as long as it is bound, mapped or has a handle', (t) => {
  const h = restrictedHarness();
  const vmo = bind(h);
  const koid = koidOf(h, vmo);
  const address = map(h, RW, 0, vmo, 0, PAGE);
  gives(t, h, 'OK', 'zx_handle_close', [vmo]);
  const other = bind(h);
  t.is(h.k.get(koid, 'vmo').restrictedState, 'unbound', 'bound no more, but mapped');
  h.poke(address, Uint8Array.of(1));
  gives(t, h, 'OK', 'zx_vmar_unmap', [h.handles.rootVmar, address, PAGE]);
  t.is(h.k.find(koid), undefined);
  const koid2 = koidOf(h, other);
  gives(t, h, 'OK', 'zx_handle_close', [other]);
  t.not(h.k.find(koid2), undefined, 'bound');
  endThread(h, h.newThread(h.process, 'other'));
  t.not(h.k.find(koid2), undefined, 'bound to a thread that lives');
  endThread(h, h.thread);
  t.is(h.k.find(koid2), undefined);
});

test('zx_restricted_bind_state: mapping, zx_vmo_write and the kernel share the page', (t) => {
  const h = restrictedHarness();
  const vmo = bind(h);
  const address = map(h, RW, 0, vmo, 0, PAGE);
  setState(h, vmo, { pc: 0x1000n, a0: 77n });
  t.is(h.u64(address), 0x1000n);
  t.is(enter(h), CONTEXT_UNTOUCHED);
  leaveBySyscall(h, h.thread);
  t.is(h.u64(address), 0x1004n);
  t.is(h.u64(address + 80), 77n);
});

/** In restricted mode a call's result register holds what the state says. */
const CONTEXT_UNTOUCHED = 77n;

test('a state VMO cannot be resized, cloned, decommitted or made uncached', (t) => {
  const h = restrictedHarness();
  const vmo = bind(h);
  const out = h.scratch(8);
  gives(t, h, 'ERR_UNAVAILABLE', 'zx_vmo_set_size', [vmo, 2 * PAGE]);
  const child = (options: number) => [vmo, options, 0, PAGE, out];
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_create_child', child(VmoChildOption.SNAPSHOT));
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_create_child', child(VmoChildOption.SNAPSHOT_AT_LEAST_ON_WRITE));
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_vmo_create_child', child(VmoChildOption.SLICE));
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_vmo_create_child', [vmo, VmoChildOption.REFERENCE, 0, 0, out]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_op_range', [vmo, VmoOp.DECOMMIT, 0, PAGE, 0, 0]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_set_cache_policy', [vmo, 1]);
  setState(h, vmo, { pc: 8n });
  gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, VmoOp.ZERO, 0, PAGE, 0, 0]);
  t.is(vmoOf(h, vmo).pages.size, 1, 'zeroed where it is');
  t.is(savedState(h, vmo).pc, 0n);
  gives(t, h, 'OK', 'zx_restricted_unbind_state', [0]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_vmo_op_range', [vmo, VmoOp.DECOMMIT, 0, PAGE, 0, 0]);
});

test('zx_restricted_unbind_state: again and again; INVALID_ARGS for options', (t) => {
  const h = restrictedHarness();
  for (let i = 0; i < 3; i++) gives(t, h, 'OK', 'zx_restricted_unbind_state', [0]);
  bind(h);
  for (const options of [1, 0xffffffff])
    gives(t, h, 'ERR_INVALID_ARGS', 'zx_restricted_unbind_state', [options]);
  t.not(h.k.get(h.thread, 'thread').restrictedState, 0);
  gives(t, h, 'OK', 'zx_restricted_unbind_state', [0]);
  t.is(h.k.get(h.thread, 'thread').restrictedState, 0);
});

test('zx_restricted_enter: checks in order: options, vector, bound state, registers', (t) => {
  const h = restrictedHarness();
  const call = (options: number, vector: bigint) => [options, vector, 0];
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_restricted_enter', call(0xffffffff, 0n));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_restricted_enter', call(2, 0n));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_restricted_enter', call(0, USER_TOP));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_restricted_enter', call(0, 2n ** 64n - 1n));
  gives(t, h, 'ERR_BAD_STATE', 'zx_restricted_enter', call(0, USER_TOP - 1n));
  const vmo = bind(h);
  setState(h, vmo, { pc: 2n ** 64n - 1n });
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_restricted_enter', call(0, USER_TOP));
  gives(t, h, 'ERR_BAD_STATE', 'zx_restricted_enter', call(0, 0x1000n));
  setState(h, vmo, { pc: USER_TOP });
  gives(t, h, 'ERR_BAD_STATE', 'zx_restricted_enter', call(0, 0x1000n));
  gives(t, h, 'OK', 'zx_restricted_unbind_state', [0]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_restricted_enter', call(0, 0x1000n));
  t.false(isRestricted(h));
});

test('zx_restricted_enter: kernels of today take no options', (t) => {
  const h = restrictedHarness({ vintage: 'head' });
  const { EXCEPTION_CHANNEL } = RestrictedOption;
  bind(h);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_restricted_enter', [EXCEPTION_CHANNEL, VECTOR, 0]);
  const old = restrictedHarness();
  bind(old);
  enter(old, EXCEPTION_CHANNEL);
  t.true(old.k.get(old.thread, 'thread').restricted?.exceptionChannel);
});

test('zx_restricted_enter: registers come from offset 0 of the VMO; what they were is forgotten', (t) => {
  const h = restrictedHarness();
  const vmo = bind(h);
  const state = { pc: 0x400000n, ra: 1n, sp: 0x7000n, tp: 4n, a0: 10n, t6: 31n };
  setState(h, vmo, state);
  h.k.arch.setRegister(h.k.registersForWrite(h.thread), 9, 99n);
  enter(h);
  t.true(isRestricted(h));
  t.deepEqual(registersOf(h), state);
  t.is(h.k.get(h.thread, 'thread').syscall, 0);
});

test('leaving by a system call: pc behind it, the registers in the VMO, zeros but for context and reason', (t) => {
  const h = restrictedHarness();
  const vmo = bind(h);
  setState(h, vmo, { pc: 0x400000n, a7: 64n, s2: 5n });
  enter(h);
  leaveBySyscall(h, h.thread);
  t.false(isRestricted(h));
  t.deepEqual(registersOf(h), atVector(SYSCALL));
  const { pc, a7, s2 } = savedState(h, vmo);
  t.deepEqual([pc, a7, s2], [0x400004n, 64n, 5n]);
});

test('leaving by an exception: pc at the instruction, the report behind the state', (t) => {
  const h = restrictedHarness();
  const vmo = bind(h);
  setState(h, vmo, { pc: 0x400000n, s2: 5n });
  enter(h);
  const report = new Uint8Array(REPORT_BYTES).map((_, i) => i + 1);
  leaveByException(h, h.thread, report);
  t.deepEqual(registersOf(h), atVector(EXCEPTION));
  t.is(savedState(h, vmo).pc, 0x400000n);
  const page = vmoOf(h, vmo).pages.get(0)!;
  t.deepEqual(page.bytes.slice(STATE_BYTES, STATE_BYTES + REPORT_BYTES), report);
});

test('a fault in restricted mode that no debugger takes goes to the vector', (t) => {
  const h = restrictedHarness();
  const vmo = bind(h);
  setState(h, vmo, { pc: 0x400000n });
  enter(h);
  raiseException(h, h.thread, { exception: 'page-fault', access: 'store', address: 0x10n, code: 5, data: 0 });
  t.deepEqual(registersOf(h), atVector(EXCEPTION));
  const page = vmoOf(h, vmo).pages.get(0)!;
  const both = decodeStruct('zx_riscv64_restricted_exception_t', page.bytes);
  t.is(both.state.pc, 0x400000n);
  t.is(both.exception.header.type, 0x108);
  t.is(both.exception.header.size, REPORT_BYTES);
  t.is(both.exception.context.synth_code, 5);
  const arch = decodeStruct('zx_riscv64_exc_data_t', both.exception.context.arch.u);
  t.deepEqual([arch.cause, arch.tval], [15n, 0x10n]);
});

test('with ZX_RESTRICTED_OPT_EXCEPTION_CHANNEL a fault that nobody handles ends the process', (t) => {
  const h = restrictedHarness();
  const koid = koidOf(h, bind(h));
  enter(h, RestrictedOption.EXCEPTION_CHANNEL);
  raiseException(h, h.thread, {
    exception: 'undefined-instruction',
    access: 'none',
    address: 0n,
    code: 0,
    data: 0,
  });
  t.is(h.result(), 'gone');
  t.is(h.k.get(h.process, 'process').returnCode, -1028n);
  t.is(h.k.find(koid), undefined);
});

test('head: the report goes where zx_restricted_bind_state was told, or is lost', (t) => {
  const h = restrictedHarness({ vintage: 'head' });
  const out = h.scratch(4);
  const place = h.scratch(REPORT_BYTES);
  const report = new Uint8Array(REPORT_BYTES).fill(7);
  gives(t, h, 'OK', 'zx_restricted_bind_state', [0, out, place]);
  const vmo = h.u32(out);
  enter(h);
  leaveByException(h, h.thread, report);
  t.deepEqual(registersOf(h), atVector(EXCEPTION));
  t.deepEqual(new Uint8Array(h.peek(place, REPORT_BYTES).buffer), report);
  t.is(vmoOf(h, vmo).pages.get(0)!.bytes[STATE_BYTES], 0);
  gives(t, h, 'OK', 'zx_restricted_bind_state', [0, out, NOWHERE]);
  enter(h);
  leaveByException(h, h.thread, report);
  t.deepEqual(registersOf(h), atVector(RestrictedReason.EXCEPTION_LOST));
});

test('2023: there is no third argument, whatever its register holds', (t) => {
  const h = restrictedHarness();
  const out = h.scratch(4);
  gives(t, h, 'OK', 'zx_restricted_bind_state', [0, out, NOWHERE]);
  enter(h);
  leaveByException(h, h.thread, new Uint8Array(REPORT_BYTES));
  t.deepEqual(registersOf(h), atVector(EXCEPTION));
});

test('zx_restricted_kick: INVALID_ARGS before BAD_HANDLE, WRONG_TYPE, ACCESS_DENIED, BAD_STATE', (t) => {
  const h = restrictedHarness();
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_restricted_kick', [NO_HANDLE, 1]);
  gives(t, h, 'ERR_BAD_HANDLE', 'zx_restricted_kick', [NO_HANDLE, 0]);
  gives(t, h, 'ERR_WRONG_TYPE', 'zx_restricted_kick', [newEvent(h), 0]);
  const weak = h.give(h.thread, DEFAULT_RIGHTS.thread & ~Right.MANAGE_THREAD);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_restricted_kick', [weak, 0]);
  const other = h.newThread(h.process, 'other');
  const handle = h.give(other, DEFAULT_RIGHTS.thread);
  endThread(h, other);
  gives(t, h, 'ERR_BAD_STATE', 'zx_restricted_kick', [handle, 0]);
});

test('a kick before enter: at once to the vector, the VMO untouched; several are one; unbinding keeps it', (t) => {
  const h = restrictedHarness();
  for (let i = 0; i < 3; i++) gives(t, h, 'OK', 'zx_restricted_kick', [h.handles.thread, 0]);
  gives(t, h, 'OK', 'zx_restricted_unbind_state', [0]);
  gives(t, h, 'ERR_BAD_STATE', 'zx_restricted_enter', [0, VECTOR, CONTEXT]);
  const vmo = bind(h);
  const state = { pc: 0x400000n, a1: 0x0b0bn };
  setState(h, vmo, state);
  enter(h);
  t.false(isRestricted(h));
  t.deepEqual(registersOf(h), atVector(KICK));
  t.like(savedState(h, vmo), state);
  enter(h);
  t.true(isRestricted(h), 'the kick is used up');
});

test('a kick works on a thread that has not started', (t) => {
  const h = restrictedHarness();
  const out = h.scratch(4);
  gives(t, h, 'OK', 'zx_thread_create', [h.handles.process, out, 0, 0, out]);
  const handle = h.u32(out);
  gives(t, h, 'OK', 'zx_restricted_kick', [handle, 0]);
  const thread = koidOf(h, handle);
  gives(t, h, 'OK', 'zx_thread_start', [handle, 0x1000, 0, 0, 0]);
  bind(h, thread);
  enter(h, 0, thread);
  t.deepEqual(registersOf(h, thread), atVector(KICK));
});

test('a kick in restricted mode waits for its next instruction there, and does not wake a thread', (t) => {
  const h = restrictedHarness();
  const vmo = bind(h);
  setState(h, vmo, { pc: 0x400010n, s1: 3n });
  enter(h);
  const kicker = h.newThread(h.process, 'kicker');
  gives(t, h, 'OK', 'zx_restricted_kick', [h.handles.thread, 0], kicker);
  t.true(isRestricted(h));
  leaveByKick(h, h.thread);
  t.deepEqual(registersOf(h), atVector(KICK));
  const { pc, s1 } = savedState(h, vmo);
  t.deepEqual([pc, s1], [0x400010n, 3n]);
  t.false(h.k.get(h.thread, 'thread').kicked);
  t.is(h.call('zx_nanosleep', [1000n]), 'blocked');
  gives(t, h, 'OK', 'zx_restricted_kick', [h.handles.thread, 0], kicker);
  t.is(h.result(), 'blocked');
});

test('a system call that comes before a kick leaves first, and the kick stays for the next enter', (t) => {
  const h = restrictedHarness();
  const vmo = bind(h);
  setState(h, vmo, { pc: 0x400000n });
  enter(h);
  const kicker = h.newThread(h.process, 'kicker');
  gives(t, h, 'OK', 'zx_restricted_kick', [h.handles.thread, 0], kicker);
  leaveBySyscall(h, h.thread);
  t.deepEqual(registersOf(h), atVector(SYSCALL));
  enter(h);
  t.deepEqual(registersOf(h), atVector(KICK));
  t.is(savedState(h, vmo).pc, 0x400004n);
});

test('the death of a thread in restricted mode lets its state go', (t) => {
  const h = restrictedHarness();
  const other = h.newThread(h.process, 'other');
  const vmo = bind(h, other);
  const koid = koidOf(h, vmo);
  enter(h, 0, other);
  gives(t, h, 'OK', 'zx_handle_close', [vmo]);
  endThread(h, other);
  t.is(h.k.find(koid), undefined);
});

test('a thread that was ended in restricted mode, and has a handle still, is in that mode no more', (t) => {
  for (const mode of ['owned', 'immer'] as const) {
    const h = restrictedHarness({}, mode);
    const other = h.newThread(h.process, 'other');
    h.give(other, DEFAULT_RIGHTS.thread);
    bind(h, other);
    enter(h, 0, other);
    endThread(h, other);
    const { life, restricted } = h.k.get(other, 'thread');
    t.deepEqual([life, restricted], ['dead', null]);
    t.deepEqual(brokenBindings(h.k.state), []);
  }
});

test('a state VMO may be mapped read-only, and its permissions follow its handle', (t) => {
  const h = restrictedHarness();
  const vmo = bind(h);
  const copy = h.give(koidOf(h, vmo), Right.READ | Right.MAP);
  const address = map(h, VmOption.PERM_READ, 0, copy, 0, PAGE);
  setState(h, vmo, { pc: 64n });
  t.is(h.u64(address), 64n);
  const out = h.scratch(8);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_map', [h.handles.rootVmar, RW, 0, copy, 0, PAGE, out]);
});

type Act = 'bind' | 'unbind' | 'enter' | 'syscall' | 'exception' | 'kick' | 'die' | 'close';
const ACTS: readonly Act[] = ['bind', 'unbind', 'enter', 'syscall', 'exception', 'kick', 'die', 'close'];

/** What restricted mode is for one thread, in a few lines of its own. */
interface Model {
  bound: boolean;
  restricted: boolean;
  kicked: boolean;
}

function act(
  t: Parameters<typeof gives>[0],
  h: ReturnType<typeof restrictedHarness>,
  thread: number,
  what: Act,
  model: Model,
): void {
  const other = h.thread;
  const handle = h.give(thread, DEFAULT_RIGHTS.thread);
  if (what === 'kick') {
    gives(t, h, 'OK', 'zx_restricted_kick', [handle, 0], other);
    model.kicked = true;
  } else if (model.restricted) {
    if (what === 'syscall') leaveBySyscall(h, thread);
    else if (what === 'exception') leaveByException(h, thread, new Uint8Array(REPORT_BYTES));
    else if (model.kicked) {
      leaveByKick(h, thread);
      model.kicked = false;
    } else return;
    model.restricted = false;
  } else if (what === 'bind') {
    bind(h, thread);
    model.bound = true;
  } else if (what === 'unbind') {
    gives(t, h, 'OK', 'zx_restricted_unbind_state', [0], thread);
    model.bound = false;
  } else if (what === 'enter') {
    const result = enter(h, 0, thread);
    if (!model.bound) t.is(result, -20n);
    else {
      model.restricted = !model.kicked;
      model.kicked = false;
    }
  }
}

test('bind, enter, leave and kick in any order are what a few lines say, in owned and drafted states', (t) => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...ACTS), { maxLength: 30 }), (acts) => {
      const hashes = (['owned', 'immer'] as const).map((mode) => {
        const h = restrictedHarness({}, mode);
        const thread = h.newThread(h.process, 'worker');
        const model: Model = { bound: false, restricted: false, kicked: false };
        for (const what of acts) {
          if (what === 'die') break;
          if (what === 'close') h.k.newEpoch();
          else act(t, h, thread, what, model);
          const { restricted, restrictedState, kicked } = h.k.get(thread, 'thread');
          t.deepEqual(
            { bound: restrictedState !== 0, restricted: restricted !== null, kicked },
            { ...model },
          );
        }
        const bound = [...h.k.state.objects.values()].filter(
          (object) => object.kind === 'vmo' && object.restrictedState === 'bound',
        );
        t.is(bound.length, model.bound ? 1 : 0);
        endThread(h, thread);
        return h.hash();
      });
      t.is(hashes[0], hashes[1]);
    }),
    { numRuns: 60 },
  );
});
