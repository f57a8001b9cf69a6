import { prepared } from '../../base/prepared.js';
import { FunctionCode, ModuleBuilder } from '../../cpu/wasm/code.js';
import { createMemory, instantiate, type Memory } from '../../cpu/wasm/web-assembly.js';

const GROUP_BITS = 7;
const WORD_BITS = 2;

/** Changes the page at an address by what stands at another one, as `applyDelta`: any bytes change no more than that page. */
export type ApplyAt = (delta: number, page: number) => void;

/**
 * Puts pages together from what is stored at places: another place u32 and then a delta, and so on until that place is
 * 0. A place's low bits are where it is in its block.
 * @param i the first one of a list
 * @param end of the list
 * @returns the number of a page for which a block is missing, of which nothing was done yet, or `end`
 */
export type PutTogether = (i: number, end: number) => number;

/** Addresses of what that reads, and where the pages go: all are zeros before. */
export interface PageLayout {
  /** Places of the pages, u32. */
  readonly list: number;
  readonly pages: number;
  readonly pageBits: number;
  /** Addresses of blocks by their numbers, u32; 0 for one that is missing. */
  readonly blocks: number;
  readonly blockBits: number;
  /** Told there, u32: a place in the block that is missing; 0 where a page has more deltas than can be. */
  readonly missing: number;
  readonly mostDeltas: number;
}

/** What reads pages, as WebAssembly: a look needs tens of thousands before hosts have compiled anything else. */
export function makeDeltaCode(
  memoryBytes: number,
  layout: PageLayout,
): { readonly memory: Memory; readonly apply: ApplyAt; readonly putTogether: PutTogether } {
  const memory = createMemory(memoryBytes);
  const name = `pages of checkpoints, ${memoryBytes}, ${Object.values(layout).join()}`;
  const code = prepared(name, () => {
    const module = new ModuleBuilder(memoryBytes);
    const applier = module.add(applyCode());
    module.export('apply', applier);
    module.export('putTogether', module.add(putTogetherCode(layout, applier)));
    return module.result();
  });
  const { apply, putTogether } = instantiate(code, { env: { memory } }).exports;
  return { memory, apply: apply as ApplyAt, putTogether: putTogether as PutTogether };
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

function putTogetherCode(layout: PageLayout, applier: number): FunctionCode {
  const { list, pages, pageBits, blocks, blockBits, missing, mostDeltas } = layout;
  const code = new FunctionCode({ params: ['i32', 'i32'], results: ['i32'] });
  const [i, end] = [0, 1];
  const [place, address, left] = [0, 1, 2].map(() => code.local('i32'));
  const first = () => code.get(i).i32(2).op('i32.shl').access('i32.load', list).set(place);
  const block = () =>
    code.get(place).i32(blockBits).op('i32.shr_u').i32(2).op('i32.shl').access('i32.load', blocks);
  const inBlock = () =>
    code
      .get(place)
      .i32((1 << blockBits) - 1)
      .op('i32.and')
      .get(address)
      .op('i32.add')
      .set(address);
  const base = () => code.get(address).access('i32.load', 0).tee(place);
  code.block().loop();
  code.get(i).get(end).op('i32.eq').brIf(1);
  // First of all its blocks: what was begun could not be begun anew.
  first();
  code.i32(mostDeltas).set(left).loop();
  block().tee(address).op('i32.eqz').if();
  code.i32(0).get(place).access('i32.store', missing).get(i).op('return').op('end');
  inBlock();
  base().if();
  code.get(left).i32(1).op('i32.sub').tee(left).brIf(1);
  code.i32(0).i32(0).access('i32.store', missing).get(i).op('return').op('end').op('end');
  first();
  code.loop();
  block().set(address);
  inBlock();
  code
    .get(address)
    .i32(4)
    .op('i32.add')
    .get(i)
    .i32(pageBits)
    .op('i32.shl')
    .i32(pages)
    .op('i32.add')
    .call(applier);
  base().brIf(0).op('end');
  code.get(i).i32(1).op('i32.add').set(i).br(0).op('end').op('end');
  code.get(i);
  return code;
}
