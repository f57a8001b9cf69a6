import test from 'ava';
import fc from 'fast-check';
import { SYSCALLS } from '../../src/abi/syscalls.js';
import { readElf } from '../../src/loader/elf.js';
import { loadedModule, Symbolizer } from '../../src/loader/symbols.js';
import { buildVdso } from '../../src/loader/vdso.js';
import { RISCV64_VDSO } from '../../src/loader/vdso-riscv64.js';
import { withSymbols } from './craft.js';
import { fixture } from './support.js';

const BIAS = 0x3f0000000;
const layout = readElf(fixture('layout.elf'));
const program = loadedModule('layout', layout, BIAS);
const vdso = loadedModule('libzircon.so', readElf(buildVdso(RISCV64_VDSO, SYSCALLS).image), 0x20000000);
const symbolizer = new Symbolizer([program, vdso]);

function at(name: string): number {
  return layout.symbols.find(name)!.address + BIAS;
}

test('a module says where it is and which file it is', (t) => {
  t.is(program.base, BIAS);
  t.is(program.sizeBytes, 0x7000);
  t.is(program.buildId, layout.buildId);
  t.is(symbolizer.moduleAt(BIAS), program);
  t.is(symbolizer.moduleAt(BIAS + 0x6fff), program);
  t.is(symbolizer.moduleAt(BIAS + 0x7000), null);
  t.is(symbolizer.moduleAt(BIAS - 1), null);
  t.is(symbolizer.moduleAt(vdso.base), vdso);
});

test('functions, labels and variables name their addresses, up to their ends', (t) => {
  t.is(symbolizer.describe(at('inner')), 'inner+0x0');
  t.is(symbolizer.describe(at('inner') + 0x12), 'inner+0x12');
  t.is(symbolizer.describe(at('outer') - 1), 'inner+0x51');
  t.is(symbolizer.describe(at('outer') + 41), 'outer+0x29');
  t.is(symbolizer.describe(at('outer') + 42), 'text+0x0');
  t.is(symbolizer.describe(at('text') + 10), `layout+0x${(at('text') + 10 - BIAS).toString(16)}`);
  t.is(symbolizer.describe(at('_start') + 3), '_start+0x3');
  t.is(symbolizer.describe(at('after_outer') + 4), 'after_outer+0x4');
  t.is(symbolizer.describe(at('initialised') + 4), 'initialised+0x4');
  t.is(symbolizer.describe(at('zeroed') + 19999), 'zeroed+0x4e1f');
  t.is(symbolizer.describe(at('zeroed') + 20000), 'layout+0x6e40');
});

test('mapping symbols and marks of the linker name nothing', (t) => {
  const places = Array.from({ length: 0x7000 }, (_, i) => symbolizer.resolve(BIAS + i)?.symbol);
  const names = new Set(places.filter((name) => name !== undefined));
  t.deepEqual(
    [...names],
    ['_start', 'after_outer', 'inner', 'outer', 'text', 'initialised', 'hidden', 'zeroed'],
  );
});

test('the vDSO names calls as programs do', (t) => {
  const call = vdso.elf.symbols.find('zx_channel_write')!;
  t.is(symbolizer.describe(vdso.bias + call.address + 4), 'zx_channel_write+0x4');
});

test('what is in no module stays a number', (t) => {
  t.is(symbolizer.resolve(0), null);
  t.is(symbolizer.describe(0x1234), '0x1234');
});

test('inner symbols name their own bytes, outer ones the rest', (t) => {
  const elf = withSymbols([
    { name: 'outer', address: 0x100, sizeBytes: 0x100 },
    { name: 'inner', address: 0x140, sizeBytes: 0x10 },
    { name: 'innermost', address: 0x144, sizeBytes: 4 },
    { name: '.Llocal', address: 0x180, sizeBytes: 8 },
    { name: 'inside_label', address: 0x190, sizeBytes: 0 },
    { name: '_alias', address: 0x200, sizeBytes: 8 },
    { name: 'alias', address: 0x200, sizeBytes: 8 },
    { name: '__alias', address: 0x200, sizeBytes: 8 },
    { name: 'label', address: 0x210, sizeBytes: 0 },
    { name: 'crosses', address: 0x240, sizeBytes: 0x20 },
    { name: 'crossed', address: 0x250, sizeBytes: 0x100 },
    { name: 'endless', address: 0x300, sizeBytes: Number.MAX_SAFE_INTEGER },
  ]);
  const one = new Symbolizer([loadedModule('m', elf, 0)]);
  const cases: Readonly<Record<number, string>> = {
    255: 'm+0xff',
    256: 'outer+0x0',
    319: 'outer+0x3f',
    320: 'inner+0x0',
    325: 'innermost+0x1',
    328: 'inner+0x8',
    336: 'outer+0x50',
    388: 'outer+0x84',
    404: 'outer+0x94',
    512: 'alias+0x0',
    520: 'm+0x208',
    528: 'label+0x0',
    575: 'label+0x2f',
    576: 'crosses+0x0',
    592: 'crossed+0x0',
    608: 'm+0x260',
    767: 'm+0x2ff',
    768: 'endless+0x0',
    4095: 'endless+0xcff',
  };
  for (const [address, text] of Object.entries(cases)) t.is(one.describe(Number(address)), text);
});

test('lookups agree with a search through all symbols', (t) => {
  const anySymbol = fc.record({
    address: fc.integer({ min: 0, max: 0x300 }),
    sizeBytes: fc.integer({ min: 1, max: 64 }),
  });
  fc.assert(
    fc.property(fc.uniqueArray(anySymbol, { maxLength: 40, selector: (s) => s.address }), (places) => {
      const symbols = places.map((s, i) => ({ ...s, name: `f${i}` }));
      const nested = symbols.filter((s) => symbols.every((o) => o === s || !cross(s, o)));
      const one = new Symbolizer([loadedModule('m', withSymbols(nested), 0)]);
      for (let address = 0; address < 0x380; address++) {
        const around = nested.filter((s) => address >= s.address && address < s.address + s.sizeBytes);
        const wanted = around.sort((a, b) => a.sizeBytes - b.sizeBytes)[0];
        const place = one.resolve(address);
        if (place?.symbol !== wanted?.name) return false;
        if (place !== null && place.start !== wanted.address) return false;
      }
      return true;
    }),
    { numRuns: 200 },
  );
  t.pass();
});

interface Span {
  address: number;
  sizeBytes: number;
}

/** Neither apart nor one inside the other. */
function cross(a: Span, b: Span): boolean {
  const [endA, endB] = [a.address + a.sizeBytes, b.address + b.sizeBytes];
  if (endA <= b.address || endB <= a.address) return false;
  return !((a.address <= b.address && endB <= endA) || (b.address <= a.address && endA <= endB));
}
