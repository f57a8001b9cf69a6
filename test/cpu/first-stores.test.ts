import test from 'ava';
import { PAGE } from '../kernel/vm-support.js';
import { SNAPSHOT, World } from './page-world.js';

/** What generated code may ask for where it does not ask for each page. */
const FEW = 40;

test('pages that were never written, or that a snapshot has, are stored to without asking for each, as far as there are any', (t) => {
  const pages = 6000;
  const physicalPages = 5000;
  const over = {
    what: 'loop',
    address: 0,
    aliased: false,
    strideBytes: PAGE,
    count: pages,
    value: 7,
  } as const;
  for (const kind of ['interpreter', 'auto'] as const)
    for (const loops of [[2], [3, 0], [1, SNAPSHOT, 1, SNAPSHOT, 3]]) {
      const worlds = ([kind, 'reference'] as const).map((k) => new World(k, physicalPages, false, pages));
      for (const one of loops) {
        const { asked } = worlds[0];
        asked.clear();
        const did = worlds.map((world) => world.does(typeof one === 'number' ? { ...over, kind: one } : one));
        t.is(did[0], did[1]);
        const times = (asked.get('pageForStore') ?? 0) + (asked.get('pageForLoad') ?? 0);
        t.true(times < FEW, `${kind}: ${times}`);
      }
      for (const world of worlds) {
        world.checkBytes();
        t.is(world.changed(), 0);
      }
    }
});
