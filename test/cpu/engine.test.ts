import test from 'ava';
import fc from 'fast-check';
import { Prng, seedPrng } from '../../src/base/prng.js';
import type { Trace } from '../../src/cpu/arch.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import { dataFlow } from '../../src/cpu/riscv64/data-flow.js';
import { assemble as asm } from './assemble.js';
import {
  type BlockProgram,
  blockProgram,
  DATA_ADDRESS,
  randomRecord,
  startBlockProgram,
} from './block-program.js';
import { CODE, DATA, Lines, Machine } from './cpu-fixture.js';
import { randomBlock } from './random-block.js';

const RUNS = { numRuns: 60 };
const seeds = fc.integer({ min: 0, max: 0x7fffffff });
const PLENTY = 1_000_000;

function randomProgram(seed: number): BlockProgram {
  const prng = new Prng(seedPrng(seed, 'engine'));
  return blockProgram([randomBlock(prng, 30)], [randomRecord(prng)]);
}

interface End {
  readonly registers: string;
  readonly data: string;
  readonly steps: number;
  readonly stop: string;
}

/** Runs to the first system call in runs of the lengths given, the last one repeated. */
function runInParts(program: BlockProgram, lengths: readonly number[], trace?: Trace): End {
  const { memory, registers } = startBlockProgram(program);
  const engine = RISCV64.createEngine();
  let steps = 0;
  for (let i = 0; ; i++) {
    const budget = lengths[Math.min(i, lengths.length - 1)]!;
    const result = engine.run(registers, memory, budget, BigInt(steps), 0, trace);
    steps += result.steps;
    if (result.stop.kind !== 'budget') {
      const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
      const data = hex(memory.read(DATA_ADDRESS, program.data.length));
      return { registers: hex(registers.bytes), data, steps, stop: result.stop.kind };
    }
  }
}

/** Whether a program may end differently when it is run in parts: reservations end with runs. */
function reserves(program: BlockProgram): boolean {
  const trace = new Lines();
  runInParts(program, [PLENTY], trace);
  return trace.lines.some((line) => {
    const [kind, , bits] = line.split(' ');
    return kind === 'step' && RISCV64.disassemble(0n, Number.parseInt(bits!, 16)).startsWith('lr.');
  });
}

test('run(a); run(b) is run(a + b)', (t) => {
  let compared = 0;
  fc.assert(
    fc.property(seeds, fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }), (seed, lengths) => {
      const program = randomProgram(seed);
      if (reserves(program)) return;
      t.deepEqual(runInParts(program, lengths), runInParts(program, [PLENTY]));
      compared++;
    }),
    RUNS,
  );
  t.true(compared > 10);
});

test('traced and untraced runs are the same', (t) => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const program = randomProgram(seed);
      t.deepEqual(runInParts(program, [PLENTY], new Lines()), runInParts(program, [PLENTY]));
    }),
    RUNS,
  );
});

/** A state made from nothing but a trace. */
class Rebuilt implements Trace {
  readonly registers = new Map<number, bigint>();
  readonly bytes = new Map<bigint, number>();
  steps = 0;

  constructor(private readonly problems: string[]) {}

  step(): void {
    this.steps++;
  }

  register(number: number, value: bigint): void {
    if (number === 0) this.problems.push('x0 written');
    this.registers.set(number, value);
  }

  load(address: bigint, sizeBytes: number, value: bigint): void {
    for (let i = 0n; i < sizeBytes; i++) {
      const byte = Number((value >> (8n * i)) & 0xffn);
      const known = this.bytes.get(address + i);
      if (known !== undefined && known !== byte) this.problems.push(`loaded ${byte}, not ${known}`);
    }
  }

  store(address: bigint, sizeBytes: number, value: bigint): void {
    for (let i = 0n; i < sizeBytes; i++) this.bytes.set(address + i, Number((value >> (8n * i)) & 0xffn));
  }
}

