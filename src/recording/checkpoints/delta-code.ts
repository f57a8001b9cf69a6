import { FunctionCode, ModuleBuilder } from '../../cpu/wasm/code.js';
import { createMemory, instantiate } from '../../cpu/wasm/web-assembly.js';

const GROUP_BITS = 7;
const WORD_BITS = 2;

/** Changes the page at an address by what stands at another one, as `applyDelta`: any bytes change no more than that page. */
export type ApplyAt = (delta: number, page: number) => void;

/** `applyDelta` as WebAssembly, and a memory for it: a look applies tens of thousands before hosts have compiled that. */
export function makeDeltaCode(memoryBytes: number): { readonly bytes: Uint8Array; readonly apply: ApplyAt } {
  const memory = createMemory(memoryBytes);
  const module = new ModuleBuilder(memoryBytes);
  module.export('apply', module.add(applyCode()));
  const { apply } = instantiate(module.result(), { env: { memory } }).exports;
  return { bytes: new Uint8Array(memory.buffer), apply: apply as ApplyAt };
}

function applyCode(): FunctionCode {
  const code = new FunctionCode({ params: ['i32', 'i32'], results: [] });
  const [at, page] = [0, 1];
  const [groups, group, map, word] = [0, 1, 2, 3].map(() => code.local('i32'));
  const next = (to: number) =>
    code.get(at).access('i32.load', 0).set(to).get(at).i32(4).op('i32.add').set(at);
  const withoutLowest = (of: number) =>
    code.get(of).get(of).i32(1).op('i32.sub').op('i32.and').tee(of).brIf(0).op('end');
  const placeOf = (bits: number, shift: number, start: number, to: number) =>
    code.get(bits).op('i32.ctz').i32(shift).op('i32.shl').get(start).op('i32.add').set(to);
  next(groups);
  code.get(groups).if().loop();
  placeOf(groups, GROUP_BITS, page, group);
  next(map);
  code.get(map).if().loop();
  placeOf(map, WORD_BITS, group, word);
  code.get(word).get(word).access('i32.load', 0).get(at).access('i32.load', 0).op('i32.xor');
  code.access('i32.store', 0).get(at).i32(4).op('i32.add').set(at);
  withoutLowest(map);
  code.op('end');
  withoutLowest(groups);
  code.op('end');
  return code;
}
