import test from 'ava';
import fc from 'fast-check';
import { Prng, seedPrng } from '../../src/base/prng.js';
import { statistics } from '../../src/cpu/engines/regions.js';
import { assemble as asm } from './assemble.js';
import { Pair } from './lockstep/pair.js';
import type { Access, Machine, World } from './lockstep/world.js';
import { toBytes } from './random-block.js';
import { pick, randomValue } from './random-instruction.js';

/**
 * Loops whose accesses are at constants from a few registers, which regions look up together: wherever a page ends, is
 * missing, may not be read or written, is still a snapshot's, or has code, each access must be done or stop as alone.
 */

const CODE_PAGE = 0x10;
/** The program; the page has room before it, which stores come to at another address. */
const START = 0x10800;
const FIRST_PAGE = 0x20;
/** Behind the pages of data: the page with the code. */
const ALIAS_PAGE = 0x24;
const RANDOM = 7;
const COUNTER = 5;
const POINTERS = [10, 11];
const VALUES = [12, 13, 14, 15, 16, 17];
const [MULTIPLIER, MASK, BASE] = [8, 18, 19];
const LOADS = ['lb', 'lbu', 'lh', 'lhu', 'lw', 'lwu', 'ld'];
const STORES = ['sb', 'sh', 'sw', 'sd'];
const SIZES: Readonly<Record<string, number>> = { b: 1, h: 2, w: 4, d: 8 };
const ACCESS: readonly Access[] = [{ load: true, store: true }, { load: true }, { store: true }];
const BUDGETS = [1, 3, 40, 2000, 20_000];
const FS = 32;
const FCSR = 64;

class Maker {
  constructor(private readonly prng: Prng) {}

  private chance(of: number): boolean {
    return this.prng.below(of) === 0;
  }

  private value(): number {
    return pick(this.prng, VALUES);
  }

  private offset(sizeBytes: number): number {
    const offset = this.prng.below(96) - 48;
    return this.chance(12) ? offset : offset & -sizeBytes;
  }

  private access(x1: number): number {
    const { prng } = this;
    if (this.chance(8)) {
      const operands = { x1, i: this.offset(8), s: this.offset(8) };
      return this.chance(2)
        ? asm('fld', { fd: this.value() - FS / 2, ...operands })
        : asm('fsw', { f2: 1, ...operands });
    }
    const name = pick(prng, this.chance(2) ? LOADS : STORES);
    const place = this.offset(SIZES[name[1]!]!);
    // Now and then the base itself is loaded.
    const xd = this.chance(24) ? x1 : this.value();
    return asm(name, { xd, x1, x2: this.value(), i: place, s: place });
  }

  private other(): number {
    const [xd, x1, x2] = [this.value(), this.value(), this.value()];
    const pointer = pick(this.prng, POINTERS);
    switch (this.prng.below(8)) {
      case 0:
        return asm('addi', { xd: pointer, x1: pick(this.prng, POINTERS), i: this.offset(8) });
      case 1:
      case 2:
        return asm('addi', { xd: pointer, x1: pointer, i: pick(this.prng, [1, 4, 8, 8, 16, -8, 24]) });
      case 3:
        return asm('amoadd.d', { xd, x1: pointer, x2 });
      case 4:
        return asm('lr.w', { xd, x1: pointer });
      default:
        return asm(pick(this.prng, ['addw', 'or', 'sub', 'sraw']), { xd, x1, x2 });
    }
  }

  private pointTo(pointer: number, shift: number): number[] {
    return [
      asm('srli', { xd: pointer, x1: RANDOM, sh6: shift }),
      asm('and', { xd: pointer, x1: pointer, x2: MASK }),
      asm('add', { xd: pointer, x1: pointer, x2: BASE }),
    ];
  }

