import type { Tape } from '../wasm/tape.js';
import { CONTROL, LOADS, MISS_MASK, OFFSET_MASK, STATUS, STOPPED_BIT, STORES } from './host-memory.js';
import { emitLookUp, registerAddress } from './lowering.js';
import type { RegionSet } from './region.js';
import { emitIsOtherRounding, emitRegionIndex } from './region-index.js';
import { TemplateCode, VARIABLE } from './template-code.js';

/** Parameters of a region. */
export const LEFT = 0;
export const DEPTH = 1;

type Status = keyof typeof STATUS;

function tapeOf(write: (code: TemplateCode) => void): Tape {
  const code = new TemplateCode();
  write(code);
  return code.taped();
}

function returnLeft(code: TemplateCode): void {
  code.if().param(LEFT).op('return').op('end');
}

/** Puts budget and call depth for another region on the stack; leaves instead when the host's stack is deep enough. */
function pushArguments(code: TemplateCode): void {
  code.param(DEPTH).op('i32.eqz');
  returnLeft(code);
  code.param(LEFT).param(DEPTH).i32(1).op('i32.sub');
}

function lookUp(code: TemplateCode, translations: number): void {
  emitLookUp(code, VARIABLE.address, translations);
  code
    .tee(VARIABLE.place)
    .i64(MISS_MASK | BigInt(OFFSET_MASK))
    .op('i64.and');
}

/** Tapes of what all regions are made of, besides instructions. */
export class RegionPieces {
  private static readonly known = new WeakMap<RegionSet, RegionPieces>();
  /** Puts the target into the pc. */
  readonly storeTarget: Tape;
  readonly callArguments: Tape;
  /** Pushes the table index of the region at the target; leaves when there is none. The pc is in memory. */
  readonly regionAtTarget: Tape;
  readonly returnLeft: Tape;
  /** Pushes what is not 0 when the thread's rounding mode is not to nearest. */
  readonly isOtherRounding: Tape;
  /**
   * Of the address on the stack, pushes where in its page it is, or more than that when the page is not known to loads,
   * or to stores. It sets VARIABLE.place.
   */
  readonly lookUpLoads = tapeOf((code) => lookUp(code, LOADS));
  readonly lookUpStores = tapeOf((code) => lookUp(code, STORES));
  private readonly stops = new Map<Status, Tape>();

  private constructor({ pcSlot, floatStatusSlot }: RegionSet) {
    this.storeTarget = tapeOf((code) => {
      code.i32(0).get(VARIABLE.address).access('i64.store', registerAddress(pcSlot));
    });
    this.callArguments = tapeOf(pushArguments);
    this.regionAtTarget = tapeOf((code) => {
      const { address: target, page, index: offset } = VARIABLE;
      emitRegionIndex(code, { target, page, offset }, registerAddress(floatStatusSlot), () =>
        returnLeft(code),
      );
    });
    this.returnLeft = tapeOf(returnLeft);
    this.isOtherRounding = tapeOf((code) => emitIsOtherRounding(code, registerAddress(floatStatusSlot)));
  }

  /** Those of a table of instructions. */
  static of(isa: RegionSet): RegionPieces {
    let pieces = RegionPieces.known.get(isa);
    if (pieces === undefined) {
      pieces = new RegionPieces(isa);
      RegionPieces.known.set(isa, pieces);
    }
    return pieces;
  }

  stop(status: Status): Tape {
    let tape = this.stops.get(status);
    if (tape === undefined) {
      tape = tapeOf((code) => {
        code.i32(0).i32(STATUS[status]).access('i32.store', CONTROL.status);
        code.param(LEFT).i32(STOPPED_BIT).op('i32.or').op('return');
      });
      this.stops.set(status, tape);
    }
    return tape;
  }
}
