import type { DataFlow } from '../arch.js';
import { extract, FIELDS } from './fields.js';
import { F0, FCSR, X0 } from './layout.js';
import { expand, findInstruction, instructionLength } from './table.js';

/** Undefined when the bits (16 or 32) are no instruction. */
export function dataFlow(bits: number): DataFlow | undefined {
  const full = instructionLength(bits & 0xffff) === 2 ? expand(bits & 0xffff) : bits;
  const entry = full === undefined ? undefined : findInstruction(full);
  if (full === undefined || entry === undefined) return undefined;
  const { effects } = entry;
  const reads = new Set<number>();
  const writes = new Set<number>();
  for (const name of entry.fields) {
    const field = FIELDS[name];
    if (field.operand === null || (field.kind !== 'x' && field.kind !== 'f')) continue;
    const register = extract(field, full) + (field.kind === 'f' ? F0 : 0);
    if (effects.reads.includes(field.operand)) reads.add(register);
    if (effects.writes.includes(field.operand)) writes.add(register);
  }
  reads.delete(X0);
  writes.delete(X0);
  if (effects.readsFloatStatus) reads.add(FCSR);
  if (effects.writesFloatStatus) writes.add(FCSR);
  const { loads, stores, control, readsTime } = effects;
  return { reads: [...reads], writes: [...writes], loads, stores, control, readsTime };
}
