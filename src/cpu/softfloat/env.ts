/** Rounding modes, in the encoding of an instruction's rm field and of fcsr.frm (unprivileged manual, F chapter). */
export const RNE = 0;
export const RTZ = 1;
export const RDN = 2;
export const RUP = 3;
export const RMM = 4;

/** Accrued exception flags, in the encoding of fcsr.fflags. */
export const NV = 16;
export const DZ = 8;
export const OF = 4;
export const UF = 2;
export const NX = 1;

/** What an operation reads (the rounding mode) and what it leaves behind (flags, only ever added). */
export class FloatEnv {
  /** 0 to 4; the reserved encodings are illegal instructions and never get here. */
  rounding = RNE;
  flags = 0;
}
