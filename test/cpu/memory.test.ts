import test from 'ava';
import type { MemoryView } from '../../src/cpu/arch.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import { PAGE_SHIFT, PAGE_SIZE, Page } from '../../src/memory/page.js';
import { assemble as asm } from './assemble.js';
import { CODE, DATA, Lines, Machine } from './cpu-fixture.js';
import { FlatMemory } from './flat-memory.js';

const [T0, A0, A1, A2] = [5, 10, 11, 12];
const PC = 65;
const ADDI_1 = asm('addi', { xd: A1, x1: A1, i: 1 });
const ADDI_100 = asm('addi', { xd: A1, x1: A1, i: 100 });
const RWX = { load: true, store: true, fetch: true };

test('misaligned loads and stores work, also across pages', (t) => {
  const widths = [
    { load: 'lhu', store: 'sh', size: 2 },
    { load: 'lwu', store: 'sw', size: 4 },
    { load: 'ld', store: 'sd', size: 8 },
  ];
  const value = 0x8877_6655_4433_2211n;
  for (const { load, store, size } of widths) {
    for (let at = DATA + 0x1000 - size; at <= DATA + 0x1000; at++) {
      for (const traced of [false, true]) {
        const machine = new Machine([asm(store, { x2: A1, x1: A0 }), asm(load, { xd: A2, x1: A0 })]);
        machine.set(A0, BigInt(at)).set(A1, value);
        t.is(machine.run(2, 0n, traced ? new Lines() : undefined).steps, 2);
        const expected = BigInt.asUintN(size * 8, value);
        t.is(machine.get(A2), expected, `${load} at ${at}`);
        const bytes = machine.memory.read(at - 1, size + 2);
        t.is(bytes[0], 0);
        t.is(bytes[size + 1], 0);
        t.is(bytes[size], Number(expected >> BigInt(size * 8 - 8)));
      }
    }
  }
});

test('an access that wraps around the address space reaches both ends', (t) => {
  const machine = new Machine([asm('sd', { x2: A1, x1: A0 })])
    .set(A0, 2n ** 64n - 4n)
    .set(A1, 0x1122_3344_5566_7788n);
  machine.memory.map(0, { load: true, store: true });
  machine.memory.map(2 ** 64 - PAGE_SIZE, { load: true, store: true });
  t.is(machine.run(1).steps, 1);
  t.deepEqual([...machine.memory.read(0, 4)], [0x44, 0x33, 0x22, 0x11]);
});

/** Stores the word in a2 to a0, then runs the instruction there. `between` comes in between. */
function selfModifying(between: readonly number[]): Machine {
  const machine = new Machine();
  machine.memory.map(CODE, RWX);
  const codes = [asm('sw', { x2: A2, x1: A0 }), ...between, ADDI_1, asm('addi')];
  machine.memory.writeWords(CODE, codes);
  return machine.set(A0, BigInt(CODE + 4 + between.length * 4)).set(A2, BigInt(ADDI_100));
}

test('a store to the very next instruction is what runs', (t) => {
  for (const traced of [false, true]) {
    const machine = selfModifying([]);
    machine.run(2, 0n, traced ? new Lines() : undefined);
    t.is(machine.get(A1), 100n);
  }
});

test('a store to an instruction that ran before is what runs next time, without a fence', (t) => {
  for (const between of [[asm('addi')], [asm('fence.i')]]) {
    const machine = selfModifying(between).set(A2, BigInt(ADDI_1));
    machine.run(3);
    t.is(machine.get(A1), 1n);
    machine.set(PC, BigInt(CODE)).set(A2, BigInt(ADDI_100));
    machine.run(3);
    t.is(machine.get(A1), 101n);
  }
});

