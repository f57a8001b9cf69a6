import test from 'ava';
import { launch } from '../../src/loader/launch.js';
import { exitStatus } from '../../src/machine/exit-status.js';
import { brokenInvariants } from '../kernel/invariants.js';
import { specFor } from './runs.js';

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
