import type { Algebra, Domain } from '../engines/algebra.js';
import { instruction as op } from './instruction.js';

/**
 * RV64F and D (unprivileged manual, chapters "F" and "D"). Registers are 64 bits; a binary32 value in one is boxed:
 * its high half is all ones, and anything else read as binary32 is the canonical NaN ("NaN Boxing of Narrower Values").
 */

const BOX = -0x1_0000_0000n;
const CANONICAL_NAN = 0x7fc0_0000n;
const SIGN_32 = 0x8000_0000n;
const SIGN_64 = -0x8000_0000_0000_0000n;

function single<D extends Domain>(a: Algebra<D>, register: D['register']): D['value'] {
  const bits = a.get(register);
  return a.select(a.geU(bits, a.constant(BOX)), a.zext32(bits), a.constant(CANONICAL_NAN));
}

function setSingle<D extends Domain>(a: Algebra<D>, register: D['register'], bits: D['value']): void {
  a.set(register, a.or(bits, a.constant(BOX)));
}

/** The magnitude of x with the sign bit of y, of which nothing else may be set. */
function withSign<D extends Domain>(a: Algebra<D>, x: D['value'], sign: D['value'], bit: bigint): D['value'] {
  return a.or(a.and(x, a.constant(~bit)), sign);
}

function signOf<D extends Domain>(a: Algebra<D>, x: D['value'], bit: bigint): D['value'] {
  return a.and(x, a.constant(bit));
}

function flipped<D extends Domain>(a: Algebra<D>, x: D['value'], bit: bigint): D['value'] {
  return a.xor(x, a.constant(bit));
}

export const SINGLE_MEMORY_AND_MOVES = [
  op('flw', 0x2007, 'fd,i(x1)', (a, o) => {
    setSingle(a, o.rd, a.load32U(a.add(a.get(o.rs1), a.imm(o.imm))));
  }),
  op('fsw', 0x2027, 'f2,s(x1)', (a, o) => a.store32(a.add(a.get(o.rs1), a.imm(o.imm)), a.get(o.rs2))),
  op('fmv.x.w', 0xe0000053, 'xd,f1', (a, o) => a.set(o.rd, a.sext32(a.get(o.rs1)))),
  op('fmv.w.x', 0xf0000053, 'fd,x1', (a, o) => setSingle(a, o.rd, a.zext32(a.get(o.rs1)))),
  op('fsgnj.s', 0x20000053, 'fd,f1,f2', (a, o) => {
    setSingle(a, o.rd, withSign(a, single(a, o.rs1), signOf(a, single(a, o.rs2), SIGN_32), SIGN_32));
  }),
  op('fsgnjn.s', 0x20001053, 'fd,f1,f2', (a, o) => {
    const sign = signOf(a, flipped(a, single(a, o.rs2), SIGN_32), SIGN_32);
    setSingle(a, o.rd, withSign(a, single(a, o.rs1), sign, SIGN_32));
  }),
  op('fsgnjx.s', 0x20002053, 'fd,f1,f2', (a, o) => {
    setSingle(a, o.rd, a.xor(single(a, o.rs1), signOf(a, single(a, o.rs2), SIGN_32)));
  }),
];

export const SINGLE = [
  op('fadd.s', 0x00000053, 'fd,f1,f2,rm', (a, o) => {
    setSingle(a, o.rd, a.f32Add(single(a, o.rs1), single(a, o.rs2), o.rm));
  }),
  op('fsub.s', 0x08000053, 'fd,f1,f2,rm', (a, o) => {
    setSingle(a, o.rd, a.f32Sub(single(a, o.rs1), single(a, o.rs2), o.rm));
  }),
  op('fmul.s', 0x10000053, 'fd,f1,f2,rm', (a, o) => {
    setSingle(a, o.rd, a.f32Mul(single(a, o.rs1), single(a, o.rs2), o.rm));
  }),
  op('fdiv.s', 0x18000053, 'fd,f1,f2,rm', (a, o) => {
    setSingle(a, o.rd, a.f32Div(single(a, o.rs1), single(a, o.rs2), o.rm));
  }),
  op('fsqrt.s', 0x58000053, 'fd,f1,rm', (a, o) => setSingle(a, o.rd, a.f32Sqrt(single(a, o.rs1), o.rm))),
  op('fmin.s', 0x28000053, 'fd,f1,f2', (a, o) => {
    setSingle(a, o.rd, a.f32Min(single(a, o.rs1), single(a, o.rs2)));
  }),
  op('fmax.s', 0x28001053, 'fd,f1,f2', (a, o) => {
    setSingle(a, o.rd, a.f32Max(single(a, o.rs1), single(a, o.rs2)));
  }),
  op('feq.s', 0xa0002053, 'xd,f1,f2', (a, o) => {
    a.set(o.rd, a.bool(a.f32Eq(single(a, o.rs1), single(a, o.rs2))));
  }),
  op('flt.s', 0xa0001053, 'xd,f1,f2', (a, o) => {
    a.set(o.rd, a.bool(a.f32Lt(single(a, o.rs1), single(a, o.rs2))));
  }),
  op('fle.s', 0xa0000053, 'xd,f1,f2', (a, o) => {
    a.set(o.rd, a.bool(a.f32Le(single(a, o.rs1), single(a, o.rs2))));
  }),
  op('fclass.s', 0xe0001053, 'xd,f1', (a, o) => a.set(o.rd, a.f32Classify(single(a, o.rs1)))),
  op('fmadd.s', 0x43, 'fd,f1,f2,f3,rm', (a, o) => {
    setSingle(a, o.rd, a.f32MulAdd(single(a, o.rs1), single(a, o.rs2), single(a, o.rs3), o.rm));
  }),
  op('fmsub.s', 0x47, 'fd,f1,f2,f3,rm', (a, o) => {
    const z = flipped(a, single(a, o.rs3), SIGN_32);
    setSingle(a, o.rd, a.f32MulAdd(single(a, o.rs1), single(a, o.rs2), z, o.rm));
  }),
  op('fnmsub.s', 0x4b, 'fd,f1,f2,f3,rm', (a, o) => {
    const x = flipped(a, single(a, o.rs1), SIGN_32);
    setSingle(a, o.rd, a.f32MulAdd(x, single(a, o.rs2), single(a, o.rs3), o.rm));
  }),
  op('fnmadd.s', 0x4f, 'fd,f1,f2,f3,rm', (a, o) => {
    const x = flipped(a, single(a, o.rs1), SIGN_32);
    const z = flipped(a, single(a, o.rs3), SIGN_32);
    setSingle(a, o.rd, a.f32MulAdd(x, single(a, o.rs2), z, o.rm));
  }),
];

