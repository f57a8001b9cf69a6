import { writeSharedObject } from '../loader/elf-writer.js';
import { RISCV64_VDSO } from '../loader/vdso-riscv64.js';
import { PAGE_SIZE } from '../memory/page.js';

/**
 * A program in TypeScript is an ELF file like all others, so that it is started, mapped, listed and recorded like all
 * others. Its code is one page: an illegal instruction, a mark, the program's name, and places that pc is at, which
 * say what the thread is about to do. No byte of it is ever run.
 */
const MARK = new TextEncoder().encode('\0\0\0\0jacinth program\0');
const MAX_NAME_BYTES = 255;

/** Where pc is. A system call leaves it inside `call`'s place, behind its start, wherever the architecture puts it. */
export const Place = {
  /** A first thread: the arguments are those of zx_process_start. */
  main: 0x800,
  /** A thread made by `Zx.spawn`: the first argument is the number of its function. */
  thread: 0x810,
  /** About to put the arguments of a call on the stack. */
  prepare: 0x820,
  /** At a call. */
  call: 0x830,
  /** About to load, store, work … as the operation says. */
  operate: 0x840,
  /** Came out of restricted mode: context and reason are in the first two argument registers. */
  vector: 0x850,
} as const;

const PLACE_BYTES = 16;
const CODE_BYTES = 0x860;

/** The place that an offset into the page belongs to. */
export function placeAt(offset: number): number {
  return offset - (offset % PLACE_BYTES);
}

/**
 * The file of a program.
 * @throws RangeError for a name that is empty, has a NUL, or takes more than 255 bytes
 */
export function programImage(name: string): Uint8Array {
  const text = new TextEncoder().encode(name);
  if (text.length === 0 || text.length > MAX_NAME_BYTES || text.includes(0)) {
    throw new RangeError(`a program cannot be called ${JSON.stringify(name)}`);
  }
  const code = new Uint8Array(CODE_BYTES);
  code.set(codePrefix(name));
  const { machine, machineFlags } = RISCV64_VDSO;
  const { image, codeOffset } = writeSharedObject({
    soname: name,
    machine,
    machineFlags,
    code,
    functions: Object.entries(Place).map(([place, offset]) => {
      return { name: place, weak: false, offset, sizeBytes: PLACE_BYTES };
    }),
    pageSizeBytes: PAGE_SIZE,
  });
  // e_entry
  new DataView(image.buffer).setBigUint64(24, BigInt(codeOffset + Place.main), true);
  return image;
}

/** How the code page of a program begins: no other page is its. */
export function codePrefix(name: string): Uint8Array {
  return Uint8Array.of(...MARK, ...new TextEncoder().encode(name), 0);
}

export function startsWith(page: Uint8Array, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (page[i] !== prefix[i]) return false;
  return true;
}
