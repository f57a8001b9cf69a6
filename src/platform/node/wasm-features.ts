import { setV8Flag } from './v8-flags.js';

/**
 * V8 11.3 has relaxed SIMD behind a flag, and with it the one instruction for multiply-add. It must be set before the
 * first WebAssembly is compiled. Later versions have it anyway; results are the same without.
 */
setV8Flag('--experimental-wasm-relaxed-simd');
