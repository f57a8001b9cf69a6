import test from 'ava';
import { ENGINE_KINDS } from '../../src/cpu/arch.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import { assemble as asm } from './assemble.js';
import { Machine } from './cpu-fixture.js';

/** Slices of a run: long ones, in which code becomes hot, and short ones. */
const SLICES = [5000, 1, 7, 9000, 50];
const FS = 32;

/** A loop that rounds, writes the floating-point status and adds up what it read. */
function machineFor(write: number): Machine {
  const machine = new Machine([
    asm('fdiv.d', { fd: 5, f1: 10, f2: 12 }),
    // 1, 0x23, 0x45: NX with one mode after the other, each until code that was made for it is hot.
    asm('srli', { xd: 14, x1: 11, sh6: 9 }),
    asm('mul', { xd: 14, x1: 14, x2: 15 }),
    asm('addi', { xd: 14, x1: 14, i: 1 }),
    write,
    asm('add', { xd: 13, x1: 13, x2: 5 }),
    asm('addi', { xd: 11, x1: 11, i: 1 }),
    asm('jal', { j: -28 }),
  ]);
  machine.set(15, 0x22n);
  return machine.set(FS + 10, 0x3ff5_5555_5555_5555n).set(FS + 12, 0x4035_5555_5555_5556n);
}

for (const name of ['csrrw', 'csrrs', 'csrrc', 'csrrwi', 'csrrsi', 'csrrci'] as const) {
  test(`${name} of the floating-point status in hot code is the same on every engine`, (t) => {
    for (const csr of ['fflags', 'frm', 'fcsr'] as const) {
      for (const xd of [0, 5, 14]) {
        const states = ENGINE_KINDS.map((kind) => {
          const machine = machineFor(asm(name, { xd, x1: 14, z: 1 }, csr));
          const engine = RISCV64.createEngine(kind);
          return SLICES.map((budget) => {
            const { steps, stop } = engine.run(machine.registers, machine.memory, budget, 0n, 0);
            return `${steps} ${JSON.stringify(stop)} ${machine.snapshot()}`;
          });
        });
        for (const state of states) t.deepEqual(state, states[0], `${csr}, x${xd}`);
      }
    }
  });
}