test('a store by another address of the page, and one by half across pages, are seen', (t) => {
  const machine = selfModifying([]);
  const alias = 0x40000;
  machine.memory.map(alias, { load: true, store: true }, machine.memory.pageForFetch(CODE >> PAGE_SHIFT)!);
  machine.set(A0, BigInt(alias + 4));
  machine.run(2);
  t.is(machine.get(A1), 100n);

  const crossing = new Machine();
  for (const at of [CODE, CODE + 0x1000]) crossing.memory.map(at, RWX);
  const target = CODE + 0xffe;
  const loop = CODE + 0xffa;
  crossing.memory.writeWords(loop, [asm('sw', { x2: A2, x1: A0 }), ADDI_1, asm('jal', { j: -8 })]);
  crossing.set(A0, BigInt(target)).set(A2, BigInt(ADDI_1)).set(PC, BigInt(loop));
  crossing.run(3);
  t.is(crossing.get(A1), 1n);
  crossing.set(A2, BigInt(ADDI_100));
  crossing.run(3);
  t.is(crossing.get(A1), 101n);
});

test('atomics and conditional stores to code are seen, too', (t) => {
  const store = [
    [asm('amoswap.w', { x2: A2, x1: A0 })],
    [asm('lr.w', { xd: T0, x1: A0 }), asm('sc.w', { xd: T0, x2: A2, x1: A0 })],
  ];
  for (const codes of store) {
    const machine = new Machine();
    machine.memory.map(CODE, RWX);
    machine.memory.writeWords(CODE, [ADDI_1, ...codes, asm('jal', { j: -4 - 4 * codes.length })]);
    machine.set(A0, BigInt(CODE)).set(A2, BigInt(ADDI_100));
    machine.run(3 + codes.length);
    t.is(machine.get(A1), 101n);
  }
});

test('what the kernel writes to code is seen by the next run', (t) => {
  const machine = new Machine([ADDI_1]);
  machine.run(1);
  machine.set(PC, BigInt(CODE));
  machine.memory.writeWords(CODE, [ADDI_100]);
  machine.run(1);
  t.is(machine.get(A1), 101n);
});

test('a change of the mappings is seen by the next run, for code and data', (t) => {
  const machine = new Machine([asm('ld', { xd: A1, x1: A0 }), asm('jal', { j: -4 })]).set(A0, BigInt(DATA));
  machine.memory.write(DATA, Uint8Array.of(1));
  machine.run(4);
  t.is(machine.get(A1), 1n);
  const page = machine.memory.map(DATA, { load: true });
  page.bytes[0] = 2;
  machine.run(2);
  t.is(machine.get(A1), 2n);
  machine.memory.unmap(DATA);
  t.like(machine.run(2), { steps: 0, stop: { kind: 'page-fault', access: 'load' } });
  machine.memory.unmap(CODE);
  t.like(machine.run(2), { steps: 0, stop: { kind: 'page-fault', access: 'fetch' } });
});

/** Like a kernel's memory: stores to a page that a snapshot holds replace it by a copy. */
class CopyOnWrite implements MemoryView {
  generation = 0;
  readonly epoch = 0;
  private readonly owned = new Set<number>();
  constructor(private readonly pages: Map<number, Page>) {}

  pageForLoad(n: number): Page | null {
    return this.pages.get(n) ?? null;
  }
  pageForFetch(n: number): Page | null {
    return this.pages.get(n) ?? null;
  }
  readonly replacedAlone = false;
  readonly original = null;

  pageForStore(n: number): Page | null {
    const page = this.pages.get(n);
    if (page === undefined || this.owned.has(n)) return page ?? null;
    const copy = new Page(page.bytes.slice(), null);
    this.pages.set(n, copy);
    this.owned.add(n);
    this.generation++;
    return copy;
  }
}

test('a page that is replaced while code runs from it and data is loaded from it is noticed at once', (t) => {
  const original = Page.zeroed(null);
  const codes = [
    asm('ld', { xd: T0, x1: A0, i: 64 }),
    asm('sw', { x2: A2, x1: A0, s: 8 }),
    ADDI_1,
    asm('sd', { x2: A2, x1: A0, s: 64 }),
    asm('ld', { xd: T0, x1: A0, i: 64 }),
  ];
  codes.forEach((code, i) => {
    original.view.setUint32(i * 4, code, true);
  });
  const before = original.bytes.slice();
  for (const traced of [false, true]) {
    const memory = new CopyOnWrite(new Map([[CODE >> PAGE_SHIFT, original]]));
    const machine = new Machine().set(A0, BigInt(CODE)).set(A2, BigInt(ADDI_100));
    const engine = RISCV64.createEngine();
    engine.run(machine.registers, memory, 5, 0n, 0, traced ? new Lines() : undefined);
    t.is(machine.get(A1), 100n);
    t.is(machine.get(T0), BigInt(ADDI_100));
    t.deepEqual(original.bytes, before);
  }
});

