import test from 'ava';
import fc from 'fast-check';
import { ENGINE_KINDS, type Engine } from '../../src/cpu/arch.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import { PAGE_SIZE } from '../../src/memory/page.js';
import { assemble as asm } from './assemble.js';
import { CODE, Machine } from './cpu-fixture.js';

/** Where the interpreter has code of its own for some operands of an instruction, and for others not. */

const ENGINES = ENGINE_KINDS.map((kind) => ({ kind, engine: RISCV64.createEngine(kind) }));
const [RA, T0, T1, A0] = [1, 5, 6, 10];
const NOP = asm('addi');
const STEPS = 2000;

/** Nothing but `codes` around an offset from CODE, and what comes of running them from there. */
function runAt(engine: Engine, offset: number, codes: readonly number[]): string {
  const machine = new Machine();
  machine.memory.writeWords(CODE + offset, codes);
  RISCV64.setPc(machine.registers, BigInt(CODE + offset));
  machine.set(A0, BigInt(CODE + offset));
  const { steps, stop } = engine.run(machine.registers, machine.memory, STEPS, 0n, 0);
  return `${steps} ${stop.kind} at ${machine.pc - CODE}: ${[RA, T0, T1].map((x) => machine.get(x))}`;
}

const COUNT = asm('addi', { xd: T0, x1: T0, i: 1 });
const LOOPS: Readonly<Record<string, readonly number[]>> = {
  'a branch back': [
    COUNT,
    asm('sltiu', { xd: T1, x1: T0, i: 50 }),
    asm('bne', { x1: T1, b: -8 }),
    asm('ecall'),
  ],
  'a branch forward': [
    asm('beq', { b: 8 }),
    NOP,
    COUNT,
    asm('bne', { x1: T1, b: 8 }),
    asm('jal', { j: -16 }),
  ],
  'a jump to itself': [asm('jal', {})],
  'a call of itself': [asm('jal', { xd: RA })],
  'calls and returns': [
    asm('jal', { xd: RA, j: 12 }),
    COUNT,
    asm('jal', { j: -8 }),
    asm('addi', { xd: T1, x1: T1, i: 1 }),
    asm('jalr', { x1: RA }),
  ],
  'jumps to addresses, with links': [COUNT, asm('jalr', { xd: T1, x1: A0 })],
};

for (const [title, codes] of Object.entries(LOOPS)) {
  test(`${title}, in a page and over the end of one, is the same on every engine`, (t) => {
    for (let before = 0; before <= codes.length; before++) {
      const offset = PAGE_SIZE - 4 * before;
      const [first, ...others] = ENGINES.map(({ engine }) => runAt(engine, offset, codes));
      for (const other of others) t.is(other, first, `${before} before the end`);
    }
  });
}

const ROUNDED = ['fadd', 'fsub', 'fmul', 'fdiv', 'fmadd', 'fmsub', 'fnmadd', 'fnmsub'];
const COMPARED = ['feq', 'flt', 'fle'];
const F = 32;
const FCSR = 64;
const BOX = 0xffff_ffff_0000_0000n;

/** Often near the ends of exponents, and often numbers of few bits, of which results are exact. */
const operand = fc
  .record({
    exponent: fc.oneof(fc.constantFrom(0n, 1n, 0x3ffn, 0x7fen, 0x7ffn), fc.bigInt(0n, 0x7ffn)),
    fraction: fc.oneof(fc.constantFrom(0n, 1n << 51n), fc.bigInt(0n, (1n << 52n) - 1n)),
    sign: fc.bigInt(0n, 1n),
  })
  .map(({ exponent, fraction, sign }) => (sign << 63n) | (exponent << 52n) | fraction);
const single = operand.map((bits) => (bits >> 32n) | BOX);

for (const [format, value] of [
  ['d', operand],
  ['s', fc.oneof({ weight: 9, arbitrary: single }, { weight: 1, arbitrary: operand })],
] as const) {
  test(`floating-point instructions of format ${format} are the same on every engine, whatever the status`, (t) => {
    const status = fc.oneof(fc.constantFrom(0n, 1n), fc.bigInt(0n, 0xffn));
    const instruction = fc.record({
      name: fc.constantFrom(...ROUNDED, ...COMPARED),
      rm: fc.constantFrom(0, 1, 7),
    });
    const operands = fc.tuple(value, value, value);
    fc.assert(
      fc.property(instruction, operands, status, ({ name, rm }, [x, y, z], fcsr) => {
        const code = COMPARED.includes(name)
          ? asm(`${name}.${format}`, { xd: T0, f1: 1, f2: 2 })
          : asm(`${name}.${format}`, { fd: 5, f1: 1, f2: 2, f3: 3, rm });
        const [first, ...others] = ENGINES.map(({ engine }) => {
          const machine = new Machine([code]);
          machine
            .set(F + 1, x)
            .set(F + 2, y)
            .set(F + 3, z)
            .set(FCSR, fcsr);
          const { steps, stop } = engine.run(machine.registers, machine.memory, 1, 0n, 0);
          return [steps, stop.kind, machine.get(T0), machine.get(F + 5), machine.get(FCSR)].join(' ');
        });
        for (const other of others) t.is(other, first);
      }),
      { numRuns: 500 },
    );
  });
}
