import { NAME_SIZE_BYTES } from '../../abi/limits.js';
import type { Call } from './call.js';
import { requireArgs } from './refusal.js';

/**
 * Names are any bytes but NUL. The state holds them one byte a character, so that what a guest set is what it gets;
 * whoever shows them decodes UTF-8.
 */
export function nameFromBytes(bytes: Uint8Array): string {
  let name = '';
  for (const byte of bytes.subarray(0, NAME_SIZE_BYTES - 1)) {
    if (byte === 0) break;
    name += String.fromCharCode(byte);
  }
  return name;
}

/** The 32 bytes of a name: cut to 31, then NULs. */
export function nameBytes(name: string): Uint8Array {
  const bytes = new Uint8Array(NAME_SIZE_BYTES);
  for (let i = 0; i < Math.min(name.length, NAME_SIZE_BYTES - 1); i++) bytes[i] = name.charCodeAt(i);
  return bytes;
}

/** A name argument: silently cut; a null pointer is refused even when it is for no bytes (lib/syscalls/task.cc). */
export function readName(call: Call, address: number, sizeBytes: bigint): string {
  requireArgs(address !== 0);
  return nameFromBytes(call.read(address, sizeBytes > NAME_SIZE_BYTES ? NAME_SIZE_BYTES : Number(sizeBytes)));
}
