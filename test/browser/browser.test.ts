import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { ENGINE_KINDS, type EngineKind } from '../../src/cpu/arch.js';
import { bundleForBrowser } from '../../tools/browser-bundle.js';
import { findChromium, openPage, type ServedPage } from '../../tools/browser-page.js';
import type { PageScope, Place } from './page.js';
import { type Outcome, perform, type Work } from './work.js';

const GUESTS = 'test/guests';
const RECORDINGS = 'recordings';
const ELF_FILES = readdirSync(GUESTS).filter((name) => name.endsWith('.elf'));
const GOLDEN = JSON.parse(readFileSync(`${RECORDINGS}/golden.json`, 'utf8')) as readonly {
  readonly name: string;
  readonly stateHash: string;
  readonly eventHash: string;
}[];

const chromium = findChromium();
let served: ServedPage | null = null;

test.before(async (t) => {
  if (chromium === null) return;
  const script = (name: string): string => fileURLToPath(new URL(`${name}.js`, import.meta.url));
  const bundles = await bundleForBrowser({ page: script('page'), worker: script('worker') });
  const paths = [
    ...ELF_FILES.map((name) => `${GUESTS}/${name}`),
    ...GOLDEN.map(({ name }) => `${RECORDINGS}/${name}.jacinth`),
  ];
  const files = paths.map((path) => [path, new Uint8Array(readFileSync(path))] as const);
  served = await openPage(chromium, new Map([...bundles, ...files]));
  t.log(`Chromium ${served.version}`);
});

test.after.always(() => served?.close());

/** A test that is shown as skipped where there is no Chromium. One at a time: they share a page. */
function testInChromium(title: string, body: (t: ExecutionContext) => Promise<void>): void {
  if (chromium !== null) test.serial(title, body);
  else test.skip(`${title} (not installed: chromium)`, body);
}

/** Does it in Chromium with each of some engines, and here with the reference engine, and wants the same of all. */
async function sameInBoth<W extends Work>(
  t: ExecutionContext,
  work: W,
  { place = 'worker', engines = ['auto'] }: { place?: Place; engines?: readonly EngineKind[] } = {},
): Promise<Outcome<W>> {
  const here = perform(work, 'reference', new Uint8Array(readFileSync(work.file)));
  for (const engine of engines) {
    const there = await served!.page.evaluate(
      (order) => (globalThis as unknown as PageScope).perform(...order),
      [place, work, engine] as Parameters<PageScope['perform']>,
    );
    t.deepEqual(there as Outcome<W>, here, `${engine} engine, ${work.file}`);
  }
  return here;
}

test('what the package exports bundles for a browser, except what is for Node', async (t) => {
  const bundles = await bundleForBrowser({ library: 'jacinth', sdk: 'jacinth/sdk' });
  t.deepEqual([...bundles.keys()].sort(), ['library.js', 'sdk.js']);
  await t.throwsAsync(bundleForBrowser({ node: 'jacinth/node' }), { message: /node:fs/ });
});

for (const place of ['page', 'worker'] as const) {
  testInChromium(`golden recordings replay to what they were, in a ${place}, on every engine`, async (t) => {
    for (const { name, stateHash, eventHash } of GOLDEN) {
      const file = `${RECORDINGS}/${name}.jacinth`;
      const replayed = await sameInBoth(t, { kind: 'replay', file }, { place, engines: ENGINE_KINDS });
      t.like(replayed, { diverged: false, stateHash, eventHash });
    }
  });
}

// Threads in a race, and floating point.
for (const guest of ['lost-update', 'n-body']) {
  testInChromium(`${guest}, several seeds: every engine records the same bytes and hashes`, async (t) => {
    const file = `${GUESTS}/${guest}.elf`;
    const runs = new Set<string>();
    for (const seed of [1, 2, 3]) {
      const work = { kind: 'record', file, options: { cores: 2, seed, entropySeed: seed } } as const;
      const { diverged, eventHash } = await sameInBoth(t, work, { engines: ENGINE_KINDS });
      t.false(diverged);
      runs.add(eventHash);
    }
    t.is(runs.size, 3, 'different runs have different hashes');
  });
}

for (const elf of ELF_FILES) {
  testInChromium(`${elf} is recorded to the same bytes and hashes`, async (t) => {
    const options = { cores: 4, seed: 1 };
    const { diverged } = await sameInBoth(t, { kind: 'record', file: `${GUESTS}/${elf}`, options });
    t.false(diverged);
  });
}

testInChromium('every event, step and write is recorded to the same bytes', async (t) => {
  const file = `${GUESTS}/abba-deadlock.elf`;
  // Long enough for the encoder that the host has for text.
  const args = ['Jaçinth 😀 '.repeat(40)];
  const options = { cores: 2, seed: 1, detail: 'full', args } as const;
  const { diverged } = await sameInBoth(t, { kind: 'record', file, options });
  t.false(diverged);
});

testInChromium('two runs differ for the same reason', async (t) => {
  const file = `${GUESTS}/lost-update.elf`;
  const { cause } = await sameInBoth(t, { kind: 'diff', file, options: { cores: 2 }, seeds: [1, 3] });
  t.is(cause.kind, 'lost-update');
});
