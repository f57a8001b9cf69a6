/**
 * The hash table of dynamic symbols that DT_GNU_HASH names (a GNU extension of the gABI, described by binutils'
 * and glibc's sources and "GNU Hash ELF Sections", A. Roenneberg). 64-bit form.
 */
const utf8 = new TextEncoder();

/** Symbol 0 is the null symbol; all others are hashed. */
const FIRST_HASHED = 1;
const BLOOM_SHIFT = 6;

function gnuHash(name: string): number {
  let h = 5381;
  for (const byte of utf8.encode(name)) h = (Math.imul(h, 33) + byte) >>> 0;
  return h;
}

function bucketCount(symbols: number): number {
  return Math.max(1, symbols >>> 1);
}

/** Symbols in the order that the table wants: by bucket; as given within one. */
export function gnuHashOrder<T extends { readonly name: string }>(symbols: readonly T[]): T[] {
  const buckets = bucketCount(symbols.length);
  const inBuckets = symbols.map((symbol) => ({ symbol, bucket: gnuHash(symbol.name) % buckets }));
  return inBuckets.sort((a, b) => a.bucket - b.bucket).map(({ symbol }) => symbol);
}

/** @param names of symbols 1, 2, … in the order of `gnuHashOrder` */
export function gnuHashTable(names: readonly string[]): Uint8Array {
  const buckets = bucketCount(names.length);
  let bloomWords = 1;
  while (bloomWords * 4 < names.length) bloomWords *= 2;
  const table = new Uint8Array(16 + 8 * bloomWords + 4 * buckets + 4 * names.length);
  const view = new DataView(table.buffer);
  view.setUint32(0, buckets, true);
  view.setUint32(4, FIRST_HASHED, true);
  view.setUint32(8, bloomWords, true);
  view.setUint32(12, BLOOM_SHIFT, true);
  const bucketsAt = 16 + 8 * bloomWords;
  const chainAt = bucketsAt + 4 * buckets;
  const hashes = names.map(gnuHash);
  hashes.forEach((h, i) => {
    const wordAt = 16 + 8 * ((h >>> 6) % bloomWords);
    const bits = (1n << BigInt(h & 63)) | (1n << BigInt((h >>> BLOOM_SHIFT) & 63));
    view.setBigUint64(wordAt, view.getBigUint64(wordAt, true) | bits, true);
    const bucketAt = bucketsAt + 4 * (h % buckets);
    if (view.getUint32(bucketAt, true) === 0) view.setUint32(bucketAt, FIRST_HASHED + i, true);
    const last = i + 1 === names.length || hashes[i + 1] % buckets !== h % buckets;
    view.setUint32(chainAt + 4 * i, ((h & ~1) | (last ? 1 : 0)) >>> 0, true);
  });
  return table;
}
