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

test('a page that was copied may lose its entry to one that was never written', (t) => {
  // Their numbers have the same low bits.
  const far = 2 ** 29;
  const loop = { what: 'loop', aliased: false, value: 7 } as const;
  const over = { ...loop, address: 0, strideBytes: far, count: 2 };
  for (const kind of ['interpreter', 'auto'] as const) {
    const worlds = ([kind, 'reference'] as const).map((k) => new World(k, 65536, false, far / PAGE + 4));
    for (const action of [
      { ...loop, kind: 1, address: 0, strideBytes: 8, count: 4 },
      { ...loop, kind: 0, address: far + PAGE, strideBytes: 8, count: 4 },
      SNAPSHOT,
      { ...over, kind: 1 },
      SNAPSHOT,
      { ...over, kind: 3 },
    ]) {
      const did = worlds.map((world) => world.does(action));
      t.is(did[0], did[1]);
    }
    for (const world of worlds) {
      world.checkBytes();
      t.is(world.changed(), 0);
    }
    t.is(worlds[0].hash(), worlds[1].hash());
  }
});