export const SINGLE_CONVERSIONS = [
  op('fcvt.w.s', 0xc0000053, 'xd,f1,rm', (a, o) => {
    a.set(o.rd, a.sext32(a.f32ToI32(single(a, o.rs1), o.rm)));
  }),
  op('fcvt.wu.s', 0xc0100053, 'xd,f1,rm', (a, o) => {
    a.set(o.rd, a.sext32(a.f32ToU32(single(a, o.rs1), o.rm)));
  }),
  op('fcvt.l.s', 0xc0200053, 'xd,f1,rm', (a, o) => a.set(o.rd, a.f32ToI64(single(a, o.rs1), o.rm))),
  op('fcvt.lu.s', 0xc0300053, 'xd,f1,rm', (a, o) => a.set(o.rd, a.f32ToU64(single(a, o.rs1), o.rm))),
  op('fcvt.s.w', 0xd0000053, 'fd,x1,rm', (a, o) => setSingle(a, o.rd, a.f32FromI32(a.get(o.rs1), o.rm))),
  op('fcvt.s.wu', 0xd0100053, 'fd,x1,rm', (a, o) => setSingle(a, o.rd, a.f32FromU32(a.get(o.rs1), o.rm))),
  op('fcvt.s.l', 0xd0200053, 'fd,x1,rm', (a, o) => setSingle(a, o.rd, a.f32FromI64(a.get(o.rs1), o.rm))),
  op('fcvt.s.lu', 0xd0300053, 'fd,x1,rm', (a, o) => setSingle(a, o.rd, a.f32FromU64(a.get(o.rs1), o.rm))),
  op('fcvt.s.d', 0x40100053, 'fd,f1,rm', (a, o) => setSingle(a, o.rd, a.f64ToF32(a.get(o.rs1), o.rm))),
];

export const DOUBLE_MEMORY_AND_MOVES = [
  op('fld', 0x3007, 'fd,i(x1)', (a, o) => a.set(o.rd, a.load64(a.add(a.get(o.rs1), a.imm(o.imm))))),
  op('fsd', 0x3027, 'f2,s(x1)', (a, o) => a.store64(a.add(a.get(o.rs1), a.imm(o.imm)), a.get(o.rs2))),
  op('fmv.x.d', 0xe2000053, 'xd,f1', (a, o) => a.set(o.rd, a.get(o.rs1))),
  op('fmv.d.x', 0xf2000053, 'fd,x1', (a, o) => a.set(o.rd, a.get(o.rs1))),
  op('fsgnj.d', 0x22000053, 'fd,f1,f2', (a, o) => {
    a.set(o.rd, withSign(a, a.get(o.rs1), signOf(a, a.get(o.rs2), SIGN_64), SIGN_64));
  }),
  op('fsgnjn.d', 0x22001053, 'fd,f1,f2', (a, o) => {
    const sign = signOf(a, flipped(a, a.get(o.rs2), SIGN_64), SIGN_64);
    a.set(o.rd, withSign(a, a.get(o.rs1), sign, SIGN_64));
  }),
  op('fsgnjx.d', 0x22002053, 'fd,f1,f2', (a, o) => {
    a.set(o.rd, a.xor(a.get(o.rs1), signOf(a, a.get(o.rs2), SIGN_64)));
  }),
];

