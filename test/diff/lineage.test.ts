import test from 'ava';
import fc from 'fast-check';
import { Lineage } from '../../src/diff/lineage.js';
import { launch, type RunSpec } from '../../src/loader/launch.js';
import { specOf } from '../timeline/runs.js';

/** Every object of a run, by who made it as its how many-th. */
function objectsOf(spec: RunSpec): string[] {
  const machine = launch(spec);
  const lineage = new Lineage(machine.k.state);
  const made: { koid: number; type: string }[] = [];
  machine.happened.subscribe((happened) => {
    const { event } = happened;
    lineage.note(happened, machine.k.state);
    if (!event.type.endsWith('-created')) return;
    if ('koid' in event) made.push({ koid: event.koid, type: event.type });
    if ('koid0' in event)
      made.push({ koid: event.koid0, type: 'end' }, { koid: event.koid1, type: 'other end' });
  });
  machine.run();
  return made.map(({ koid, type }) => {
    const { creator, ordinal } = lineage.origin(koid);
    return `${creator} ${ordinal} ${type} ${lineage.key(koid)}`;
  });
}

test('objects and tasks have the same names in every schedule, and no two have one name', (t) => {
  const guests = ['process-tree', 'c-threads', 'channel-ping-pong', 'futex-mutex'];
  fc.assert(
    fc.property(
      fc.constantFrom(...guests),
      fc.nat(100),
      fc.nat(100),
      fc.constantFrom(1, 2, 4),
      (guest, x, y, cores) => {
        const [a, b] = [x, y].map((seed) => objectsOf(specOf(guest, { seed, cores, quantumSteps: 500 })));
        t.deepEqual(a.sort(), b.sort());
        t.is(new Set(a).size, a.length);
        t.true(a.some((name) => name.startsWith('main ')));
      },
    ),
    { numRuns: 8 },
  );
});

test('threads are named by who made them', (t) => {
  const names = objectsOf(specOf('process-tree')).map((name) => name.split(' ').at(-1)!);
  t.true(names.includes('main'));
  t.true(names.includes('first'));
  t.true(names.includes('main+1'));
});
