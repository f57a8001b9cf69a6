import { ADDRESS_SPACES } from '../abi/vm.js';
import { Prng, type PrngState } from '../base/prng.js';
import { addressEntropy } from '../kernel/objects/kernel.js';
import { PAGE_SIZE } from '../memory/page.js';
import type { Elf } from './elf.js';
import { imageSpan } from './segments.js';

export const MAX_STACK_BYTES = 64 * 1024 * 1024;

const { base: USER_BASE, top: USER_TOP } = ADDRESS_SPACES.riscv64;
/** Where the pieces of a first process go when nothing is random, so that two runs can be compared by address. */
const VDSO_ADDRESS = USER_TOP - 0x8000000;
const STACK_TOP = USER_TOP - 0x10000000;
const PIE_ADDRESS = USER_BASE;
/** Where programs may lie that say where. */
export const PROGRAM_ADDRESSES = { base: USER_BASE, top: STACK_TOP - MAX_STACK_BYTES };
/** Where random pieces go: programs below, then stacks, then vDSOs, each far from the next. */
const RANDOM = { programTop: 2 ** 37, stackTop: 2 ** 37 + 2 ** 36, gapBytes: 2 ** 30 };

/** What the layout of a run depends on besides its program. */
export interface LayoutChoice {
  readonly aslr: boolean;
  readonly entropySeed: number;
}

/** Where the pieces of the first process go. */
export interface Layout {
  /** What to add to the program's own addresses. */
  readonly bias: number;
  readonly vdsoAddress: number;
  readonly stackTop: number;
  /** What is left of the machine's random addresses. */
  readonly entropy: PrngState;
}

export function layoutOf(elf: Elf, { aslr, entropySeed }: LayoutChoice): Layout {
  const { address, sizeBytes } = imageSpan(elf);
  const align = elf.alignmentBytes;
  const entropy = addressEntropy(entropySeed);
  const biasTo = (place: number): number =>
    elf.isPie ? Math.ceil(place / align) * align - (address - (address % align)) : 0;
  const room = RANDOM.programTop - RANDOM.gapBytes - USER_BASE;
  const fits = elf.isPie
    ? sizeBytes + align <= room && align <= RANDOM.gapBytes
    : address + sizeBytes <= room;
  // A program that lies where random pieces would go, or takes all of the room, has them at their fixed places.
  if (!aslr || !fits) {
    return { bias: biasTo(PIE_ADDRESS), vdsoAddress: VDSO_ADDRESS, stackTop: STACK_TOP, entropy };
  }
  const random = new Prng(entropy);
  const between = (low: number, high: number): number =>
    low + PAGE_SIZE * random.below(Math.max(1, Math.floor((high - low) / PAGE_SIZE)));
  const bias = biasTo(between(PIE_ADDRESS, RANDOM.programTop - RANDOM.gapBytes - sizeBytes));
  const stackTop = between(RANDOM.programTop + RANDOM.gapBytes, RANDOM.stackTop);
  const vdsoAddress = between(RANDOM.stackTop + RANDOM.gapBytes, USER_TOP - RANDOM.gapBytes);
  return { bias, vdsoAddress, stackTop, entropy: random.state };
}
