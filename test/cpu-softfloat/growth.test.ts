import test from 'ava';
import { FLOAT_SHAPES } from '../../src/cpu/engines/float-shapes.js';
import { createSlowFloat, RESULT_OFFSET } from '../../src/cpu/engines/slow-float.js';
import { createMemory } from '../../src/cpu/wasm/web-assembly.js';

const LAYOUT = { statusAddress: 0, scratchAddress: 8 };
/** 1.5 + 2.25, and the sum. */
const [A, B, SUM] = [0x3ff8_0000_0000_0000n, 0x4002_0000_0000_0000n, 0x400e_0000_0000_0000n];

test('what the host computes finds its operands in memory that grew', (t) => {
  const memory = createMemory(65536, 2 * 65536);
  const slow = createSlowFloat(memory, LAYOUT);
  const add = [...FLOAT_SHAPES.keys()].indexOf('f64Add');
  t.true(add >= 0);
  for (let round = 0; round < 2; round++) {
    const scratch = new BigUint64Array(memory.buffer, LAYOUT.scratchAddress, RESULT_OFFSET / 8 + 1);
    scratch.set([A, B, 0n, 0n]);
    slow(add, 0);
    t.is(scratch[RESULT_OFFSET / 8], SUM);
    memory.grow(round === 0 ? 1 : 0);
  }
});