test('two memories used in turn by one engine keep apart', (t) => {
  const engine = RISCV64.createEngine();
  const code = [asm('ld', { xd: A1, x1: A0 }), asm('jal', { j: -4 })];
  const machines = [7, 9].map((value) => {
    const machine = new Machine(code).set(A0, BigInt(DATA));
    machine.memory.write(DATA, Uint8Array.of(value));
    return machine;
  });
  for (let round = 0; round < 3; round++) {
    for (const [i, machine] of machines.entries()) {
      engine.run(machine.registers, machine.memory, 2, 0n, 0);
      t.is(machine.get(A1), [7n, 9n][i]!);
    }
  }
});

test('reservations: of the same bytes, until sc, not beyond a run', (t) => {
  const lr = asm('lr.d', { xd: A1, x1: A0 });
  const sc = (x1: number, xd = T0): number => asm('sc.d', { xd, x2: A2, x1 });
  const start = (codes: readonly number[]): Machine => new Machine(codes).set(A0, BigInt(DATA)).set(A2, 5n);

  const pair = start([lr, sc(A0), sc(A0, 6)]);
  pair.run(3);
  t.is(pair.get(T0), 0n);
  t.is(pair.get(6), 1n, 'the second sc has no reservation');
  t.deepEqual([...pair.memory.read(DATA, 2)], [5, 0]);

  const other = start([lr, asm('addi', { xd: A0, x1: A0, i: 8 }), sc(A0)]);
  other.run(3);
  t.is(other.get(T0), 1n);
  t.deepEqual([...other.memory.read(DATA, 16)], new Array(16).fill(0));

  const width = start([lr, asm('sc.w', { xd: T0, x2: A2, x1: A0 })]);
  width.run(2);
  t.is(width.get(T0), 1n);

  const store = start([lr, asm('sd', { x2: A2, x1: A0 }), sc(A0)]);
  store.run(3);
  t.is(store.get(T0), 0n, 'a store by the same hart leaves it');

  const split = start([lr, sc(A0)]);
  split.run(1);
  split.run(1);
  t.is(split.get(T0), 1n);
});

test('a held reservation may outlast the budget by the grace, and no longer than it is held', (t) => {
  const lr = asm('lr.d', { xd: A1, x1: A0 });
  const add = asm('addi', { xd: A1, x1: A1, i: 1 });
  const sc = asm('sc.d', { xd: T0, x2: A1, x1: A0 });
  const start = (): Machine => new Machine([lr, add, sc, add, add]).set(A0, BigInt(DATA)).set(T0, 9n);
  const whole = start();
  t.is(whole.engine.run(whole.registers, whole.memory, 1, 0n, 32).steps, 3);
  t.is(whole.get(T0), 0n);
  const short = start();
  t.is(short.engine.run(short.registers, short.memory, 1, 0n, 1).steps, 2);
  const none = start();
  t.is(none.engine.run(none.registers, none.memory, 3, 0n, 32).steps, 3);
});

test('code that fills pages without end is dropped, and still runs right', (t) => {
  const memory = new FlatMemory();
  const pages = 500;
  const words = Array.from({ length: PAGE_SIZE / 4 }, () => ADDI_1);
  for (let i = 0; i < pages; i++) {
    memory.map(CODE + i * PAGE_SIZE);
    memory.writeWords(CODE + i * PAGE_SIZE, words);
  }
  const machine = new Machine();
  const steps = (pages * PAGE_SIZE) / 4;
  for (const round of [1n, 2n]) {
    machine.set(PC, BigInt(CODE));
    t.is(machine.engine.run(machine.registers, memory, steps, 0n, 0).steps, steps);
    t.is(machine.get(A1), round * BigInt(steps));
  }
  const decoded = Array.from(
    { length: pages },
    (_, i) => memory.pageForFetch((CODE >> PAGE_SHIFT) + i)!.code,
  );
  t.true(decoded.filter((code) => code !== null).length < pages);
});
