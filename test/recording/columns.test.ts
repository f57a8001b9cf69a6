import test from 'ava';
import fc from 'fast-check';
import { Prng, seedPrng } from '../../src/base/prng.js';
import { compress } from '../../src/recording/format/codec.js';
import { ColumnBuffer, decodeColumns, type Row, rowsOf } from '../../src/recording/format/columns.js';
import { KINDS } from '../../src/recording/format/kinds.js';
import { PayloadError } from '../../src/recording/format/recording-error.js';

const SCHEMA = {
  a: 'u8',
  b: 'u32',
  c: 'varint',
  d: 'delta',
  e: 'u64',
  f: 'delta64',
  g: 'digest',
} as const;

const count = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(300),
  fc.constantFrom(0, 127, 128, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER),
);
const u64 = fc.oneof(fc.bigInt(0n, (1n << 64n) - 1n), fc.constantFrom(0n, 1n, 1n << 63n, (1n << 64n) - 1n));
const row: fc.Arbitrary<Row<typeof SCHEMA>> = fc.record({
  a: fc.nat(255),
  b: fc.nat(0xffffffff),
  c: count,
  d: count,
  e: u64,
  f: u64,
  g: fc.stringMatching(/^[0-9a-f]{32}$/),
});

function encode(rows: readonly Row<typeof SCHEMA>[]): Uint8Array {
  const buffer = new ColumnBuffer(SCHEMA);
  for (const r of rows) buffer.add(r);
  return buffer.take();
}

test('any rows come back as they were', (t) => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
      t.deepEqual([...rowsOf(SCHEMA, decodeColumns(SCHEMA, encode(rows)))], rows);
    }),
  );
});

test('rows added together are those added one by one', (t) => {
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 20 }),
      fc.array(row, { maxLength: 20 }),
      fc.nat(20),
      (rows, more, n) => {
        const buffer = new ColumnBuffer(SCHEMA);
        for (const r of rows) buffer.add(r);
        const count = Math.min(n, more.length);
        const { columns } = decodeColumns(SCHEMA, encode(more));
        buffer.addRows(columns, count);
        t.is(buffer.rowCount, rows.length + count);
        t.deepEqual(buffer.take(), encode([...rows, ...more.slice(0, count)]));
      },
    ),
  );
});

test('a buffer starts anew after it was taken', (t) => {
  const buffer = new ColumnBuffer({ n: 'delta' });
  buffer.add({ n: 5 });
  buffer.take();
  buffer.add({ n: 7 });
  t.deepEqual([...rowsOf({ n: 'delta' }, decodeColumns({ n: 'delta' }, buffer.take()))], [{ n: 7 }]);
});

test('values that a column cannot hold are refused when they are added', (t) => {
  const refused: [keyof typeof SCHEMA, unknown][] = [
    ['a', 256],
    ['a', -1],
    ['b', 2 ** 32],
    ['b', 0.5],
    ['c', -1],
    ['c', 2 ** 53],
    ['d', Number.NaN],
    ['e', 1],
    ['e', 1n << 64n],
    ['f', -1n],
    ['g', 'ABCDEF'],
    ['g', undefined],
  ];
  const good = { a: 1, b: 1, c: 1, d: 1, e: 1n, f: 1n, g: '0'.repeat(32) };
  for (const [name, value] of refused) {
    t.throws(
      () => new ColumnBuffer(SCHEMA).add({ ...good, [name]: value }),
      { name: 'AssertionError' },
      name,
    );
  }
});

test('columns of a later version behind the known ones are skipped', (t) => {
  const buffer = new ColumnBuffer({ n: 'varint', later: 'u64' });
  for (const n of [1, 2]) buffer.add({ n, later: 9n });
  const bytes = buffer.take();
  t.deepEqual([...rowsOf({ n: 'varint' }, decodeColumns({ n: 'varint' }, bytes))], [{ n: 1 }, { n: 2 }]);
});

test('a table cut anywhere, and any change of a byte, is a PayloadError or another table', (t) => {
  const bytes = encode([
    { a: 1, b: 2, c: 300, d: 4, e: 5n, f: 6n, g: '1'.repeat(32) },
    { a: 9, b: 8, c: 7, d: 2 ** 53 - 1, e: 5n, f: 1n << 63n, g: '2'.repeat(32) },
  ]);
  for (let length = 0; length < bytes.length; length++) {
    t.throws(
      () => decodeColumns(SCHEMA, bytes.slice(0, length)),
      { instanceOf: PayloadError },
      `cut at ${length}`,
    );
  }
  let refused = 0;
  for (let i = 0; i < bytes.length; i++) {
    for (let value = 0; value < 256; value++) {
      const changed = bytes.slice();
      changed[i] = value;
      try {
        t.true(decodeColumns(SCHEMA, changed).rowCount <= 2);
      } catch (error) {
        if (!(error instanceof PayloadError)) throw error;
        refused++;
      }
    }
  }
  t.true(refused > 1000);
});

test('claimed row counts are bounded by the bytes there are', (t) => {
  // 2^18 rows, one column of one byte.
  const claim = Uint8Array.of(0x80, 0x80, 0x10, 1, 1, 1, 0);
  t.throws(() => decodeColumns({ n: 'u8' }, claim), { instanceOf: PayloadError, message: /too short/ });
  const beyond = Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x10, 1, 1, 1, 0);
  t.throws(() => decodeColumns({ n: 'u8' }, beyond), { instanceOf: PayloadError, message: /rows/ });
});

function scheduleBytes(slice: (i: number) => Row<typeof KINDS.schedule.schema>): number {
  const buffer = new ColumnBuffer(KINDS.schedule.schema);
  for (let i = 0; i < 5000; i++) buffer.add(slice(i));
  return compress(buffer.take()).stored.length;
}

test('5,000 slices of a random schedule take less than 20 KiB', (t) => {
  const random = new Prng(seedPrng(1, 'schedule'));
  const size = scheduleBytes(() => ({
    core: random.below(8),
    thread: 1024 + random.below(16),
    steps: 1 + random.below(20_000),
  }));
  t.log(`${size} bytes`);
  t.true(size < 20 << 10);
});

test('5,000 slices of a round robin take nearly nothing', (t) => {
  const size = scheduleBytes((i) => ({ core: i % 2, thread: 1030 + (i % 5), steps: 10_000 }));
  t.log(`${size} bytes`);
  t.true(size < 300);
});
