import { fc, testProp } from '@fast-check/ava';
import test, { type ExecutionContext } from 'ava';
import { ADDRESS_SPACES, VM_ALIGN_SHIFT, VmOption } from '../../src/abi/vm.js';
import { Harness } from './harness.js';
import { gives, NOWHERE } from './ipc-support.js';
import { CAN_MAP_RWX, map, newVmar, newVmo, PAGE, R, vmarOf } from './vm-support.js';

const { COMPACT, OFFSET_IS_UPPER_LIMIT, SPECIFIC, CAN_MAP_SPECIFIC } = VmOption;
const SPACE = CAN_MAP_RWX | CAN_MAP_SPECIFIC;
const PAGES = 40;

function withAslr(entropySeed = 1, mode: 'owned' | 'immer' = 'owned'): Harness {
  return new Harness({ aslr: true, entropySeed }, mode);
}

/** Addresses of ten mappings that the kernel placed. */
function places(h: Harness): number[] {
  const vmo = newVmo(h, PAGE);
  return Array.from({ length: 10 }, () => map(h, R, 0, vmo, 0, PAGE));
}

test('random addresses depend on the entropy seed alone, and are all over the address space', (t) => {
  const a = places(withAslr(1));
  t.deepEqual(places(withAslr(1)), a);
  t.deepEqual(places(withAslr(1, 'immer')), a);
  const b = places(withAslr(2));
  t.is(new Set([...a, ...b]).size, 20);
  const { base, top } = ADDRESS_SPACES.riscv64;
  for (const address of [...a, ...b]) t.true(address >= base && address < top && address % PAGE === 0);
  const middle = (base + top) / 2;
  const below = [...a, ...b].filter((address) => address < middle).length;
  t.true(below > 2 && below < 18);
});

test('without ASLR each address is the lowest, and nothing is drawn', (t) => {
  const h = new Harness();
  const before = h.k.state.addressEntropy;
  const [first, second] = places(h);
  t.is(first, ADDRESS_SPACES.riscv64.base);
  t.is(second, first + PAGE);
  t.is(h.k.state.addressEntropy, before);
});

test('an address that the program chose is not random, and calls that fail draw nothing', (t) => {
  const h = withAslr();
  const before = h.k.state.addressEntropy;
  const vmo = newVmo(h, PAGE);
  t.is(map(h, R | SPECIFIC, 0x100000, vmo, 0, PAGE), ADDRESS_SPACES.riscv64.base + 0x100000);
  const root = h.handles.rootVmar;
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_map', [root, R, 0, vmo, 0, PAGE, NOWHERE]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_vmar_allocate', [root, CAN_MAP_RWX, 0, PAGE, NOWHERE, h.scratch(8)]);
  const all = ADDRESS_SPACES.riscv64.top - ADDRESS_SPACES.riscv64.base;
  gives(t, h, 'ERR_NO_RESOURCES', 'zx_vmar_allocate', [
    root,
    CAN_MAP_RWX,
    0,
    all,
    h.scratch(4),
    h.scratch(8),
  ]);
  t.is(h.k.state.addressEntropy, before);
  map(h, R, 0, vmo, 0, PAGE);
  t.not(h.k.state.addressEntropy, before);
});

test('compact VMARs have 2^8 places for each new region, the lowest', (t) => {
  const h = withAslr();
  const vmo = newVmo(h, PAGE);
  const { vmar, address } = newVmar(h, SPACE | COMPACT, 0, 4096 * PAGE);
  // Several gaps: one behind another was once looked for in those before it, for ever.
  for (const page of [10, 20]) map(h, R | SPECIFIC, page * PAGE, vmo, 0, PAGE, vmar);
  const seen: number[] = [];
  for (let i = 0; i < 400; i++) {
    const at = map(h, R, 0, vmo, 0, PAGE, vmar);
    seen.push((at - address) / PAGE);
    gives(t, h, 'OK', 'zx_vmar_unmap', [vmar, at, PAGE]);
  }
  t.true(Math.max(...seen) <= 257 && Math.max(...seen) > 200);
  t.false(seen.includes(10) || seen.includes(20));
});

const region = fc.record({ first: fc.nat(PAGES - 1), count: fc.integer({ min: 1, max: 5 }) });

testProp(
  'a random place is any of those where it fits, and no other',
  [
    fc.array(region, { maxLength: 12 }),
    fc.integer({ min: 1, max: 8 }),
    fc.constantFrom(0, 13, 15),
    fc.option(fc.integer({ min: 8, max: PAGES }), { nil: 0 }),
    fc.nat(1000),
  ],
  (t: ExecutionContext, taken, count, alignLog2, limitPages, seed) => {
    const h = withAslr(seed);
    const vmo = newVmo(h, PAGE);
    const { vmar, address } = newVmar(h, SPACE, 0, PAGES * PAGE);
    const free = new Array<boolean>(PAGES).fill(true);
    for (const { first, count: pages } of taken) {
      const wanted = free.slice(first, first + pages);
      if (wanted.length < pages || wanted.includes(false)) continue;
      map(h, R | SPECIFIC | VmOption.ALLOW_FAULTS, first * PAGE, vmo, 0, pages * PAGE, vmar);
      free.fill(false, first, first + pages);
    }
    const end = limitPages === 0 ? PAGES : limitPages;
    const alignment = Math.max(PAGE, 2 ** alignLog2);
    const possible = new Set<number>();
    for (let page = 0; page + count <= end; page++) {
      const fits = free.slice(page, page + count).every((is) => is);
      if (fits && (address + page * PAGE) % alignment === 0) possible.add(page);
    }
    const limited = limitPages === 0 ? 0 : OFFSET_IS_UPPER_LIMIT;
    const options = CAN_MAP_RWX | limited | ((alignLog2 << VM_ALIGN_SHIFT) >>> 0);
    const seen = new Set<number>();
    const out = h.scratch(16);
    for (let i = 0; i < 20 * Math.max(1, possible.size); i++) {
      const args = [vmar, options, limitPages * PAGE, count * PAGE, out, out + 8];
      if (possible.size === 0) {
        gives(t, h, 'ERR_NO_RESOURCES', 'zx_vmar_allocate', args);
        continue;
      }
      gives(t, h, 'OK', 'zx_vmar_allocate', args);
      seen.add((Number(h.u64(out + 8)) - address) / PAGE);
      gives(t, h, 'OK', 'zx_vmar_destroy', [h.u32(out)]);
      gives(t, h, 'OK', 'zx_handle_close', [h.u32(out)]);
    }
    for (const page of seen) t.true(possible.has(page), `page ${page}`);
    // Of n places 20n draws miss one with a chance of about n / e^20.
    t.is(seen.size, possible.size);
    t.is(vmarOf(h, vmar).destroyed, false);
  },
  { numRuns: 60 },
);
