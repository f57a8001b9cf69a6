import type { Algebra, Domain, Operands } from '../engines/algebra.js';
import { instruction as op } from './instruction.js';

/**
 * RV64A (unprivileged manual, chapter "A"). Instructions of different harts never overlap in time here, so the
 * ordering bits have nothing to do. A reservation is of the very bytes that lr loaded and stands until the next
 * sc, stop or end of a run; stores by the same hart leave it standing, which the manual allows.
 */

/** A read-modify-write: `change` makes the new value from the old one and the (sign-extended) operand. */
function word<D extends Domain>(
  a: Algebra<D>,
  o: Operands<D>,
  change: (old: D['value'], operand: D['value']) => D['value'],
): void {
  const address = a.get(o.rs1);
  const operand = a.sext32(a.get(o.rs2));
  a.checkAtomic(address, 4);
  const old = a.load32S(address);
  a.store32(address, change(old, operand));
  a.set(o.rd, old);
}

function double<D extends Domain>(
  a: Algebra<D>,
  o: Operands<D>,
  change: (old: D['value'], operand: D['value']) => D['value'],
): void {
  const address = a.get(o.rs1);
  const operand = a.get(o.rs2);
  a.checkAtomic(address, 8);
  const old = a.load64(address);
  a.store64(address, change(old, operand));
  a.set(o.rd, old);
}

const SYNTAX = 'xd,x2,(x1)';

export const RESERVATIONS = [
  op('lr.w{aqrl}', 0x1000202f, 'xd,(x1)', (a, o) => a.set(o.rd, a.loadReserved(a.get(o.rs1), 4))),
  op('lr.d{aqrl}', 0x1000302f, 'xd,(x1)', (a, o) => a.set(o.rd, a.loadReserved(a.get(o.rs1), 8))),
  op('sc.w{aqrl}', 0x1800202f, SYNTAX, (a, o) => {
    const stored = a.storeConditional(a.get(o.rs1), 4, a.get(o.rs2));
    a.set(o.rd, a.select(stored, a.constant(0n), a.constant(1n)));
  }),
  op('sc.d{aqrl}', 0x1800302f, SYNTAX, (a, o) => {
    const stored = a.storeConditional(a.get(o.rs1), 8, a.get(o.rs2));
    a.set(o.rd, a.select(stored, a.constant(0n), a.constant(1n)));
  }),
];

export const ATOMICS = [
  op('amoswap.w{aqrl}', 0x0800202f, SYNTAX, (a, o) => word(a, o, (_, y) => y)),
  op('amoadd.w{aqrl}', 0x0000202f, SYNTAX, (a, o) => word(a, o, (x, y) => a.add(x, y))),
  op('amoxor.w{aqrl}', 0x2000202f, SYNTAX, (a, o) => word(a, o, (x, y) => a.xor(x, y))),
  op('amoand.w{aqrl}', 0x6000202f, SYNTAX, (a, o) => word(a, o, (x, y) => a.and(x, y))),
  op('amoor.w{aqrl}', 0x4000202f, SYNTAX, (a, o) => word(a, o, (x, y) => a.or(x, y))),
  // Sign-extension keeps the order of unsigned words, too.
  op('amomin.w{aqrl}', 0x8000202f, SYNTAX, (a, o) => word(a, o, (x, y) => a.select(a.ltS(x, y), x, y))),
  op('amomax.w{aqrl}', 0xa000202f, SYNTAX, (a, o) => word(a, o, (x, y) => a.select(a.ltS(x, y), y, x))),
  op('amominu.w{aqrl}', 0xc000202f, SYNTAX, (a, o) => word(a, o, (x, y) => a.select(a.ltU(x, y), x, y))),
  op('amomaxu.w{aqrl}', 0xe000202f, SYNTAX, (a, o) => word(a, o, (x, y) => a.select(a.ltU(x, y), y, x))),
  op('amoswap.d{aqrl}', 0x0800302f, SYNTAX, (a, o) => double(a, o, (_, y) => y)),
  op('amoadd.d{aqrl}', 0x0000302f, SYNTAX, (a, o) => double(a, o, (x, y) => a.add(x, y))),
  op('amoxor.d{aqrl}', 0x2000302f, SYNTAX, (a, o) => double(a, o, (x, y) => a.xor(x, y))),
  op('amoand.d{aqrl}', 0x6000302f, SYNTAX, (a, o) => double(a, o, (x, y) => a.and(x, y))),
  op('amoor.d{aqrl}', 0x4000302f, SYNTAX, (a, o) => double(a, o, (x, y) => a.or(x, y))),
  op('amomin.d{aqrl}', 0x8000302f, SYNTAX, (a, o) => double(a, o, (x, y) => a.select(a.ltS(x, y), x, y))),
  op('amomax.d{aqrl}', 0xa000302f, SYNTAX, (a, o) => double(a, o, (x, y) => a.select(a.ltS(x, y), y, x))),
  op('amominu.d{aqrl}', 0xc000302f, SYNTAX, (a, o) => double(a, o, (x, y) => a.select(a.ltU(x, y), x, y))),
  op('amomaxu.d{aqrl}', 0xe000302f, SYNTAX, (a, o) => double(a, o, (x, y) => a.select(a.ltU(x, y), y, x))),
];
