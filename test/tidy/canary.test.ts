import test from 'ava';
import { checkClosedCore } from './closed-core.js';
import { checkFileNames, checkLayout, checkLock, checkPackages } from './layout.js';
import { checkDeadExports, checkDeadFiles, entryPoints } from './reach.js';
import { checkImportDirection } from './rooms.js';
import { freeNames } from './scopes.js';
import { checkSize } from './size.js';
import { describe, type Finding, type Source } from './source.js';
import { syntaxOf } from './syntax.js';
import { checkText } from './text.js';

// A rule that finds nothing in the project must be seen to find something: each is fed what it forbids, beside
// what looks like it and is allowed.

const TREE: readonly string[] = [
  'src/version.ts',
  'src/base/a.ts',
  'src/abi/a.ts',
  'src/memory/a.ts',
  'src/loader/elf.ts',
  'src/loader/a.ts',
  'src/kernel/objects/a.ts',
  'src/kernel/scheduler/a.ts',
  'src/kernel/syscalls/a.ts',
  'src/kernel/syscalls/b.ts',
  'src/cpu/arch.ts',
  'src/cpu/arch-table.ts',
  'src/cpu/riscv64/a.ts',
  'src/machine/a.ts',
  'src/recording/a.ts',
  'src/platform/node/a.ts',
  'src/timeline/a.ts',
  'src/diff/a.ts',
  'src/explore/a.ts',
  'src/sdk/a.ts',
  'src/servers/gdb/a.ts',
  'src/cli/a.ts',
  'src/library/a.ts',
  'src/index.ts',
  'src/node.ts',
  'tools/a.ts',
];

/** Findings of the direction rule when one file of the tree holds this text. */
function directionOf(path: string, text: string): string[] {
  const tree = TREE.map((p) => ({ path: p, text: p === path ? text : '' }));
  return describe(checkImportDirection(tree));
}

const FORBIDDEN_IMPORTS: readonly (readonly [path: string, specifier: string])[] = [
  ['src/base/a.ts', '../abi/a.js'],
  ['src/abi/a.ts', '../memory/a.js'],
  ['src/memory/a.ts', '../kernel/objects/a.js'],
  ['src/memory/a.ts', '../cpu/arch.js'],
  ['src/kernel/objects/a.ts', '../syscalls/a.js'],
  ['src/kernel/objects/a.ts', '../../loader/elf.js'],
  ['src/kernel/syscalls/a.ts', '../scheduler/a.js'],
  ['src/kernel/syscalls/a.ts', '../../cpu/arch.js'],
  ['src/cpu/riscv64/a.ts', '../../kernel/objects/../syscalls/a.js'],
  ['src/machine/a.ts', '../loader/a.js'],
  ['src/machine/a.ts', '../loader/elf.js'],
  ['src/machine/a.ts', '../recording/a.js'],
  ['src/loader/elf.ts', './a.js'],
  ['src/loader/elf.ts', '../kernel/objects/a.js'],
  ['src/loader/a.ts', '../recording/a.js'],
  ['src/recording/a.ts', '../timeline/a.js'],
  ['src/recording/a.ts', '../platform/node/a.js'],
  ['src/timeline/a.ts', '../diff/a.js'],
  ['src/timeline/a.ts', '../platform/node/a.js'],
  ['src/platform/node/a.ts', '../../timeline/a.js'],
  ['src/diff/a.ts', '../explore/a.js'],
  ['src/sdk/a.ts', '../platform/node/a.js'],
  ['src/servers/gdb/a.ts', '../../cli/a.js'],
  ['src/diff/a.ts', '../library/a.js'],
  ['src/library/a.ts', '../platform/node/a.js'],
  ['src/index.ts', './platform/node/a.js'],
  ['src/index.ts', './node.js'],
  ['src/index.ts', './cli/a.js'],
  ['src/index.ts', './servers/gdb/a.js'],
  ['src/cli/a.ts', '../../tools/a.js'],
  ['src/cli/a.ts', './missing.js'],
];

for (const [path, specifier] of FORBIDDEN_IMPORTS) {
  test(`direction: ${path} may not import ${specifier}`, (t) => {
    for (const text of [
      `import { x } from '${specifier}';`,
      `export { x } from '${specifier}';`,
      `export * from '${specifier}';`,
      `const x = import('${specifier}');`,
    ]) {
      t.is(directionOf(path, text).length, 1, text);
    }
  });
}

