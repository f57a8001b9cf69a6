import type { Algebra, Domain } from '../engines/algebra.js';
import { type Instruction, instruction as op } from './instruction.js';

/**
 * Fences, environment calls, and the control and status registers of user mode (unprivileged manual, chapters
 * "Zifencei", "Zicsr", "Zicntr", "F"). Instruction fetches see every earlier store, so fences have nothing to do.
 */

export const FENCES_AND_CALLS = [
  op('fence', 0x0f, 'pred,succ', () => {}, ['any']),
  op('fence.i', 0x100f, '', () => {}, ['all']),
  op('ecall', 0x73, '', (a) => a.syscall()),
  op('ebreak', 0x00100073, '', (a) => a.breakpoint()),
];

interface Csr {
  readonly name: string;
  readonly number: number;
  read<D extends Domain>(a: Algebra<D>): D['value'];
  write<D extends Domain>(a: Algebra<D>, value: D['value']): void;
}

const FFLAGS_BITS = 5n;

const FLOAT_CSRS: readonly Csr[] = [
  {
    name: 'fflags',
    number: 1,
    read: (a) => a.floatFlags(),
    write: (a, value) => a.setFloatFlags(a.and(value, a.constant(31n))),
  },
  {
    name: 'frm',
    number: 2,
    read: (a) => a.floatRounding(),
    write: (a, value) => a.setFloatRounding(a.and(value, a.constant(7n))),
  },
  {
    name: 'fcsr',
    number: 3,
    read: (a) => a.or(a.shl(a.floatRounding(), a.constant(FFLAGS_BITS)), a.floatFlags()),
    write: (a, value) => {
      a.setFloatFlags(a.and(value, a.constant(31n)));
      a.setFloatRounding(a.and(a.shrU(value, a.constant(FFLAGS_BITS)), a.constant(7n)));
    },
  },
];

/** All three count nanoseconds of virtual time: one instruction is 1 ns. */
const COUNTERS = [
  { name: 'cycle', number: 0xc00 },
  { name: 'time', number: 0xc01 },
  { name: 'instret', number: 0xc02 },
];

function accesses({ name, number, read, write }: Csr): Instruction[] {
  const at = number * 0x100000;
  const x = `xd,${name},x1`;
  const z = `xd,${name},z`;
  return [
    op('csrrw', at + 0x1073, x, (a, o) => {
      const value = a.get(o.rs1);
      a.set(o.rd, read(a));
      write(a, value);
    }),
    op('csrrs', at + 0x2073, x, (a, o) => {
      const old = read(a);
      const bits = a.get(o.rs1);
      a.set(o.rd, old);
      write(a, a.or(old, bits));
    }),
    op('csrrc', at + 0x3073, x, (a, o) => {
      const old = read(a);
      const bits = a.get(o.rs1);
      a.set(o.rd, old);
      write(a, a.and(old, a.xor(bits, a.constant(-1n))));
    }),
    op('csrrwi', at + 0x5073, z, (a, o) => {
      a.set(o.rd, read(a));
      write(a, a.imm(o.imm));
    }),
    op('csrrsi', at + 0x6073, z, (a, o) => {
      const old = read(a);
      a.set(o.rd, old);
      write(a, a.or(old, a.imm(o.imm)));
    }),
    op('csrrci', at + 0x7073, z, (a, o) => {
      const old = read(a);
      a.set(o.rd, old);
      write(a, a.and(old, a.xor(a.imm(o.imm), a.constant(-1n))));
    }),
  ];
}

/** Counters cannot be written: only the forms that set or clear no bit exist. */
function reads({ name, number }: { name: string; number: number }): Instruction[] {
  const at = number * 0x100000;
  return [
    op('csrrs', at + 0x2073, `xd,${name},zero`, (a, o) => a.set(o.rd, a.time())),
    op('csrrc', at + 0x3073, `xd,${name},zero`, (a, o) => a.set(o.rd, a.time())),
    op('csrrsi', at + 0x6073, `xd,${name},0`, (a, o) => a.set(o.rd, a.time())),
    op('csrrci', at + 0x7073, `xd,${name},0`, (a, o) => a.set(o.rd, a.time())),
  ];
}

export const CONTROL_AND_STATUS = [...FLOAT_CSRS.flatMap(accesses), ...COUNTERS.flatMap(reads)];
