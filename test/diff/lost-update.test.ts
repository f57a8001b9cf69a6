import test from 'ava';
import fc from 'fast-check';
import { type Access, accessesOf } from '../../src/diff/accesses.js';
import { lossesIn } from '../../src/diff/lost-update.js';
import { Run } from '../../src/diff/run.js';
import { recordRun, specOf } from '../timeline/runs.js';

const anyAccess = fc.record({
  kind: fc.constantFrom('load' as const, 'store' as const),
  thread: fc.integer({ min: 1, max: 3 }),
  value: fc.bigInt(0n, 4n),
});

/** The definition, looked up backwards from each store. */
function byDefinition(list: readonly Access[]): string[] {
  const found: string[] = [];
  list.forEach((store, i) => {
    if (store.kind !== 'store') return;
    const before = list.slice(0, i);
    const own = before.findLastIndex(({ thread }) => thread === store.thread);
    if (own < 0 || list[own].kind !== 'load') return;
    const lost = before.slice(own + 1).filter(({ kind }) => kind === 'store');
    if (lost.length > 0 && lost.at(-1)!.value !== list[own].value) found.push(`${own} ${lost.length} ${i}`);
  });
  return found;
}

test('an update is lost where a store rests on a load that others stored after', (t) => {
  fc.assert(
    fc.property(fc.array(anyAccess, { maxLength: 30 }), (accesses) => {
      const list = accesses.map(
        (access, i): Access => ({
          ...access,
          position: { seq: 1, step: i },
          pc: 0x100,
          call: null,
          sizeBytes: 8,
        }),
      );
      const losses = lossesIn(list).map(
        ({ load, overwrittenCount, store }) =>
          `${list.indexOf(load)} ${overwrittenCount} ${list.indexOf(store)}`,
      );
      t.deepEqual(losses, byDefinition(list));
    }),
    { numRuns: 500 },
  );
});

test('what the kernel stores is nobody’s update', (t) => {
  const access = { position: { seq: 1, step: 1 }, call: null, sizeBytes: 8, pc: 0x100 };
  const list: Access[] = [
    { ...access, kind: 'load', thread: 1, value: 0n },
    { ...access, kind: 'store', thread: 2, value: 1n },
    { ...access, kind: 'store', thread: 1, value: 5n, pc: null, call: 'zx_channel_read' },
  ];
  t.deepEqual(lossesIn(list), []);
});

test('money is missing exactly when updates were lost, and never more than were', (t) => {
  const seen = { right: 0, wrong: 0 };
  for (let seed = 1; seed <= 8; seed++) {
    for (const [cores, quantumSteps] of [
      [2, 16384],
      [4, 300],
    ]) {
      const run = new Run(recordRun(specOf('lost-update', { seed, cores, quantumSteps, args: ['10'] })));
      const { mainProcess, console } = run.history;
      const balance = run.names.find(mainProcess, 'balance')!;
      const losses = lossesIn(accessesOf(run, mainProcess, balance.address, balance.sizeBytes).list);
      const stores = losses.reduce((sum, { overwrittenCount }) => sum + overwrittenCount, 0);
      const missing = 40 - Number(/balance (\d+)/.exec(new TextDecoder().decode(console.head))![1]);
      t.is(missing > 0, stores > 0);
      t.true(missing <= stores);
      seen[missing > 0 ? 'wrong' : 'right']++;
    }
  }
  t.true(seen.right > 0 && seen.wrong > 0, JSON.stringify(seen));
});
