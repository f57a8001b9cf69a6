import type { Algebra, Domain, Operands } from '../engines/algebra.js';
import { instruction as op } from './instruction.js';

/** RV64I and M (unprivileged manual, chapters "RV32I", "RV64I" and "M"). One function literal an entry, for V8. */

function address<D extends Domain>(a: Algebra<D>, o: Operands<D>): D['value'] {
  return a.add(a.get(o.rs1), a.imm(o.imm));
}

/** The distance of a 32-bit shift by a register. */
function distance32<D extends Domain>(a: Algebra<D>, o: Operands<D>): D['value'] {
  return a.and(a.get(o.rs2), a.constant(31n));
}

export const UPPER_AND_JUMPS = [
  op('lui', 0x37, 'xd,u', (a, o) => a.set(o.rd, a.imm(o.imm))),
  op('auipc', 0x17, 'xd,u', (a, o) => a.set(o.rd, a.add(a.pc(), a.imm(o.imm)))),
  op('jal', 0x6f, 'xd,j', (a, o) => {
    a.set(o.rd, a.link());
    a.jump(o.disp);
  }),
  op('jalr', 0x67, 'xd,i(x1)', (a, o) => {
    const target = a.and(address(a, o), a.constant(-2n));
    a.set(o.rd, a.link());
    a.jumpTo(target);
  }),
  op('beq', 0x0063, 'x1,x2,b', (a, o) => a.branch(a.eq(a.get(o.rs1), a.get(o.rs2)), o.disp)),
  op('bne', 0x1063, 'x1,x2,b', (a, o) => a.branch(a.ne(a.get(o.rs1), a.get(o.rs2)), o.disp)),
  op('blt', 0x4063, 'x1,x2,b', (a, o) => a.branch(a.ltS(a.get(o.rs1), a.get(o.rs2)), o.disp)),
  op('bge', 0x5063, 'x1,x2,b', (a, o) => a.branch(a.geS(a.get(o.rs1), a.get(o.rs2)), o.disp)),
  op('bltu', 0x6063, 'x1,x2,b', (a, o) => a.branch(a.ltU(a.get(o.rs1), a.get(o.rs2)), o.disp)),
  op('bgeu', 0x7063, 'x1,x2,b', (a, o) => a.branch(a.geU(a.get(o.rs1), a.get(o.rs2)), o.disp)),
];

export const LOADS_AND_STORES = [
  op('lb', 0x0003, 'xd,i(x1)', (a, o) => a.set(o.rd, a.load8S(address(a, o)))),
  op('lh', 0x1003, 'xd,i(x1)', (a, o) => a.set(o.rd, a.load16S(address(a, o)))),
  op('lw', 0x2003, 'xd,i(x1)', (a, o) => a.set(o.rd, a.load32S(address(a, o)))),
  op('ld', 0x3003, 'xd,i(x1)', (a, o) => a.set(o.rd, a.load64(address(a, o)))),
  op('lbu', 0x4003, 'xd,i(x1)', (a, o) => a.set(o.rd, a.load8U(address(a, o)))),
  op('lhu', 0x5003, 'xd,i(x1)', (a, o) => a.set(o.rd, a.load16U(address(a, o)))),
  op('lwu', 0x6003, 'xd,i(x1)', (a, o) => a.set(o.rd, a.load32U(address(a, o)))),
  op('sb', 0x0023, 'x2,s(x1)', (a, o) => a.store8(address(a, o), a.get(o.rs2))),
  op('sh', 0x1023, 'x2,s(x1)', (a, o) => a.store16(address(a, o), a.get(o.rs2))),
  op('sw', 0x2023, 'x2,s(x1)', (a, o) => a.store32(address(a, o), a.get(o.rs2))),
  op('sd', 0x3023, 'x2,s(x1)', (a, o) => a.store64(address(a, o), a.get(o.rs2))),
];

export const IMMEDIATES = [
  op('addi', 0x0013, 'xd,x1,i', (a, o) => a.set(o.rd, a.add(a.get(o.rs1), a.imm(o.imm)))),
  op('slti', 0x2013, 'xd,x1,i', (a, o) => a.set(o.rd, a.bool(a.ltS(a.get(o.rs1), a.imm(o.imm))))),
  op('sltiu', 0x3013, 'xd,x1,i', (a, o) => a.set(o.rd, a.bool(a.ltU(a.get(o.rs1), a.imm(o.imm))))),
  op('xori', 0x4013, 'xd,x1,i', (a, o) => a.set(o.rd, a.xor(a.get(o.rs1), a.imm(o.imm)))),
  op('ori', 0x6013, 'xd,x1,i', (a, o) => a.set(o.rd, a.or(a.get(o.rs1), a.imm(o.imm)))),
  op('andi', 0x7013, 'xd,x1,i', (a, o) => a.set(o.rd, a.and(a.get(o.rs1), a.imm(o.imm)))),
  op('slli', 0x1013, 'xd,x1,sh6', (a, o) => a.set(o.rd, a.shl(a.get(o.rs1), a.imm(o.imm)))),
  op('srli', 0x5013, 'xd,x1,sh6', (a, o) => a.set(o.rd, a.shrU(a.get(o.rs1), a.imm(o.imm)))),
  op('srai', 0x40005013, 'xd,x1,sh6', (a, o) => a.set(o.rd, a.shrS(a.get(o.rs1), a.imm(o.imm)))),
  op('addiw', 0x001b, 'xd,x1,i', (a, o) => a.set(o.rd, a.sext32(a.add(a.get(o.rs1), a.imm(o.imm))))),
  op('slliw', 0x101b, 'xd,x1,sh5', (a, o) => a.set(o.rd, a.sext32(a.shl(a.get(o.rs1), a.imm(o.imm))))),
  op('srliw', 0x501b, 'xd,x1,sh5', (a, o) => {
    a.set(o.rd, a.sext32(a.shrU(a.zext32(a.get(o.rs1)), a.imm(o.imm))));
  }),
  op('sraiw', 0x4000501b, 'xd,x1,sh5', (a, o) => a.set(o.rd, a.shrS(a.sext32(a.get(o.rs1)), a.imm(o.imm)))),
];