test('a trace has everything that changes: registers and memory can be made from it', (t) => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const program = randomProgram(seed);
      const { memory, registers } = startBlockProgram(program);
      const start = registers.copy();
      const data = program.data.slice();
      const problems: string[] = [];
      const trace = new Rebuilt(problems);
      const { steps } = RISCV64.createEngine().run(registers, memory, PLENTY, 0n, 0, trace);
      t.is(trace.steps, steps);
      t.deepEqual(problems, []);
      for (const [number, value] of trace.registers) RISCV64.setRegister(start, number, value);
      RISCV64.setPc(start, RISCV64.pc(registers));
      t.deepEqual(start.bytes, registers.bytes);
      for (const [address, byte] of trace.bytes) data[Number(address) - DATA_ADDRESS] = byte;
      t.deepEqual(memory.read(DATA_ADDRESS, data.length), data);
    }),
    RUNS,
  );
});

/** Checks each traced instruction against what data flow says of it. */
class FlowChecker implements Trace {
  readonly problems: string[] = [];
  private flow = dataFlow(asm('addi'))!;
  private text = '';
  private left = new Set<number>();

  step(pc: bigint, bits: number): void {
    this.end();
    this.flow = dataFlow(bits)!;
    this.text = RISCV64.disassemble(pc, bits);
    this.left = new Set(this.flow.writes.filter((number) => number !== 64));
  }

  register(number: number): void {
    if (!this.flow.writes.includes(number)) this.problems.push(`${this.text} wrote ${number}`);
    this.left.delete(number);
  }

  load(): void {
    if (!this.flow.loads) this.problems.push(`${this.text} loaded`);
  }

  store(): void {
    if (!this.flow.stores) this.problems.push(`${this.text} stored`);
  }

  end(): void {
    if (this.left.size > 0) this.problems.push(`${this.text} did not write ${[...this.left]}`);
  }
}

test('instructions write the registers that data flow says, and no others', (t) => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const { memory, registers } = startBlockProgram(randomProgram(seed));
      const trace = new FlowChecker();
      RISCV64.createEngine().run(registers, memory, PLENTY, 0n, 0, trace);
      trace.end();
      t.deepEqual(trace.problems, []);
    }),
    RUNS,
  );
});

test('an instruction depends on no register but those that data flow says', (t) => {
  const prng = new Prng(seedPrng(4, 'flow'));
  let checked = 0;
  for (let i = 0; i < 400; i++) {
    const code = randomBlock(prng, 1).units[0]!.codes[0];
    if (code === undefined) continue;
    const flow = dataFlow(code)!;
    if (flow.loads || flow.stores || flow.control !== 'next') continue;
    const results = [1n, 2n].map((salt) => {
      const machine = new Machine([code]);
      for (let number = 1; number < 64; number++) {
        const factor = flow.reads.includes(number) ? 1n : salt;
        machine.set(number, BigInt(number) * 0x3ff0_0420_0070_0001n * factor);
      }
      t.is(machine.run(1).steps, 1);
      return flow.writes.map((number) => machine.get(number));
    });
    t.deepEqual(results[0], results[1], RISCV64.disassemble(0n, code));
    checked++;
  }
  t.true(checked > 100);
});

