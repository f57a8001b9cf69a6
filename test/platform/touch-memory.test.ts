import test from 'ava';
import { touch } from '../../src/platform/node/touch-memory.js';

test('memory is touched as far as it goes, and has zeros', async (t) => {
  const memory = new Uint8Array(1 << 20).fill(1);
  await touch(memory.subarray(4096, 1 << 19));
  t.is(memory.indexOf(0), 4096);
  t.is(memory.lastIndexOf(0), (1 << 19) - 1);
  t.is(
    memory.reduce((sum, byte) => sum + byte, 0),
    (1 << 19) + 4096,
  );
});
