import test from 'ava';
import { ExceptionState, ExceptionType } from '../../src/abi/exceptions.js';
import { Property } from '../../src/abi/info.js';
import { PolicyExceptionCode } from '../../src/abi/policy.js';
import { ALL_RIGHTS, DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { decodeStruct, sizeOf } from '../../src/abi/structs.js';
import { SYSCALLS, syscallByName } from '../../src/abi/syscalls.js';
import { ThreadStateKind } from '../../src/abi/threads.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import { dispatchSyscall, isBuilt } from '../../src/kernel/syscalls/dispatch.js';
import { decidePageFault } from '../../src/kernel/syscalls/page-fault.js';
import { endThread } from '../../src/kernel/syscalls/tasks.js';
import { answer, debug, listen, receive, take } from '../kernel/exception-support.js';
import { Harness, SCRATCH } from '../kernel/harness.js';
import { gives, koidOf, newPort } from '../kernel/ipc-support.js';
import { bind, enter, isRestricted, restrictedHarness, setState } from '../kernel/restricted-support.js';
import { map, PAGE, R, RW, X } from '../kernel/vm-support.js';
import { vdsoVmo } from './vdso-vmo.js';

// Rules that a status table cannot say, one test each: how a call comes in, the vDSO, shared halves, restricted mode.

const T0 = 5;
const A0 = 10;

/** A thread at a system call instruction, with something in every register. */
function atCall(number: bigint, args: readonly bigint[]): Harness {
  const h = new Harness({}, 'owned', RISCV64);
  const registers = h.k.registersForWrite(h.thread);
  for (let r = 1; r < 65; r++) RISCV64.setRegister(registers, r, 0x1111n * BigInt(r));
  RISCV64.setPc(registers, 0x4000n);
  RISCV64.setRegister(registers, T0, number);
  args.forEach((arg, i) => {
    RISCV64.setRegister(registers, A0 + i, arg);
  });
  return h;
}

const everyRegister = (h: Harness): Map<string, bigint> => {
  const registers = h.k.registers(h.thread);
  return new Map([...RISCV64.namedRegisters(registers), ...RISCV64.floatRegisters(registers)]);
};

function changed(before: Map<string, bigint>, after: Map<string, bigint>): Record<string, bigint> {
  return Object.fromEntries([...after].filter(([name, value]) => before.get(name) !== value));
}

test('a call changes its result register and pc, and nothing else', (t) => {
  const h = atCall(BigInt(syscallByName('zx_handle_close').number), [0n]);
  const before = everyRegister(h);
  dispatchSyscall(h, h.thread, 0, () => true);
  t.deepEqual(changed(before, everyRegister(h)), { pc: 0x4004n });
  const failed = atCall(BigInt(syscallByName('zx_handle_close').number), [0x7ffffff3n]);
  dispatchSyscall(failed, failed.thread, 0, () => true);
  t.is(RISCV64.result(failed.k.registers(failed.thread)), -11n);
});

test('what stands above a narrow argument is not seen; a status fills the whole register', (t) => {
  const h = atCall(BigInt(syscallByName('zx_handle_close').number), [0xffff_ffff_0000_0000n]);
  dispatchSyscall(h, h.thread, 0, () => true);
  t.is(RISCV64.result(h.k.registers(h.thread)), 0n);
  const refused = atCall(BigInt(syscallByName('zx_event_create').number), [0xdead_beef_0000_0001n, 0n]);
  dispatchSyscall(refused, refused.thread, 0, () => true);
  t.is(RISCV64.result(refused.k.registers(refused.thread)), -10n);
});

for (const [what, number] of [
  ['from elsewhere than the vDSO', BigInt(syscallByName('zx_handle_close').number)],
  ['with a number that no call has', 9999n],
] as const) {
  test(`a trap ${what}: BAD_SYSCALL in place, a policy exception with the number, and the end if nobody takes it`, (t) => {
    const h = atCall(number, [0n]);
    const channel = listen(h, h.give(h.process, ALL_RIGHTS));
    const registers = h.k.registersForWrite(h.thread);
    RISCV64.setPc(registers, 0x4000n);
    RISCV64.setRegister(registers, T0, number);
    dispatchSyscall(h, h.thread, 0, () => false);
    const raised = h.events.findLast((event) => event.type === 'exception-raised');
    t.like(raised, { exception: 'policy', code: PolicyExceptionCode.BAD_SYSCALL, data: Number(number) });
    t.is(RISCV64.result(h.k.registers(h.thread)), -13n);
    t.is(RISCV64.pc(h.k.registers(h.thread)), 0x4004n);
    t.is(h.k.get(h.thread, 'thread').wait?.kind, 'exception');
    t.is(h.k.get(koidOf(h, channel), 'channel').messages.size, 1);
    const alone = atCall(number, [0n]);
    dispatchSyscall(alone, alone.thread, 0, () => false);
    t.is(alone.k.get(alone.process, 'process').life, 'dead');
    t.is(alone.k.get(alone.process, 'process').returnCode, -1028n);
  });
}

test('who shares an address space shares its vDSO: mapped once for all, with one base', (t) => {
  const h = new Harness();
  const out = h.scratch(16);
  gives(t, h, 'OK', 'zx_process_create', [h.handles.job, out, 0, 1, out, out + 4]);
  const [prototype, sharedRoot] = [h.u32(out), h.u32(out + 4)];
  gives(t, h, 'OK', 'zx_process_create_shared', [prototype, 0, out, 0, out, out + 4]);
  const [member, ownRoot] = [h.u32(out), h.u32(out + 4)];
  const vdso = vdsoVmo(h);
  const code = map(h, R | X, 0, vdso, 0, PAGE, sharedRoot);
  gives(t, h, 'ERR_ACCESS_DENIED', 'zx_vmar_map', [sharedRoot, R | X, 0, vdso, 0, PAGE, out]);
  for (const process of [prototype, member]) {
    gives(t, h, 'OK', 'zx_object_get_property', [process, Property.PROCESS_VDSO_BASE_ADDRESS, out, 8]);
    t.is(Number(h.u64(out)), code);
  }
  gives(t, h, 'OK', 'zx_vmar_map', [ownRoot, R, 0, vdso, 0, PAGE, out]);
});

test('memory that a pager has yet to give is no exception in restricted mode', (t) => {
  const h = restrictedHarness();
  const out = h.scratch(8);
  gives(t, h, 'OK', 'zx_pager_create', [0, out]);
  gives(t, h, 'OK', 'zx_pager_create_vmo', [h.u32(out), 0, newPort(h), 1, PAGE, out]);
  const address = map(h, RW, 0, h.u32(out), 0, PAGE);
  bind(h);
  enter(h);
  t.is(decidePageFault(h, h.thread, 'load', BigInt(address)), 0);
  t.is(h.k.get(h.thread, 'thread').wait?.kind, 'page');
  t.true(isRestricted(h));
});

test('a debugger, not the vector, hears of a thread that is killed in restricted mode', (t) => {
  const h = restrictedHarness();
  const other = h.newThread(h.process, 'other');
  bind(h, other);
  enter(h, 0, other);
  const channel = debug(h, h.give(h.process, DEFAULT_RIGHTS.process));
  endThread(h, other);
  const told = take(h, channel);
  t.is(told.type, ExceptionType.THREAD_EXITING);
  t.is(told.tid, other);
  t.is(receive(h, channel), null);
  t.is(h.k.get(h.process, 'process').life, 'running');
});

test('a thread that is suspended in restricted mode shows the registers that it has there, and takes others', (t) => {
  const h = restrictedHarness();
  const other = h.newThread(h.process, 'other');
  const state = bind(h, other);
  setState(h, state, { pc: 0x6000n, t0: 77n } as never);
  enter(h, 0, other);
  const handle = h.give(other, DEFAULT_RIGHTS.thread);
  gives(t, h, 'OK', 'zx_task_suspend', [handle, h.scratch(4)]);
  const size = sizeOf('zx_riscv64_thread_state_general_regs_t');
  const buffer = h.scratch(size);
  const kind = ThreadStateKind.GENERAL_REGS;
  gives(t, h, 'OK', 'zx_thread_read_state', [handle, kind, buffer, size]);
  const bytes = new Uint8Array(h.peek(buffer, size).buffer);
  t.like(decodeStruct('zx_riscv64_thread_state_general_regs_t', bytes), { pc: 0x6000n, t0: 77n });
  new DataView(bytes.buffer).setBigUint64(0, 0x7000n, true);
  h.poke(buffer, bytes);
  gives(t, h, 'OK', 'zx_thread_write_state', [handle, kind, buffer, size]);
  t.is(RISCV64.pc(h.k.registers(other)), 0x7000n);
  t.true(isRestricted(h, other));
});

test('the answer to an exception can be given after a kill, and means nothing', (t) => {
  const h = restrictedHarness();
  const other = h.newThread(h.process, 'other');
  const channel = listen(h, h.give(h.process, ALL_RIGHTS & ~Right.SAME_RIGHTS));
  h.k.arch.setPc(h.k.registersForWrite(other), 0x100n);
  dispatchSyscall(h, other, 0, () => false);
  const { exception } = take(h, channel);
  endThread(h, other);
  answer(h, exception, ExceptionState.HANDLED);
  t.is(h.k.find(other), undefined);
  t.is(h.k.get(h.process, 'process').life, 'running');
});

test('calls of drivers and hypervisors are NOT_SUPPORTED, whatever they are given', (t) => {
  const calls = SYSCALLS.filter(({ tier }) => tier === 'ddk');
  t.true(calls.length > 50);
  for (const { name, args } of calls.filter((call) => !isBuilt(call.name))) {
    const h = new Harness();
    for (const value of [0, h.handles.process, SCRATCH])
      gives(
        t,
        h,
        'ERR_NOT_SUPPORTED',
        name,
        args.map(() => value),
      );
  }
  const built = calls.filter(({ name }) => isBuilt(name)).map(({ name }) => name);
  t.deepEqual(built, ['zx_debug_write']);
});
