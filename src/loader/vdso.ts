import { assert } from '../base/assert.js';
import { prepared } from '../base/prepared.js';
import { PAGE_SIZE } from '../memory/page.js';
import { CONSTANTS_ALIGN, type ExportedFunction, writeSharedObject } from './elf-writer.js';

/** What the vDSO needs of a system call: `src/abi`'s table fits. Names are those programs link to (`zx_…`). */
export interface VdsoCall {
  readonly number: number;
  readonly name: string;
  readonly flags: readonly string[];
  /** The function of that name takes other arguments than the call: other ways to the same number. */
  readonly adaptation?: Adaptation;
}

/** How the arguments of an older function become those of a call. */
export interface Adaptation {
  /** For each argument of the call: which of the function's it is, or what it is always. */
  readonly from: readonly (number | { readonly value: number })[];
  /** Arguments of the function that are negative where it meant more than all: the most. */
  readonly times: readonly number[];
  /** The function's argument that must be zero, else the status that the function returns. */
  readonly onlyZero: { readonly argument: number; readonly status: number } | null;
}

/** The machine code of one architecture's vDSO. */
export interface VdsoStubs {
  readonly machine: number;
  readonly machineFlags: number;
  /** Code that makes the system call with its arguments where the C calling convention put them. */
  stub(number: number, returns: boolean, adaptation?: Adaptation): { code: Uint8Array; trapOffset: number };
  /** Code that returns a zx_string_view_t: its text lies so far from the start of this code, and is so long. */
  stringView(distanceBytes: number, lengthBytes: number): Uint8Array;
}

export interface Vdso {
  /** The ELF file, whole pages. Bytes before `codeOffset` are mapped to be read, those after it to be run. */
  readonly image: Uint8Array;
  readonly codeOffset: number;
  readonly codeSizeBytes: number;
  /**
   * Where trap instructions are, from the start of the code → the number of their system call. The kernel accepts a
   * call from nowhere else (Zircon's rule: pc less the recorded code address must be on the number's list).
   */
  readonly traps: ReadonlyMap<number, number>;
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
  const { name, number, flags, adaptation } = call;
  if (name !== VERSION_CALL) return stubs.stub(number, !flags.includes('noreturn'), adaptation);
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
  const traps = new Map<number, number>();
  const numbers = new Set<number>();
  let offset = 0;
  for (const call of calls) {
    const { number, name, flags, adaptation } = call;
    if (flags.includes('internal')) continue;
    assert(adaptation !== undefined || !numbers.has(number), `two system calls have number ${number}`);
    numbers.add(number);
    const { code, trapOffset } = codeOf(stubs, call, offset);
    pieces.push({ at: offset, code });
    functions.push({ name: `_${name}`, weak: false, offset, sizeBytes: code.length });
    functions.push({ name, weak: true, offset, sizeBytes: code.length });
    if (trapOffset !== null) traps.set(offset + trapOffset, number);
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
  return { ...object, traps, symbols };
}

/** The same of what a build kept; it is built where there is nothing of it, or where its symbols are asked for. */
export function keptVdso(name: string, build: () => Vdso): Vdso {
  let built: Vdso | null = null;
  const whole = (): Vdso => {
    built ??= build();
    return built;
  };
  const image = prepared(name, () => whole().image);
  const layout = new Int32Array(prepared(`traps of the ${name}`, () => layoutOf(whole())).slice().buffer);
  const traps = new Map<number, number>();
  for (let i = 1; i < layout.length; i += 2) traps.set(layout[i], layout[i + 1]);
  return {
    image,
    codeOffset: layout[0],
    codeSizeBytes: image.length - layout[0],
    traps,
    get symbols() {
      return whole().symbols;
    },
  };
}

/** Where the code starts, and each trap and its number. */
function layoutOf({ codeOffset, traps }: Vdso): Uint8Array {
  return new Uint8Array(Int32Array.of(codeOffset, ...[...traps].flat()).buffer);
}
