import test from 'ava';
import { ENGINE_KINDS, type Engine, type MemoryView, type Stop } from '../../src/cpu/arch.js';
import { DECODED_PLACES } from '../../src/cpu/engines/host-memory.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import { PAGE_SIZE } from '../../src/memory/page.js';
import { assemble as asm } from './assemble.js';
import { FlatMemory } from './flat-memory.js';
import { Machine, World } from './lockstep/world.js';
import { toBytes } from './random-block.js';

/**
 * What an engine made of code must go when the code does. The code is a loop over two pages, which is hot after one
 * run: it starts in one page and has what is counted, and so what it is made from, in the other.
 */

const START = 0x10800;
const BODY = 0x11000;
const PATCHER = 0x12000;
const OTHER = 0x13000;
const ALIAS = 0x20000;
const ROAD = 0x10000000;
const ROAD_STEP = 0x100000;
const ROAD_HALF = Math.ceil(DECODED_PLACES / 2);
const ROAD_REST = (ROAD_HALF + 1) * ROAD_STEP;
const LOOPS = 2000;
const [T0, T2, A0, A1] = [5, 7, 10, 11];

function count(by: number): number {
  return asm('addi', { xd: T0, x1: T0, i: by });
}

const HEAD = [asm('beq', { x1: T2, b: 8 }), asm('jal', { j: BODY - START - 4 }), asm('ecall')];

function body(by: number): number[] {
  return [count(by), asm('addi', { xd: T2, x1: T2, i: -1 }), asm('jal', { j: START - BODY - 8 })];
}

/** Stores a1 at a0, and goes on in the loop. */
const PATCH = [asm('sw', { x1: A0, x2: A1 }), asm('fence.i'), asm('jal', { j: START - PATCHER - 8 })];

interface End {
  readonly counted: bigint;
  readonly stop: Stop;
}

/** Runs from an address, with the loop count set and a0 and a1 as given, to whatever stops it. */
function run(engine: Engine, memory: MemoryView, pc: number, a0 = 0n, a1 = 0n): End {
  const zero = { sp: 0n, arg1: 0n, arg2: 0n, tp: 0n, abiReg: 0n };
  const registers = RISCV64.initialRegisters({ ...zero, pc: BigInt(pc) });
  RISCV64.setRegister(registers, T2, BigInt(LOOPS));
  RISCV64.setRegister(registers, A0, a0);
  RISCV64.setRegister(registers, A1, a1);
  const { stop } = engine.run(registers, memory, 100_000, 0n, 0);
  const counted = new DataView(registers.bytes.buffer).getBigUint64(T0 * 8, true);
  return { counted, stop };
}

/** The stop at the loop's end, having counted by so much each time. */
function counted(by: number): End {
  return { counted: BigInt(by * LOOPS), stop: { kind: 'syscall' } };
}

function patch(engine: Engine, memory: MemoryView, by: number): End {
  return run(engine, memory, PATCHER, BigInt(BODY), BigInt(count(by)));
}

/** The loop, each of its pages by itself. */
function flatMemory(by: number): FlatMemory {
  const memory = new FlatMemory();
  for (const address of [START & -PAGE_SIZE, BODY]) memory.map(address);
  memory.writeWords(START, HEAD);
  memory.writeWords(BODY, body(by));
  return memory;
}

/**
 * One page of code at more addresses than places, each of which leads to the next, in two halves. They are apart so
 * that engines find all of them by the same low bits.
 */
function mapRoad(memory: FlatMemory): void {
  const page = memory.map(ROAD);
  memory.writeWords(ROAD, [count(1), asm('jal', { j: ROAD_STEP - 4 })]);
  for (let i = 1; i < 2 * ROAD_HALF; i++) {
    // A gap between the halves.
    memory.map(ROAD + (i + Math.floor(i / ROAD_HALF)) * ROAD_STEP, undefined, page);
  }
}

/** The loop and what patches it, and a page that is something else, in a machine with copy on write. */
function machine(): { machine: Machine; world: World } {
  const access = { load: true, store: true, fetch: true };
  const page = (address: number, codes: readonly number[]) => {
    const bytes = new Uint8Array(PAGE_SIZE);
    bytes.set(toBytes(codes), address % PAGE_SIZE);
    return { firstPage: Math.floor(address / PAGE_SIZE), pages: 1, access, bytes };
  };
  const regions = [page(START, HEAD), page(BODY, body(1)), page(PATCHER, PATCH), page(OTHER, [asm('ecall')])];
  const own = new Machine();
  return { machine: own, world: new World(own, regions) };
}

