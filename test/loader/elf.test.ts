import test from 'ava';
import fc from 'fast-check';
import { ADDRESS_SPACES } from '../../src/abi/vm.js';
import { type Elf, ElfError, type ProgramRules, readElf, readProgram } from '../../src/loader/elf.js';
import { imageSpan, segmentImages } from '../../src/loader/segments.js';
import { loadedModule, Symbolizer } from '../../src/loader/symbols.js';
import { buildVdso, VDSO_SONAME } from '../../src/loader/vdso.js';
import { RISCV64_VDSO } from '../../src/loader/vdso-riscv64.js';
import { fixture, patched } from './support.js';

const RULES: ProgramRules = {
  machine: 243,
  machineName: 'riscv64',
  addresses: ADDRESS_SPACES.riscv64,
  vdsoName: VDSO_SONAME,
};
const layout = fixture('layout.elf');
const vdso = buildVdso(RISCV64_VDSO, [
  { number: 3, name: 'zx_one', flags: [] },
  { number: 4, name: 'zx_two', flags: ['noreturn'] },
]).image;

test('reads a program of the cross compiler', (t) => {
  const elf = readProgram(layout, RULES);
  t.true(elf.isPie);
  t.is(elf.machine, 243);
  t.is(elf.symbols.find('_start')?.address, elf.entry);
  t.is(elf.interpreter, null);
  t.deepEqual(elf.needed, []);
  t.is(elf.stackSizeBytes, 0x20000);
  t.is(elf.alignmentBytes, 0x1000);
  t.regex(elf.buildId ?? '', /^[0-9a-f]{40}$/);
  t.deepEqual(
    elf.loadSegments.map(({ vaddr, readable, writable, executable }) => [
      vaddr,
      readable,
      writable,
      executable,
    ]),
    [
      [0, true, false, true],
      [0x1f00, true, true, false],
    ],
  );
  const bss = elf.sections.find((s) => s.name === '.bss');
  const zeroed = elf.symbols.find('zeroed');
  t.is(zeroed?.sizeBytes, 20000);
  t.true(zeroed!.address >= bss!.address && zeroed!.address + 20000 <= bss!.address + bss!.sizeBytes);
  t.is(elf.symbols.find('nobody'), undefined);
});

test('segments become whole pages of the file, with zeros where memory goes on', (t) => {
  const elf = readElf(layout);
  const [code, data] = [...segmentImages(elf)];
  t.deepEqual(imageSpan(elf), { address: 0, sizeBytes: 0x7000 });
  t.is(code.address, 0);
  t.is(code.sizeBytes, 0x1000);
  t.deepEqual(code.bytes, layout.subarray(0, 0x1000));
  t.is(data.address, 0x1000);
  t.is(data.sizeBytes, 0x6000);
  t.is(data.bytes.length, 0x2000);
  const { vaddr, fileOffset, fileSizeBytes } = data.segment;
  const end = vaddr - data.address + fileSizeBytes;
  t.deepEqual(
    data.bytes.subarray(0, end),
    layout.subarray(fileOffset - (vaddr - data.address), fileOffset + fileSizeBytes),
  );
  t.true(
    layout.subarray(fileOffset + fileSizeBytes, 0x1100).some((b) => b !== 0),
    'the file goes on there',
  );
  t.true(data.bytes.subarray(end).every((b) => b === 0));
  const initialised = elf.symbols.find('initialised')!.address - data.address;
  t.deepEqual(
    new Int32Array(data.bytes.slice(initialised, initialised + 12).buffer),
    new Int32Array([1, 2, 3]),
  );
});

test('a segment without bytes in the file is all zero', (t) => {
  const { phdr } = offsets();
  const elf = readElf(patched(layout, [phdr('data') + 32, 8, 0n]));
  const data = [...segmentImages(elf)][1];
  t.is(data.bytes.length, 0);
  t.is(data.sizeBytes, 0x6000);
});

/** Offsets of the fixture's headers. */
function offsets() {
  const view = new DataView(layout.buffer);
  const sectionTable = Number(view.getBigUint64(40, true));
  const types = { attributes: 0x70000003, code: 1, data: 1, dynamic: 2, note: 4, stack: 0x6474e551 };
  const count = view.getUint16(56, true);
  const at = Array.from({ length: count }, (_, i) => 64 + 56 * i);
  const phdr = (name: keyof typeof types): number => {
    const found = at.filter((p) => view.getUint32(p, true) === types[name]);
    return found[name === 'data' ? 1 : 0];
  };
  const section = (name: string): number =>
    sectionTable + 64 * readElf(layout).sections.findIndex((s) => s.name === name);
  return { phdr, section };
}

