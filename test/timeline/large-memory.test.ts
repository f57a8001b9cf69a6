import test from 'ava';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { ProcessMemory } from '../../src/machine/memory-view.js';
import { Player } from '../../src/recording/player.js';
import { CheckpointKeeper } from '../../src/timeline/keeper.js';
import { Timeline } from '../../src/timeline/timeline.js';
import { recordRun, specOf } from './runs.js';
import { checkpointFile, openStored } from './stored.js';

/** Writes all over 32 MiB. */
const RECORDING = recordRun({ ...specOf('bench/hash-table', { args: ['24400000'] }), maxSteps: 120_000_000 });

/** Steps of the run so far when each checkpoint was taken. */
function stepsAtCheckpoints(): number[] {
  const player = new Player(RECORDING);
  const { machine } = player;
  const taken: number[] = [];
  const take = machine.checkpointToRelease.bind(machine);
  machine.checkpointToRelease = () => {
    taken.push(machine.k.state.steps);
    return take();
  };
  const keeper = new CheckpointKeeper(machine);
  do keeper.look();
  while (!player.atEnd && player.command());
  return taken;
}

test('however much is written, a stored checkpoint is 2^24 steps away at most, and a slice', (t) => {
  const taken = stepsAtCheckpoints();
  const gaps = taken.slice(1).map((steps, i) => steps - taken[i]!);
  t.true(gaps.length >= 2, `${gaps}`);
  t.true(Math.max(...gaps) <= 2 ** 24 + 2 ** 20, `${gaps}`);
  // Else it was not this that bounds them.
  t.true(Math.max(...gaps) > 2 ** 23, `${gaps}`);
});

test('pages that come before they are asked for, as the next checkpoint has others, are those of the run', (t) => {
  let brought = 0;
  const { renewAwaited } = ProcessMemory.prototype;
  ProcessMemory.prototype.renewAwaited = function (this: ProcessMemory, pageNumber, reach) {
    const renewed = renewAwaited.call(this, pageNumber, reach);
    brought += renewed.length;
    return renewed;
  };
  try {
    const file = checkpointFile(RECORDING, { steps: 20_000_000, events: 1 << 20 });
    const without = new Timeline(RECORDING);
    for (const share of [0.55, 0.9]) {
      const position = { seq: Math.floor(RECORDING.end!.events * share), step: 12_345 };
      const stored = new Timeline(RECORDING, openStored(file, RECORDING));
      const [here, there] = [stored, without].map((one) => stateHash(one.seek(position).k.snapshot()));
      t.is(here, there);
    }
    t.true(brought > 1000, `${brought}`);
  } finally {
    ProcessMemory.prototype.renewAwaited = renewAwaited;
  }
});