test('direction: a type is no excuse, but for the CPU contract', (t) => {
  t.is(directionOf('src/base/a.ts', "import type { X } from '../abi/a.js';").length, 1);
  t.is(directionOf('src/base/a.ts', "type X = import('../abi/a.js').X;").length, 1);
  t.is(directionOf('src/abi/a.ts', "import type { X } from '../cpu/arch.js';").length, 1);
  t.deepEqual(directionOf('src/memory/a.ts', "import type { X } from '../cpu/arch.js';"), []);
  t.deepEqual(directionOf('src/kernel/objects/a.ts', "import { type X } from '../../cpu/arch.js';"), []);
});

test('direction: only its own folder knows an architecture', (t) => {
  t.is(directionOf('src/machine/a.ts', "import { x } from '../cpu/riscv64/a.js';").length, 1);
  t.deepEqual(directionOf('src/cpu/arch-table.ts', "import { x } from './riscv64/a.js';"), []);
});

test('direction: a file outside of all rooms', (t) => {
  t.is(checkImportDirection([{ path: 'src/attic/a.ts', text: '' }]).length, 1);
});

test('direction: what goes the right way passes', (t) => {
  const allowed: readonly (readonly [string, string])[] = [
    ['src/kernel/syscalls/a.ts', './b.js'],
    ['src/kernel/syscalls/a.ts', '../objects/a.js'],
    ['src/machine/a.ts', '../cpu/arch.js'],
    ['src/loader/a.ts', './elf.js'],
    ['src/loader/a.ts', '../machine/a.js'],
    ['src/recording/a.ts', '../version.js'],
    ['src/platform/node/a.ts', '../../recording/a.js'],
    ['src/index.ts', './library/a.js'],
    ['src/node.ts', './platform/node/a.js'],
    ['src/cli/a.ts', '../platform/node/a.js'],
    ['src/cli/a.ts', '../index.js'],
    ['src/base/a.ts', 'node:fs'],
  ];
  for (const [path, specifier] of allowed) {
    t.deepEqual(directionOf(path, `import { x } from '${specifier}';`), [], `${path} ${specifier}`);
  }
});

const HOST_USES: readonly string[] = [
  'const t = Date.now();',
  'const t = new Date();',
  'const x = Math.random();',
  'const x = Math.sin(1);',
  'const x = Math.pow(2, 3);',
  "const x = Math['random']();",
  'const { random } = Math;',
  'const x = (y: number) => y ** 3;',
  'export function f(x: number) { x **= 2; return x; }',
  'performance.now();',
  'setTimeout(0, 1);',
  'queueMicrotask(0);',
  'const p = Promise.resolve();',
  'export function f(): Promise<void> { throw new Error(); }',
  'export const f = (x: Promise<void>) => x;',
  'export async function f() {}',
  'const f = async () => 1;',
  'const o = { async f() {} };',
  'class C { async f() {} }',
  'const x = await 1;',
  'const e = process.env;',
  'const { env } = globalThis;',
  'const b = Buffer.alloc(1);',
  "import { readFileSync } from 'node:fs';",
  "import fs from 'fs';",
  "import { Command } from 'commander';",
  "import { interval } from 'rxjs';",
  "import { debounceTime } from 'rxjs/operators';",
  "import * as rx from 'rxjs';",
  "const m = import('./b.js');",
  "fetch('x');",
  'const n = navigator;',
  'const w = window;',
  'const d = document;',
  'new Intl.Collator();',
  "'a'.localeCompare('b');",
  '(1).toLocaleString();',
  "eval('1');",
  "new Function('return 1');",
  'for (const k in {}) {}',
  'new WeakRef({});',
  'new FinalizationRegistry(0);',
  'structuredClone({});',
  'console.log(1);',
  'const u = import.meta.url;',
  'declare const process: { pid: number }; const p = process.pid;',
  // A name of an inner scope hides no use outside of it.
  'export function g(process: number) { return process; } const p = process.pid;',
];

for (const text of HOST_USES) {
  test(`closed core: ${text}`, (t) => {
    const bad = (path: string): Finding[] => checkClosedCore([{ path, text }]);
    t.true(bad('src/kernel/objects/a.ts').length >= 1);
    t.deepEqual(bad('src/platform/node/a.ts'), []);
    t.deepEqual(bad('src/cli/a.ts'), []);
    t.deepEqual(bad('src/servers/a.ts'), []);
  });
}

