import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { SYSCALLS } from '../../src/abi/syscalls.js';
import { readElf, readProgram } from '../../src/loader/elf.js';
import { SHF } from '../../src/loader/elf-constants.js';
import { gnuHashOrder, gnuHashTable } from '../../src/loader/gnu-hash.js';
import { buildVdso, VDSO_SONAME, VERSION_STRING } from '../../src/loader/vdso.js';
import { RISCV64_VDSO } from '../../src/loader/vdso-riscv64.js';
import { run, testWith } from './support.js';

const READELF = 'riscv64-linux-gnu-readelf';
const OBJDUMP = 'riscv64-linux-gnu-objdump';
const GCC = 'riscv64-linux-gnu-gcc';
const QEMU = 'qemu-riscv64';

const vdso = buildVdso(RISCV64_VDSO, SYSCALLS);
const publicCalls = SYSCALLS.filter((call) => !call.flags.includes('internal'));
const trappingCalls = publicCalls.filter(({ name }) => name !== 'zx_system_get_version_string');

function inFolder<T>(files: Readonly<Record<string, Uint8Array | string>>, body: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'vdso-'));
  try {
    for (const [name, contents] of Object.entries(files)) writeFileSync(join(folder, name), contents);
    return body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('two parts of whole pages, one to read and one to run', (t) => {
  const elf = readElf(vdso.image);
  const parts = elf.loadSegments.map((s) => [s.vaddr, s.memSizeBytes, s.fileOffset, s.fileSizeBytes]);
  const { codeOffset, codeSizeBytes } = vdso;
  t.deepEqual(parts, [
    [0, codeOffset, 0, codeOffset],
    [codeOffset, codeSizeBytes, codeOffset, codeSizeBytes],
  ]);
  t.is(codeOffset % 4096, 0);
  t.is(vdso.image.length, codeOffset + codeSizeBytes);
  t.true(elf.loadSegments.every((s) => s.readable && !s.writable));
  t.deepEqual(
    elf.loadSegments.map((s) => s.executable),
    [false, true],
  );
  t.is(elf.soname, 'libzircon.so');
  t.regex(elf.buildId ?? '', /^[0-9a-f]{32}$/);
});

test('the symbols are the public calls, each with its alias', (t) => {
  const elf = readElf(vdso.image);
  const wanted = publicCalls.flatMap((call) => [`_${call.name}`, call.name]).sort();
  const exported = Array.from({ length: elf.dynamicSymbols.count - 1 }, (_, i) =>
    elf.dynamicSymbols.get(i + 1),
  );
  t.deepEqual(exported.map((s) => s.name).sort(), wanted);
  t.deepEqual(vdso.symbols.map((s) => s.name).sort(), wanted);
  for (const { name, address, sizeBytes } of vdso.symbols) {
    const symbol = elf.dynamicSymbols.find(name);
    t.is(symbol?.address, address);
    t.is(symbol?.sizeBytes, sizeBytes);
  }
  t.true(publicCalls.length > 200, 'the table is not empty');
});

test('each call traps at its own place and nowhere else', (t) => {
  const code = new DataView(vdso.image.buffer, vdso.codeOffset, vdso.codeSizeBytes);
  const traps: number[] = [];
  for (let at = 0; at < vdso.codeSizeBytes; at += 4) if (code.getUint32(at, true) === 0x73) traps.push(at);
  t.deepEqual(
    [...vdso.traps.keys()].sort((a, b) => a - b),
    traps,
  );
  t.deepEqual(
    [...vdso.traps.values()].sort((a, b) => a - b),
    trappingCalls.map((call) => call.number).sort((a, b) => a - b),
  );
  for (const [trap, trapNumber] of vdso.traps) {
    const { number, name, flags } = trappingCalls.find((call) => call.number === trapNumber)!;
    const symbol = vdso.symbols.find((s) => s.name === name)!;
    t.is(symbol.address + 4, vdso.codeOffset + trap);
    t.is(code.getUint32(trap - 4, true), ((number << 20) | 0x293) >>> 0, 'addi t0, zero, number');
    t.is(
      code.getUint32(trap + 4, true),
      flags.includes('noreturn') ? 0 : 0x8067,
      'ret or an illegal instruction',
    );
  }
});

test('the same table gives the same bytes, another one another build id', (t) => {
  t.deepEqual(buildVdso(RISCV64_VDSO, SYSCALLS), vdso);
  const renamed = SYSCALLS.map((call) =>
    call.name === 'zx_vmo_create' ? { ...call, name: 'zx_other' } : call,
  );
  t.not(readElf(buildVdso(RISCV64_VDSO, renamed).image).buildId, readElf(vdso.image).buildId);
});

test('two calls of one number are a defect of the table', (t) => {
  const call = { number: 1, name: 'zx_one', flags: [] };
  t.throws(() => buildVdso(RISCV64_VDSO, [call, { ...call, name: 'zx_two' }]), { message: /have number 1/ });
});

/** Looks a name up as a dynamic linker does. Written from the format's description, apart from the writer. */
function lookUp(table: Uint8Array, names: readonly string[], wanted: string): string | undefined {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const [buckets, first, words, shift] = [0, 4, 8, 12].map((at) => view.getUint32(at, true));
  let hash = 5381n;
  for (const byte of new TextEncoder().encode(wanted)) hash = (hash * 33n + BigInt(byte)) % 2n ** 32n;
  const h = Number(hash);
  const bloom = view.getBigUint64(16 + 8 * (Math.floor(h / 64) % words), true);
  if (((bloom >> BigInt(h % 64)) & 1n) === 0n || ((bloom >> BigInt((h >>> shift) % 64)) & 1n) === 0n)
    return undefined;
  let index = view.getUint32(16 + 8 * words + 4 * (h % buckets), true);
  if (index === 0) return undefined;
  for (; ; index++) {
    const entry = view.getUint32(16 + 8 * words + 4 * buckets + 4 * (index - first), true);
    if (entry >>> 1 === h >>> 1 && names[index - 1] === wanted) return names[index - 1];
    if ((entry & 1) === 1) return undefined;
  }
}

test('the GNU hash table finds every name it holds and no other', (t) => {
  const anyNames = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { maxLength: 80 });
  fc.assert(
    fc.property(anyNames, fc.array(fc.string()), (names, others) => {
      const ordered = gnuHashOrder(names.map((name) => ({ name }))).map((symbol) => symbol.name);
      const table = gnuHashTable(ordered);
      for (const name of [...names, ...others])
        t.is(lookUp(table, ordered, name), names.includes(name) ? name : undefined);
    }),
    { numRuns: 300 },
  );
});

