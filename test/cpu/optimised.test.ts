import test from 'ava';
import { encode, INSTRUCTIONS } from '../../src/cpu/riscv64/table.js';
import { assemble as asm } from './assemble.js';
import { DATA, Machine } from './cpu-fixture.js';

/**
 * The evaluator is written for one optimiser, and some code with 64-bit bigints makes that of Node 20 abort the
 * process. So every instruction runs here often enough to be compiled, and its result must not change by it.
 */

const ITERATIONS = 20_000;
const JUMP_BACK = asm('jal', { j: -4 });
const HOT = INSTRUCTIONS.filter(({ effects }) => effects.control === 'next');

function machineFor(code: number, dividend: bigint): Machine {
  const machine = new Machine([code, JUMP_BACK]);
  // x10 is the base of memory operands; integers and floats are such that most operations are inexact.
  machine.set(11, dividend).set(12, 0x8000_0000_0000_0007n);
  machine
    .set(32 + 10, 0x3ff5_5555_5555_5555n)
    .set(32 + 11, 0xbfd5_5555_5555_5555n)
    .set(32 + 12, 0x4035_5555_5555_5555n);
  machine.memory.write(DATA, Uint8Array.of(1, 2, 3, 0x84, 5, 6, 7, 0x88));
  return machine.set(10, BigInt(DATA));
}

for (const dividend of [0n, 3n, 0xffff_ffff_ffff_ff85n]) {
  test(`every instruction gives the same after it was compiled, with operand ${dividend}`, (t) => {
    for (const entry of HOT) {
      const { loads, stores, readsTime } = entry.effects;
      const memory = loads || stores;
      const code = encode(entry, {
        ...{
          xd: 5,
          x1: memory ? 10 : 11,
          x2: memory ? 11 : 12,
          rm: 7,
          rx: 7,
          sh5: 7,
          sh6: 37,
          z: 1,
          i: 0,
          s: 0,
        },
        ...{ fd: 5, f1: 10, f2: 11, f3: 12 },
      });
      const machine = machineFor(code, dividend);
      // Twice, for instructions that swap.
      machine.run(4);
      const twice = machine.snapshot();
      machine.run(2 * ITERATIONS);
      // A read-modify-write goes on changing.
      if (!(loads && stores) && !readsTime) t.is(machine.snapshot(), twice, entry.name);
    }
    t.pass();
  });
}
