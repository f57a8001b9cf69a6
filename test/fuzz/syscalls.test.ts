import test from 'ava';
import { SYSCALLS } from '../../src/abi/syscalls.js';
import { Hasher } from '../../src/base/digest.js';
import { hashEvent, stateHash } from '../../src/kernel/objects/state-hash.js';
import { isBuilt } from '../../src/kernel/syscalls/dispatch.js';
import { threadMs, timed } from '../thread-clock.js';
import { CallWorld, Found, type MakeCall, makeCall } from './call-world.js';

/**
 * JACINTH_FUZZ_CALLS: how many calls; JACINTH_FUZZ_SEED: the first world's seed. A world that broke is run again by
 * its own seed.
 */
const CALLS = Number(process.env.JACINTH_FUZZ_CALLS ?? 60_000);
const FIRST_SEED = Number(process.env.JACINTH_FUZZ_SEED ?? 1);
const WORLD_CALLS = 2000;
const SLOW_MS = 50;

class Tally {
  readonly made = new Map<string, number>();
  readonly succeeded = new Set<number>();
  calls = 0;
  slowestMs = 0;
}

/** How long a world's n-th call takes when nobody else is in the way, ms. */
function timeOf(seed: number, make: MakeCall, n: number): number {
  const world = new CallWorld(seed, make);
  for (let i = 0; i < n; i++) world.step();
  return timed(() => world.step());
}

function runWorld(seed: number, calls: number, make: MakeCall, tally: Tally): void {
  const world = new CallWorld(seed, make);
  let atMs = 0;
  for (let i = 0; i < calls; i++) {
    if (i % 16 === 0) atMs = threadMs();
    const step = world.step();
    if (step === null) break;
    const { name } = step.call;
    tally.calls++;
    tally.made.set(name, (tally.made.get(name) ?? 0) + 1);
    for (const event of world.h.events) {
      if (event.type === 'syscall-returned' && event.result >= 0n) tally.succeeded.add(event.number);
    }
    tally.slowestMs = Math.max(tally.slowestMs, step.ms);
    if (step.ms <= SLOW_MS || threadMs() - atMs <= SLOW_MS) continue;
    // It may have been a garbage collection: twice more, and the quickest counts.
    const ms = Math.min(timeOf(seed, make, i), timeOf(seed, make, i));
    if (ms > SLOW_MS)
      throw new Found(`seed ${seed}, call ${i}, ${name}(${step.args.join(', ')}): took ${ms} ms`);
  }
  world.end();
}

/** Runs worlds until so many calls were made. Throws Found. */
function fuzz(firstSeed: number, calls: number, make: MakeCall = makeCall): Tally {
  const tally = new Tally();
  for (let seed = firstSeed; tally.calls < calls; seed++) {
    runWorld(seed, Math.min(WORLD_CALLS, calls - tally.calls), make, tally);
  }
  return tally;
}

test('random calls over the whole table: a status or a dead process, never a broken or slow kernel', (t) => {
  t.timeout(20 * 60_000);
  const say = (what: string): void =>
    t.log(`JACINTH_FUZZ_SEED=${FIRST_SEED} JACINTH_FUZZ_CALLS=${CALLS}: ${what}`);
  try {
    const { made, succeeded, calls, slowestMs } = fuzz(FIRST_SEED, CALLS);
    say(
      `${calls} calls, ${made.size} of ${SYSCALLS.length} in the table, slowest ${slowestMs.toFixed(1)} ms`,
    );
    t.true(calls >= CALLS);
    if (CALLS < 50_000) return;
    t.is(made.size, SYSCALLS.length);
    // A call that never does what it is for would be tried at its first check only.
    const built = SYSCALLS.filter(({ name }) => isBuilt(name));
    const failing = built.filter(({ number }) => !succeeded.has(number)).map(({ name }) => name);
    t.true(failing.length < built.length / 8, `never did what they are for: ${failing.join(', ')}`);
  } catch (reason) {
    if (!(reason instanceof Found)) throw reason;
    say('again with the seed it names:');
    t.fail(reason.message);
  }
});

test('a world follows from its seed', (t) => {
  const run = (seed: number): string => {
    const world = new CallWorld(seed);
    const hasher = new Hasher();
    for (let i = 0; i < 500 && world.step() !== null; i++)
      for (const event of world.h.events) hashEvent(hasher, event);
    return `${hasher.value()} ${world.h.hash()}`;
  };
  t.is(run(7), run(7));
  t.not(run(7), run(8));
});

test('the pure reducer, through immer drafts, gives the states of the one that writes in place', (t) => {
  for (let seed = 1; seed <= 6; seed++) {
    const owned = new CallWorld(seed);
    const drafted = new CallWorld(seed, makeCall, 'immer');
    for (let i = 0; i < 500; i++) {
      if (owned.step() === null) break;
      drafted.step();
      // Looks at different times: how long something stays owned must not matter.
      if (i % 50 === 49) t.is(stateHash(owned.h.k.snapshot()), drafted.h.hash(), `seed ${seed}, call ${i}`);
    }
  }
});

/** Kernels with one fault each. */
const CANARIES: Readonly<Record<string, { readonly broken: MakeCall; readonly says: RegExp }>> = {
  'throws at an edge': {
    broken: (h, thread, call, args) => {
      makeCall(h, thread, call, args);
      if (call.name === 'zx_vmo_write' && args[2] >= 1n << 62n)
        throw new RangeError('Invalid typed array length');
    },
    says: /zx_vmo_write\(.*RangeError: Invalid typed array length/,
  },
  'forgets a handle': {
    broken: (h, thread, call, args) => {
      makeCall(h, thread, call, args);
      const added = h.events.findLast((event) => event.type === 'handle-added');
      if (call.name !== 'zx_handle_duplicate' || added?.type !== 'handle-added') return;
      if (added.rights === 0 && h.k.find(added.koid) !== undefined)
        h.emit({ type: 'handle-made', koid: added.koid });
    },
    says: /handleCount \d+, handles \d+/,
  },
  'leaves a waiter behind': {
    broken: (h, thread, call, args) => {
      makeCall(h, thread, call, args);
      const waiting = h.k.find(thread);
      if (waiting?.kind !== 'thread' || waiting.wait?.kind !== 'port' || args[1] % 2n === 1n) return;
      h.emit({ type: 'thread-woken', thread });
    },
    says: /zx_port_wait\(.*gave|does not wait|in call/,
  },
  'gives what is no status': {
    broken: (h, thread, call, args) => {
      makeCall(h, thread, call, args);
      if (call.name !== 'zx_port_create' || args[0] === 0n || typeof h.result(thread) === 'string') return;
      h.emit({ type: 'syscall-returned', thread, number: call.number, result: -4711n });
    },
    says: /zx_port_create\(.*gave -4711/,
  },
  'is slow when asked for much': {
    broken: (h, thread, call, args) => {
      makeCall(h, thread, call, args);
      if (call.name !== 'zx_vmo_create' || args[0] < 1n << 40n) return;
      for (const end = threadMs() + SLOW_MS + 10; threadMs() < end; );
    },
    says: /zx_vmo_create\(.*took/,
  },
};

for (const [what, { broken, says }] of Object.entries(CANARIES)) {
  test(`canary: a kernel that ${what} is found`, (t) => {
    const found = t.throws(() => fuzz(1, 20_000, broken), { instanceOf: Found });
    t.regex(found.message, says);
    // The seed it names is enough to find it again.
    const seed = Number(/^seed (\d+)/.exec(found.message)?.[1]);
    t.throws(() => fuzz(seed, WORLD_CALLS, broken), { instanceOf: Found, message: says });
  });
}