testWith([READELF], 'binutils read it without a warning', (t) => {
  inFolder({ [VDSO_SONAME]: vdso.image }, (folder) => {
    const text = run(READELF, '-aW', join(folder, VDSO_SONAME));
    t.regex(text, /SONAME\) +Library soname: \[libzircon\.so\]/);
    t.regex(text, /There are no relocations/);
    t.regex(text, /GNU_HASH\)/);
    t.notRegex(text, /\(HASH\)|TEXTREL|warning|corrupt/i);
    t.regex(text, / FUNC +WEAK +DEFAULT +\d+ zx_channel_call\n/);
    t.regex(text, / FUNC +GLOBAL +DEFAULT +\d+ _zx_channel_call\n/);
    t.regex(text, /Histogram for `\.gnu\.hash' bucket list length/);
  });
});

testWith([OBJDUMP], 'binutils disassemble it as trap stubs', (t) => {
  inFolder({ [VDSO_SONAME]: vdso.image }, (folder) => {
    const text = run(OBJDUMP, '-d', join(folder, VDSO_SONAME));
    const { number } = publicCalls.find((call) => call.name === 'zx_vmo_create')!;
    t.regex(text, new RegExp(`<_zx_vmo_create>:\\n.*li\\tt0,${number}\\n.*ecall\\n.*ret\\n`));
  });
});

const CALLER = `
int zx_handle_close(unsigned handle);
_Noreturn void zx_process_exit(long code);
void _start(unsigned handle) { zx_handle_close(handle); zx_process_exit(0); }
`;

testWith([GCC], 'a static-PIE links against it and needs nothing else', (t) => {
  inFolder({ [VDSO_SONAME]: vdso.image, 'caller.c': CALLER }, (folder) => {
    const out = join(folder, 'caller.elf');
    const flags = ['-ffreestanding', '-nostdlib', '-fPIE', '-pie', '-Wl,--no-dynamic-linker,-z,now'];
    run(GCC, ...flags, '-o', out, join(folder, 'caller.c'), join(folder, VDSO_SONAME));
    const needs = run(READELF, '-dW', out).match(/NEEDED.*/g);
    t.deepEqual(needs?.length, 1);
    t.regex(needs![0], /libzircon\.so/);
    const bytes = new Uint8Array(readFileSync(out));
    const elf = readProgram(bytes, {
      machine: RISCV64_VDSO.machine,
      machineName: 'riscv64',
      addresses: { base: 0x200000, top: 2 ** 38 },
      vdsoName: VDSO_SONAME,
    });
    t.deepEqual(elf.needed, [VDSO_SONAME]);
    t.is(elf.interpreter, null);
    t.throws(
      () =>
        run(
          GCC,
          ...flags,
          '-Dzx_handle_close=zx_no_such_call',
          '-o',
          out,
          join(folder, 'caller.c'),
          join(folder, VDSO_SONAME),
        ),
      { message: /undefined reference to `zx_no_such_call'/ },
    );
  });
});

