import test from 'ava';
import fc from 'fast-check';
import { AssertionError } from '../../src/base/assert.js';
import { digestOfPage, digestOfWords, digestWords, Hasher, PlacedDigests } from '../../src/base/digest.js';
import { createMemory } from '../../src/cpu/wasm/web-assembly.js';
import { murmur3, toBytes } from './murmur3.js';

/** Without a size, fast-check keeps to about ten. */
const LONG = { maxLength: 70, size: 'max' } as const;

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

function referenceDigest(words: readonly number[], seed: number): string {
  const bytes = new Uint8Array(Int32Array.from(words).buffer);
  return murmur3(bytes, seed >>> 0)
    .map((w) => w.toString(16).padStart(8, '0'))
    .join('');
}

test('the reference gives the verification value of its author, SMHasher', (t) => {
  const key = Uint8Array.from({ length: 256 }, (_, i) => i);
  const hashes = new Uint8Array(256 * 16);
  for (let i = 0; i < 256; i++) hashes.set(toBytes(murmur3(key.subarray(0, i), 256 - i)), 16 * i);
  t.is(murmur3(hashes, 0)[0], 0xb3ece62an);
});

test('words give what MurmurHash3_x86_128 gives for their bytes', (t) => {
  fc.assert(
    fc.property(fc.array(word, LONG), word, (words, seed) => {
      const hasher = new Hasher(seed);
      for (const w of words) hasher.word(w);
      return hasher.value() === referenceDigest(words, seed);
    }),
  );
  t.is(new Hasher().value(), '0'.repeat(32));
});

test('more words than are kept before they are folded, read and copied in the middle', (t) => {
  for (const count of [255, 256, 257, 1023, 1030]) {
    const words = Array.from({ length: count }, (_, i) => Math.imul(i + 1, 0x9e3779b1));
    const read = new Hasher(7);
    let copy = new Hasher(7);
    for (const [i, w] of words.entries()) {
      read.word(w);
      if (i % 101 === 0) copy = read.clone();
      else copy.word(w);
      if (i % 77 === 0) read.value();
    }
    t.is(read.value(), referenceDigest(words, 7));
    t.is(copy.value(), read.value());
  }
});