test('closed core: what only looks like the host passes', (t) => {
  const text = `
    import { Subject } from 'rxjs';
    import { produce } from 'immer';
    import type { Date } from './calendar.js';
    export interface Process { readonly process: number; performance(fetch: string): void }
    export type { Date };
    export function find(process: Process, [first, ...window]: number[], { document: doc } = { document: 1 }) {
      const performance = process.process + doc;
      for (const fetch of window) if (fetch === performance) return { process, Date: 1, async: first };
      try { return Math.floor(2 ** 20 + Number(3n ** 4n)); } catch (navigator) { return navigator; }
    }
    export class Window<Document> {
      Promise: Document | null = null;
      constructor(readonly setTimeout: number) {}
      Date(date: Date): Date { return date; }
      static of = (event: Subject<number>) => produce(event, (eval_) => eval_);
    }
    export enum Kind { Date, process }
    export const label = ({ process: p = Kind.Date }: { process?: Kind }) => p;
  `;
  t.deepEqual(describe(checkClosedCore([{ path: 'src/kernel/objects/a.ts', text }])), []);
});

test('scopes: a name is free where no declaration encloses it', (t) => {
  const text = `
    export const f = (a: number) => { if (a > 0) { const b = a; g(b); } return b; };
    function g(x: typeof h): Outer<x> { return x + c; }
    for (let i = 0; i < 1; i++) g(i); g(i);
    const o = { i, j: k, [l]: m }; o.n;
    class C extends D { p = q; r() { return this.p ?? C; } }
  `;
  const free = freeNames(syntaxOf({ path: 'a.ts', text }));
  const names = (isType: boolean) => free.filter((f) => f.isType === isType).map(({ name }) => name);
  t.deepEqual(names(false).sort(), ['D', 'b', 'c', 'i', 'i', 'k', 'l', 'm', 'q']);
  t.deepEqual(names(true).sort(), ['Outer', 'h', 'x']);
});

test('size: long files, long functions, and reasons nobody needs', (t) => {
  const long = (lines: number) => 'x();\n'.repeat(lines);
  const sources: Source[] = [
    { path: 'src/a.ts', text: long(501) },
    { path: 'src/b.ts', text: long(500) },
    { path: 'src/c.ts', text: `function f() {\n${long(69)}}\n` },
    { path: 'src/d.ts', text: `const o = {\n g: () => {\n${long(68)}},\n h() {\n${long(69)}},\n};\n` },
    { path: 'src/e.ts', text: long(600) },
    { path: 'src/e.c', text: long(600) },
    { path: 'recordings/notes.txt', text: long(600) },
  ];
  const allowed = { 'src/e.ts': 'a table', 'src/b.ts': 'once was long', 'src/d.ts#h': 'a table' };
  t.deepEqual(describe(checkSize(sources, allowed)), [
    'src/a.ts: 501 lines',
    'src/c.ts:1: f has 71 lines',
    'src/e.c: 600 lines',
    'src/b.ts: is allowed to be long without need',
  ]);
  t.is(checkSize(sources, {}).length, 5);
});

test('text: leftovers', (t) => {
  const lines = [
    `// ${'TO'}${'DO'} later`,
    `/* ${'FIX'}${'ME'}: soon */`,
    `# ${'XX'}${'X'}`,
    `// ${'HA'}${'CK'} around it`,
    `open('${'/'}home/me/file')`,
    `cd ${'/'}work/main`,
    `"resolved": "https://${'regi'}stry.example.org/x"`,
    `see www.${'npm'}js.com`,
    'blank at the end ',
    'carriage return\r',
  ];
  const found = checkText([{ path: 'a.md', text: `fine\n${lines.join('\n')}\n` }]);
  t.deepEqual(
    found.map(({ line }) => line),
    lines.map((_, index) => index + 2),
  );
  t.deepEqual(describe(checkText([{ path: 'a.ts', text: 'x' }])), ['a.ts: no newline at the end']);
  const fine = "tod o; import '../home/a.js'; src/work/a.ts; https://example.org/home/a; a /root; XXXL\n";
  t.deepEqual(checkText([{ path: 'a.ts', text: fine }]), []);
});

const ENTRIES = ['src/cli/main.ts', 'src/index.ts'];

