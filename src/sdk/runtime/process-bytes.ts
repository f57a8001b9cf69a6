import type { Access, MemoryView, Stop, Trace } from '../../cpu/arch.js';
import { PAGE_SIZE } from '../../memory/page.js';

/** What an access came to: null, or why it cannot be. Then nothing was read or written. */
export type Fault = Extract<Stop, { kind: 'page-fault' }> | null;

const ADDRESS_LIMIT = 2 ** 47;
const WORD_BYTES = 8;

/** What a process may do with its memory, asked without touching it: a page that is only asked for stays away. */
export interface Permissions {
  readonly memory: MemoryView;
  readonly isWritable: (address: number, sizeBytes: number) => boolean;
}

/** Whether a thread may read, or write, all of a range. */
export function check(
  { memory, isWritable }: Permissions,
  access: Access,
  address: number,
  sizeBytes: number,
): Fault {
  const end = address + sizeBytes;
  for (let at = address; at < end; at = pageEnd(at)) {
    // Of a store, all up to here: each page may be there to be had, but not all of them.
    const allowed =
      at >= 0 &&
      at < ADDRESS_LIMIT &&
      (access === 'store'
        ? isWritable(address, Math.min(end, pageEnd(at)) - address)
        : memory.pageForLoad(Math.floor(at / PAGE_SIZE)) !== null);
    if (!allowed) return { kind: 'page-fault', access, address: BigInt.asUintN(64, BigInt(at)) };
  }
  return null;
}

/** Bytes that `check` found readable. */
export function load(memory: MemoryView, address: number, sizeBytes: number, trace?: Trace): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let at = address; at < address + sizeBytes; ) {
    const end = Math.min(pageEnd(at), address + sizeBytes);
    const page = memory.pageForLoad(Math.floor(at / PAGE_SIZE))!;
    const inPage = at % PAGE_SIZE;
    bytes.set(page.bytes.subarray(inPage, inPage + end - at), at - address);
    at = end;
  }
  if (trace !== undefined) words(address, bytes, (...word) => trace.load(...word));
  return bytes;
}

/** Writes where `check` found that it can be. */
export function store(memory: MemoryView, address: number, bytes: Uint8Array, trace?: Trace): void {
  if (trace !== undefined) words(address, bytes, (...word) => trace.store(...word));
  for (let at = address; at < address + bytes.length; ) {
    const end = Math.min(pageEnd(at), address + bytes.length);
    // Asked again for each page: making a later one writable may have replaced this one.
    const page = memory.pageForStore(Math.floor(at / PAGE_SIZE))!;
    page.bytes.set(bytes.subarray(at - address, end - address), at % PAGE_SIZE);
    page.code = null;
    at = end;
  }
}

function pageEnd(address: number): number {
  return address - (address % PAGE_SIZE) + PAGE_SIZE;
}

/** Tells of bytes as instructions would move them: in aligned pieces of at most 8. */
function words(
  address: number,
  bytes: Uint8Array,
  tell: (address: bigint, sizeBytes: number, value: bigint) => void,
): void {
  for (let i = 0; i < bytes.length; ) {
    const at = address + i;
    let size = WORD_BYTES;
    while (at % size !== 0 || i + size > bytes.length) size /= 2;
    let value = 0n;
    for (let n = size - 1; n >= 0; n--) value = (value << 8n) | BigInt(bytes[i + n]);
    tell(BigInt(at), size, value);
    i += size;
  }
}
