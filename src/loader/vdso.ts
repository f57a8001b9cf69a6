import { assert } from '../base/assert.js';
import { PAGE_SIZE } from '../memory/page.js';
import { CONSTANTS_ALIGN, type ExportedFunction, writeSharedObject } from './elf-writer.js';

/** What the vDSO needs of a system call: `src/abi`'s table fits. Names are those programs link to (`zx_…`). */
export interface VdsoCall {
  readonly number: number;
  readonly name: string;
  readonly flags: readonly string[];
}

/** The machine code of one architecture's vDSO. */
export interface VdsoStubs {
  readonly machine: number;
  readonly machineFlags: number;
  /** Code that makes the system call with its arguments where the C calling convention put them. */
  stub(number: number, returns: boolean): { code: Uint8Array; trapOffset: number };
  /** Code that returns a zx_string_view_t: its text lies so far from the start of this code, and is so long. */
  stringView(distanceBytes: number, lengthBytes: number): Uint8Array;
}

export interface Vdso {
  /** The ELF file, whole pages. Bytes before `codeOffset` are mapped to be read, those after it to be run. */
  readonly image: Uint8Array;
  readonly codeOffset: number;
  readonly codeSizeBytes: number;
  /**
   * System call number → where its trap instruction is, from the start of the code. The kernel accepts a call from
   * nowhere else (Zircon's rule: pc less the recorded code address must be on the number's list, here of one).
   */
  readonly syscallOffsets: ReadonlyMap<number, number>;
  /** Exported names; addresses from the start of the image. */
  readonly symbols: readonly {
    readonly name: string;
    readonly address: number;
    readonly sizeBytes: number;
  }[];
}

export const VDSO_SONAME = 'libzircon.so';

const STUB_ALIGN = 16;

/** What zx_system_get_version_string gives: the same in every release, so that old recordings start as they did. */
export const VERSION_STRING = 'jacinth';
const VERSION_CALL = 'zx_system_get_version_string';

/** The code of one call; a call that the vDSO answers by itself has no trap. */
function codeOf(
  stubs: VdsoStubs,
  call: VdsoCall,
  offset: number,
): { code: Uint8Array; trapOffset: number | null } {
  if (call.name !== VERSION_CALL) return stubs.stub(call.number, !call.flags.includes('noreturn'));
  const space = Math.ceil((VERSION_STRING.length + 1) / CONSTANTS_ALIGN) * CONSTANTS_ALIGN;
  return { code: stubs.stringView(-space - offset, VERSION_STRING.length), trapOffset: null };
}

/**
 * Builds `libzircon.so`: for each call that programs may make, `_zx_foo` and its weak alias `zx_foo`. Calls that real
 * vDSOs answer in user code (clocks, constants, channel_call's retry) trap here like the others: the kernel answers
 * them from the virtual clock, so they stay inputs that a recording sees. The version string alone is a constant here,
 * because a pointer to it is asked for. Calls marked `internal` are thereby unused and have no code, so that the kernel
 * accepts them from nowhere.
 */
export function buildVdso(stubs: VdsoStubs, calls: readonly VdsoCall[]): Vdso {
  const pieces: { at: number; code: Uint8Array }[] = [];
  const functions: ExportedFunction[] = [];
  const syscallOffsets = new Map<number, number>();
  let offset = 0;
  for (const call of calls) {
    const { number, name, flags } = call;
    if (flags.includes('internal')) continue;
    assert(!syscallOffsets.has(number), `two system calls have number ${number}`);
    const { code, trapOffset } = codeOf(stubs, call, offset);
    pieces.push({ at: offset, code });
    functions.push({ name: `_${name}`, weak: false, offset, sizeBytes: code.length });
    functions.push({ name, weak: true, offset, sizeBytes: code.length });
    if (trapOffset !== null) syscallOffsets.set(number, offset + trapOffset);
    offset += Math.ceil(code.length / STUB_ALIGN) * STUB_ALIGN;
  }
  const code = new Uint8Array(offset);
  for (const piece of pieces) code.set(piece.code, piece.at);
  const { machine, machineFlags } = stubs;
  const object = writeSharedObject({
    soname: VDSO_SONAME,
    machine,
    machineFlags,
    code,
    constants: new TextEncoder().encode(`${VERSION_STRING}\0`),
    functions,
    pageSizeBytes: PAGE_SIZE,
  });
  const symbols = functions.map(({ name, offset: at, sizeBytes }) => {
    return { name, address: object.codeOffset + at, sizeBytes };
  });
  return { ...object, syscallOffsets, symbols };
}
