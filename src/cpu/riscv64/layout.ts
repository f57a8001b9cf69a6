/**
 * The register file: slots of 8 bytes, little-endian. Slots 0 to 64 have the numbers of the RISC-V DWARF
 * specification (x0-x31, f0-f31), with fcsr and pc behind them.
 */
export const X0 = 0;
export const A0 = 10;
export const F0 = 32;
export const FCSR = 64;
export const PC = 65;
export const STATE_SLOTS = 66;
/** Where writes to x0 go while instructions run; not part of a state. */
export const SINK = 66;
export const ALL_SLOTS = 67;

const X_NAMES = [
  ...['zero', 'ra', 'sp', 'gp', 'tp', 't0', 't1', 't2', 's0', 's1'],
  ...['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'],
  ...['s2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11', 't3', 't4', 't5', 't6'],
];
const F_NAMES = [
  ...['ft0', 'ft1', 'ft2', 'ft3', 'ft4', 'ft5', 'ft6', 'ft7', 'fs0', 'fs1'],
  ...['fa0', 'fa1', 'fa2', 'fa3', 'fa4', 'fa5', 'fa6', 'fa7'],
  ...['fs2', 'fs3', 'fs4', 'fs5', 'fs6', 'fs7', 'fs8', 'fs9', 'fs10', 'fs11', 'ft8', 'ft9', 'ft10', 'ft11'],
];

/** Names of the calling convention, by slot. */
export const REGISTER_NAMES: readonly string[] = [...X_NAMES, ...F_NAMES, 'fcsr', 'pc'];
