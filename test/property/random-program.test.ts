import test from 'ava';
import fc from 'fast-check';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { launch, type RunSpec } from '../../src/loader/launch.js';
import { Fold } from '../../src/recording/fold.js';
import { Player } from '../../src/recording/player.js';
import { brokenInvariants } from '../kernel/invariants.js';
import { hashes, recordRun, specFor } from './runs.js';

/** Thread programs for test/guests/script.c: what, and two operands, each a byte. */
const byte = fc.nat({ max: 255 });
const instruction = fc.tuple(fc.nat({ max: 12 }), byte, byte);
const threadProgram = fc
  .array(instruction, { minLength: 1, maxLength: 24 })
  .map((list) => Buffer.from(list.flat()).toString('hex'));

const run = fc.record({
  threads: fc.array(threadProgram, { minLength: 1, maxLength: 4 }),
  cores: fc.constantFrom(1, 2, 3, 8, 64),
  quantumSteps: fc.constantFrom(3, 40, 200, 1000, 16384),
  strategy: fc.constantFrom('random' as const, 'round-robin' as const),
  seed: fc.nat(),
  entropySeed: fc.nat(),
  // So little that memory runs out on the way, or enough.
  physicalPages: fc.constantFrom(80, 120, 65536),
});
type Run = typeof run extends fc.Arbitrary<infer R> ? R : never;

function specOf({ threads, ...options }: Run): RunSpec {
  return specFor('script', threads, { ...options, maxSteps: 40_000 });
}

/** JACINTH_PROGRAMS: how many random programs each property sees. */
const RUNS = Number(process.env.JACINTH_PROGRAMS ?? 30);

test('random programs under random schedules replay to equal hashes, whatever detail and whoever looks on', (t) => {
  let exits = '';
  fc.assert(
    fc.property(run, (made) => {
      const spec = specOf(made);
      const { end, recording } = recordRun(spec, 'essential', (m) => m.happened.subscribe());
      const full = recordRun(spec, 'full');
      t.deepEqual(full.end, end);
      for (const again of [recording, full.recording]) {
        const player = new Player(again);
        while (!player.atEnd) player.command();
        t.deepEqual(hashes(player.machine), { events: end.eventHash, state: end.stateHash });
      }
      const alone = launch(spec);
      alone.run();
      t.deepEqual(hashes(alone), { events: end.eventHash, state: end.stateHash });
      exits += ` ${end.exitCode}`;
    }),
    { numRuns: RUNS },
  );
  t.log(`exit statuses:${exits}`);
});

test('random programs fold to the states they ran through', (t) => {
  fc.assert(
    fc.property(run, fc.array(fc.nat({ max: 999 }), { minLength: 4, maxLength: 4 }), (made, permille) => {
      const spec = specOf(made);
      const { end, recording } = recordRun(spec, 'full');
      const [owned, drafted] = [new Fold(recording), new Fold(recording, 'immer')];
      const player = new Player(recording);
      // At some places on the way, and at the end.
      for (const share of [...permille.sort((a, b) => a - b), 1000]) {
        const seq = Math.ceil((end.events * share) / 1000);
        if (!player.atEnd) player.command();
        while (!player.atEnd && player.machine.position.seq < seq) player.command();
        const at = player.machine.position;
        owned.foldTo(at);
        drafted.foldTo(at);
        const { state } = hashes(player.machine);
        t.is(stateHash(owned.state), state, `at ${at.seq}:${at.step}`);
        t.is(stateHash(drafted.state), state, `at ${at.seq}:${at.step}`);
      }
      owned.run();
      t.is(owned.eventHash(), end.eventHash);
    }),
    { numRuns: Math.ceil(RUNS / 3) },
  );
});

test('random programs leave the kernel in order', (t) => {
  fc.assert(
    fc.property(run, (made) => {
      const spec = specOf(made);
      const machine = launch(spec);
      machine.command();
      for (let i = 0; !machine.halted; i++) {
        if (i % 5 === 0) {
          const broken = brokenInvariants(machine.k.state);
          if (broken.length > 0) t.fail(`at ${machine.position.seq}: ${broken.join('; ')}`);
        }
        machine.command();
      }
      t.deepEqual(brokenInvariants(machine.k.state), []);
    }),
    { numRuns: RUNS },
  );
});
