import { setFlagsFromString } from 'node:v8';

/**
 * V8 11.3, of Node 20, has relaxed SIMD behind a flag, and with it the one instruction for multiply-add. It must be set
 * before the first WebAssembly is compiled. Later versions have it anyway; results are the same without.
 */
if (process.versions.v8.startsWith('11.3.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
