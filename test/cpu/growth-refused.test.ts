import test from 'ava';
import { memory, pool } from '../../src/cpu/engines/host-memory.js';
import { Page } from '../../src/memory/page.js';
import { storePastTheFirst } from './growth.js';

test('where the host has no memory to grow into, pages leave for others, and all engines have the same', (t) => {
  const firstBytes = memory.buffer.byteLength;
  let asked = 0;
  memory.grow = () => {
    asked++;
    throw new RangeError('no memory');
  };
  // One that is never used again.
  const first = Page.zeroed({});
  first.bytes.fill(1);
  pool.addressOf(first);
  for (const kind of ['interpreter', 'auto'] as const) storePastTheFirst(t, kind);
  t.is(asked, 1);
  t.is(memory.buffer.byteLength, firstBytes);
  t.is(first.slot, -1);
  t.true(first.bytes.every((byte) => byte === 1));
});