test('data flow of some instructions', (t) => {
  const none = { loads: false, stores: false, control: 'next', readsTime: false } as const;
  t.deepEqual(dataFlow(asm('add', { xd: 1, x1: 2, x2: 3 })), { ...none, reads: [2, 3], writes: [1] });
  t.deepEqual(dataFlow(asm('addi', { xd: 0, x1: 0 })), { ...none, reads: [], writes: [] });
  t.deepEqual(dataFlow(0x852e), { ...none, reads: [11], writes: [10] }, 'c.mv a0,a1');
  const fsd = dataFlow(asm('fsd', { f2: 3, x1: 2 }));
  t.deepEqual(fsd, { ...none, stores: true, reads: [35, 2], writes: [] });
  const fadd = dataFlow(asm('fadd.d', { fd: 1, f1: 2, f2: 3 }));
  t.deepEqual(fadd, { ...none, reads: [34, 35, 64], writes: [33, 64] });
  const sc = dataFlow(asm('sc.w', { xd: 1, x2: 2, x1: 3 }));
  t.deepEqual(sc, { ...none, stores: true, reads: [2, 3], writes: [1] });
  t.like(dataFlow(asm('beq', { x1: 1, x2: 2 })), { control: 'branch', reads: [1, 2], writes: [] });
  t.like(dataFlow(asm('jal', { xd: 1 })), { control: 'jump', writes: [1] });
  t.like(dataFlow(asm('ecall')), { control: 'stop' });
  t.like(dataFlow(asm('csrrs', { xd: 1 }, 'time')), { readsTime: true, writes: [1] });
  t.is(dataFlow(0), undefined);
});

test('the trace of a few instructions, in full', (t) => {
  const machine = new Machine([
    asm('addi', { xd: 5, x1: 0, i: -1 }),
    asm('addi', { xd: 0, x1: 5, i: 1 }),
    asm('sh', { x2: 5, x1: 10, s: 2 }),
    asm('amoadd.w', { xd: 6, x2: 5, x1: 10 }),
    asm('csrrwi', { xd: 7, z: 3 }, 'fflags'),
    asm('jal', { xd: 1, j: 8 }),
  ]).set(10, BigInt(DATA));
  const trace = new Lines();
  machine.run(6, 0n, trace);
  t.deepEqual(trace.lines, [
    'step 10000 fff00293 4',
    't0 = ffffffffffffffff',
    'step 10004 128013 4',
    'step 10008 551123 4',
    'store 20002 2 ffff',
    'step 1000c 55232f 4',
    'load 20000 4 ffff0000',
    'store 20000 4 fffeffff',
    't1 = ffffffffffff0000',
    'step 10010 11d3f3 4',
    't2 = 0',
    'fcsr = 3',
    'step 10014 8000ef 4',
    'ra = 10018',
  ]);
});

test('memory is as it was before a store until its report returns', (t) => {
  const machine = new Machine([asm('sd', { x2: 5, x1: 10 })]).set(10, BigInt(DATA)).set(5, 255n);
  const seen: number[] = [];
  const look = (): void => {
    seen.push(machine.memory.read(DATA, 1)[0]!);
  };
  machine.run(1, 0n, { step: look, store: look, load: look, register: look });
  look();
  t.deepEqual(seen, [0, 0, 255]);
});

test('cycle, time and instret are the virtual time', (t) => {
  const machine = new Machine([
    asm('addi'),
    asm('csrrs', { xd: 5 }, 'cycle'),
    asm('csrrc', { xd: 6 }, 'time'),
    asm('csrrsi', { xd: 7 }, 'instret'),
  ]);
  machine.run(2, 1000n);
  machine.run(2, 5000n);
  t.deepEqual([machine.get(5), machine.get(6), machine.get(7)], [1001n, 5000n, 5001n]);
});

test('x0 stays 0, whatever the state claims', (t) => {
  const machine = new Machine([asm('addi', { xd: 5, x1: 0, i: 1 })]);
  new DataView(machine.registers.bytes.buffer).setBigUint64(0, 77n, true);
  machine.run(1);
  t.is(machine.get(5), 1n);
  t.is(machine.get(0), 0n);
});

test('register states at odd addresses work', (t) => {
  const machine = new Machine([asm('addi', { xd: 5, x1: 0, i: 1 })]);
  const bytes = new Uint8Array(RISCV64.registersSizeBytes + 3).subarray(3);
  bytes.set(machine.registers.bytes);
  const registers = RISCV64.registersFrom(bytes);
  RISCV64.createEngine().run(registers, machine.memory, 1, 0n, 0);
  t.is(RISCV64.pc(registers), BigInt(CODE + 4));
});
