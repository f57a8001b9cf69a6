import test from 'ava';
import type { Decoded } from '../../src/cpu/engines/evaluator.js';
import { instructionOf } from '../../src/cpu/engines/facts.js';
import { Templates } from '../../src/cpu/engines/template.js';
import { INSTRUCTION_SET } from '../../src/cpu/riscv64/arch.js';
import { INSTRUCTIONS } from '../../src/cpu/riscv64/table.js';

const MODES = [0, 1, 2, 3, 4, 7];
const { sinkSlot, zeroSlot } = INSTRUCTION_SET;

/** An instruction of an entry with these operands, as far as it has them; null when there is none. */
function decoded(entry: number, bits: number): Decoded | null {
  const { match, mask } = INSTRUCTIONS[entry]!;
  return INSTRUCTION_SET.decode(((match & mask) | (bits & ~mask)) >>> 0, 4);
}

/** All registers zero or none of them, and all rounding modes. */
const OPERANDS = [0, 0x7ef7_8f80 | 0].flatMap((bits) => MODES.map((mode) => (bits & ~0x7000) | (mode << 12)));

test('every instruction that regions have has a tape, on hosts that fuse multiply-add and on others', (t) => {
  for (const [fuses, notes] of [
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ] as const) {
    const templates = new Templates(INSTRUCTION_SET, fuses, notes);
    let tapes = 0;
    for (const entry of INSTRUCTIONS.keys()) {
      for (const bits of OPERANDS) {
        const d = decoded(entry, bits);
        const instruction = d === null ? null : instructionOf(d, INSTRUCTION_SET);
        if (instruction === null) continue;
        tapes++;
        const { start, end, size } = templates.tapeOf(instruction, false, false);
        t.true(end - start <= size);
      }
    }
    t.true(tapes > INSTRUCTIONS.length);
  }
});

test('what has no effect has no code: results that go nowhere, but for loads', (t) => {
  const templates = new Templates(INSTRUCTION_SET, false, false);
  for (const [entry, { name }] of INSTRUCTIONS.entries()) {
    const d = decoded(entry, 0);
    const instruction = d === null ? null : instructionOf(d, INSTRUCTION_SET);
    if (instruction === null || d!.rd !== sinkSlot || d!.rs1 !== zeroSlot) continue;
    const { effects } = INSTRUCTIONS[entry]!;
    const isPlain = instruction.control === 'next' && !instruction.canLeave && !effects.readsFloatStatus;
    if (isPlain) t.is(templates.tapeOf(instruction, false, false).size, 0, name);
    if (effects.loads) t.not(templates.tapeOf(instruction, false, false).size, 0, name);
  }
});