test('many bytes give the same as their words one by one, wherever they start and end', (t) => {
  const lengths = [1023, 1024, 4096, 65_519, 65_520, 65_521, 65_536, 131_040, 200_003];
  for (const length of lengths) {
    for (const [offset, before, seed] of [
      [0, 0, 0],
      [1, 1, 5],
      [2, 2, -1],
      [4, 3, 7],
      [3, 19, 2 ** 31 - 1],
    ]) {
      const whole = Uint8Array.from(
        { length: length + offset },
        (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24,
      );
      const bytes = whole.subarray(offset);
      const one = new Hasher(seed);
      const many = new Hasher(seed);
      for (let i = 0; i < before; i++) for (const hasher of [one, many]) hasher.word(i);
      one.word(length);
      for (let i = 0; i < length; i += 4)
        one.word(bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
      many.bytes(bytes);
      t.is(many.clone().value(), one.value());
      t.is(many.word(3).value(), one.word(3).value());
    }
  }
});

test('reading a digest does not end it', (t) => {
  fc.assert(
    fc.property(fc.array(word, LONG), (words) => {
      const read = new Hasher();
      for (const [i, w] of words.entries()) {
        read.word(w);
        if (read.value() !== referenceDigest(words.slice(0, i + 1), 0)) return false;
      }
      return true;
    }),
  );
  t.pass();
});

test('bytes fold their length, then little-endian words, wherever they lie in memory', (t) => {
  const arbitrary = fc.tuple(fc.uint8Array(LONG), fc.nat(7), fc.nat(5));
  fc.assert(
    fc.property(arbitrary, ([bytes, offset, before]) => {
      const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
      padded.set(bytes);
      const view = new DataView(padded.buffer);
      const words = Array.from({ length: padded.length / 4 }, (_, i) => view.getInt32(4 * i, true));
      const lead = Array.from({ length: before }, (_, i) => i);
      const moved = new Uint8Array(offset + bytes.length + 3).subarray(offset, offset + bytes.length);
      moved.set(bytes);
      const hasher = new Hasher();
      for (const w of lead) hasher.word(w);
      return hasher.bytes(moved).value() === referenceDigest([...lead, bytes.length, ...words], 0);
    }),
  );
  t.pass();
});

test('the digest of a page is that of its bytes', (t) => {
  const page = fc.uint8Array({ minLength: 4096, maxLength: 4096 });
  fc.assert(
    fc.property(page, fc.nat(7), (bytes, offset) => {
      const moved = new Uint8Array(4096 + 8).subarray(offset, offset + 4096);
      moved.set(bytes);
      return digestOfWords(digestOfPage(moved)) === new Hasher().bytes(bytes).value();
    }),
  );
  t.pass();
});

test('digests of pages where they are in a memory are those of each, and change nothing but where they come', (t) => {
  const pages = fc.array(fc.uint8Array({ minLength: 4096, maxLength: 4096 }), { maxLength: 70 });
  const memory = createMemory(5 * 65536);
  const bytes = new Uint8Array(memory.buffer);
  const digests = new PlacedDigests(memory, 64, 4096);
  const pagesStart = 64 + PlacedDigests.SCRATCH_BYTES;
  fc.assert(
    fc.property(pages, fc.nat(16), (some, gap) => {
      bytes.fill(0xa5);
      const starts = some.map((page, i) => {
        const start = pagesStart + i * (4096 + 4 * gap);
        bytes.set(page, start);
        return start;
      });
      const before = bytes.slice();
      const words: number[] = [];
      for (let from = 0; from < starts.length; from += PlacedDigests.MOST) {
        const part = starts.slice(from, from + PlacedDigests.MOST);
        const at = digests.put(part, part.length) / 4;
        words.push(...digests.words.subarray(at, at + 4 * part.length));
      }
      bytes.fill(0xa5, 64, pagesStart);
      t.deepEqual(bytes, before);
      t.deepEqual(
        some.map((_, i) =>
          digestOfWords([words[4 * i], words[4 * i + 1], words[4 * i + 2], words[4 * i + 3]]),
        ),
        some.map((page) => new Hasher().bytes(page).value()),
      );
    }),
  );
});

test('a hasher that is restarted is as new', (t) => {
  fc.assert(
    fc.property(fc.array(word), fc.array(word), word, (before, after, seed) => {
      const hasher = new Hasher(7);
      const fresh = new Hasher(seed);
      for (const w of before) hasher.word(w);
      hasher.restart(seed);
      for (const w of after) {
        hasher.word(w);
        fresh.word(w);
      }
      return hasher.value() === fresh.value();
    }),
  );
  t.pass();
});

test('a copy goes on by itself', (t) => {
  fc.assert(
    fc.property(fc.array(word), fc.array(word), fc.array(word), (start, left, right) => {
      const hasher = new Hasher(7);
      for (const w of start) hasher.word(w);
      const copy = hasher.clone();
      for (const w of left) hasher.word(w);
      for (const w of right) copy.word(w);
      return (
        hasher.value() === referenceDigest([...start, ...left], 7) &&
        copy.value() === referenceDigest([...start, ...right], 7)
      );
    }),
  );
  t.pass();
});

/** All sequences of `parts` with at most `length` members. */
function* sequences<T>(parts: readonly T[], length: number): Generator<T[]> {
  yield [];
  if (length === 0) return;
  for (const rest of sequences(parts, length - 1)) for (const part of parts) yield [part, ...rest];
}

test('neighbours do not run together', (t) => {
  const strings = ['', 'a', 'b', 'ab', 'ba', '\0', 'a\0', 'abc', '\u0001', '\u0002\u0000'];
  const seen = new Map<string, string>();
  const expectNew = (digest: string, what: string): void => {
    t.is(seen.get(digest) ?? what, what);
    seen.set(digest, what);
  };
  for (const texts of sequences(strings, 4)) {
    const hasher = new Hasher(1);
    for (const text of texts) hasher.string(text);
    expectNew(hasher.value(), `strings ${JSON.stringify(texts)}`);
  }
  const blobs = [[], [0], [0, 0], [1], [0, 1], [1, 0], [0, 0, 0, 0], [4, 0, 0, 0], [0, 0, 0, 0, 0]];
  for (const lists of sequences(blobs, 4)) {
    const hasher = new Hasher(2);
    for (const list of lists) hasher.bytes(Uint8Array.from(list));
    expectNew(hasher.value(), `bytes ${JSON.stringify(lists)}`);
  }
  t.true(seen.size > 10_000);
});

test('numbers and bigints differ as they should', (t) => {
  const digest = (n: number) => new Hasher().number(n).value();
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), (a, b) => (digest(a) === digest(b)) === (a === b)),
  );
  for (const n of [0, 1, 2 ** 31, 2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER]) {
    t.not(digest(n), digest(-n || 1));
    t.not(digest(n), digest(n - 1));
  }
  const big = (n: bigint) => new Hasher().bigint(n).value();
  const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  fc.assert(fc.property(u64, u64, (a, b) => (big(a) === big(b)) === (a === b)));
  for (const n of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    t.throws(() => digest(n), { instanceOf: AssertionError });
  }
});

test('a digest can be folded, and taken apart, as the words it was made of', (t) => {
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const inner = new Hasher();
      for (const w of words) inner.word(w);
      const digest = inner.value();
      const parts = digestWords(digest);
      const byWords = new Hasher();
      for (const part of parts) byWords.word(part);
      const whole = new Hasher().digestWords(inner.valueWords());
      const text = parts.map((part) => (part >>> 0).toString(16).padStart(8, '0')).join('');
      return text === digest && whole.value() === byWords.value();
    }),
  );
  t.pass();
});