test('reach: entry points are what package.json offers', (t) => {
  const exports = { '.': { types: './.build/src/index.d.ts', default: './.build/src/index.js' } };
  t.deepEqual(entryPoints({ bin: { jacinth: '.build/src/cli/main.cjs' }, exports }), ENTRIES);
});

test('reach: dead files and dead exports', (t) => {
  const sources: Source[] = [
    { path: 'src/index.ts', text: "export { a } from './a.js'; export * from './star.js';" },
    { path: 'src/cli/main.ts', text: "import { one } from '../barrel.js'; await import('../lazy.js');" },
    {
      path: 'src/a.ts',
      text: 'export const a = 1, b = 2; export interface Used {} export type Dead = 1; let u: Used;',
    },
    { path: 'src/star.ts', text: 'export function s() {}' },
    { path: 'src/barrel.ts', text: "export * from './parts.js';" },
    { path: 'src/parts.ts', text: 'export const one = 1; export const two = 2;' },
    { path: 'src/lazy.ts', text: 'export default 1;' },
    { path: 'src/attic.ts', text: "import { one } from './parts.js';" },
    { path: 'test/a.test.ts', text: "import { t } from '../src/tested.js';" },
    { path: 'src/tested.ts', text: 'export const t = 1;' },
  ];
  t.deepEqual(
    checkDeadFiles(sources, ENTRIES).map(({ path }) => path),
    ['src/attic.ts', 'src/tested.ts'],
  );
  t.deepEqual(describe(checkDeadExports(sources, ENTRIES)), [
    'src/a.ts:1: nobody imports b',
    'src/a.ts:1: nobody imports Dead',
    'src/parts.ts:1: nobody imports two',
  ]);
  t.deepEqual(describe(checkDeadFiles([{ path: 'src/index.ts', text: '' }], ENTRIES)), [
    'src/cli/main.ts: is missing',
  ]);
});

test('layout: more or less than the contract', (t) => {
  const full =
    'LICENSE README.md package-lock.json package.json recordings src test tools tsconfig.json'.split(' ');
  t.deepEqual(checkLayout([...full, '.ci', '.gitignore']), []);
  t.deepEqual(describe(checkLayout([...full.slice(1), 'docs'])), [
    'docs: does not belong at the top level',
    'LICENSE: is missing',
  ]);
});

test('names: kebab-case', (t) => {
  const named = (path: string) => checkFileNames([{ path, text: '' }]).length;
  for (const path of ['src/a-b/c2.test.ts', 'src/README.md', '.ci/run', 'src/zx-calls.S'])
    t.is(named(path), 0, path);
  for (const path of ['src/aB.ts', 'src/a_b.ts', 'src/Room/a.ts', 'src/a b.ts', 'src/-a.ts'])
    t.is(named(path), 1, path);
});

test('packages: undeclared, unused, and built-in ones without their prefix', (t) => {
  const manifest = { dependencies: { rxjs: '1', immer: '1' }, devDependencies: { ava: '1', '@s/p': '1' } };
  const sources: Source[] = [
    { path: 'src/a.ts', text: "import 'rxjs/operators'; import 'ava'; import 'path'; import 'node:path';" },
    { path: 'test/a.ts', text: "import '@s/p/q'; import 'ava'; import 'left'; import(`right/$" + '{1}`);' },
  ];
  t.deepEqual(describe(checkPackages(sources, manifest)), [
    'src/a.ts:1: imports ava, which is not declared',
    'src/a.ts:1: write node:path',
    'test/a.ts:1: imports left, which is not declared',
    'test/a.ts:1: imports right, which is not declared',
    'package.json: declares immer, which nobody imports',
  ]);
});

test('lock file: a package of another platform is missing', (t) => {
  const packages = {
    '': {},
    'node_modules/tool': { optionalDependencies: { 'tool-linux': '1', 'tool-mac': '1', inner: '1' } },
    'node_modules/tool-linux': {},
    'node_modules/tool/node_modules/inner': {
      optionalDependencies: { 'tool-linux': '1', near: '1', far: '1' },
    },
    'node_modules/tool/node_modules/near': {},
    'node_modules/other/node_modules/far': {},
  };
  t.deepEqual(describe(checkLock({ packages })), [
    'package-lock.json: lacks tool-mac of node_modules/tool',
    'package-lock.json: lacks far of node_modules/tool/node_modules/inner',
  ]);
});
