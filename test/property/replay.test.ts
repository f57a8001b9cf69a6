import test from 'ava';
import type { KernelEvent } from '../../src/kernel/objects/events.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { launch, type RunSpec } from '../../src/loader/launch.js';
import type { Checkpoint, Machine } from '../../src/machine/machine.js';
import { Fold } from '../../src/recording/fold.js';
import { Player } from '../../src/recording/player.js';
import { brokenInvariants } from '../kernel/invariants.js';
import { hashes, recordRun, specFor } from './runs.js';

const SEEDS = Array.from({ length: 10 }, (_, i) => i + 1);
const CORES = [1, 2, 8];
const GUESTS: Readonly<Record<string, readonly string[]>> = {
  'lost-update': ['20'],
  'futex-mutex': ['10'],
  'producer-consumer': ['20'],
  'port-timer': ['10'],
  'process-tree': ['1', '1'],
  'abba-deadlock': ['3'],
};

function* combinations(seeds: readonly number[]): Generator<{ spec: RunSpec; what: string }> {
  for (const [guest, args] of Object.entries(GUESTS)) {
    for (const cores of CORES) {
      for (const seed of seeds) {
        const spec = specFor(guest, args, { cores, seed, quantumSteps: 200 + 150 * seed });
        yield { spec, what: `${guest} on ${cores} cores, seed ${seed}` };
      }
    }
  }
}

test('ten seeds on 1, 2 and 8 cores: recorded twice the same, and replayed to the same', (t) => {
  const runs = new Map<string, Set<string>>();
  for (const { spec, what } of combinations(SEEDS)) {
    const first = recordRun(spec, 'essential');
    const second = recordRun(spec, 'essential');
    t.deepEqual(second.end, first.end, what);
    const player = new Player(first.recording);
    // Every command is checked against the recording's digests, the last one against its end.
    while (!player.atEnd) if (!player.command()) t.fail(`${what}: cut`);
    const { events, state } = hashes(player.machine);
    t.is(events, first.end.eventHash, what);
    t.is(state, first.end.stateHash, what);
    const same = what.replace(/ seed.*/, '');
    runs.set(same, (runs.get(same) ?? new Set()).add(first.end.eventHash));
  }
  // Seeds that all gave one schedule would have shown nothing.
  for (const [what, { size }] of runs) t.is(size, SEEDS.length, what);
});

test('full recordings tell of the same run, and folding them without running anything leads to its states', (t) => {
  for (const { spec, what } of combinations([1, 2])) {
    const { end } = recordRun(spec, 'essential');
    const full = recordRun(spec, 'full');
    t.deepEqual(full.end, end, what);
    const fold = new Fold(full.recording);
    fold.run();
    t.is(fold.eventHash(), end.eventHash, what);
    t.is(stateHash(fold.state), end.stateHash, what);
  }
});

test('the pure reducer makes of every event what the one that writes in place makes of it', (t) => {
  for (const [guest, args] of Object.entries(GUESTS)) {
    const { recording, end } = recordRun(
      specFor(guest, args, { cores: 2, seed: 4, quantumSteps: 900 }),
      'full',
    );
    const owned = new Fold(recording);
    const drafted = new Fold(recording, 'immer');
    for (let seq = 1; seq <= end.events; seq++) {
      owned.foldTo({ seq, step: 0 });
      drafted.foldTo({ seq, step: 0 });
      if (stateHash(owned.state) !== stateHash(drafted.state)) t.fail(`${guest}: event ${seq}`);
    }
    t.is(stateHash(drafted.state), end.stateHash, guest);
  }
});

/** Runs to the end, with something to do before every command. */
function runWith(spec: RunSpec, before: (machine: Machine) => void): Machine {
  const machine = launch(spec);
  while (!machine.halted) {
    before(machine);
    if (!machine.halted) machine.command();
  }
  return machine;
}

test('who looks on, keeps checkpoints or takes snapshots steers nothing', (t) => {
  for (const [guest, args] of Object.entries(GUESTS)) {
    const spec = specFor(guest, args, { cores: 2, seed: 5, quantumSteps: 700 });
    const alone = launch(spec);
    alone.run();
    const expected = hashes(alone);
    let told = 0;
    const watched = launch(spec);
    for (let i = 0; i < 3; i++) watched.happened.subscribe(() => told++);
    const seen: KernelEvent[] = [];
    const heard: KernelEvent[] = [];
    watched.happened.subscribe(({ event }) => seen.push(event));
    watched.listen((event) => heard.push(event));
    watched.run();
    t.true(heard.length === seen.length && heard.every((event, i) => event === seen[i]), guest);
    t.deepEqual(hashes(watched), expected, guest);
    t.true(told >= 3 * watched.position.seq, guest);
    const kept: Checkpoint[] = [];
    t.deepEqual(hashes(runWith(spec, (m) => kept.push(m.checkpoint()))), expected, `${guest}, checkpoints`);
    t.deepEqual(hashes(runWith(spec, (m) => void stateHash(m.k.snapshot()))), expected, `${guest}, hashes`);
  }
});

test('from any checkpoint the run goes on as it did', (t) => {
  for (const [guest, args] of Object.entries(GUESTS)) {
    const { recording, end } = recordRun(
      specFor(guest, args, { cores: 8, seed: 6, quantumSteps: 700 }),
      'essential',
    );
    const player = new Player(recording);
    const kept: Checkpoint[] = [];
    const seen: string[] = [];
    while (!player.atEnd) {
      kept.push(player.checkpoint());
      seen.push(JSON.stringify(hashes(player.machine)));
      player.command();
    }
    // Back and forth, in an order that is neither.
    for (let i = 0; i < 12; i++) {
      const at = (i * 7919) % kept.length;
      player.restore(kept[at]);
      t.is(JSON.stringify(hashes(player.machine)), seen[at], `${guest}, checkpoint ${at}`);
      while (!player.atEnd) player.command();
      t.is(hashes(player.machine).state, end.stateHash, `${guest} from checkpoint ${at}`);
      t.is(player.machine.eventHash(), end.eventHash, `${guest} from checkpoint ${at}`);
    }
  }
});

test('whatever guests do, the kernel is in order between commands', (t) => {
  for (const [guest, args] of Object.entries(GUESTS)) {
    const machine = runWith(specFor(guest, args, { cores: 3, seed: 7, quantumSteps: 500 }), (m) => {
      const broken = m.position.seq === 0 ? [] : brokenInvariants(m.k.state);
      if (broken.length > 0) t.fail(`${guest} at ${m.position.seq}: ${broken.join('; ')}`);
    });
    t.deepEqual(brokenInvariants(machine.k.state), []);
  }
});
