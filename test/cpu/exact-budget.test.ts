import test from 'ava';
import { ENGINE_KINDS, type Engine } from '../../src/cpu/arch.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import { assemble as asm } from './assemble.js';
import { CODE, DATA, Machine } from './cpu-fixture.js';

/** Budgets that end at every single instruction of hot code. */

const [RA, T0, T1, T2, S0, S1, A0, A1, S2] = [1, 5, 6, 7, 8, 9, 10, 11, 18];
/** Where functions start, by instruction. */
const [OUTER, INNER] = [13, 20];

/** A loop in a loop, with ways of unlike lengths, loads and stores, and calls; it never ends. */
const CODES = [
  asm('addi', { xd: S0, i: 3 }), // 0: the outer loop
  asm('andi', { xd: T0, x1: S1, i: 1 }), // 1: the inner one
  asm('addi', { xd: S1, x1: S1, i: 1 }),
  asm('beq', { x1: T0, b: 16 }),
  asm('ld', { xd: T1, x1: A0 }),
  asm('addi', { xd: T1, x1: T1, i: 1 }),
  asm('sd', { x2: T1, x1: A0 }),
  asm('sw', { x2: S1, x1: A1 }), // 7: where the ways meet
  asm('addi', { xd: S0, x1: S0, i: -1 }),
  asm('bne', { x1: S0, b: -32 }),
  asm('jal', { xd: RA, j: (OUTER - 10) * 4 }),
  asm('add', { xd: T2, x1: T2, x2: T1 }),
  asm('jal', { j: -48 }),
  asm('addi', { xd: S2, x1: RA }), // 13: a function that calls another one twice
  asm('jal', { xd: RA, j: (INNER - 14) * 4 }),
  asm('add', { xd: T2, x1: T2, x2: T0 }),
  asm('slli', { xd: T2, x1: T2, sh6: 1 }),
  asm('jal', { xd: RA, j: (INNER - 17) * 4 }),
  asm('addi', { xd: RA, x1: S2 }),
  asm('jalr', { x1: RA }),
  asm('lw', { xd: T0, x1: A1 }), // 20: that one
  asm('beq', { x1: T0, b: 8 }),
  asm('xor', { xd: T2, x1: T2, x2: T0 }),
  asm('jalr', { x1: RA }),
];

const WARM = 20_000;
const LONGEST = 120;

function machine(): Machine {
  return new Machine(CODES).set(A0, BigInt(DATA)).set(A1, BigInt(DATA + 0x1000));
}

/** All states of a run in pieces of growing length, each told by its end. */
function pieces(engine: Engine, renew: boolean): string[] {
  const m = machine();
  engine.run(m.registers, m.memory, WARM, 0n, 0);
  const states: string[] = [];
  for (let budget = 0; budget <= LONGEST; budget++) {
    for (let again = 0; again < 2; again++) {
      // With nothing known of where pages are, loads and stores leave hot code in the middle.
      if (renew) m.memory.generation++;
      const { steps, stop } = engine.run(m.registers, m.memory, budget, 0n, 0);
      const registers = [RA, T0, T1, T2, S0, S1, S2].map((x) => m.get(x));
      const stored = [m.memory.read(DATA, 8), m.memory.read(DATA + 0x1000, 8)];
      states.push(`${budget}: ${steps} ${stop.kind} at ${(m.pc - CODE) / 4}, ${registers}, ${stored}`);
    }
  }
  return states;
}

for (const kind of ENGINE_KINDS.filter((k) => k !== 'reference')) {
  test(`${kind}: a budget ends hot code at exactly its last instruction, wherever that is`, (t) => {
    for (const renew of [false, true]) {
      const expected = pieces(RISCV64.createEngine('reference'), renew);
      t.deepEqual(pieces(RISCV64.createEngine(kind), renew), expected);
    }
  });
}
