import { prepared } from '../../base/prepared.js';
import { PAGE_SIZE } from '../../memory/page.js';
import { RNE } from '../softfloat.js';
import type { Decoded } from './evaluator.js';
import { DYNAMIC, FLOAT } from './float-shapes.js';
import type { Operation } from './transcript.js';

/** Codes of slots that hold no instruction. The others are given by SlotCodes. */
export const EXTRA = {
  /** Nothing was decoded here yet. It is code 0 of all: a cleared page has it everywhere. */
  undecoded: 0,
  /** Behind the last half-word of a page. */
  end: 1,
  /** An instruction that only the host can do: it reaches into the next page. */
  slow: 2,
  /** A region starts here. */
  region: 3,
} as const;
/** The code of the first instruction. */
export const FIRST_CODE = 4;

/**
 * What the interpreter has code of its own for, where an entry of the table can be more than one of these:
 * - `general`: whatever the operands are.
 * - `near`, `back`, `call`: goes by a displacement that stays in the page; forward, as loops go, or with a link.
 * - `plain`: jumps to an address without a link, as returns do.
 * - `nearest`: rounds to nearest, or as the thread says.
 */
export type Form = 'general' | 'near' | 'back' | 'call' | 'plain' | 'nearest';

export interface CodedSet {
  readonly name: string;
  readonly sinkSlot: number;
  readonly entries: readonly { readonly operations: readonly Operation[] }[];
}

/** What is seldom, or long: done by a function of its own, so that the code of all others stays small. */
const RARE =
  /^(?:f(?:32|64)|float|setFloat|time|checkAtomic|loadReserved|storeConditional|syscall|breakpoint|div|rem|mulHigh)/;
/** Floating-point operations that are quick where they round to nearest and NX is set, or do not round. */
const QUICK = /^f(?:32|64)(?:Add|Sub|Mul|Div|MulAdd|Eq|Lt|Le)$/;

/** What an operation says of the instructions that have it, as bits. */
const SAYS = { branch: 1, jump: 2, jumpTo: 4, quick: 8, rare: 16, float: 32 } as const;

/** By operation: there are far fewer than the table's entries have together. */
const known = new Map<string, number>();

function saidBy(op: string): number {
  let says = known.get(op);
  if (says === undefined) {
    says = op === 'branch' || op === 'jump' || op === 'jumpTo' ? SAYS[op] : 0;
    if (QUICK.test(op)) says |= SAYS.quick;
    if (RARE.test(op)) says |= SAYS.rare;
    if (FLOAT.test(op)) says |= SAYS.float;
    known.set(op, says);
  }
  return says;
}

function saidByAll(operations: readonly Operation[]): number {
  let says = 0;
  for (let i = 0; i < operations.length; i++) says |= saidBy(operations[i]!.op);
  return says;
}

function formsOf(says: number): readonly Form[] {
  if (says & SAYS.branch) return ['general', 'near', 'back'];
  if (says & SAYS.jump) return ['general', 'near', 'back', 'call'];
  if (says & SAYS.jumpTo) return ['general', 'plain'];
  return says & SAYS.quick ? ['general', 'nearest'] : ['general'];
}

/** One piece of the interpreter's code. */
export interface SlotCode {
  readonly entry: number;
  readonly form: Form;
  readonly isRare: boolean;
  /** It computes with floating-point numbers. */
  readonly isFloat: boolean;
}

/** How decoded instructions are numbered. */
export class SlotCodes {
  /** By code, less FIRST_CODE. */
  readonly list: readonly SlotCode[];
  private readonly firsts: readonly number[];
  private readonly sinkSlot: number;

  constructor({ name, entries, sinkSlot }: CodedSet) {
    const list: SlotCode[] = [];
    const said = prepared(`forms of ${name}`, () =>
      Uint8Array.from(entries, ({ operations }) => saidByAll(operations)),
    );
    this.firsts = Array.from(said, (says, entry) => {
      const first = FIRST_CODE + list.length;
      const isRare = (says & SAYS.rare) !== 0;
      const isFloat = (says & SAYS.float) !== 0;
      for (const form of formsOf(says)) {
        list.push({ entry, form, isRare: isRare && form !== 'nearest', isFloat });
      }
      return first;
    });
    this.list = list;
    this.sinkSlot = sinkSlot;
  }

  /** @param offset where in its page the instruction is */
  codeOf(d: Decoded, offset: number): number {
    const first = this.firsts[d.entry]!;
    if (this.at(first + 1)?.entry !== d.entry) return first;
    const form = this.formOf(d, offset);
    for (let code = first; this.at(code)?.entry === d.entry; code++)
      if (this.at(code)!.form === form) return code;
    return first;
  }

  /** Undefined where a code is of no instruction. */
  at(code: number): SlotCode | undefined {
    return this.list[code - FIRST_CODE];
  }

  private formOf({ effects: { control, reads }, disp, rd, rm }: Decoded, offset: number): Form {
    const links = rd !== this.sinkSlot;
    if (control === 'next') return rm === RNE || rm === DYNAMIC ? 'nearest' : 'general';
    if (control === 'jump' && reads.length > 0) return links ? 'general' : 'plain';
    const target = offset + disp;
    if (target < 0 || target >= PAGE_SIZE) return 'general';
    if (control === 'jump' && links) return 'call';
    return disp > 0 ? 'near' : 'back';
  }
}
