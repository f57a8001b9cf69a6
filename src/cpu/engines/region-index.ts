import { NX } from '../softfloat.js';
import type { FunctionCode } from '../wasm/code.js';
import {
  FETCH_ENTRIES,
  FETCH_ENTRY_BYTES,
  FETCHES,
  HALF_MASK,
  PAGE_BITS,
  PAGE_MASK,
  REGION_INDEXES,
  SLOT,
  SLOT_BYTES,
} from './host-memory.js';
import { EXTRA } from './slot-codes.js';

/** Rounding mode and NX: regions are made for the nearest and NX set, which is NX alone of these. */
const ROUNDING = 0xe0;
const FLOAT_STATE = ROUNDING | NX;
const MADE_FOR = NX;

/** Locals: the address asked for (i64), and two (i32) to work with. */
interface Locals {
  readonly target: number;
  readonly page: number;
  readonly offset: number;
}

/**
 * Pushes the table index of the region that starts at an address.
 * @param leave emits code that takes a condition from the stack: there is no region
 */
export function emitRegionIndex(
  code: FunctionCode,
  { target, page, offset }: Locals,
  statusAddress: number,
  leave: () => void,
): void {
  emitDecodedPage(code, target, page, leave);
  code.tee(page);
  code.get(target).op('i32.wrap_i64').i32(HALF_MASK).op('i32.and').tee(offset);
  code
    .i32(SLOT_BYTES / 2)
    .op('i32.mul')
    .op('i32.add')
    .access('i32.load16_u', SLOT.code);
  code.i32(EXTRA.region).op('i32.ne');
  leave();
  code.get(page).get(offset).i32(1).op('i32.shl').op('i32.add').access('i32.load', REGION_INDEXES);
  emitIsOtherFloatState(code, statusAddress);
  code.op('i32.add');
}

/**
 * Pushes where the decoded page is that an address lies in.
 * @param page a local (i32) to work with
 * @param leave emits code that takes a condition from the stack: the page is not known
 */
export function emitDecodedPage(code: FunctionCode, address: number, page: number, leave: () => void): void {
  code.get(address).i64(PAGE_BITS).op('i64.shr_u').op('i32.wrap_i64');
  code
    .i32(FETCH_ENTRIES - 1)
    .op('i32.and')
    .i32(FETCH_ENTRY_BYTES)
    .op('i32.mul');
  code.tee(page).access('i64.load', FETCHES);
  code.get(address).i64(PAGE_MASK).op('i64.and').op('i64.ne');
  leave();
  code.get(page).access('i32.load', FETCHES + 8);
}

/** Pushes 1 when the floating-point status is not what regions with arithmetic are made for: the next index is for that. */
export function emitIsOtherFloatState(code: FunctionCode, statusAddress: number): void {
  code.i32(0).access('i32.load', statusAddress).i32(FLOAT_STATE).op('i32.and').i32(MADE_FOR).op('i32.ne');
}

/** Pushes what is not 0 when the rounding mode is not to nearest. */
export function emitIsOtherRounding(code: FunctionCode, statusAddress: number): void {
  code.i32(0).access('i32.load', statusAddress).i32(ROUNDING).op('i32.and');
}
