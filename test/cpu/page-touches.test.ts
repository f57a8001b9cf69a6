import test from 'ava';
import fc from 'fast-check';
import { statistics } from '../../src/cpu/engines/regions.js';
import { PAGE } from '../kernel/vm-support.js';
import { type Action, BODIES, code, PAGES, SNAPSHOT, World } from './page-world.js';

const page = fc.nat({ max: PAGES - 1 });
const what = fc.constantFrom(
  ...([
    'write',
    'decommit',
    'zero',
    'commit',
    'resize',
    'protect',
    'allow',
    'alias',
    'child',
    'restore',
  ] as const),
);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      what: fc.constant('loop' as const),
      kind: fc.nat({ max: BODIES.length - 1 }),
      address: fc.tuple(page, fc.constantFrom(0, 8, 2048, 4080, 4084)).map(([n, at]) => n * PAGE + at),
      aliased: fc.boolean(),
      strideBytes: fc.constantFrom(8, PAGE, 3 * PAGE, -PAGE, 20 * PAGE),
      count: fc.integer({ min: 1, max: 24 }),
      value: fc.integer(),
    }),
  },
  { weight: 4, arbitrary: fc.constant(SNAPSHOT) },
  { weight: 4, arbitrary: fc.record({ what, page, pages: fc.integer({ min: 1, max: 24 }) }) },
);

/** The same pages written in each of some epochs are expected in the next. */
const habit: fc.Arbitrary<Action[]> = fc
  .tuple(action, fc.integer({ min: 4, max: 8 }))
  .map(([one, times]) => Array.from({ length: times }, () => [one, SNAPSHOT]).flat());

test('pages are touched with the same results by all engines, and snapshots stay what they are', (t) => {
  let loops = 0;
  const faults = new Set<string>();
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof({ weight: 6, arbitrary: action.map((one) => [one]) }, { weight: 1, arbitrary: habit }),
        {
          minLength: 8,
          maxLength: 48,
          size: 'max',
        },
      ),
      fc.constantFrom(20, 60, 65536),
      fc.boolean(),
      (groups, physicalPages, isLent) => {
        const worlds = (['reference', 'interpreter', 'auto'] as const).map(
          (kind) => new World(kind, isLent ? 65536 : physicalPages, isLent),
        );
        for (const one of groups.flat()) {
          const did = worlds.map((world) => world.does(one));
          const committed = worlds.map(({ h }) => h.k.state.committedPages);
          if (did[0] === 'still mapped' || new Set(did).size > 1 || new Set(committed).size > 1)
            throw new Error(did.join('\n'));
          if (one.what === 'restore' || one.what === 'snapshot')
            for (const world of worlds) world.checkBytes();
          if (one.what !== 'loop') continue;
          loops++;
          faults.add(/"kind":"([a-z-]*)/.exec(did[0])![1]);
        }
        const ends = worlds.map((world) => world.hash());
        if (new Set(ends).size > 1) throw new Error(ends.join('\n'));
        for (const world of worlds) world.checkBytes();
        for (const world of worlds) if (world.changed() > 0) throw new Error('a snapshot changed');
      },
    ),
    { numRuns: 60 },
  );
  t.true(loops > 500);
  t.deepEqual([...faults].sort(), ['page-fault', 'syscall']);
  t.true(code.code !== null && statistics.regions > 0, 'in generated code');
});

test('what is committed of a lent page is what is loaded from then on', (t) => {
  const load = { what: 'loop', kind: 0, aliased: false, strideBytes: 8, count: 1, value: 0 } as const;
  const page = { page: 2, pages: 1 };
  const worlds = (['reference', 'interpreter', 'auto'] as const).map((kind) => new World(kind, 65536, true));
  // All engines remember pages, so that they are not asked whether they agree.
  for (const world of worlds) {
    const loads = (): string => world.does({ ...load, address: 2 * PAGE + 8 });
    const before = loads();
    world.does({ what: 'commit', ...page });
    t.is(loads(), before);
    world.does({ what: 'write', ...page });
    t.not(loads(), before);
  }
});
