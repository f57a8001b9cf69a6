import type { OperandName } from '../engines/algebra.js';
import { Decoded } from '../engines/evaluator.js';
import { extract, FIELDS, type Field, type FieldName } from './fields.js';
import type { Compressed, Instruction } from './instruction.js';
import { F0, SINK } from './layout.js';
import { entryNamed, findCompressed, findInstruction, INSTRUCTIONS } from './table.js';

const NUMBERS = new Map<Instruction, number>();
for (const entry of INSTRUCTIONS) NUMBERS.set(entry, NUMBERS.size);

/** An operand of an instruction: a constant, or what a field has; registers are numbered from `first` on. */
interface Part {
  readonly operand: OperandName;
  readonly source: number | Field;
  readonly first: number;
  /** Register 0 stands for a place that nobody reads. */
  readonly sinks: boolean;
}

/** All that decoding an instruction needs to know of its entry, long or compressed. */
interface Shape {
  readonly entry: Instruction;
  readonly number: number;
  readonly parts: readonly Part[];
}

function shapeOf(entry: Instruction, sourceOf: (name: FieldName) => number | Field): Shape {
  const parts = entry.fields.flatMap((name): Part[] => {
    const { operand, kind } = FIELDS[name];
    if (operand === null) return [];
    return [{ operand, source: sourceOf(name), first: kind === 'f' ? F0 : 0, sinks: name === 'xd' }];
  });
  return { entry, number: NUMBERS.get(entry)!, parts };
}

/** Made when they are first asked for: no program has all. */
const shapes = new Map<Instruction | Compressed, Shape>();

function longShape(entry: Instruction): Shape {
  let shape = shapes.get(entry);
  if (shape === undefined) {
    shape = shapeOf(entry, (name) => FIELDS[name]);
    shapes.set(entry, shape);
  }
  return shape;
}

function shortShape(entry: Compressed): Shape {
  let shape = shapes.get(entry);
  if (shape === undefined) {
    const operands = new Map(entry.operands);
    shape = shapeOf(entryNamed(entry.base), (name) => operands.get(name) ?? 0);
    shapes.set(entry, shape);
  }
  return shape;
}

/** By their bits, as small integers: the same few come again and again, and each engine asks. */
const known = new Map<number, Decoded | null>();
const KNOWN_LIMIT = 1 << 14;

/** Makes an instruction ready to run, or gives null when the bits are none. Registers become slots. */
export function decode(bits: number, lengthBytes: 2 | 4): Decoded | null {
  let decoded = known.get(bits | 0);
  if (decoded === undefined) {
    decoded = decodeNew(bits, lengthBytes);
    if (known.size >= KNOWN_LIMIT) known.clear();
    known.set(bits | 0, decoded);
  }
  return decoded;
}

function findShape(bits: number, lengthBytes: 2 | 4): Shape | undefined {
  if (lengthBytes === 4) {
    const entry = findInstruction(bits);
    return entry && longShape(entry);
  }
  const entry = findCompressed(bits);
  return entry && shortShape(entry);
}

function decodeNew(bits: number, lengthBytes: 2 | 4): Decoded | null {
  const shape = findShape(bits, lengthBytes);
  if (shape === undefined) return null;
  const { entry, number, parts } = shape;
  let rd = SINK;
  let rs1 = 0;
  let rs2 = 0;
  let rs3 = 0;
  let imm = 0;
  let disp = 0;
  let rm = 0;
  for (let i = 0; i < parts.length; i++) {
    const { operand, source, first, sinks } = parts[i]!;
    const read = typeof source === 'number' ? source : extract(source, bits);
    const value = sinks && read === 0 ? SINK : first + read;
    // Objects with names that are computed are slow in code that runs some hundred times.
    if (operand === 'rd') rd = value;
    else if (operand === 'rs1') rs1 = value;
    else if (operand === 'rs2') rs2 = value;
    else if (operand === 'imm') imm = value;
    else if (operand === 'disp') disp = value;
    else if (operand === 'rs3') rs3 = value;
    else rm = value;
  }
  return new Decoded(
    entry.semantics,
    entry.effects,
    number,
    bits,
    lengthBytes,
    rd,
    rs1,
    rs2,
    rs3,
    BigInt(imm),
    disp,
    rm,
  );
}
