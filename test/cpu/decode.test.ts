import test from 'ava';
import fc from 'fast-check';
import { Prng, seedPrng } from '../../src/base/prng.js';
import { COMPRESSED } from '../../src/cpu/riscv64/compressed.js';
import { decode } from '../../src/cpu/riscv64/decode.js';
import { disassemble } from '../../src/cpu/riscv64/disassemble.js';
import { extract, FIELDS, fieldMask } from '../../src/cpu/riscv64/fields.js';
import { encode, expand, findInstruction, INSTRUCTIONS } from '../../src/cpu/riscv64/table.js';
import { pick, randomCompressed, randomOperands } from './random-instruction.js';

const HALVES = 0x10000;
const anyWord = fc.integer({ min: 0, max: 0xffffffff });

test('no two entries fit the same bits, and none has fixed bits outside its mask', (t) => {
  for (const [i, a] of INSTRUCTIONS.entries()) {
    t.is((a.match & ~a.mask) >>> 0, 0, a.name);
    for (const b of INSTRUCTIONS.slice(i + 1)) {
      const common = a.mask & b.mask;
      t.not((a.match & common) >>> 0, (b.match & common) >>> 0, `${a.name} and ${b.name}`);
    }
  }
});

test('the operands of an entry do not overlap', (t) => {
  for (const { name, fields } of INSTRUCTIONS) {
    let seen = 0;
    for (const field of fields) {
      t.is(seen & fieldMask(FIELDS[field]), 0, `${name} ${field}`);
      seen |= fieldMask(FIELDS[field]);
    }
  }
});

test('every halfword decodes or does not, and has a text', (t) => {
  let legal = 0;
  for (let half = 0; half < HALVES; half++) {
    if ((half & 3) === 3) continue;
    const decoded = decode(half, 2);
    const text = disassemble(0x1000n, half);
    t.is(decoded === null, text.startsWith('.half'), text);
    if (decoded !== null) legal++;
  }
  t.is(legal, countByManual());
});

/** Legal compressed encodings, counted from the manual's listings: each of 24 rows (funct3, quadrant) has 2^11. */
function countByManual(): number {
  const row = 2 ** 11;
  // All but the reserved row 100, and c.addi4spn with constant 0.
  const quadrant0 = 7 * row - 2 ** 3;
  // Without c.addiw to x0, c.lui and c.addi16sp with constant 0, and two reserved operations on words.
  const quadrant1 = 8 * row - 2 ** 6 - 2 ** 5 - 2 * 2 ** 6;
  // Without c.lwsp and c.ldsp to x0, and c.jr to x0.
  const quadrant2 = 8 * row - 2 * 2 ** 6 - 1;
  return quadrant0 + quadrant1 + quadrant2;
}

test('any 32 bits decode or do not, and have a text', (t) => {
  fc.assert(
    fc.property(anyWord, (word) => {
      const bits = (word | 3) >>> 0;
      t.is(decode(bits, 4) === null, disassemble(0n, bits).startsWith('.word'));
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('what the generator encodes is found again, with its operands', (t) => {
  const prng = new Prng(seedPrng(1, 'decode'));
  for (const entry of INSTRUCTIONS) {
    for (let i = 0; i < 50; i++) {
      const operands = randomOperands(entry, prng);
      const bits = encode(entry, operands);
      t.is(findInstruction(bits), entry);
      for (const name of entry.fields)
        t.is(extract(FIELDS[name], bits), operands[name]!, `${entry.name} ${name}`);
    }
  }
});

test('what the generator encodes compressed expands to the base instruction', (t) => {
  const prng = new Prng(seedPrng(2, 'decode'));
  const reached = new Set<string>();
  for (let i = 0; i < 5000; i++) {
    const entry = pick(prng, COMPRESSED);
    const full = expand(randomCompressed(entry, prng));
    if (full !== undefined && findInstruction(full)?.name === entry.base) reached.add(entry.name);
  }
  t.is(reached.size, COMPRESSED.length);
});

test('a compressed instruction decodes as the one it is short for', (t) => {
  for (let half = 0; half < 2 ** 16; half++) {
    if ((half & 3) === 3) continue;
    const full = expand(half);
    const short = decode(half, 2);
    if (short === null) t.is(full, undefined);
    else t.deepEqual({ ...decode(full!, 4)!, bits: half, lengthBytes: 2 }, { ...short });
  }
});

test('reserved rounding modes are no instructions', (t) => {
  for (const entry of INSTRUCTIONS.filter(({ fields }) => fields.includes('rm') || fields.includes('rx'))) {
    for (const mode of [5, 6])
      t.is(findInstruction(encode(entry, { rm: mode, rx: mode })), undefined, entry.name);
  }
});

test('privileged instructions and other registers are no instructions', (t) => {
  const privileged = { sret: 0x10200073, mret: 0x30200073, wfi: 0x10500073, 'sfence.vma': 0x12000073 };
  for (const [name, bits] of Object.entries(privileged)) t.is(findInstruction(bits), undefined, name);
  const FLOAT_AND_COUNTERS = new Set([1, 2, 3, 0xc00, 0xc01, 0xc02]);
  for (let csr = 0; csr < 4096; csr++) {
    const reads = findInstruction(((csr << 20) | 0x2073) >>> 0) !== undefined;
    const writes = findInstruction(((csr << 20) | 0x1073) >>> 0) !== undefined;
    t.is(reads, FLOAT_AND_COUNTERS.has(csr), `read ${csr}`);
    t.is(writes, csr >= 1 && csr <= 3, `write ${csr}`);
  }
});
