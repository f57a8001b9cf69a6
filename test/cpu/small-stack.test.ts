import test from 'ava';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import { threadMemory } from '../../src/machine/memory-view.js';
import { Harness } from '../kernel/harness.js';
import { fill, map, newVmo, PAGE, R, RW, vmoOf, X } from '../kernel/vm-support.js';
import { assemble as asm } from './assemble.js';

const [RA, SP, T0, A0, A1, A2] = [1, 2, 5, 10, 11, 12];
const DEPTH = 190;
const PAGES = 1000;
const FIRST = 16;

/** A function that loads and stores at A0 and calls itself A1 times, with A0 more by A2; and a call of it. */
const FUNCTION = [
  asm('addi', { xd: SP, x1: SP, i: -16 }),
  asm('sd', { x2: RA, x1: SP, s: 0 }),
  asm('ld', { xd: T0, x1: A0, i: 0 }),
  asm('sd', { x2: SP, x1: A0, s: 0 }),
  asm('add', { xd: A0, x1: A0, x2: A2 }),
  asm('beq', { x1: A1, x2: 0, b: 12 }),
  asm('addi', { xd: A1, x1: A1, i: -1 }),
  asm('jal', { xd: RA, j: -28 }),
  asm('ld', { xd: RA, x1: SP, i: 0 }),
  asm('addi', { xd: SP, x1: SP, i: 16 }),
  asm('jalr', { xd: 0, x1: RA, i: 0 }),
];
const CODE = [...FUNCTION, asm('jal', { xd: RA, j: -4 * FUNCTION.length }), asm('ecall')];

/** An engine, its memory, and a way to call the function. */
class World {
  private readonly h = new Harness();
  private readonly engine = RISCV64.createEngine('auto');
  private readonly memory = threadMemory(this.h.k, this.h.thread);
  private readonly registers = RISCV64.initialRegisters({
    ...{ sp: 0n, arg1: 0n, arg2: 0n, tp: 0n, abiReg: 0n, pc: 0n },
  });
  private readonly vmo = newVmo(this.h, PAGES * PAGE);
  private readonly base = map(this.h, RW, 0, this.vmo, 0, PAGES * PAGE);
  private readonly start: number;

  constructor() {
    const { h } = this;
    const code = newVmo(h, PAGE);
    fill(h, code, 0, [...new Uint8Array(Uint32Array.from(CODE).buffer)]);
    const executable = h.scratch(4);
    h.call('zx_vmo_replace_as_executable', [code, 0, executable]);
    this.start = map(h, R | X, 0, h.u32(executable), 0, PAGE) + 4 * FUNCTION.length;
  }

  call(page: number, depth: number, strideBytes: number): void {
    const { registers, base } = this;
    RISCV64.setPc(registers, BigInt(this.start));
    const operands = [
      [SP, base + FIRST * PAGE],
      [A0, base + page * PAGE],
      [A1, depth],
      [A2, strideBytes],
    ];
    for (const [register, value] of operands) RISCV64.setRegister(registers, register!, BigInt(value!));
    this.engine.run(registers, this.memory, 100_000, 0n, 0);
  }

  /** Numbers of pages that are committed, and how many words of those are not 0. */
  get committed(): string {
    const pages = vmoOf(this.h, this.vmo).pages.list();
    return pages.map(([n, page]) => `${n}:${page.words().filter((word) => word !== 0).length}`).join(' ');
  }
}

function below(frames: number, what: () => void): void {
  if (frames === 0) what();
  else below(frames - 1, what);
}

test('what an engine stored before it ran out of stack is its own', (t) => {
  const [deep, other, alone] = [new World(), new World(), new World()];
  for (const world of [deep, other, alone]) for (let i = 0; i < 100; i++) world.call(FIRST, DEPTH, 0);
  // As the host optimises it, so that its frames stay as large as they are.
  for (let i = 0; i < 200; i++) below(5000, () => other.committed);
  let ran = 0;
  let page = FIRST + 1;
  let [fits, doesNot] = [0, 100_000];
  while (doesNot - fits > 2) {
    const frames = Math.floor((fits + doesNot) / 2);
    let isThere = false;
    // That nothing was written behind it is known then.
    deep.call(2 * page, 0, 0);
    try {
      below(frames, () => {
        isThere = true;
        deep.call(2 * page + 1, DEPTH, 0);
      });
      fits = frames;
    } catch (reason) {
      if (!(reason instanceof RangeError)) throw reason;
      doesNot = frames;
      if (isThere) ran++;
    }
    for (const world of [other, alone]) world.call(page, 2, PAGE);
    t.is(other.committed, alone.committed);
    const all = page - FIRST + 3;
    t.is(other.committed.split(' ').filter((one) => /:[12]$/.test(one)).length, all, other.committed);
    page++;
  }
  t.true(ran > 0, 'it never ran out of stack');
});
