import test from 'ava';
import type { Stop } from '../../src/cpu/arch.js';
import { assemble as asm } from './assemble.js';
import { CODE, DATA, Machine } from './cpu-fixture.js';

const [A0, A1, A2] = [10, 11, 12];
const FCSR = 64;
const PC = 65;
const NOP = asm('addi');
const UNMAPPED = 0x30000n;

interface Case {
  readonly title: string;
  readonly codes: readonly number[];
  readonly stop: Stop;
  /** Value of a0 before. */
  readonly a0?: bigint;
  readonly fcsr?: bigint;
}

function fault(access: 'load' | 'store' | 'fetch', address: bigint): Stop {
  return { kind: 'page-fault', access, address };
}

const ADD_DYNAMIC = asm('fadd.d', { fd: 1, f1: 2, f2: 3, rm: 7 });
const EDGE = BigInt(DATA + 0x2000 - 3);

const CASES: readonly Case[] = [
  { title: 'ecall', codes: [asm('ecall')], stop: { kind: 'syscall' } },
  { title: 'ebreak', codes: [asm('ebreak')], stop: { kind: 'breakpoint' } },
  { title: 'c.ebreak', codes: [0x9002], stop: { kind: 'breakpoint' } },
  { title: 'a halfword of zeros', codes: [0], stop: { kind: 'illegal-instruction', bits: 0 } },
  { title: 'mret', codes: [0x30200073], stop: { kind: 'illegal-instruction', bits: 0x30200073 } },
  { title: 'load', codes: [asm('ld', { xd: A0, x1: A0 })], a0: UNMAPPED, stop: fault('load', UNMAPPED) },
  {
    title: 'load into the base from a wild address',
    codes: [asm('ld', { xd: A0, x1: A0, i: -8 })],
    a0: 0n,
    stop: fault('load', 2n ** 64n - 8n),
  },
  {
    title: 'load over the end of memory',
    codes: [asm('ld', { xd: A1, x1: A0 })],
    a0: EDGE,
    stop: fault('load', BigInt(DATA + 0x2000)),
  },
  {
    title: 'store over the end of memory',
    codes: [asm('sd', { x2: A1, x1: A0 })],
    a0: EDGE,
    stop: fault('store', BigInt(DATA + 0x2000)),
  },
  {
    title: 'store to code',
    codes: [asm('sw', { x2: A1, x1: A0 })],
    a0: BigInt(CODE),
    stop: fault('store', BigInt(CODE)),
  },
  {
    title: 'float load',
    codes: [asm('flw', { fd: 1, x1: A0 })],
    a0: UNMAPPED,
    stop: fault('load', UNMAPPED),
  },
  {
    title: 'float store',
    codes: [asm('fsd', { f2: 1, x1: A0 })],
    a0: UNMAPPED,
    stop: fault('store', UNMAPPED),
  },
  {
    title: 'amoadd.d to read-only memory',
    codes: [asm('amoadd.d', { xd: A0, x2: A1, x1: A0 })],
    a0: BigInt(CODE),
    stop: fault('store', BigInt(CODE)),
  },
  {
    title: 'misaligned amoswap.w',
    codes: [asm('amoswap.w', { xd: A0, x2: A1, x1: A0 })],
    a0: BigInt(DATA + 2),
    stop: { kind: 'misaligned', access: 'store', address: BigInt(DATA + 2) },
  },
  {
    title: 'misaligned lr.d',
    codes: [asm('lr.d', { xd: A0, x1: A0 })],
    a0: BigInt(DATA + 4),
    stop: { kind: 'misaligned', access: 'load', address: BigInt(DATA + 4) },
  },
  {
    title: 'misaligned sc.w',
    codes: [asm('sc.w', { xd: A0, x2: A1, x1: A0 })],
    a0: BigInt(DATA + 1),
    stop: { kind: 'misaligned', access: 'store', address: BigInt(DATA + 1) },
  },
  {
    title: 'a reserved dynamic rounding mode',
    codes: [ADD_DYNAMIC],
    fcsr: 5n << 5n,
    stop: { kind: 'illegal-instruction', bits: ADD_DYNAMIC },
  },
];