const { phdr, section } = offsets();
const symtab = readElf(layout).sections.find((s) => s.name === '.symtab')!.offset;
const note = readElf(layout).sections.find((s) => s.name === '.note.gnu.build-id')!.offset;

const BAD: readonly [what: string, bytes: Uint8Array, message: RegExp][] = [
  ['empty', new Uint8Array(0), /^not an ELF file/],
  ['a script', new TextEncoder().encode(`#!/bin/sh\n${'true\n'.repeat(50)}`), /^not an ELF file/],
  ['magic alone', layout.subarray(0, 4), /^ELF header at 0x0 takes 0x40 bytes, past the end .*0x4 bytes/],
  ['32-bit', patched(layout, [4, 1, 1n]), /not a 64-bit ELF file: class 1/],
  ['big-endian', patched(layout, [5, 1, 2n]), /not a little-endian/],
  ['version', patched(layout, [6, 1, 2n]), /ELF version 2\/1/],
  ['object file', patched(layout, [16, 2, 1n]), /an object file, not a linked program/],
  ['core dump', patched(layout, [16, 2, 4n]), /a core dump/],
  ['type', patched(layout, [16, 2, 0xfe00n]), /of type 65024/],
  ['machine x64', patched(layout, [18, 2, 62n]), /for x64 \(e_machine 62\), not for riscv64/],
  ['machine unknown', patched(layout, [18, 2, 9999n]), /for an unknown machine/],
  ['entry in data', patched(layout, [24, 8, 0x2000n]), /entry point 0x2000 is in no executable segment/],
  ['entry huge', patched(layout, [24, 8, 1n << 63n]), /entry point \(more than 2\^53\)/],
  ['no program headers', patched(layout, [56, 2, 0n]), /no program headers/],
  ['many program headers', patched(layout, [56, 2, 1025n]), /1025 program headers .*limit 1024/],
  ['program header size', patched(layout, [54, 2, 32n]), /program headers of 32 bytes/],
  ['program headers outside', patched(layout, [32, 8, 1n << 60n]), /program header table at \(more than/],
  [
    'segment outside',
    patched(layout, [phdr('data') + 8, 8, 0x7f00n]),
    /contents of program header \d at 0x\w+: at 0x7f00 takes/,
  ],
  [
    'file size above memory size',
    patched(layout, [phdr('code') + 40, 8, 0x10n]),
    /more bytes in the file .* than in memory/,
  ],
  ['address above 2^47', patched(layout, [phdr('data') + 16, 8, (1n << 47n) + 0xf00n]), /ends past 2\^47/],
  ['segment above 1 GiB', patched(layout, [phdr('data') + 40, 8, 0x40000001n]), /limit 1 GiB/],
  ['span above 1 GiB', patched(layout, [phdr('data') + 16, 8, 0x40001f00n]), /span more than 1 GiB/],
  ['alignment', patched(layout, [phdr('data') + 48, 8, 0x3000n]), /alignment 0x3000 is not a power of two/],
  [
    'not congruent',
    patched(layout, [phdr('data') + 16, 8, 0x1f18n]),
    /address 0x1f18 and file offset 0xf00 do not agree modulo 0x1000/,
  ],
  [
    'not congruent to alignment',
    patched(layout, [phdr('data') + 48, 8, 0x4000n]),
    /do not agree modulo 0x4000/,
  ],
  ['same page', patched(layout, [phdr('data') + 16, 8, 0xf00n]), /not on pages after the segment before it/],
  ['write only', patched(layout, [phdr('data') + 4, 4, 2n]), /writable but not readable/],
  ['no access', patched(layout, [phdr('data') + 4, 4, 0n]), /no access flags/],
  ['nothing to load', patched(layout, [phdr('code'), 4, 0n], [phdr('data'), 4, 0n]), /nothing to load/],
  ['loaded twice', loadedOften(), /load more bytes than the file has/],
  ['stack', patched(layout, [phdr('stack') + 40, 8, 1n << 40n]), /asks for a stack of 0x10000000000 bytes/],
  ['interpreter', patched(layout, [phdr('note'), 4, 3n]), /dynamically linked: it wants the interpreter/],
  [
    'library',
    patched(layout, [dynamicEntry(), 8, 1n], [dynamicEntry() + 8, 8, 0n]),
    /it needs the library ""/,
  ],
  [
    'library name',
    patched(layout, [dynamicEntry(), 8, 1n], [dynamicEntry() + 8, 8, 99n]),
    /outside the dynamic strings/,
  ],
  [
    'low static program',
    patched(layout, [16, 2, 2n]),
    /segment at 0x0 is outside the user addresses \(0x200000 to 0x4000000000\)/,
  ],
  ['library as program', patched(vdso, [24, 8, 0n]), /a shared library, not a program: its entry point 0x0/],
  ['section header size', patched(layout, [58, 2, 40n]), /section headers of 40 bytes/],
  ['section headers outside', patched(layout, [60, 2, 5000n]), /section header table at 0x\w+ takes/],
  ['section header count', patched(layout, [60, 2, 0n]), /table without entries/],
  [
    'section outside',
    patched(layout, [section('.data') + 24, 8, 1n << 40n]),
    /contents of section header \d+ at/,
  ],
  ['section name', patched(layout, [section('.data'), 4, 5000n]), /outside the section name table/],
  ['section names', patched(layout, [section('.shstrtab') + 4, 4, 1n]), /not a string table/],
  ['symbol size', patched(layout, [section('.symtab') + 56, 8, 16n]), /symbols of 16 bytes/],
  ['symbol table size', patched(layout, [section('.symtab') + 32, 8, 25n]), /symbols of 24 bytes in 0x19/],
  ['symbol names', patched(layout, [section('.symtab') + 40, 4, 77n]), /section 77, which does not exist/],
  ['symbol name', patched(layout, [symtab + 24, 4, 0xffffffffn]), /symbol 1 at 0x\w+: name outside/],
  ['symbol section', patched(layout, [symtab + 24 + 6, 2, 0x7000n]), /symbol 1 at 0x\w+: section 28672/],
  ['note', patched(layout, [note + 4, 4, 0x1000n]), /note at 0x\w+ ends outside/],
  ['build id', patched(layout, [note + 4, 4, 0n]), /build id of 0 bytes/],
];

/** The second segment shows the whole file too. */
function loadedOften(): Uint8Array {
  const size = BigInt(layout.length);
  const whole = (at: number, address: bigint): [number, number, bigint][] => [
    [at + 8, 8, 0n],
    [at + 16, 8, address],
    [at + 32, 8, size],
    [at + 40, 8, size],
  ];
  return patched(layout, ...whole(phdr('code'), 0n), ...whole(phdr('data'), 0x10000n));
}

function dynamicEntry(): number {
  return Number(new DataView(layout.buffer).getBigUint64(phdr('dynamic') + 8, true));
}

for (const [what, bytes, message] of BAD) {
  test(`refuses: ${what}`, (t) => {
    t.throws(() => readProgram(bytes, RULES), { instanceOf: ElfError, message });
  });
}

test('refuses a file above 256 MiB before looking at it', (t) => {
  const huge = new Uint8Array((256 << 20) + 1);
  t.throws(() => readElf(huge), { instanceOf: ElfError, message: /larger than any program/ });
});

test('a file without section headers is a program without symbols', (t) => {
  const elf = readProgram(patched(layout, [40, 8, 0n], [60, 2, 0n]), RULES);
  t.is(elf.symbols.count, 0);
  t.deepEqual(elf.sections, []);
  t.regex(elf.buildId ?? '', /^[0-9a-f]{40}$/);
});

/** Everything that is done with a program's bytes before it runs. Returns the error's text, or null. */
function digest(bytes: Uint8Array): string | null {
  let elf: Elf;
  try {
    elf = readProgram(bytes, RULES);
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
    if (error.message.includes('\n')) throw new Error('an error of several lines');
    return error.message;
  }
  const span = imageSpan(elf);
  let end = span.address;
  for (const image of segmentImages(elf)) {
    if (image.address < end || image.bytes.length > image.sizeBytes) throw new Error('segments overlap');
    if (image.bytes.length > bytes.length + 2 * 4096) throw new Error('a segment larger than its file');
    end = image.address + image.sizeBytes;
  }
  if (end !== span.address + span.sizeBytes || span.sizeBytes > 2 ** 30) throw new Error('wrong span');
  const symbolizer = new Symbolizer([loadedModule('x', elf, 0x40000000)]);
  symbolizer.describe(0x40000000 + elf.entry);
  return null;
}

test('every truncation is refused with one clear line', (t) => {
  for (let size = 0; size < layout.length; size++) {
    const message = digest(layout.subarray(0, size));
    if (message === null) return t.fail(`accepted ${size} of ${layout.length} bytes`);
  }
  t.is(digest(layout), null);
});

test('every flipped bit of headers and symbols is refused or harmless', (t) => {
  const messages = new Set<string>();
  let accepted = 0;
  const areas = [
    [0, phdr('stack') + 112],
    [section('.note.gnu.build-id') - 64, layout.length],
    [symtab, symtab + 24 * 40],
    [note, note + 36],
    [dynamicEntry(), dynamicEntry() + 256],
  ];
  const bytes = layout.slice();
  for (const [from, to] of areas) {
    for (let bit = 8 * from; bit < 8 * Math.min(to, layout.length); bit++) {
      bytes[bit >>> 3] ^= 1 << (bit & 7);
      const message = digest(bytes);
      bytes[bit >>> 3] ^= 1 << (bit & 7);
      if (message === null) accepted++;
      else messages.add(message.replace(/0x\w+|\d+/g, 'N'));
    }
  }
  // Both must happen, or the flips do not reach what they are to test.
  t.true(accepted > 1000, `${accepted} accepted`);
  t.true(messages.size > 30, `${messages.size} kinds of refusal`);
});

const anyEdit = fc.array(fc.tuple(fc.nat(layout.length - 8), fc.constantFrom(1, 2, 4, 8), anyValue()), {
  minLength: 1,
  maxLength: 8,
});

function anyValue(): fc.Arbitrary<bigint> {
  return fc.oneof(
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc.constantFrom(
      0n,
      1n,
      0xffn,
      0xffffn,
      0x1000n,
      0xffffffffn,
      1n << 30n,
      1n << 47n,
      1n << 53n,
      (1n << 64n) - 1n,
    ),
    fc.bigInt({ min: 0n, max: 0x8000n }),
  );
}

test('random edits are refused or harmless', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(layout, vdso),
      anyEdit,
      fc.option(fc.nat(layout.length)),
      (bytes, edits, cut) => {
        const inside = edits.filter(([offset, size]) => offset + size <= bytes.length);
        digest(patched(bytes, ...inside).subarray(0, cut ?? bytes.length));
      },
    ),
    { numRuns: 3000 },
  );
  t.pass();
});

