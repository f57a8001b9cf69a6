import type { FieldName } from '../../src/cpu/riscv64/fields.js';
import { encode, INSTRUCTIONS } from '../../src/cpu/riscv64/table.js';

const DEFAULTS: Partial<Record<FieldName, number>> = { rm: 7, rx: 7 };

/** The bits of an instruction of the table: `assemble('addi', { xd: 1, x1: 2, i: -3 })`. */
export function assemble(
  name: string,
  operands: Partial<Record<FieldName, number>> = {},
  csr?: 'fflags' | 'frm' | 'fcsr' | 'cycle' | 'time' | 'instret',
): number {
  const entry = INSTRUCTIONS.find(
    (e) => (e.name === name || e.name === `${name}{aqrl}`) && (csr === undefined || e.syntax.includes(csr)),
  );
  if (entry === undefined) throw new Error(`no instruction ${name}`);
  return encode(entry, { ...DEFAULTS, ...operands });
}
