import test from 'ava';
import { MEMORY_BYTES, memory } from '../../src/cpu/engines/host-memory.js';
import { storePastTheFirst } from './growth.js';

test('all engines have the same pages while the memory grows, also one that is not running then', (t) => {
  t.true(memory.buffer.byteLength < MEMORY_BYTES);
  storePastTheFirst(t, 'interpreter');
  t.is(memory.buffer.byteLength, MEMORY_BYTES);
});
