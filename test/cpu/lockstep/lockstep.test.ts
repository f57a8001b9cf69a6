import test from 'ava';
import fc from 'fast-check';
import type { Engine, Trace } from '../../../src/cpu/arch.js';
import { RISCV64 } from '../../../src/cpu/riscv64/arch.js';
import { COMPRESSED } from '../../../src/cpu/riscv64/compressed.js';
import { expand, findInstruction, INSTRUCTIONS, instructionLength } from '../../../src/cpu/riscv64/table.js';
import { BROKEN_ENGINES, wrongAt } from './broken-engines.js';
import { COMPARED, MixedEngine, SplitEngine } from './engines.js';
import { randomProgram } from './random-program.js';
import { Case, type Contestant, narrow } from './run.js';
import { Machine, World } from './world.js';

const seeds = fc.integer({ min: 0, max: 2 ** 40 });
const REFERENCE: Contestant = { name: 'reference', make: () => RISCV64.createEngine('reference') };

/** Every engine, alone and in parts, and all of them in turn. */
const ALL: readonly Contestant[] = [
  ...COMPARED.map((name) => ({ name, make: () => RISCV64.createEngine(name) })),
  ...COMPARED.map(
    (name): Contestant => ({
      name: `${name} in parts`,
      make: (prng, whole) =>
        whole ? RISCV64.createEngine(name) : new SplitEngine(RISCV64.createEngine(name), prng),
    }),
  ),
  {
    name: 'mixed',
    make: (prng) =>
      new MixedEngine(
        COMPARED.map((name) => RISCV64.createEngine(name)),
        prng,
      ),
  },
];

test('random programs run the same on all engines, after every slice', (t) => {
  fc.assert(
    fc.property(seeds, (seed) => {
      t.deepEqual(new Case(seed, ALL).run(15_000).difference, null);
    }),
    { numRuns: 25 },
  );
});

const CASES = 100;

for (const [title, make] of Object.entries(BROKEN_ENGINES)) {
  test(`an engine is found that ${title}`, (t) => {
    for (let seed = 0; seed < CASES; seed++) {
      const { difference } = new Case(seed, [REFERENCE, { name: 'broken', make }]).run(60_000);
      if (difference !== null) {
        t.pass();
        return;
      }
    }
    t.fail(`not in ${CASES} programs`);
  });
}

test('a difference is narrowed down to the instruction that makes it', (t) => {
  const contestants: Contestant[] = [REFERENCE, { name: 'broken', make: wrongAt('xor') }];
  for (let seed = 0; seed < CASES; seed++) {
    const { difference } = new Case(seed, contestants).run(5000);
    if (difference === null) continue;
    const narrowed = narrow(difference, contestants);
    t.regex(Case.lastInstructions(narrowed, REFERENCE, 3).at(-1)!, /: xor /);
    t.true(narrowed.text.some((line) => line.startsWith('a1: ')));
    return;
  }
  t.fail();
});

/** What ran, by address and by bits. */
class Census implements Trace {
  readonly byAddress = new Map<bigint, number>();
  readonly byBits = new Map<number, number>();

  step(pc: bigint, bits: number): void {
    this.byAddress.set(pc, (this.byAddress.get(pc) ?? 0) + 1);
    this.byBits.set(bits, (this.byBits.get(bits) ?? 0) + 1);
  }
  register(): void {}
  load(): void {}
  store(): void {}
}

function nameOf(bits: number): string {
  if (instructionLength(bits & 0xffff) === 4) {
    const { name, syntax } = findInstruction(bits)!;
    return `${name} ${syntax.join('')}`;
  }
  const base = findInstruction(expand(bits)!)!.name;
  return COMPRESSED.find((entry) => (bits & entry.mask) === entry.match && entry.base === base)!.name;
}

const HOT = 500;

test('programs have every instruction, and most of their steps in hot code', (t) => {
  const missing = new Set([
    ...INSTRUCTIONS.filter(({ effects }) => effects.control !== 'stop').map(
      ({ name, syntax }) => `${name} ${syntax.join('')}`,
    ),
    ...COMPRESSED.map(({ name }) => name),
  ]);
  missing.delete('c.ebreak');
  const shares: number[] = [];
  for (let seed = 0; seed < 60; seed++) {
    const census = new Census();
    const engine = RISCV64.createEngine('reference');
    const traced: Engine = {
      run: (registers, memory, budget, timeNs, grace) =>
        engine.run(registers, memory, budget, timeNs, grace, census),
    };
    new Case(seed, [{ name: 'traced', make: () => traced }]).run(30_000);
    for (const bits of census.byBits.keys()) missing.delete(nameOf(bits));
    const counts = [...census.byAddress.values()];
    const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
    shares.push(sum(counts.filter((count) => count > HOT)) / sum(counts));
  }
  t.deepEqual([...missing], []);
  const median = shares.sort((a, b) => a - b)[shares.length >> 1];
  t.true(median > 0.5, `median share ${median}`);
});

test('tame programs end, by themselves', (t) => {
  fc.assert(
    fc.property(seeds, fc.boolean(), (seed, selfModifying) => {
      const traits = { wild: false, garbage: false, selfModifying, reservations: true, steps: 5000 };
      const { regions, entry } = randomProgram(seed, traits, 2);
      const registers = RISCV64.initialRegisters({
        pc: entry,
        sp: 0n,
        arg1: 0n,
        arg2: 0n,
        tp: 0n,
        abiReg: 0n,
      });
      const { stop } = RISCV64.createEngine('reference').run(
        registers,
        new World(new Machine(), regions),
        1e7,
        0n,
        0,
      );
      t.is(stop.kind, 'syscall');
    }),
    { numRuns: 30 },
  );
});
