import { Decoded } from '../engines/evaluator.js';
import { extract, FIELDS } from './fields.js';
import { F0, SINK } from './layout.js';
import { expand, findInstruction, INSTRUCTIONS } from './table.js';

const NUMBERS = new Map(INSTRUCTIONS.map((entry, number) => [entry, number]));

/** By their bits: the same few come again and again, and each engine asks. */
const known = new Map<number, Decoded | null>();
const KNOWN_LIMIT = 1 << 14;

/** Makes an instruction ready to run, or gives null when the bits are none. Registers become slots. */
export function decode(bits: number, lengthBytes: 2 | 4): Decoded | null {
  let decoded = known.get(bits);
  if (decoded === undefined) {
    decoded = decodeNew(bits, lengthBytes);
    if (known.size >= KNOWN_LIMIT) known.clear();
    known.set(bits, decoded);
  }
  return decoded;
}

function decodeNew(bits: number, lengthBytes: 2 | 4): Decoded | null {
  const full = lengthBytes === 2 ? expand(bits) : bits;
  const entry = full === undefined ? undefined : findInstruction(full);
  if (entry === undefined) return null;
  const operands = { rd: SINK, rs1: 0, rs2: 0, rs3: 0, imm: 0, disp: 0, rm: 0 };
  for (const name of entry.fields) {
    const field = FIELDS[name];
    if (field.operand === null) continue;
    const value = extract(field, full!);
    operands[field.operand] = field.kind === 'f' ? F0 + value : name === 'xd' && value === 0 ? SINK : value;
  }
  const { rd, rs1, rs2, rs3, imm, disp, rm } = operands;
  return new Decoded(
    entry.semantics,
    entry.effects,
    NUMBERS.get(entry)!,
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
