/**
 * IEEE 754 binary32 and binary64 as RISC-V defines them, on raw bits (binary32 in the low 32 bits of a bigint, the
 * rest zero: NaN-boxing is the caller's). Results and flags are exact in every rounding mode and on every host.
 */
export * from './softfloat/binary32.js';
export * from './softfloat/binary64.js';
export { DZ, FloatEnv, NV, NX, OF, RDN, RMM, RNE, RTZ, RUP, UF } from './softfloat/env.js';
