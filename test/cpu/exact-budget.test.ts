import test from 'ava';
import { ENGINE_KINDS, type EngineKind, type MemoryView } from '../../src/cpu/arch.js';
import { statistics } from '../../src/cpu/engines/regions.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import { Page } from '../../src/memory/page.js';
import { assemble as asm } from './assemble.js';

const [RA, T0, A0] = [1, 5, 10];
const START = 0x7000_0000;
const ROUNDS = 20_000;

/** Calls a function so often, which returns, and the last time stops. */
function memoryWith(stop: 'ecall' | 'ebreak'): MemoryView {
  const code = Page.zeroed(null);
  const program = [
    asm('jal', { xd: RA, j: 8 }),
    asm('jal', { xd: 0, j: -4 }),
    asm('addi', { xd: A0, x1: A0, i: -1 }),
    asm('bne', { x1: A0, x2: 0, b: 16 }),
    asm('addi', { xd: T0, x1: T0, i: 1 }),
    asm('addi', { xd: T0, x1: T0, i: 2 }),
    asm(stop),
    asm('jalr', { xd: 0, x1: RA, i: 0 }),
  ];
  program.forEach((bits, i) => {
    code.view.setUint32(i * 4, bits, true);
  });
  return {
    generation: 0,
    epoch: 0,
    replacedAlone: false,
    original: null,
    pageForFetch: (number) => (number === START / 4096 ? code : null),
    pageForLoad: () => null,
    pageForStore: () => null,
  };
}

function run(kind: EngineKind, memory: MemoryView, budgets: readonly number[]) {
  const engine = RISCV64.createEngine(kind);
  const again = () => {
    const registers = RISCV64.initialRegisters({
      ...{ sp: 0n, arg1: 0n, arg2: 0n, tp: 0n, abiReg: 0n },
      pc: BigInt(START),
    });
    RISCV64.setRegister(registers, A0, BigInt(ROUNDS));
    return registers;
  };
  engine.run(again(), memory, 2 ** 30, 0n, 0);
  return budgets.map((budget) => {
    const registers = again();
    const { steps, stop } = engine.run(registers, memory, budget, 0n, 0);
    const behind = engine.run(registers, memory, 1, 0n, 0);
    return { steps, stop: stop.kind, pc: RISCV64.pc(registers), behind: behind.stop.kind };
  });
}

for (const stop of ['ecall', 'ebreak'] as const)
  test(`a budget that ends right before an ${stop} is all that stops there, on each engine`, (t) => {
    const memory = memoryWith(stop);
    const steps = 5 * (ROUNDS - 1) + 5;
    const budgets = [-2, -1, 0, 1, 2].map((more) => steps + more);
    const should = run('reference', memory, budgets);
    const kind = stop === 'ecall' ? 'syscall' : 'breakpoint';
    t.deepEqual(
      should.map(({ stop }) => stop),
      ['budget', 'budget', 'budget', kind, kind],
    );
    const { regions } = statistics;
    for (const engine of ENGINE_KINDS) t.deepEqual(run(engine, memory, budgets), should, engine);
    t.true(statistics.regions > regions);
  });
