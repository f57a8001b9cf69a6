import { readFileSync } from 'node:fs';
import test from 'ava';
import type { EngineKind } from '../../src/cpu/arch.js';
import { statistics } from '../../src/cpu/engines/regions.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { DEFAULTS, launch } from '../../src/loader/launch.js';
import { PAGE_SIZE } from '../../src/memory/page.js';
import { sharedPage } from '../../src/memory/shared-pages.js';

/** Machines of one process that run the same program share its pages, and what engines made of them. */

function run(guest: string, args: readonly string[], engine: EngineKind, aslr = false): string {
  const bytes = new Uint8Array(readFileSync(new URL(`../../../test/guests/${guest}.elf`, import.meta.url)));
  const program = { name: guest, bytes, args: [guest, ...args], environ: [] };
  const machine = launch({ ...DEFAULTS, engine, aslr, program });
  machine.run();
  return stateHash(machine.k.snapshot());
}

test('equal bytes are one page, also when many others were asked for, and other bytes another', (t) => {
  const bytes = new Uint8Array(PAGE_SIZE).fill(7);
  const page = sharedPage(bytes);
  bytes[PAGE_SIZE - 1] = 8;
  t.not(sharedPage(bytes), page);
  t.is(page.bytes[PAGE_SIZE - 1], 7);
  bytes[PAGE_SIZE - 1] = 7;
  for (let i = 0; i < 3000; i++) {
    new DataView(bytes.buffer).setInt32(0, i);
    sharedPage(bytes);
    if (i % 100 === 0) t.is(sharedPage(new Uint8Array(PAGE_SIZE).fill(7)), page);
  }
});

test.serial('a program that runs again needs hardly any code that was not made for it before', (t) => {
  const before = statistics.regions;
  const first = run('heap-sort', ['2000'], 'jit');
  const made = statistics.regions - before;
  t.true(made > 10);
  t.is(run('heap-sort', ['2000'], 'jit'), first);
  t.true(statistics.regions - before - made < made / 4);
});

for (const guest of ['smc', 'hello-pie', 'heap-sort', 'process-tree']) {
  test.serial(`${guest} does the same each time, whoever ran it before`, (t) => {
    const expected = run(guest, [], 'reference');
    for (const engine of ['jit', 'interpreter', 'reference', 'auto', 'jit'] as const)
      t.is(run(guest, [], engine), expected, engine);
    const random = run(guest, [], 'jit', true);
    t.is(run(guest, [], 'reference', true), random);
  });
}

interface Given {
  readonly env: object;
}

test.serial('the host keeps the table for three modules at most, however many regions there are', (t) => {
  const host = globalThis as unknown as {
    WebAssembly: { Instance: new (module: unknown, given: Given) => object };
  };
  const { Instance } = host.WebAssembly;
  const imports: string[] = [];
  host.WebAssembly.Instance = class extends Instance {
    constructor(module: unknown, given: Given) {
      super(module, given);
      imports.push(Object.keys(given.env).join());
    }
  };
  try {
    run('n-body', ['30000'], 'jit');
  } finally {
    host.WebAssembly.Instance = Instance;
  }
  t.true(imports.some((names) => !names.includes('table')));
  t.true(imports.filter((names) => names.includes('table')).length <= 3);
});
