import test from 'ava';
import fc from 'fast-check';
import { Packr } from 'msgpackr/pack';
import { MAX_RECORD_DEPTH, MAX_RECORD_VALUES, MAX_STRUCTURES } from '../../src/recording/format/limits.js';
import { RecordGuard } from '../../src/recording/format/record-guard.js';
import { PayloadError } from '../../src/recording/format/recording-error.js';
import { RecordBuffer, RecordDecoder } from '../../src/recording/format/records.js';

/** Text as the host's encoder would leave it. */
const text = fc.string({ unit: 'binary', maxLength: 80 });
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, undefined, true, false),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }).map((n) => (n === 0 ? 0 : n)),
    fc.bigInt(-(1n << 63n), (1n << 64n) - 1n),
    text,
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(
      fc.oneof(fc.constantFrom('type', 'thread', 'constructor', 'a b', '9', ''), text),
      tie('value'),
      {
        noNullPrototype: true,
        maxKeys: 6,
      },
    ),
  ),
}));
const record = fc.dictionary(fc.constantFrom('type', 'thread', 'args', 'core', 'bytes'), value, {
  noNullPrototype: true,
});

function encode(records: readonly object[]): Uint8Array {
  const buffer = new RecordBuffer();
  for (const r of records) buffer.add(r);
  return buffer.take();
}

function decode(payload: Uint8Array): unknown[] {
  return [...new RecordDecoder().decode(payload)];
}

/** A payload with a list of shapes and hand-made record bytes. */
function payload(shapes: unknown, bytes: Uint8Array | readonly number[]): Uint8Array {
  const list = new Packr({ useRecords: false }).pack(shapes);
  const out = new Uint8Array(4 + list.length + bytes.length);
  new DataView(out.buffer).setUint32(0, list.length, true);
  out.set(list, 4);
  out.set(bytes, 4 + list.length);
  return out;
}

test('any records come back as they were, values and types', (t) => {
  fc.assert(
    fc.property(fc.array(record as fc.Arbitrary<object>, { maxLength: 12 }), (records) => {
      const hasProto = JSON.stringify(records, (_, v) => (typeof v === 'bigint' ? 0 : v)).includes(
        '"__proto__"',
      );
      fc.pre(!hasProto);
      t.deepEqual(decode(encode(records)), records);
    }),
    { numRuns: 300 },
  );
});

test('bytes come back as a plain Uint8Array of their own', (t) => {
  const bytes = encode([{ data: Uint8Array.of(1, 2, 3) }]);
  const [first] = decode(bytes) as { data: Uint8Array }[];
  bytes.fill(0xff);
  t.is(Object.getPrototypeOf(first.data), Uint8Array.prototype);
  t.deepEqual(first.data, Uint8Array.of(1, 2, 3));
});

test('each payload is readable alone, though shapes are learned once', (t) => {
  const buffer = new RecordBuffer();
  const payloads: Uint8Array[] = [];
  for (let i = 0; i < 100; i++) {
    buffer.add({ [`field${i}`]: i, nested: { [`inner${i % 7}`]: [i] } });
    buffer.add({ [`field${i >> 1}`]: -i, nested: null });
    payloads.push(buffer.take().slice());
  }
  const alone = payloads.map((bytes) => decode(bytes));
  const decoder = new RecordDecoder();
  t.deepEqual(
    payloads.map((bytes) => [...decoder.decode(bytes)]),
    alone,
  );
  t.deepEqual(alone[99], [
    { field99: 99, nested: { inner1: [99] } },
    { field49: -99, nested: null },
  ]);
});

test('more shapes than there are numbers, and wide objects, are still recorded', (t) => {
  const many = Array.from({ length: MAX_STRUCTURES + 100 }, (_, i) => ({ [`k${i}`]: i }));
  const wide = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`name${i}`, BigInt(i)]));
  const all = [...many, wide, ...many.slice(-3), { type: 'x' }];
  t.deepEqual(decode(encode(all)), all);
});

test('several decodings may be under way at once', (t) => {
  const a = new RecordDecoder().decode(encode([{ a: 1 }, { a: 2 }]));
  const b = new RecordDecoder().decode(encode([{ b: 'x' }, { b: 'y' }]));
  t.deepEqual(
    [a.next().value, b.next().value, a.next().value, b.next().value],
    [{ a: 1 }, { b: 'x' }, { a: 2 }, { b: 'y' }],
  );
});