export const DOUBLE = [
  op('fadd.d', 0x02000053, 'fd,f1,f2,rm', (a, o) => {
    a.set(o.rd, a.f64Add(a.get(o.rs1), a.get(o.rs2), o.rm));
  }),
  op('fsub.d', 0x0a000053, 'fd,f1,f2,rm', (a, o) => {
    a.set(o.rd, a.f64Sub(a.get(o.rs1), a.get(o.rs2), o.rm));
  }),
  op('fmul.d', 0x12000053, 'fd,f1,f2,rm', (a, o) => {
    a.set(o.rd, a.f64Mul(a.get(o.rs1), a.get(o.rs2), o.rm));
  }),
  op('fdiv.d', 0x1a000053, 'fd,f1,f2,rm', (a, o) => {
    a.set(o.rd, a.f64Div(a.get(o.rs1), a.get(o.rs2), o.rm));
  }),
  op('fsqrt.d', 0x5a000053, 'fd,f1,rm', (a, o) => a.set(o.rd, a.f64Sqrt(a.get(o.rs1), o.rm))),
  op('fmin.d', 0x2a000053, 'fd,f1,f2', (a, o) => a.set(o.rd, a.f64Min(a.get(o.rs1), a.get(o.rs2)))),
  op('fmax.d', 0x2a001053, 'fd,f1,f2', (a, o) => a.set(o.rd, a.f64Max(a.get(o.rs1), a.get(o.rs2)))),
  op('feq.d', 0xa2002053, 'xd,f1,f2', (a, o) => a.set(o.rd, a.bool(a.f64Eq(a.get(o.rs1), a.get(o.rs2))))),
  op('flt.d', 0xa2001053, 'xd,f1,f2', (a, o) => a.set(o.rd, a.bool(a.f64Lt(a.get(o.rs1), a.get(o.rs2))))),
  op('fle.d', 0xa2000053, 'xd,f1,f2', (a, o) => a.set(o.rd, a.bool(a.f64Le(a.get(o.rs1), a.get(o.rs2))))),
  op('fclass.d', 0xe2001053, 'xd,f1', (a, o) => a.set(o.rd, a.f64Classify(a.get(o.rs1)))),
  op('fmadd.d', 0x02000043, 'fd,f1,f2,f3,rm', (a, o) => {
    a.set(o.rd, a.f64MulAdd(a.get(o.rs1), a.get(o.rs2), a.get(o.rs3), o.rm));
  }),
  op('fmsub.d', 0x02000047, 'fd,f1,f2,f3,rm', (a, o) => {
    a.set(o.rd, a.f64MulAdd(a.get(o.rs1), a.get(o.rs2), flipped(a, a.get(o.rs3), SIGN_64), o.rm));
  }),
  op('fnmsub.d', 0x0200004b, 'fd,f1,f2,f3,rm', (a, o) => {
    a.set(o.rd, a.f64MulAdd(flipped(a, a.get(o.rs1), SIGN_64), a.get(o.rs2), a.get(o.rs3), o.rm));
  }),
  op('fnmadd.d', 0x0200004f, 'fd,f1,f2,f3,rm', (a, o) => {
    const x = flipped(a, a.get(o.rs1), SIGN_64);
    const z = flipped(a, a.get(o.rs3), SIGN_64);
    a.set(o.rd, a.f64MulAdd(x, a.get(o.rs2), z, o.rm));
  }),
];

export const DOUBLE_CONVERSIONS = [
  op('fcvt.w.d', 0xc2000053, 'xd,f1,rm', (a, o) => a.set(o.rd, a.sext32(a.f64ToI32(a.get(o.rs1), o.rm)))),
  op('fcvt.wu.d', 0xc2100053, 'xd,f1,rm', (a, o) => a.set(o.rd, a.sext32(a.f64ToU32(a.get(o.rs1), o.rm)))),
  op('fcvt.l.d', 0xc2200053, 'xd,f1,rm', (a, o) => a.set(o.rd, a.f64ToI64(a.get(o.rs1), o.rm))),
  op('fcvt.lu.d', 0xc2300053, 'xd,f1,rm', (a, o) => a.set(o.rd, a.f64ToU64(a.get(o.rs1), o.rm))),
  op('fcvt.d.w', 0xd2000053, 'fd,x1', (a, o) => a.set(o.rd, a.f64FromI32(a.get(o.rs1), o.rm)), ['rx']),
  op('fcvt.d.wu', 0xd2100053, 'fd,x1', (a, o) => a.set(o.rd, a.f64FromU32(a.get(o.rs1), o.rm)), ['rx']),
  op('fcvt.d.l', 0xd2200053, 'fd,x1,rm', (a, o) => a.set(o.rd, a.f64FromI64(a.get(o.rs1), o.rm))),
  op('fcvt.d.lu', 0xd2300053, 'fd,x1,rm', (a, o) => a.set(o.rd, a.f64FromU64(a.get(o.rs1), o.rm))),
  op('fcvt.d.s', 0x42000053, 'fd,f1', (a, o) => a.set(o.rd, a.f32ToF64(single(a, o.rs1), o.rm)), ['rx']),
];
