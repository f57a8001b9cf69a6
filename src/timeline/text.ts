import { VmOption } from '../abi/vm.js';

/** Text for people, from what guests and files say: whatever could disturb a terminal is replaced. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

export function clip(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 3))}...`;
}

/** Bytes in the order they stand in memory, two digits each. */
export function hexBytes(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += byte.toString(16).padStart(2, '0');
  return out;
}

export const INTEGER_SIZES: readonly number[] = [1, 2, 4, 8];

/** As a little-endian integer where bytes have an integer's size (`0x2a`), else `hexBytes`. */
export function valueText(bytes: Uint8Array): string {
  if (!INTEGER_SIZES.includes(bytes.length)) return hexBytes(bytes);
  return hex64(integerOf(bytes));
}

/** Beyond, a number says more in hexadecimal. */
const LARGE = 1n << 32n;

/** A number of so many bytes for people: decimal where that is short, signed where that is shorter. */
export function amountText(value: bigint, sizeBytes: number): string {
  const signed = BigInt.asIntN(sizeBytes * 8, value);
  return signed > -LARGE && signed < LARGE ? signed.toString() : hex64(value);
}

/** Bytes in memory as an unsigned number. */
export function integerOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Bytes of `sizeBytes`, the lowest first. */
export function littleEndian(value: bigint, sizeBytes: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

/** `0x1f`, of 64 bits. */
export function hex64(value: bigint | number): string {
  return `0x${(typeof value === 'bigint' ? BigInt.asUintN(64, value) : value).toString(16)}`;
}

/** Virtual time: `0.000112345 s`. */
export function timeText(timeNs: bigint): string {
  const digits = timeNs.toString().padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)} s`;
}

/** `rw-` */
export function permissionsText(permissions: number): string {
  const { PERM_READ, PERM_WRITE, PERM_EXECUTE } = VmOption;
  const letter = (bit: number, name: string): string => ((permissions & bit) === 0 ? '-' : name);
  return letter(PERM_READ, 'r') + letter(PERM_WRITE, 'w') + letter(PERM_EXECUTE, 'x');
}