/** Asks for each name and prints it with its offset from where the object was loaded. */
const LOADER = `
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
int main(int argc, char** argv) {
  void* object = dlopen(argv[1], RTLD_NOW);
  if (!object) return puts(dlerror()), 1;
  struct link_map* map = object;
  char name[256];
  while (fgets(name, sizeof name, stdin)) {
    name[strcspn(name, "\\n")] = 0;
    char* at = dlsym(object, name);
    printf("%s %ld\\n", name, at ? (long)(at - (char*)map->l_addr) : -1L);
  }
  return 0;
}
`;

const VERSION = `
#include <dlfcn.h>
#include <stdio.h>
struct view { const char* text; unsigned long length; };
int main(int argc, char** argv) {
  void* object = dlopen(argv[1], RTLD_NOW);
  if (!object) return puts(dlerror()), 1;
  struct view (*get)(void) = (struct view (*)(void))dlsym(object, "zx_system_get_version_string");
  struct view view = get();
  printf("%s %lu\\n", view.text, view.length);
  return 0;
}
`;

testWith([GCC, QEMU], 'the version string is text and length, without a system call', (t) => {
  inFolder({ [VDSO_SONAME]: vdso.image, 'version.c': VERSION }, (folder) => {
    const program = join(folder, 'version');
    run(GCC, '-o', program, join(folder, 'version.c'));
    const said = run(QEMU, '-L', '/usr/riscv64-linux-gnu', program, join(folder, VDSO_SONAME));
    t.is(said, `${VERSION_STRING} ${VERSION_STRING.length}\n`);
  });
});

testWith([GCC, QEMU], "glibc's dynamic linker loads it and finds every name", (t) => {
  inFolder({ [VDSO_SONAME]: vdso.image, 'loader.c': LOADER }, (folder) => {
    const program = join(folder, 'loader');
    run(GCC, '-o', program, join(folder, 'loader.c'));
    const names = [...vdso.symbols.map((s) => s.name), 'zx_no_such_call', '_zx_'];
    writeFileSync(join(folder, 'names'), names.map((name) => `${name}\n`).join(''));
    const command = `${QEMU} -L /usr/riscv64-linux-gnu ${program} ${join(folder, VDSO_SONAME)} < ${join(folder, 'names')}`;
    const found = new Map(
      run('sh', '-c', command)
        .trim()
        .split('\n')
        .map((line) => line.split(' ') as [string, string]),
    );
    for (const { name, address } of vdso.symbols) t.is(found.get(name), String(address));
    t.is(found.get('zx_no_such_call'), '-1');
    t.is(found.get('_zx_'), '-1');
  });
});

test('no section can be written or is outside the file', (t) => {
  for (const section of readElf(vdso.image).sections) {
    t.is(section.flags & ~BigInt(SHF.ALLOC | SHF.EXECINSTR), 0n);
    t.true(section.offset + section.sizeBytes <= vdso.image.length);
  }
});
