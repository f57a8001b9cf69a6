import test from 'ava';
import fc from 'fast-check';
import { Prng, seedPrng } from '../../src/base/prng.js';
import { statistics } from '../../src/cpu/engines/regions.js';
import { assemble as asm } from './assemble.js';
import { Pair } from './lockstep/pair.js';
import { toBytes } from './random-block.js';
import { pick, randomValue } from './random-instruction.js';

/**
 * Interpreters as guests have them: handlers that a table of addresses leads to, which changes while they run. Handlers
 * go back to one jump, or have a copy of it each, or run into the next one.
 */

/** Near a page's end, so that some handlers are in two pages. */
const START = 0x10f00;
const TABLE_PAGE = 0x20;
const RANDOM = 7;
const VALUES = [12, 13, 14, 15];
const [MULTIPLIER, PLACE, TARGET, TABLE] = [8, 28, 29, 30];
const SLOTS = 16;
const BUDGETS = [1, 7, 100, 3000, 30_000];

const DISPATCH = [
  asm('mul', { xd: RANDOM, x1: RANDOM, x2: MULTIPLIER }),
  asm('addi', { xd: RANDOM, x1: RANDOM, i: 0x3af }),
  asm('srli', { xd: PLACE, x1: RANDOM, sh6: 40 }),
  asm('andi', { xd: PLACE, x1: PLACE, i: 8 * (SLOTS - 1) }),
  asm('add', { xd: PLACE, x1: PLACE, x2: TABLE }),
  asm('ld', { xd: TARGET, x1: PLACE }),
  asm('jalr', { x1: TARGET }),
];

function body(prng: Prng): number[] {
  return Array.from({ length: 1 + prng.below(4) }, () => {
    const operands = { xd: pick(prng, VALUES), x1: pick(prng, VALUES), x2: pick(prng, VALUES) };
    const place = 256 + 8 * prng.below(4);
    switch (prng.below(6)) {
      case 0:
        return asm('ld', { ...operands, x1: TABLE, i: place });
      case 1:
        return asm('sd', { ...operands, x1: TABLE, s: place });
      case 2:
        return asm('blt', { x1: operands.x1, x2: operands.x2, b: 4 });
      default:
        return asm(pick(prng, ['add', 'xor', 'sllw', 'srlw', 'mulhu', 'or', 'and']), operands);
    }
  });
}

interface Guest {
  readonly codes: readonly number[];
  readonly handlers: readonly number[];
}

function guest(prng: Prng): Guest {
  const codes = [...DISPATCH];
  const handlers: number[] = [];
  for (let i = 2 + prng.below(10); i > 0; i--) {
    handlers.push(START + 4 * codes.length);
    codes.push(...body(prng));
    const kind = prng.below(5);
    if (kind < 2) codes.push(asm('jal', { j: -4 * codes.length }));
    else if (kind < 4) codes.push(...DISPATCH);
  }
  codes.push(asm('jal', { j: -4 * codes.length }));
  return { codes, handlers };
}

/** Mostly a handler; else the middle of one, or what is no code at all. */
function entry(prng: Prng, { handlers, codes }: Guest): Uint8Array {
  const kind = prng.below(40);
  const middle = START + 4 * prng.below(codes.length);
  const address = kind === 0 ? prng.u32() : kind < 4 ? middle : pick(prng, handlers) + (kind === 4 ? 1 : 0);
  return new Uint8Array(BigUint64Array.of(BigInt(address) + (kind === 5 ? 1n << 40n : 0n)).buffer);
}

test('indirect jumps lead to where the reference engine goes, by whatever table', (t) => {
  let stops = 0;
  const before = statistics.regions;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (seed) => {
      const prng = new Prng(seedPrng(seed, 'jumps'));
      const made = guest(prng);
      const bytes = Uint8Array.from([...new Uint8Array(START & 0xfff), ...toBytes(made.codes)]);
      const values = Object.fromEntries(VALUES.map((slot) => [slot, randomValue(prng)]));
      const pair = new Pair(
        [
          { firstPage: START >> 12, pages: 2, access: { load: true, fetch: true }, bytes },
          { firstPage: TABLE_PAGE, pages: 1, access: { load: true, store: true } },
        ],
        START,
        { [RANDOM]: BigInt(prng.u32()), [MULTIPLIER]: 6364136223846793005n, [TABLE]: 0x20000n, ...values },
      );
      for (let slot = 0; slot < SLOTS; slot++) {
        const address = entry(prng, made);
        pair.both((world) => world.write(TABLE_PAGE, slot * 8, address));
      }
      for (let slice = 0; slice < 60; slice++) {
        const { stop, difference } = pair.run(pick(prng, BUDGETS));
        t.is(difference, null, `slice ${slice}`);
        if (stop.kind !== 'budget') {
          stops++;
          pair.jump(BigInt(START));
        }
        const slot = prng.below(SLOTS);
        const address = entry(prng, made);
        if (prng.below(2) === 0) pair.both((world) => world.write(TABLE_PAGE, slot * 8, address));
        if (prng.below(8) === 0) pair.both((_, machine) => void machine.snapshot());
      }
    }),
    { numRuns: 100 },
  );
  t.true(stops > 100 && statistics.regions - before > 100, `${stops} stops`);
});
