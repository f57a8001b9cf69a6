import type { Semantics } from '../engines/algebra.js';
import { type Effects, effectsOf, type Operation, transcriptOf } from '../engines/transcript.js';
import { FIELDS, type Field, type FieldName, fieldMask } from './fields.js';

/** One entry of the table: everything the project knows of an instruction. */
export interface Instruction {
  /** Mnemonic; `{aqrl}` stands for the ordering suffix. */
  readonly name: string;
  /** The fixed bits: `bits & mask === match`. */
  readonly mask: number;
  readonly match: number;
  /** Assembly operands: field names and literal text in turn. */
  readonly syntax: readonly string[];
  readonly fields: readonly FieldName[];
  /** Whether a rounding mode is among them. */
  readonly rounds: boolean;
  readonly semantics: Semantics;
  /** The semantics as data. */
  readonly operations: readonly Operation[];
  readonly effects: Effects;
}

/** One entry of the compressed table: which instruction it is short for, and how the operands are found. */
export interface Compressed {
  readonly name: string;
  readonly mask: number;
  readonly match: number;
  readonly base: string;
  /** Operands of the base instruction: constants, or fields of the halfword. */
  readonly operands: readonly (readonly [FieldName, number | Field])[];
  /** Fields that must not be zero. */
  readonly nonzero: readonly Field[];
}

class TableEntry implements Instruction {
  private madeOperations: readonly Operation[] | null = null;
  private madeEffects: Effects | null = null;

  constructor(
    readonly name: string,
    readonly mask: number,
    readonly match: number,
    readonly syntax: readonly string[],
    readonly fields: readonly FieldName[],
    readonly rounds: boolean,
    readonly semantics: Semantics,
  ) {}

  // Made when they are asked for: no program has all instructions.

  get operations(): readonly Operation[] {
    this.madeOperations ??= transcriptOf(this.semantics);
    return this.madeOperations;
  }

  get effects(): Effects {
    this.madeEffects ??= effectsOf(this.operations);
    return this.madeEffects;
  }
}

const ALL_BITS = 0xffffffff;

export function isFieldName(text: string): text is FieldName {
  return Object.hasOwn(FIELDS, text);
}

/** Names and the punctuation between them, by hand: to split by a regular expression took 3 ms of each start. */
function partsOf(syntax: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (let i = 0; i <= syntax.length; i++) {
    if (i < syntax.length && !',()'.includes(syntax[i]!)) continue;
    if (i > from) parts.push(syntax.slice(from, i));
    if (i < syntax.length) parts.push(syntax[i]!);
    from = i + 1;
  }
  return parts;
}

interface Layout {
  readonly parts: readonly string[];
  readonly fields: readonly FieldName[];
  readonly rounds: boolean;
  readonly mask: number;
}

function layoutOf(syntax: string, hidden: readonly FieldName[]): Layout {
  const parts = partsOf(syntax);
  const fields = [...parts.filter(isFieldName), ...hidden];
  const free = fields.reduce((mask, field) => mask | fieldMask(FIELDS[field]), 0);
  const rounds = fields.some((field) => FIELDS[field].kind === 'rounding');
  return { parts, fields, rounds, mask: (ALL_BITS & ~free) >>> 0 };
}

/** Most instructions have the layout of others. */
const layouts = new Map<string, Layout>();

/**
 * An entry. `match` has the fixed bits, `syntax` names the operands in the order assembly has them ('xd,i(x1)'): every
 * bit that belongs to no operand is fixed. `hidden` are operands that assembly does not show.
 */
export function instruction(
  name: string,
  match: number,
  syntax: string,
  semantics: Semantics,
  hidden: readonly FieldName[] = [],
): Instruction {
  const all = name.endsWith('{aqrl}') ? [...hidden, 'aqrl' as const] : hidden;
  const key = `${syntax} ${all.join()}`;
  let layout = layouts.get(key);
  if (layout === undefined) {
    layout = layoutOf(syntax, all);
    layouts.set(key, layout);
  }
  const { parts, fields, rounds, mask } = layout;
  return new TableEntry(name, mask, match >>> 0, parts, fields, rounds, semantics);
}

export function compressed(
  name: string,
  match: number,
  base: string,
  operands: Partial<Record<FieldName, number | Field>>,
): Compressed {
  const list = Object.entries(operands) as [FieldName, number | Field][];
  const free = list.reduce((mask, [, field]) => mask | (typeof field === 'number' ? 0 : fieldMask(field)), 0);
  const nonzero = list.flatMap(([, field]) => (typeof field !== 'number' && field.nonzero ? [field] : []));
  return { name, mask: 0xffff & ~free, match, base, operands: list, nonzero };
}