for (const kind of ENGINE_KINDS) {
  test(`${kind}: code that the kernel wrote over in another page of a loop`, (t) => {
    const memory = flatMemory(1);
    const engine = RISCV64.createEngine(kind);
    t.deepEqual(run(engine, memory, START), counted(1));
    memory.writeWords(BODY, body(2));
    t.deepEqual(run(engine, memory, START), counted(2));
  });

  test(`${kind}: another page mapped where a loop has its code`, (t) => {
    const memory = flatMemory(1);
    const engine = RISCV64.createEngine(kind);
    t.deepEqual(run(engine, memory, START), counted(1));
    memory.map(BODY);
    memory.writeWords(BODY, body(3));
    t.deepEqual(run(engine, memory, START), counted(3));
  });

  test(`${kind}: a page of a loop that may not be executed any more`, (t) => {
    const memory = flatMemory(1);
    const engine = RISCV64.createEngine(kind);
    t.deepEqual(run(engine, memory, START), counted(1));
    memory.map(BODY, { load: true }, memory.pageForFetch(BODY / PAGE_SIZE)!);
    const stop: Stop = { kind: 'page-fault', access: 'fetch', address: BigInt(BODY) };
    t.deepEqual(run(engine, memory, START), { counted: 0n, stop });
  });

  test(`${kind}: a page that starts a loop in two address spaces, each with its own code behind it`, (t) => {
    const first = flatMemory(1);
    const second = flatMemory(2);
    const shared = START & -PAGE_SIZE;
    second.map(shared, undefined, first.pageForFetch(shared / PAGE_SIZE)!);
    const engine = RISCV64.createEngine(kind);
    const turns = [1, 2, 1, 2].map((i) => run(engine, i === 1 ? first : second, START));
    t.deepEqual(turns, [1, 2, 1, 2].map(counted));
  });

  test(`${kind}: code that a program writes over, before and after it was hot`, (t) => {
    const { world } = machine();
    const engine = RISCV64.createEngine(kind);
    for (const by of [1, 2, 3]) {
      t.deepEqual(patch(engine, world, by), counted(by));
      t.deepEqual(run(engine, world, START), counted(by));
    }
  });

  test(`${kind}: code that a program writes over in a page that a snapshot has`, (t) => {
    const { machine: own, world } = machine();
    const engine = RISCV64.createEngine(kind);
    t.deepEqual(run(engine, world, START), counted(1));
    for (const by of [2, 3]) {
      own.snapshot();
      t.deepEqual(patch(engine, world, by), counted(by));
    }
  });

  test(`${kind}: the same where only the loop knows of the page`, (t) => {
    const { machine: own, world } = machine();
    const engine = RISCV64.createEngine(kind);
    run(engine, world, OTHER);
    t.deepEqual(run(engine, world, START), counted(1));
    // Code that changed makes engines forget where code is: the loop is found again, its second page is not looked at.
    world.write(OTHER / PAGE_SIZE, 0, toBytes([asm('ebreak')]));
    t.deepEqual(run(engine, world, START), counted(1));
    own.snapshot();
    t.deepEqual(patch(engine, world, 2), counted(2));
  });

  test(`${kind}: more code than an engine has room for, run by itself or by another one in turn`, (t) => {
    const memory = flatMemory(1);
    // What is known of the loop at its other addresses stays longer: its pages do not change, only their places do.
    for (const at of [START & -PAGE_SIZE, BODY])
      memory.map(at + ALIAS, undefined, memory.pageForFetch(at / PAGE_SIZE)!);
    mapRoad(memory);
    const engine = RISCV64.createEngine(kind);
    for (const other of [engine, RISCV64.createEngine(kind)]) {
      const takeRoad = (from: number): void => {
        t.like(run(other, memory, from), { counted: BigInt(ROAD_HALF) });
      };
      // So that no place has code of anything before.
      takeRoad(ROAD);
      takeRoad(ROAD + ROAD_REST);
      t.deepEqual(run(engine, memory, START), counted(1));
      takeRoad(ROAD);
      t.deepEqual(run(engine, memory, START + ALIAS), counted(1));
      takeRoad(ROAD + ROAD_REST);
      t.deepEqual(run(engine, memory, START), counted(1));
    }
  });
}
