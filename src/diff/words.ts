import type { ThreadName } from './report.js';

/** Beyond, a number says more in hexadecimal. */
const LARGE = 1n << 32n;

/** A value in memory, as a number: signed where that is the shorter way. */
export function amount({ value, sizeBytes }: { readonly value: bigint; readonly sizeBytes: number }): string {
  const signed = BigInt.asIntN(sizeBytes * 8, value);
  return signed > -LARGE && signed < LARGE ? signed.toString() : `0x${value.toString(16)}`;
}

/** Bytes in memory as an unsigned number. */
export function integerOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Whoever did something, for a sentence. */
export function nameOf(thread: ThreadName | null): string {
  if (thread === null) return 'the kernel';
  return thread.name === '' ? `thread ${thread.koid}` : thread.name;
}
