import { RegionCode } from '../../src/cpu/engines/region-code.js';
import { Templates } from '../../src/cpu/engines/template.js';
import { INSTRUCTION_SET } from '../../src/cpu/riscv64/arch.js';
import { assemble as asm } from './assemble.js';
import { regionOf } from './region-fixture.js';

/** Writes a region of as many blocks in a row as there may be; a process of its own runs this, with a small stack. */
const COUNT = 990;
const codes = Array.from({ length: COUNT }, () => asm('bne', { x1: 10, x2: 11, b: 4 * COUNT + 8 }));
const region = regionOf([...codes, asm('jal', { j: -4 * COUNT })]);
const context = { dispatch: 0, functionOf: () => null };
const code = new RegionCode(INSTRUCTION_SET, region, context, new Templates(INSTRUCTION_SET, false, false));
console.log(region.blocks.length, code.write().size > 0);
