import { DEST, type Field, field16, nonzero, PRIME_2, PRIME_7, SOURCE, signed16 } from './fields.js';
import { compressed as short } from './instruction.js';

/**
 * RV64C (unprivileged manual, chapter "C", listings of quadrants 0 to 2). The first entry that fits holds; hints are
 * ordinary instructions without effect.
 */

const ZERO = 0;
const RA = 1;
const SP = 2;

const CI = signed16(12, '5', 6, '4:0');
const SHIFT = field16(12, '5', 6, '4:0');
const WORD = field16(12, '5:3', 6, '2|6');
const DOUBLE = field16(12, '5:3', 6, '7:6');
const WORD_SP = field16(12, '5', 6, '4:2|7:6');
const DOUBLE_SP = field16(12, '5', 6, '4:3|8:6');
const STORE_WORD_SP = field16(12, '5:2|7:6');
const STORE_DOUBLE_SP = field16(12, '5:3|8:6');
const JUMP = signed16(12, '11|4|9:8|10|6|7|3:1|5');
const BRANCH = signed16(12, '8|4:3', 6, '7:6|2:1|5');
const UPPER = signed16(12, '17', 6, '16:12');

function arithmetic(name: string, match: number, base: string) {
  return short(name, match, base, { xd: PRIME_7, x1: PRIME_7, x2: PRIME_2 });
}

function immediate(name: string, match: number, base: string, operand: { sh6: Field } | { i: Field }) {
  return short(name, match, base, { xd: PRIME_7, x1: PRIME_7, ...operand });
}

const QUADRANT_0 = [
  short('c.addi4spn', 0x0000, 'addi', { xd: PRIME_2, x1: SP, i: nonzero(field16(12, '5:4|9:6|2|3')) }),
  short('c.fld', 0x2000, 'fld', { fd: PRIME_2, x1: PRIME_7, i: DOUBLE }),
  short('c.lw', 0x4000, 'lw', { xd: PRIME_2, x1: PRIME_7, i: WORD }),
  short('c.ld', 0x6000, 'ld', { xd: PRIME_2, x1: PRIME_7, i: DOUBLE }),
  short('c.fsd', 0xa000, 'fsd', { f2: PRIME_2, x1: PRIME_7, s: DOUBLE }),
  short('c.sw', 0xc000, 'sw', { x2: PRIME_2, x1: PRIME_7, s: WORD }),
  short('c.sd', 0xe000, 'sd', { x2: PRIME_2, x1: PRIME_7, s: DOUBLE }),
];

const QUADRANT_1 = [
  short('c.addi', 0x0001, 'addi', { xd: DEST, x1: DEST, i: CI }),
  short('c.addiw', 0x2001, 'addiw', { xd: nonzero(DEST), x1: DEST, i: CI }),
  short('c.li', 0x4001, 'addi', { xd: DEST, x1: ZERO, i: CI }),
  short('c.addi16sp', 0x6101, 'addi', { xd: SP, x1: SP, i: nonzero(signed16(12, '9', 6, '4|6|8:7|5')) }),
  short('c.lui', 0x6001, 'lui', { xd: DEST, u: nonzero(UPPER) }),
  immediate('c.srli', 0x8001, 'srli', { sh6: SHIFT }),
  immediate('c.srai', 0x8401, 'srai', { sh6: SHIFT }),
  immediate('c.andi', 0x8801, 'andi', { i: CI }),
  arithmetic('c.sub', 0x8c01, 'sub'),
  arithmetic('c.xor', 0x8c21, 'xor'),
  arithmetic('c.or', 0x8c41, 'or'),
  arithmetic('c.and', 0x8c61, 'and'),
  arithmetic('c.subw', 0x9c01, 'subw'),
  arithmetic('c.addw', 0x9c21, 'addw'),
  short('c.j', 0xa001, 'jal', { xd: ZERO, j: JUMP }),
  short('c.beqz', 0xc001, 'beq', { x1: PRIME_7, x2: ZERO, b: BRANCH }),
  short('c.bnez', 0xe001, 'bne', { x1: PRIME_7, x2: ZERO, b: BRANCH }),
];

const QUADRANT_2 = [
  short('c.slli', 0x0002, 'slli', { xd: DEST, x1: DEST, sh6: SHIFT }),
  short('c.fldsp', 0x2002, 'fld', { fd: DEST, x1: SP, i: DOUBLE_SP }),
  short('c.lwsp', 0x4002, 'lw', { xd: nonzero(DEST), x1: SP, i: WORD_SP }),
  short('c.ldsp', 0x6002, 'ld', { xd: nonzero(DEST), x1: SP, i: DOUBLE_SP }),
  short('c.jr', 0x8002, 'jalr', { xd: ZERO, x1: nonzero(DEST), i: 0 }),
  short('c.mv', 0x8002, 'add', { xd: DEST, x1: ZERO, x2: nonzero(SOURCE) }),
  short('c.ebreak', 0x9002, 'ebreak', {}),
  short('c.jalr', 0x9002, 'jalr', { xd: RA, x1: nonzero(DEST), i: 0 }),
  short('c.add', 0x9002, 'add', { xd: DEST, x1: DEST, x2: nonzero(SOURCE) }),
  short('c.fsdsp', 0xa002, 'fsd', { f2: SOURCE, x1: SP, s: STORE_DOUBLE_SP }),
  short('c.swsp', 0xc002, 'sw', { x2: SOURCE, x1: SP, s: STORE_WORD_SP }),
  short('c.sdsp', 0xe002, 'sd', { x2: SOURCE, x1: SP, s: STORE_DOUBLE_SP }),
];

export const COMPRESSED = [...QUADRANT_0, ...QUADRANT_1, ...QUADRANT_2];
