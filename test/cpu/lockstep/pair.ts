import { isDeepStrictEqual } from 'node:util';
import type { Engine, Registers, Stop } from '../../../src/cpu/arch.js';
import { RISCV64 } from '../../../src/cpu/riscv64/arch.js';
import { equal, Machine, type Region, World } from './world.js';

interface Side {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly world: World;
  readonly registers: Registers;
}

const START = { sp: 0n, arg1: 0n, arg2: 0n, tp: 0n, abiReg: 0n };

/** One program on the reference engine and on regions, each with memory of its own that its kernel changes alike. */
export class Pair {
  private readonly sides: readonly [Side, Side];

  constructor(regions: readonly Region[], pc: number, registers: Readonly<Record<number, bigint>>) {
    const side = (kind: 'reference' | 'jit'): Side => {
      const machine = new Machine();
      const world = new World(machine, regions);
      const initial = RISCV64.initialRegisters({ ...START, pc: BigInt(pc) });
      for (const [slot, value] of Object.entries(registers)) {
        RISCV64.setRegister(initial, Number(slot), BigInt.asUintN(64, value));
      }
      return { engine: RISCV64.createEngine(kind), machine, world, registers: initial };
    };
    this.sides = [side('reference'), side('jit')];
  }

  /** Why the slice ended; what is different then, if anything is. */
  run(budget: number): { readonly stop: Stop; readonly difference: string | null } {
    const [a, b] = this.sides.map(({ engine, registers, world }) =>
      engine.run(registers, world, budget, 0n, 0),
    );
    const [left, right] = this.sides;
    const page = left.world.differsFrom(right.world);
    let difference: string | null = null;
    if (!isDeepStrictEqual(a, b)) difference = `${a!.steps} and ${b!.steps} steps, or the stop`;
    else if (!equal(left.registers.bytes, right.registers.bytes)) difference = 'registers';
    else if (page !== null) difference = `page ${page.toString(16)}`;
    return { stop: a!.stop, difference };
  }

  get pc(): bigint {
    return RISCV64.pc(this.sides[0].registers);
  }

  /** What the kernel does to both. */
  both(act: (world: World, machine: Machine) => void): void {
    for (const { world, machine } of this.sides) act(world, machine);
  }

  jump(pc: bigint): void {
    for (const { registers } of this.sides) RISCV64.setPc(registers, pc);
  }
}
