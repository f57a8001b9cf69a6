import test from 'ava';
import { Prng, seedPrng } from '../../src/base/prng.js';
import { FLOAT_SHAPES, type FloatName } from '../../src/cpu/engines/float-shapes.js';
import { statistics } from '../../src/cpu/engines/regions.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import { encode, INSTRUCTIONS } from '../../src/cpu/riscv64/table.js';
import { assemble as asm } from './assemble.js';
import { DATA, Machine } from './cpu-fixture.js';

/**
 * Regions for threads that do not have NX set raise it themselves. Each rounded instruction runs in a loop that clears
 * the flags and adds up what it left, in long slices, so that its region is made for that; and by the reference engine.
 */

/** Steps of a slice: a region is left alone until a slice's end once it was asked for in vain. */
const SLICES = [8000, 6000, 6000, 9001, 12_000];
const TABLE_BYTES = 0x1020;

/** Numbers that are added and multiplied exactly, others that are not, and what is at the ends of the formats. */
function writeNumbers(machine: Machine, width: 'f32' | 'f64', prng: Prng): void {
  const view = new DataView(new ArrayBuffer(TABLE_BYTES));
  const rare = [
    0,
    -0,
    Number.POSITIVE_INFINITY,
    Number.NaN,
    2 ** -1074,
    2 ** -130,
    2 ** 1000,
    2 ** 126,
    2 ** 63,
  ];
  for (let at = 0; at < TABLE_BYTES; at += 8) {
    const kind = prng.below(16);
    let x = prng.below(64) / 4 - 8;
    if (kind > 12) x = (prng.below(2 ** 31) / 2 ** 20) * (prng.below(2) === 0 ? -1 : 1.1);
    if (kind === 12) x = rare[prng.below(rare.length)]!;
    if (width === 'f32') view.setFloat32(at, x, true);
    else view.setFloat64(at, x, true);
  }
  machine.memory.write(DATA, new Uint8Array(view.buffer));
}

function machineFor(code: number, name: FloatName): Machine {
  const width = FLOAT_SHAPES.get(name)!.operands.includes('f32') || name.startsWith('f32') ? 'f32' : 'f64';
  const load = (fd: number, i: number): number => asm(width === 'f32' ? 'flw' : 'fld', { fd, x1: 18, i });
  const body = [
    asm('slli', { xd: 18, x1: 17, sh6: 52 }),
    asm('srli', { xd: 18, x1: 18, sh6: 52 }),
    asm('add', { xd: 18, x1: 18, x2: 16 }),
    load(10, 0),
    load(11, 8),
    load(12, 16),
    asm('ld', { xd: 11, x1: 18, i: 8 }),
    asm('csrrwi', { z: 0 }, 'fflags'),
    code,
    asm('csrrs', { xd: 14 }, 'fflags'),
    asm('fmv.x.d', { xd: 15, f1: 5 }),
    ...[14, 15, 5].flatMap((x2) => [
      asm('mul', { xd: 13, x1: 13, x2: 19 }),
      asm('add', { xd: 13, x1: 13, x2 }),
    ]),
    asm('addi', { xd: 17, x1: 17, i: 24 }),
  ];
  const machine = new Machine([...body, asm('jal', { j: -4 * body.length })]);
  machine.set(16, BigInt(DATA)).set(19, 0x9e37_79b9_7f4a_7c15n);
  writeNumbers(machine, width, new Prng(seedPrng(1, name)));
  return machine;
}

for (const entry of INSTRUCTIONS) {
  const operation = entry.operations.find(({ op }) => FLOAT_SHAPES.get(op as FloatName)?.rounded === true);
  if (operation === undefined) continue;
  test(`${entry.name} raises NX in hot code as it does on the reference engine`, (t) => {
    const operands = { fd: 5, xd: 5, f1: 10, f2: 11, f3: 12, x1: 11, rm: 7, rx: 7 };
    const code = encode(entry, operands);
    const before = statistics.batches;
    const [expected, states] = (['reference', 'jit'] as const).map((kind) => {
      const machine = machineFor(code, operation.op as FloatName);
      const engine = RISCV64.createEngine(kind);
      return SLICES.map((budget) => {
        const { steps } = engine.run(machine.registers, machine.memory, budget, 0n, 0);
        return `${steps} ${machine.snapshot()}`;
      });
    });
    t.deepEqual(states, expected);
    t.is(statistics.batches - before, 2, 'a region was made for NX set, and for NX clear');
  });
}
