import test from 'ava';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { Fold } from '../../src/recording/fold.js';
import { Player } from '../../src/recording/player.js';
import { Timeline } from '../../src/timeline/timeline.js';
import { recordRun, specFor } from './runs.js';

/** Guests with something that acts outside of calls: at preemption, at page faults, at random addresses. */
const RUNS = [
  { guest: 'rseq', aslr: false },
  { guest: 'user-pager', aslr: false },
  { guest: 'user-pager', aslr: true },
  { guest: 'process-tree-pie', aslr: true },
];

for (const { guest, aslr } of RUNS) {
  test(`${guest}${aslr ? ' at random addresses' : ''}: recorded, replayed, folded and sought it is one run`, (t) => {
    const spec = specFor(guest, [], { cores: 2, seed: 3, quantumSteps: 2000, aslr });
    const { recording, end } = recordRun(spec, 'full');
    const essential = recordRun(spec, 'essential');
    t.deepEqual(essential.end, end);
    const player = new Player(essential.recording);
    while (!player.atEnd) t.true(player.command());
    const fold = new Fold(recording, 'immer');
    const timeline = new Timeline(essential.recording);
    const seen = new Map<number, string>();
    for (const share of [0.2, 0.5, 0.8]) {
      const seq = Math.floor(end.events * share);
      t.true(fold.foldTo({ seq, step: 0 }));
      const sought = timeline.seek({ seq, step: 0 });
      seen.set(seq, stateHash(fold.state));
      t.is(stateHash(sought.k.snapshot()), stateHash(fold.state));
      t.is(sought.eventHash(), fold.eventHash());
    }
    for (const [seq, hash] of [...seen].reverse()) {
      t.is(stateHash(timeline.seek({ seq, step: 0 }).k.snapshot()), hash, 'backwards');
    }
  });
}
