import test from 'ava';
import { launch, type RunSpec } from '../../src/loader/launch.js';
import { Player } from '../../src/recording/player.js';
import { brokenInvariants } from '../kernel/invariants.js';
import { hashes, recordRun, specFor } from '../property/runs.js';
import { threadMs } from '../thread-clock.js';

/** JACINTH_FUZZ_CALLS: how many calls guests make in all, as nearly as can be; JACINTH_FUZZ_SEED: the first seed. */
const CALLS = Number(process.env.JACINTH_FUZZ_CALLS ?? 60_000) / 4;
const FIRST_SEED = Number(process.env.JACINTH_FUZZ_SEED ?? 1);
const GUEST_CALLS = 1000;
const SLOW_MS = 50;

function specOf(seed: number): RunSpec {
  return specFor('fuzz-calls', [String(seed), String(GUEST_CALLS)], {
    cores: 1 + (seed % 3),
    seed,
    quantumSteps: 2000,
    // Now and then memory runs out.
    physicalPages: seed % 4 === 0 ? 300 : 65536,
    maxSteps: 4_000_000,
  });
}

interface Ran {
  readonly calls: number;
  readonly ending: string;
  /** Commands that took too long, by number. */
  readonly slow: ReadonlySet<number>;
}

/** Runs a guest that makes random calls. Throws what the kernel throws. */
function runGuest(seed: number): Ran {
  const machine = launch(specOf(seed));
  let calls = 0;
  machine.happened.subscribe(({ event }) => {
    if (event.type === 'syscall-entered') calls++;
  });
  const slow = new Set<number>();
  let atMs = 0;
  for (let i = 0; !machine.halted; i++) {
    if (i % 20 === 0) atMs = threadMs();
    const started = performance.now();
    machine.command();
    if (performance.now() - started > SLOW_MS && threadMs() - atMs > SLOW_MS) slow.add(i);
    if (i % 100 !== 0) continue;
    const broken = brokenInvariants(machine.k.state);
    if (broken.length > 0) throw new Error(`at ${machine.position.seq}: ${broken.join('; ')}`);
  }
  return { calls, ending: machine.k.state.halt!.kind, slow };
}

/** The same; throws also when a command is slow three times: once may be a garbage collection. */
function runTimedGuest(seed: number): Ran {
  const ran = runGuest(seed);
  let { slow } = ran;
  for (let again = 0; again < 2 && slow.size > 0; again++) {
    const now = runGuest(seed).slow;
    slow = new Set([...slow].filter((i) => now.has(i)));
  }
  if (slow.size > 0) throw new Error(`commands ${[...slow].join(', ')} took more than ${SLOW_MS} ms`);
  return ran;
}

test('guests that make random calls: statuses or a dead process, and a kernel in order', (t) => {
  t.timeout(20 * 60_000);
  const endings = new Map<string, number>();
  let total = 0;
  for (let seed = FIRST_SEED; total < CALLS; seed++) {
    try {
      const { calls, ending } = runTimedGuest(seed);
      total += calls;
      endings.set(ending, (endings.get(ending) ?? 0) + 1);
    } catch (reason) {
      t.log(`again with JACINTH_FUZZ_SEED=${seed} JACINTH_FUZZ_CALLS=4`);
      t.fail(`seed ${seed}: ${reason instanceof Error ? reason.stack : reason}`);
      return;
    }
  }
  t.log(
    `JACINTH_FUZZ_SEED=${FIRST_SEED}: ${total} calls; ${[...endings].map((pair) => pair.join(' ')).join(', ')}`,
  );
  t.true(total >= CALLS);
});

test('runs of random calls replay', (t) => {
  for (let seed = 100; seed < 104; seed++) {
    const { recording, end } = recordRun(specOf(seed), 'essential');
    const player = new Player(recording);
    while (!player.atEnd) player.command();
    t.deepEqual(hashes(player.machine), { events: end.eventHash, state: end.stateHash }, `seed ${seed}`);
  }
});