  program(): number[] {
    const { prng } = this;
    const body: number[] = [];
    // Without anything that could end a chunk, in every other one.
    const isPlain = this.chance(2);
    /** Branches on to the next round, or out of the loop. */
    const ways: number[] = [];
    for (let i = 1 + prng.below(isPlain ? pick(prng, [6, 24]) : 16); i > 0; i--) {
      if (isPlain) {
        const pointer = pick(prng, POINTERS);
        body.push(this.access(pointer));
        if (this.chance(2))
          body.push(asm('addi', { xd: pointer, x1: pointer, i: pick(prng, [1, 8, 16, -4]) }));
        // Sums that nothing is loaded at, and of which nothing remains.
        if (this.chance(2)) {
          const x1 = pick(prng, [pointer, this.value(), this.value()]);
          body.push(asm('addi', { xd: pick(prng, [0, this.value()]), x1, i: this.offset(4) }));
        }
        if (this.chance(6)) body.push(asm('bne', { x1: this.value(), x2: this.value(), b: 4 }));
        if (this.chance(6)) {
          ways.push(body.length);
          body.push(0);
        }
      } else body.push(this.chance(3) ? this.other() : this.access(pick(prng, POINTERS)));
    }
    const loop = [...body, asm('addi', { xd: COUNTER, x1: COUNTER, i: -1 })];
    for (const at of ways) {
      const to = this.chance(2) ? body.length : loop.length + 1;
      const name = pick(prng, ['beq', 'blt', 'bge']);
      loop[at] = asm(name, { x1: this.value(), x2: this.value(), b: 4 * (to - at) });
    }
    const codes = [
      asm('mul', { xd: RANDOM, x1: RANDOM, x2: MULTIPLIER }),
      asm('addi', { xd: RANDOM, x1: RANDOM, i: 0x3af }),
      ...this.pointTo(POINTERS[0]!, 20),
      ...this.pointTo(POINTERS[1]!, 41),
      asm('addi', { xd: COUNTER, x1: 0, i: 1 + prng.below(30) }),
      // Now and then the loop is come to in its middle, which is then where it starts.
      ...(this.chance(3) ? [asm('jal', { j: 4 * (1 + prng.below(loop.length + 1)) })] : []),
      ...loop,
      asm('bne', { x1: COUNTER, x2: 0, b: -4 * loop.length }),
    ];
    return [...codes, asm('jal', { j: -4 * codes.length })];
  }
}

function randomBytes(prng: Prng, pages: number): Uint8Array {
  return new Uint8Array(Uint32Array.from({ length: pages * 1024 }, () => prng.u32()).buffer);
}

function pairFor(prng: Prng): Pair {
  const pad = new Uint8Array(START - CODE_PAGE * 0x1000);
  const bytes = Uint8Array.from([...pad, ...toBytes(new Maker(prng).program())]);
  const regions = [
    { firstPage: CODE_PAGE, pages: 1, access: { load: true, fetch: true }, bytes },
    { firstPage: FIRST_PAGE, pages: 3, access: { load: true, store: true }, bytes: randomBytes(prng, 3) },
    { firstPage: FIRST_PAGE + 3, pages: 1, access: pick(prng, ACCESS), bytes: randomBytes(prng, 1) },
    { firstPage: ALIAS_PAGE, pages: 1, access: { load: true, store: true }, sameAs: 0 },
  ];
  return new Pair(regions, START, {
    [RANDOM]: BigInt(prng.u32()),
    [MULTIPLIER]: 6364136223846793005n,
    [MASK]: pick(prng, [0x3ff8n, 0x3ffcn, 0x3fffn]),
    [BASE]: BigInt(FIRST_PAGE * 0x1000 + 64),
    [FCSR]: 1n,
    ...Object.fromEntries(VALUES.map((slot) => [slot, randomValue(prng)])),
  });
}

/** What may happen between slices. */
function kernelAct(prng: Prng): ((world: World, machine: Machine) => void) | null {
  const page = FIRST_PAGE + prng.below(5);
  const kept = pick(prng, [{}, { load: true }, { store: true }]);
  switch (prng.below(8)) {
    case 0:
      return (world) => world.takeAway(page, kept);
    case 1:
      return (world) => world.exchange(page);
    case 2:
    case 3:
      return (_, machine) => void machine.snapshot();
    default:
      return null;
  }
}

test('accesses that are looked up together are done and stop as each alone', (t) => {
  let faults = 0;
  const regionsBefore = statistics.regions;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (seed) => {
      const prng = new Prng(seedPrng(seed, 'accesses'));
      const pair = pairFor(prng);
      for (let slice = 0; slice < 120; slice++) {
        const { stop, difference } = pair.run(pick(prng, BUDGETS));
        t.is(difference, null, `slice ${slice}`);
        if (stop.kind === 'page-fault') {
          faults++;
          const number = Number(stop.address >> 12n);
          const { access } = stop;
          let given = false;
          pair.both((world) => {
            given = world.giveBack(number, access);
          });
          if (!given) pair.jump(pair.pc + 4n);
        } else if (stop.kind !== 'budget') pair.jump(pair.pc + 4n);
        const act = kernelAct(prng);
        if (act !== null) pair.both(act);
      }
    }),
    { numRuns: 150 },
  );
  t.true(faults > 500 && statistics.regions - regionsBefore > 100, `${faults} faults`);
});
