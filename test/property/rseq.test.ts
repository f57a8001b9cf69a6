import test from 'ava';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { launch } from '../../src/loader/launch.js';
import { exitStatus } from '../../src/machine/exit-status.js';
import { Fold } from '../../src/recording/fold.js';
import { Player } from '../../src/recording/player.js';
import { Timeline } from '../../src/timeline/timeline.js';
import { brokenInvariants } from '../kernel/invariants.js';
import { recordRun, specFor } from './runs.js';

const guest = (args: readonly string[], cores: number, seed: number, quantumSteps: number) =>
  specFor('rseq', args, { cores, seed, quantumSteps });

test('no increment is lost on any schedule, however often threads lose their cores inside one', (t) => {
  let aborted = 0;
  for (const cores of [1, 2, 4]) {
    for (const quantumSteps of [300, 2000]) {
      const machine = launch(guest([], cores, cores + quantumSteps, quantumSteps));
      machine.happened.subscribe(({ event }) => {
        if (event.type === 'thread-rseq-aborted') aborted++;
      });
      machine.run();
      t.is(exitStatus(machine.k.state.halt!), 0, `${cores} cores, quantum ${quantumSteps}`);
      t.deepEqual(brokenInvariants(machine.k.snapshot()), []);
    }
  }
  t.true(aborted > 1000, `${aborted}`);
});

test('without the kernel the same program loses increments', (t) => {
  const machine = launch(guest(['plain'], 2, 1, 900));
  machine.run();
  t.is(exitStatus(machine.k.state.halt!), 1);
});

test('restarts are recorded, replayed, folded and sought like anything else', (t) => {
  const spec = guest([], 2, 3, 700);
  const { recording, end } = recordRun(spec, 'full');
  const essential = recordRun(spec, 'essential');
  t.deepEqual(essential.end, end);
  const player = new Player(essential.recording);
  while (!player.atEnd) t.true(player.command());
  const fold = new Fold(recording, 'immer');
  const timeline = new Timeline(essential.recording);
  for (const share of [0.2, 0.5, 0.8]) {
    const position = { seq: Math.floor(end.events * share), step: 0 };
    t.true(fold.foldTo(position));
    const sought = timeline.seek(position);
    t.is(stateHash(sought.k.snapshot()), stateHash(fold.state));
    t.is(sought.eventHash(), fold.eventHash());
  }
  const early = { seq: Math.floor(end.events * 0.3), step: 0 };
  const back = stateHash(timeline.seek(early).k.snapshot());
  const again = new Fold(recording);
  again.foldTo(early);
  t.is(back, stateHash(again.state));
});