export const REGISTERS = [
  op('add', 0x0033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.add(a.get(o.rs1), a.get(o.rs2)))),
  op('sub', 0x40000033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.sub(a.get(o.rs1), a.get(o.rs2)))),
  op('sll', 0x1033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.shl(a.get(o.rs1), a.get(o.rs2)))),
  op('slt', 0x2033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.bool(a.ltS(a.get(o.rs1), a.get(o.rs2))))),
  op('sltu', 0x3033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.bool(a.ltU(a.get(o.rs1), a.get(o.rs2))))),
  op('xor', 0x4033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.xor(a.get(o.rs1), a.get(o.rs2)))),
  op('srl', 0x5033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.shrU(a.get(o.rs1), a.get(o.rs2)))),
  op('sra', 0x40005033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.shrS(a.get(o.rs1), a.get(o.rs2)))),
  op('or', 0x6033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.or(a.get(o.rs1), a.get(o.rs2)))),
  op('and', 0x7033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.and(a.get(o.rs1), a.get(o.rs2)))),
  op('addw', 0x003b, 'xd,x1,x2', (a, o) => a.set(o.rd, a.sext32(a.add(a.get(o.rs1), a.get(o.rs2))))),
  op('subw', 0x4000003b, 'xd,x1,x2', (a, o) => a.set(o.rd, a.sext32(a.sub(a.get(o.rs1), a.get(o.rs2))))),
  op('sllw', 0x103b, 'xd,x1,x2', (a, o) => a.set(o.rd, a.sext32(a.shl(a.get(o.rs1), distance32(a, o))))),
  op('srlw', 0x503b, 'xd,x1,x2', (a, o) => {
    a.set(o.rd, a.sext32(a.shrU(a.zext32(a.get(o.rs1)), distance32(a, o))));
  }),
  op('sraw', 0x4000503b, 'xd,x1,x2', (a, o) => {
    a.set(o.rd, a.shrS(a.sext32(a.get(o.rs1)), distance32(a, o)));
  }),
];

export const MULTIPLY_AND_DIVIDE = [
  op('mul', 0x02000033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.mul(a.get(o.rs1), a.get(o.rs2)))),
  op('mulh', 0x02001033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.mulHighS(a.get(o.rs1), a.get(o.rs2)))),
  op('mulhsu', 0x02002033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.mulHighSU(a.get(o.rs1), a.get(o.rs2)))),
  op('mulhu', 0x02003033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.mulHighU(a.get(o.rs1), a.get(o.rs2)))),
  op('div', 0x02004033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.divS(a.get(o.rs1), a.get(o.rs2)))),
  op('divu', 0x02005033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.divU(a.get(o.rs1), a.get(o.rs2)))),
  op('rem', 0x02006033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.remS(a.get(o.rs1), a.get(o.rs2)))),
  op('remu', 0x02007033, 'xd,x1,x2', (a, o) => a.set(o.rd, a.remU(a.get(o.rs1), a.get(o.rs2)))),
  op('mulw', 0x0200003b, 'xd,x1,x2', (a, o) => a.set(o.rd, a.sext32(a.mul(a.get(o.rs1), a.get(o.rs2))))),
  op('divw', 0x0200403b, 'xd,x1,x2', (a, o) => {
    a.set(o.rd, a.sext32(a.divS(a.sext32(a.get(o.rs1)), a.sext32(a.get(o.rs2)))));
  }),
  op('divuw', 0x0200503b, 'xd,x1,x2', (a, o) => {
    a.set(o.rd, a.sext32(a.divU(a.zext32(a.get(o.rs1)), a.zext32(a.get(o.rs2)))));
  }),
  op('remw', 0x0200603b, 'xd,x1,x2', (a, o) => {
    a.set(o.rd, a.sext32(a.remS(a.sext32(a.get(o.rs1)), a.sext32(a.get(o.rs2)))));
  }),
  op('remuw', 0x0200703b, 'xd,x1,x2', (a, o) => {
    a.set(o.rd, a.sext32(a.remU(a.zext32(a.get(o.rs1)), a.zext32(a.get(o.rs2)))));
  }),
];
