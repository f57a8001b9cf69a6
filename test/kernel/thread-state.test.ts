import test from 'ava';
import { ExceptionState } from '../../src/abi/exceptions.js';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { encodeStruct, sizeOf } from '../../src/abi/structs.js';
import { ThreadStateKind } from '../../src/abi/threads.js';
import type { Arch, Registers } from '../../src/cpu/arch.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import { answer, canRun, crash, debug, listen, newTarget, suspend, take } from './exception-support.js';
import { Harness } from './harness.js';
import { blocks, bytesAt, gives, INFINITE, NO_HANDLE, NOWHERE, newEvent, withRights } from './ipc-support.js';

const { GENERAL_REGS, FP_REGS, VECTOR_REGS, DEBUG_REGS, SINGLE_STEP } = ThreadStateKind;
/** The harness's architecture has 8 bytes of general registers, and refuses those that begin with 0xff. */
const SIZE = 8n;

for (const name of ['zx_thread_read_state', 'zx_thread_write_state'] as const) {
  const right = name === 'zx_thread_read_state' ? Right.READ : Right.WRITE;
  test(`${name}: statuses`, (t) => {
    const h = new Harness();
    const { process, thread } = newTarget(h);
    const at = h.scratch(16);
    gives(t, h, 'ERR_BAD_HANDLE', name, [NO_HANDLE, 9, at, SIZE]);
    gives(t, h, 'ERR_WRONG_TYPE', name, [process, 9, at, SIZE]);
    gives(t, h, 'ERR_ACCESS_DENIED', name, [
      withRights(h, thread, DEFAULT_RIGHTS.thread & ~right),
      9,
      at,
      SIZE,
    ]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [thread, 3, at, SIZE]);
    gives(t, h, 'ERR_BUFFER_TOO_SMALL', name, [thread, GENERAL_REGS, at, SIZE - 1n]);
    gives(t, h, 'ERR_BAD_STATE', name, [thread, GENERAL_REGS, at, SIZE]);
    const token = suspend(h, thread);
    gives(t, h, 'ERR_NOT_SUPPORTED', name, [thread, SINGLE_STEP, at, 4n]);
    gives(t, h, 'ERR_BUFFER_TOO_SMALL', name, [thread, SINGLE_STEP, at, 3n]);
    gives(t, h, 'ERR_INVALID_ARGS', name, [thread, GENERAL_REGS, NOWHERE, SIZE]);
    gives(t, h, 'OK', name, [thread, GENERAL_REGS, at, SIZE + 8n]);
    h.call('zx_handle_close', [token]);
    gives(t, h, 'ERR_BAD_STATE', name, [thread, GENERAL_REGS, at, SIZE]);
  });
}

test('zx_thread_write_state: registers that no thread can have', (t) => {
  const h = new Harness();
  const { thread } = newTarget(h);
  suspend(h, thread);
  const bad = h.scratch(Uint8Array.of(0xff, 0, 0, 0, 0, 0, 0, 0));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_thread_write_state', [thread, GENERAL_REGS, bad, SIZE]);
});

test('what is written is read, in an exception as in suspension', (t) => {
  const h = new Harness();
  const { process, thread, tid } = newTarget(h);
  const channel = listen(h, process);
  crash(h, tid);
  const value = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const out = h.scratch(8);
  gives(t, h, 'OK', 'zx_thread_write_state', [thread, GENERAL_REGS, h.scratch(value), SIZE]);
  gives(t, h, 'OK', 'zx_thread_read_state', [thread, GENERAL_REGS, out, SIZE]);
  t.deepEqual(bytesAt(h, out, 8), value);
  answer(h, take(h, channel).exception, ExceptionState.HANDLED);
  t.true(canRun(h, tid));
  t.deepEqual(h.k.registers(tid).bytes, value);
});

test('a thread that is leaving has no general registers to show', (t) => {
  const h = new Harness();
  const { process, thread, tid } = newTarget(h);
  debug(h, process);
  h.call('zx_thread_exit', [], tid);
  const at = h.scratch(8);
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_thread_read_state', [thread, GENERAL_REGS, at, SIZE]);
});

