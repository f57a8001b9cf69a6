/** CRC-32C (Castagnoli), reflected polynomial 0x82f63b78, as of RFC 3720 appendix B.4; four tables, a word at a time. */
const T = Array.from({ length: 4 }, () => new Int32Array(256));
for (let i = 0; i < 256; i++) {
  let c = i;
  for (let bit = 0; bit < 8; bit++) c = (c & 1) !== 0 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  T[0][i] = c;
}
for (let i = 0; i < 256; i++) {
  for (let t = 1; t < 4; t++) T[t][i] = (T[t - 1][i] >>> 8) ^ T[0][T[t - 1][i] & 0xff];
}
const [T0, T1, T2, T3] = T;

/** The checksum of `bytes`, an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array): number {
  let c = -1;
  const length = bytes.length;
  const whole = length & ~3;
  let i = 0;
  for (; i < whole; i += 4) {
    c ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    c = T3[c & 0xff] ^ T2[(c >>> 8) & 0xff] ^ T1[(c >>> 16) & 0xff] ^ T0[c >>> 24];
  }
  for (; i < length; i++) c = (c >>> 8) ^ T0[(c ^ bytes[i]) & 0xff];
  return ~c >>> 0;
}
