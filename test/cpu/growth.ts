import type { ExecutionContext } from 'ava';
import { MEMORY_BYTES, memory, newModule } from '../../src/cpu/engines/host-memory.js';
import { FunctionCode } from '../../src/cpu/wasm/code.js';
import { instantiate } from '../../src/cpu/wasm/web-assembly.js';
import { PAGE } from '../kernel/vm-support.js';
import { SNAPSHOT, World } from './page-world.js';

/** More than there are slots before the memory grows. */
const PAGES = 3000;
/** What generated code may ask for where it does not ask for each page. */
const FEW = 40;

const loop = { what: 'loop', aliased: false, value: 7, count: PAGES } as const;
const over = { ...loop, kind: 1, address: 0, strideBytes: PAGE };
const back = { ...loop, kind: 3, address: (PAGES - 1) * PAGE, strideBytes: -PAGE };

type FastKind = 'auto' | 'interpreter';

/** All engines store to more pages than fit at first, one of this kind before the others. */
export function storePastTheFirst(t: ExecutionContext, kind: FastKind): void {
  const other = kind === 'auto' ? 'interpreter' : 'auto';
  const worlds = ([kind, 'reference', other] as const).map((one) => new World(one, 65536, false, PAGES));
  for (const action of [over, SNAPSHOT, back, { ...over, kind: 2 }, SNAPSHOT, over]) {
    const did = worlds.map((world) => world.does(action));
    for (const one of did) t.is(one, did[0]!);
  }
  const hash = worlds[0]!.hash();
  for (const world of worlds) {
    world.checkBytes();
    t.is(world.changed(), 0);
    t.is(world.hash(), hash);
  }
}

/** The memory grows while generated code stores. For the first test of a process: it grows once. */
export function growInFirstStores(t: ExecutionContext, kind: FastKind): void {
  const before = peek();
  const world = new World(kind, 65536, false, PAGES);
  t.true(memory.buffer.byteLength < MEMORY_BYTES);
  world.asked.clear();
  world.does(over);
  t.is(memory.buffer.byteLength, MEMORY_BYTES);
  const { asked } = world;
  const times = (asked.get('pageForStore') ?? 0) + (asked.get('pageForLoad') ?? 0);
  t.true(times < FEW, `${times}`);
  world.checkBytes();
  for (const at of [before, peek()]) t.is(at(MEMORY_BYTES - 8), 0n);
}

/** Loads from an address, by code made for the memory. */
function peek(): (address: number) => bigint {
  const module = newModule();
  const code = new FunctionCode({ params: ['i32'], results: ['i64'] });
  code.get(0).access('i64.load', 0);
  module.export('peek', module.add(code));
  return instantiate(module.result(), { env: { memory } }).exports.peek as (address: number) => bigint;
}