function prepared({ codes, a0 = 0n, fcsr = 0n }: Case): Machine {
  const machine = new Machine([NOP, ...codes, NOP]);
  for (let x = 1; x < 32; x++) machine.set(x, BigInt(x) * 0x0123_4567_89ab_cdefn);
  for (let f = 32; f < 64; f++) machine.set(f, BigInt(f) * 0x1123_4567_89ab_cdefn);
  return machine.set(A0, a0).set(A1, 0x1111n).set(A2, BigInt(DATA)).set(FCSR, fcsr);
}

for (const one of CASES) {
  test(`${one.title} stops without effect, also when traced`, (t) => {
    const machine = prepared(one);
    const pc = CODE + 4;
    t.deepEqual(machine.run(100), { reserved: false, steps: 1, stop: one.stop });
    t.is(machine.pc, pc);
    const fresh = prepared(one);
    t.is(machine.set(PC, 0n).snapshot(), fresh.set(PC, 0n).snapshot());

    const traced = prepared(one);
    const lines: string[] = [];
    const trace = {
      step: (at: bigint) => void lines.push(`step ${at}`),
      register: (number: number) => void lines.push(`register ${number}`),
      load: () => void lines.push('load'),
      store: () => void lines.push('store'),
    };
    t.deepEqual(traced.run(100, 0n, trace), { reserved: false, steps: 1, stop: one.stop });
    t.deepEqual(lines, [`step ${CODE}`]);
    t.is(traced.set(PC, 0n).snapshot(), fresh.snapshot());
  });
}

test('again after a stop: the same stop, no steps', (t) => {
  const machine = new Machine([NOP, asm('ecall')]);
  t.deepEqual(machine.run(10), { reserved: false, steps: 1, stop: { kind: 'syscall' } });
  t.deepEqual(machine.run(10), { reserved: false, steps: 0, stop: { kind: 'syscall' } });
  t.is(machine.pc, CODE + 4);
});

test('the budget is exact, and ends a run before what would stop it', (t) => {
  const machine = new Machine([NOP, NOP, NOP, asm('ecall')]);
  t.deepEqual(machine.run(0), { reserved: false, steps: 0, stop: { kind: 'budget' } });
  t.deepEqual(machine.run(2), { reserved: false, steps: 2, stop: { kind: 'budget' } });
  t.is(machine.pc, CODE + 8);
  t.deepEqual(machine.run(1), { reserved: false, steps: 1, stop: { kind: 'budget' } });
  t.deepEqual(machine.run(1), { reserved: false, steps: 0, stop: { kind: 'syscall' } });
});

test('a wild jump faults at its exact target', (t) => {
  for (const target of [0n, 0x1234_5678_9abc_deeen, 2n ** 64n - 2n, 2n ** 63n]) {
    const machine = new Machine([asm('jalr', { xd: 1, x1: A0 })]).set(A0, target);
    t.deepEqual(machine.run(10), { reserved: false, steps: 1, stop: fault('fetch', target) });
    t.is(BigInt.asUintN(64, machine.get(PC)), target);
    t.is(machine.get(1), BigInt(CODE + 4));
  }
});

test('jalr clears bit 0 of its target', (t) => {
  const machine = new Machine([asm('jalr', { x1: A0, i: 1 })]).set(A0, BigInt(CODE + 8));
  t.is(machine.run(1).steps, 1);
  t.is(machine.pc, CODE + 8);
});

test('an instruction that crosses into a missing page faults there', (t) => {
  const machine = new Machine();
  const at = CODE + 0x1ffe;
  machine.memory.write(at, Uint8Array.of(0x13, 0x00));
  machine.set(PC, BigInt(at));
  t.deepEqual(machine.run(1), { reserved: false, steps: 0, stop: fault('fetch', BigInt(CODE + 0x2000)) });
  t.is(machine.pc, at);
  machine.memory.map(CODE + 0x2000);
  t.deepEqual(machine.run(1), { reserved: false, steps: 1, stop: { kind: 'budget' } });
  t.is(machine.pc, at + 4);
});

test('an illegal instruction in the last page there is', (t) => {
  const machine = new Machine();
  const page = machine.memory.map(2 ** 64 - 0x1000);
  // A jump in the middle of the page, to a place not far from it.
  page.view.setUint32(0x800, asm('jal', { j: 8 }), true);
  machine.set(PC, 2n ** 64n - 0x800n);
  t.deepEqual(machine.run(10), { reserved: false, steps: 1, stop: { kind: 'illegal-instruction', bits: 0 } });
  t.is(BigInt.asUintN(64, machine.get(PC)), 2n ** 64n - 0x7f8n);
});