test('bytes that only begin like ELF are refused', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (rest) => {
      const bytes = new Uint8Array(20 + rest.length);
      bytes.set(layout.subarray(0, 20));
      bytes.set(rest, 20);
      return digest(bytes) !== null;
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('many symbols that share one endless name take neither time nor memory', (t) => {
  const count = 200_000;
  const nameSize = 1 << 20;
  const base = patched(layout, [section('.symtab') + 24, 8, BigInt(layout.length)]);
  const bytes = new Uint8Array(layout.length + 24 * count + nameSize).fill(0x41, layout.length + 24 * count);
  const names = layout.length + 24 * count;
  bytes.set(
    patched(
      base,
      [section('.symtab') + 32, 8, BigInt(24 * count)],
      [section('.strtab') + 24, 8, BigInt(names)],
      [section('.strtab') + 32, 8, BigInt(nameSize)],
    ),
  );
  const start = readElf(layout).symbols.find('_start')!.address;
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) {
    const entry = layout.length + 24 * i;
    view.setUint16(entry + 4, 0x12, true);
    view.setUint16(entry + 6, 1, true);
    view.setBigUint64(entry + 8, BigInt(start), true);
    view.setBigUint64(entry + 16, 4n, true);
  }
  bytes[bytes.length - 1] = 0;
  const symbolizer = new Symbolizer([loadedModule('x', readElf(bytes), 0)]);
  t.is(symbolizer.describe(start), `${'A'.repeat(1024)}+0x0`);
});
