import test from 'ava';
import { archByName } from '../../src/cpu/arch-table.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';

const START = { pc: 0x1001n, sp: 2n, arg1: 3n, arg2: 4n, tp: 5n, abiReg: 6n };

test('the one architecture is found by its name', (t) => {
  t.is(archByName('riscv64'), RISCV64);
});

test('initial registers: pc without its odd bit, sp, arguments in a0 and a1, tp, gp; all else zero', (t) => {
  const registers = RISCV64.initialRegisters(START);
  const values = Object.fromEntries(RISCV64.namedRegisters(registers));
  const { pc, sp, a0, a1, tp, gp, ...others } = values;
  t.deepEqual([pc, sp, a0, a1, tp, gp], [0x1000n, 2n, 3n, 4n, 5n, 6n]);
  t.deepEqual(new Set(Object.values(others)), new Set([0n]));
  t.is(RISCV64.sp(registers), 2n);
  t.is(registers.bytes.length, RISCV64.registersSizeBytes);
});

test('named registers come in the order of the general register state', (t) => {
  const names = RISCV64.namedRegisters(RISCV64.initialRegisters(START)).map(([name]) => name);
  const expected =
    'pc ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6';
  t.is(names.join(' '), expected);
});

test('the system call convention: number in t0, arguments from a0 on, result in a0, four bytes to skip', (t) => {
  const registers = RISCV64.initialRegisters(START);
  RISCV64.setRegister(registers, 5, 77n);
  for (let i = 0; i < 8; i++) RISCV64.setRegister(registers, 10 + i, BigInt(100 + i));
  t.is(RISCV64.syscallNumber(registers), 77n);
  t.deepEqual(
    Array.from({ length: 8 }, (_, i) => RISCV64.syscallArgument(registers, i)),
    Array.from({ length: 8 }, (_, i) => BigInt(100 + i)),
  );
  RISCV64.setResult(registers, -1n);
  t.is(RISCV64.syscallArgument(registers, 0), 2n ** 64n - 1n);
  RISCV64.skipSyscall(registers);
  t.is(RISCV64.pc(registers), 0x1004n);
});

test('a copy is on its own', (t) => {
  const registers = RISCV64.initialRegisters(START);
  const copy = registers.copy();
  RISCV64.setPc(registers, 0x2000n);
  t.is(RISCV64.pc(copy), 0x1000n);
  t.is(RISCV64.pc(RISCV64.registersFrom(registers.bytes)), 0x2000n);
});

test('registers have names; frames are found by s0 and ra', (t) => {
  const names = [0, 2, 31, 32, 63, 64].map((number) => RISCV64.registerName(number));
  t.deepEqual(names, ['zero', 'sp', 't6', 'ft0', 'ft11', 'fcsr']);
  const registers = RISCV64.initialRegisters(START);
  RISCV64.setRegister(registers, 8, 11n);
  RISCV64.setRegister(registers, 1, 12n);
  RISCV64.setRegister(registers, 0, 13n);
  t.is(RISCV64.framePointer(registers), 11n);
  t.is(RISCV64.returnAddress(registers), 12n);
  t.is(registers.bytes[0], 0);
});
