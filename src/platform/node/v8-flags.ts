import { setFlagsFromString } from 'node:v8';

/**
 * Settings of V8 11.3, of Node 20; later versions have others. Results are the same without. The first must be set before
 * the first WebAssembly is compiled, and all before a script with kept code is read: V8 compares flags.
 */
if (process.versions.v8.startsWith('11.3.')) {
  // Relaxed SIMD is behind a flag, and with it the one instruction for multiply-add.
  setFlagsFromString('--experimental-wasm-relaxed-simd');
  // JavaScript is optimised four times later than as a rule: of a short run's processor time that was a fifth.
  setFlagsFromString('--interrupt-budget=250000');
}