/** A harness whose registers are a program counter too. */
function withPc(): Harness {
  const h = new Harness();
  const pc = (r: Registers): bigint => new DataView(r.bytes.buffer).getBigInt64(0, true);
  (h.k as { arch: Arch }).arch = { ...h.k.arch, pc };
  return h;
}

for (const moves of [false, true]) {
  test(`a thread blocked in a call, whose registers are written: pc ${moves ? 'moves' : 'stays'}`, (t) => {
    const h = withPc();
    const event = newEvent(h);
    const other = h.newThread(h.process, 'other');
    const handle = h.give(other, DEFAULT_RIGHTS.thread);
    blocks(t, h, 'zx_object_wait_one', [event, Signal.USER_0, INFINITE, 0], other);
    const token = suspend(h, handle);
    const value = h.k.registers(other).bytes.slice();
    if (moves) value[0] ^= 4;
    gives(t, h, 'OK', 'zx_thread_write_state', [handle, GENERAL_REGS, h.scratch(value), SIZE]);
    const { wait, syscall, life } = h.k.get(other, 'thread');
    t.deepEqual(
      [wait === null, syscall === 0, life],
      moves ? [true, true, 'ready'] : [false, false, 'blocked'],
    );
    gives(t, h, 'OK', 'zx_object_signal', [event, 0, Signal.USER_0]);
    t.deepEqual(h.k.registers(other).bytes, moves ? value : new Uint8Array(8));
    h.call('zx_handle_close', [token]);
    t.true(canRun(h, other));
  });
}

test('riscv64: general registers in the order of Zircon', (t) => {
  const values = Object.fromEntries(
    [
      'pc',
      'ra',
      'sp',
      'gp',
      'tp',
      't0',
      't1',
      't2',
      's0',
      's1',
      'a0',
      'a1',
      'a2',
      'a3',
      'a4',
      'a5',
      'a6',
      'a7',
    ]
      .concat(['s2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11', 't3', 't4', 't5', 't6'])
      .map((name, i) => [name, BigInt(2 * i + 2)]),
  );
  const name = 'zx_riscv64_thread_state_general_regs_t';
  const bytes = encodeStruct(name, values as never);
  t.is(RISCV64.stateSizeBytes(GENERAL_REGS), sizeOf(name));
  const registers = RISCV64.registersFrom(new Uint8Array(RISCV64.registersSizeBytes));
  RISCV64.writeState(registers, GENERAL_REGS, bytes);
  for (const [register, value] of RISCV64.namedRegisters(registers)) t.is(value, values[register], register);
  t.deepEqual(RISCV64.readState(registers, GENERAL_REGS), bytes);
});

test('riscv64: floating point registers are boxed, and nothing else is taken', (t) => {
  const registers = RISCV64.registersFrom(new Uint8Array(RISCV64.registersSizeBytes));
  const bytes = RISCV64.readState(registers, FP_REGS) as Uint8Array;
  t.is(bytes.length, sizeOf('zx_riscv64_thread_state_fp_regs_t'));
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 32; i++) {
    t.is(view.getBigUint64(16 * i + 8, true), 0xffff_ffff_ffff_ffffn);
    view.setBigUint64(16 * i, BigInt(1000 + i), true);
  }
  view.setUint32(512, 0x61, true);
  t.true(RISCV64.isStateValid(FP_REGS, bytes));
  RISCV64.writeState(registers, FP_REGS, bytes);
  t.deepEqual(RISCV64.readState(registers, FP_REGS), bytes);
  t.is(new Map(RISCV64.floatRegisters(registers)).get('fcsr'), 0x61n);
  view.setBigUint64(24, 0n, true);
  t.false(RISCV64.isStateValid(FP_REGS, bytes));
});

test('riscv64: no vector registers, no single steps; debug registers that are none', (t) => {
  const registers = RISCV64.registersFrom(new Uint8Array(RISCV64.registersSizeBytes));
  for (const kind of [VECTOR_REGS, SINGLE_STEP]) {
    t.is(RISCV64.stateSizeBytes(kind), null);
    t.is(RISCV64.readState(registers, kind), null);
  }
  t.deepEqual(RISCV64.readState(registers, DEBUG_REGS), new Uint8Array(4));
});
