import test from 'ava';
import { crc32c } from '../../src/recording/format/crc32c.js';

test('agrees with the test vectors of RFC 3720, B.4', (t) => {
  t.is(crc32c(new Uint8Array(32)), 0x8a9136aa);
  t.is(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  t.is(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  t.is(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c);
});

test('agrees with the check value of "123456789", at every alignment', (t) => {
  for (let shift = 0; shift < 4; shift++) {
    const buffer = new Uint8Array(16);
    buffer.set(new TextEncoder().encode('123456789'), shift);
    t.is(crc32c(buffer.subarray(shift, shift + 9)), 0xe3069283);
  }
  t.is(crc32c(new Uint8Array()), 0);
});
