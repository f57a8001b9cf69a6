import test from 'ava';
import fc from 'fast-check';
import { exitNumber, exitOf, NO_EXIT } from '../../src/cpu/engines/exit-stubs.js';
import { REACH, RegionFinder } from '../../src/cpu/engines/region.js';
import { INSTRUCTION_SET } from '../../src/cpu/riscv64/arch.js';
import { assemble as asm } from './assemble.js';
import { toBytes } from './random-block.js';
import { Codes, regionOf } from './region-fixture.js';

const [ZERO, RA, A0, A1] = [0, 1, 10, 11];
const RETURN = asm('jalr', { x1: RA });
const ONE_LESS = asm('addi', { xd: A1, x1: A1, i: -1 });

function nops(count: number): number[] {
  return Array.from({ length: count }, () => asm('addi'));
}

/** A loop of four instructions and `body`, of which the first may go to what stands behind it and comes back. */
function loopWithAside(body: readonly number[]): number[] {
  const behind = 4 * (body.length + 4);
  return [
    asm('beq', { x1: A0, x2: ZERO, b: behind }),
    ...body,
    ONE_LESS,
    asm('bne', { x1: A1, x2: ZERO, b: -4 * (body.length + 2) }),
    RETURN,
    asm('addi', { xd: A0, x1: A0, i: 1 }),
    asm('jal', { j: -4 * (body.length + 4) }),
  ];
}

/** A loop of branches to the second half of each of some instructions, which reads as one of two bytes. */
class Overlapping extends Codes {
  private readonly view: DataView;

  constructor(count: number) {
    super([]);
    const branches = Array.from({ length: count }, () => asm('bne', { x1: A0, x2: A0, b: 4 * count + 2 }));
    const both = Array.from({ length: count }, () => asm('addi', { xd: A1, x1: 3 }));
    const bytes = toBytes([...branches, ...both, asm('jal', { j: -8 * count })]);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  override decodeAt(at: number) {
    if (at < 0 || at + 4 > this.view.byteLength) return null;
    const length = INSTRUCTION_SET.instructionLength(this.view.getUint16(at, true));
    return INSTRUCTION_SET.decode(
      length === 2 ? this.view.getUint16(at, true) : this.view.getUint32(at, true),
      length,
    );
  }
}

test('instructions that overlap are made once, however many ways run into them', (t) => {
  for (const count of [20, 240, 450]) {
    const region = new RegionFinder(INSTRUCTION_SET, new Overlapping(count)).find()!;
    const places = region.blocks.flatMap(({ at, instructions }) => {
      let place = at;
      return instructions.map(({ d }) => {
        place += d.lengthBytes;
        return place - d.lengthBytes;
      });
    });
    t.is(new Set(places).size, region.size);
    t.true(region.size > 2 * count && region.size <= 1000, `${region.size} instructions`);
  }
});

test('what a loop goes to behind its end, and comes back from, is of it; how it is left is not', (t) => {
  for (const length of [1, 100, 400]) {
    const codes = loopWithAside(nops(length));
    const { blocks, size } = regionOf(codes);
    t.is(size, codes.length - 1);
    const aside = 4 * (length + 4);
    t.deepEqual(
      blocks.map(({ at }) => at),
      [0, 4, aside],
    );
    t.is(blocks[1]!.end.kind === 'branch' && blocks[1]!.end.next, null);
  }
});

test('code behind a loop is looked at only as far as the loop is long, or a little', (t) => {
  const exits = Array.from({ length: 200 }, () => [asm('beq', { x1: A0, x2: A1, b: 8 }), ONE_LESS]).flat();
  const codes = [ONE_LESS, asm('bne', { x1: A1, x2: ZERO, b: -4 }), ...exits, RETURN];
  const source = new Codes(codes);
  t.is(new RegionFinder(INSTRUCTION_SET, source).find()!.size, 2);
  t.true(source.asked < 100, `${source.asked} instructions`);
});

/** A dispatch, two handlers that go back to it by a branch or a jump, and a function that has nothing to do with them. */
const HANDLERS = [
  asm('ld', { xd: A0, x1: A1 }),
  asm('jalr', { x1: A0 }),
  asm('beq', { x1: A0, x2: ZERO, b: 8 }),
  ONE_LESS,
  asm('jal', { j: -16 }),
  ONE_LESS,
  asm('jal', { j: -24 }),
  ONE_LESS,
  RETURN,
];

test('what an indirect jump went to is of its region if it comes back, wherever that starts', (t) => {
  const jumpedTo = [2, 4, 5, 7];
  for (const start of [0, 2, 5]) {
    const { blocks, size } = regionOf(HANDLERS, start, jumpedTo);
    t.is(size, 7);
    const dispatch = blocks.findIndex(({ end }) => end.kind === 'dispatch');
    const { end } = blocks[dispatch]!;
    // A branch leads to 4: it is a part of the handler at 2.
    const targets = end.kind === 'dispatch' ? end.targets.map((to) => start + blocks[to]!.at / 4) : [];
    t.deepEqual(targets, [2, 5]);
    const jump = blocks.find((block) => block.end.kind === 'indirect')!;
    t.deepEqual(jump.end, { kind: 'indirect', next: dispatch });
  }
  t.is(regionOf(HANDLERS, 0, [7]).size, 2);
});

test('a number says of every exit where it is, and is none of the interpreter', (t) => {
  const exit = fc.record({
    at: fc.integer({ min: -REACH / 2, max: REACH / 2 }).map((half) => half * 2),
    unretired: fc.integer({ min: 1, max: 1000 }),
  });
  fc.assert(
    fc.property(exit, (one) => {
      t.deepEqual(exitOf(exitNumber(one)), one);
      t.not(exitNumber(one), NO_EXIT);
    }),
  );
});