test('what a reader would refuse is not written', (t) => {
  let deep: unknown = 0;
  for (let i = 0; i < MAX_RECORD_DEPTH; i++) deep = [deep];
  const refused: object[] = [
    { when: new Date(0) },
    { pattern: /x/, deep },
    { many: new Array(MAX_RECORD_VALUES).fill(0) },
    JSON.parse('{"__proto__": 1}'),
    { large: new Uint8Array(9 << 20) },
  ];
  for (const value of refused) t.throws(() => encode([value]), { instanceOf: PayloadError });
  t.throws(() => encode([{ huge: 1n << 64n }]));
});

test('values that msgpackr would honour but records do not have are refused', (t) => {
  const hostile: Record<string, number[]> = {
    'a date': [0xd6, 0xff, 0, 0, 0, 0],
    'a regular expression': [0xd4, 0x78, 0, 0x92, 0xa1, 0x28, 0xa0],
    'an error': [0xd4, 0x65, 0, 0x92, 0xa1, 0x45, 0xa1, 0x45],
    'a set': [0xd4, 0x73, 0, 0x90],
    'a shape defined on the way': [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 1],
    'a shape with two bytes': [0xd5, 0x72, 0x60, 0, 0x91, 0xa1, 0x61, 1],
    'a reference': [0xd6, 0x70, 0, 0, 0, 1],
    'bundled strings': [0xd6, 0x62, 0, 0, 0, 1],
    'a large integer': [0xc7, 9, 0x42, 1, 0, 0, 0, 0, 0, 0, 0, 0],
    'a typed array': [0xc7, 2, 0x74, 1, 0],
    'the never used token': [0xc1],
    'undefined with a tail': [0xd4, 0, 1],
    'a shape that is not there': [0x41],
    'a prototype': [0x81, 0xa9, ...new TextEncoder().encode('__proto__'), 0x80],
    'a prototype by a long string': [0x81, 0xd9, 9, ...new TextEncoder().encode('__proto__'), 0x80],
    'a key that is a number': [0x81, 1, 1],
    'a key that is an array': [0x81, 0x90, 1],
    'a long array': [0xdd, 0xff, 0xff, 0xff, 0xff],
    'a long map': [0xdf, 0xff, 0xff, 0xff, 0xff],
    'a long string': [0xdb, 0xff, 0xff, 0xff, 0xff, 0x61],
    'long bytes': [0xc6, 0xff, 0xff, 0xff, 0xff, 0x61],
    'half a number': [0xcf, 1, 2],
  };
  for (const [what, bytes] of Object.entries(hostile)) {
    t.throws(() => decode(payload([['a']], bytes)), { instanceOf: PayloadError }, what);
  }
  t.deepEqual(decode(payload([['a']], [0x40, 7])), [{ a: 7 }]);
});

test('lists of shapes that are none are refused', (t) => {
  const hostile: unknown[] = [
    { a: 1 },
    [['__proto__']],
    [[1]],
    ['a'],
    [null],
    Array.from({ length: MAX_STRUCTURES + 1 }, () => ['a']),
    [Array.from({ length: 1000 }, (_, i) => `k${i}`)],
  ];
  for (const shapes of hostile)
    t.throws(() => decode(payload(shapes, [0x40, 1])), { instanceOf: PayloadError });
  t.throws(() => decode(Uint8Array.of(255, 255, 255, 255, 0x90)), { instanceOf: PayloadError });
  t.throws(() => decode(Uint8Array.of(1, 0)), { instanceOf: PayloadError });
});

test('deep nesting is refused before the decoder recurses', (t) => {
  t.throws(() => decode(payload([], new Uint8Array(1 << 20).fill(0x91))), {
    instanceOf: PayloadError,
    message: /deep/,
  });
});

test('what the guard lets pass, the decoder decodes to its end', (t) => {
  const shapes = Array.from({ length: 70 }, (_, i) => Array.from({ length: i % 4 }, (_, k) => `k${k}_${i}`));
  const tokens = fc.oneof(
    fc.nat(255),
    fc.constantFrom(0x40, 0x5f, 0x60, 0x61, 0x7f, 0x81, 0x92, 0xa1, 0xd9, 0xde),
  );
  let passed = 0;
  fc.assert(
    fc.property(fc.array(tokens, { maxLength: 40 }), (bytes) => {
      const source = payload(shapes, bytes);
      let end: number;
      const start = source.length - bytes.length;
      try {
        end = new RecordGuard(
          source,
          shapes.map((s) => s.length),
        ).skip(start);
      } catch {
        return;
      }
      passed++;
      t.is(decode(source.slice(0, end)).length, 1);
    }),
    { numRuns: 20_000 },
  );
  t.true(passed > 1000);
});
