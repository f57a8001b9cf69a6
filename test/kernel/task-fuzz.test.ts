import test from 'ava';
import fc from 'fast-check';
import { InfoTopic, Property } from '../../src/abi/info.js';
import { Right } from '../../src/abi/rights.js';
import { type Syscall, syscallByName } from '../../src/abi/syscalls.js';
import { Harness, SCRATCH } from './harness.js';
import { addMemory, koidOf, newChannel, newEvent } from './ipc-support.js';
import { newJob, newProcess, newRunning, newThread, orphans } from './task-support.js';
import { newVmo, PAGE } from './vm-support.js';

const NAMES = [
  'zx_job_create',
  'zx_process_create',
  'zx_process_start',
  'zx_process_read_memory',
  'zx_process_write_memory',
  'zx_thread_create',
  'zx_thread_start',
  'zx_thread_start_regs',
  'zx_thread_legacy_yield',
  'zx_task_kill',
  'zx_object_get_info',
  'zx_object_get_property',
  'zx_object_set_property',
  'zx_object_get_child',
  'zx_handle_close',
  'zx_handle_duplicate',
  'zx_nanosleep',
  'zx_deadline_after',
  'zx_cprng_draw',
  'zx_cprng_add_entropy',
  'zx_system_get_features',
  'zx_cache_flush',
] as const;

const EDGES = [
  0n,
  1n,
  2n,
  7n,
  8n,
  32n,
  4095n,
  4096n,
  2n ** 31n,
  2n ** 38n,
  2n ** 47n,
  2n ** 63n,
  2n ** 64n - 1n,
];

const TOPICS: readonly number[] = Object.values(InfoTopic);
const PROPERTY_NUMBERS: readonly number[] = Object.values(Property);

/** One call: which, and for each argument a number that `value` makes something of. */
interface Step {
  readonly name: (typeof NAMES)[number];
  readonly choices: readonly number[];
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    name: fc.constantFrom(...NAMES),
    choices: fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }),
  }),
  { minLength: 1, maxLength: 40, size: 'max' },
);

/** Mostly something that fits the argument: calls that only fail at their first check find nothing. */
function value(h: Harness, { args }: Syscall, index: number, choice: number): bigint {
  const { kind, name } = args[index];
  const edge = EDGES[choice % EDGES.length];
  if (choice % 16 === 0) return edge;
  const n = choice >>> 4;
  if (kind === 'handle') {
    const { handles, handleSecret } = h.k.sharedBy(h.process);
    const slots = [...handles.keys()];
    return BigInt(((slots[n % slots.length] ^ handleSecret) << 2) | 3);
  }
  if (kind === 'pointer' || name === 'vaddr') return BigInt(SCRATCH + 0x80000 + (n % 0x1000));
  if (name === 'topic') return BigInt(TOPICS[n % TOPICS.length]);
  if (name === 'property') return BigInt(PROPERTY_NUMBERS[n % PROPERTY_NUMBERS.length]);
  if (name === 'rights') return BigInt(n % 2 === 0 ? Right.SAME_RIGHTS : n);
  if (name === 'koid') return BigInt(1024 + (n % 40));
  if (name === 'options' || name === 'kind') return BigInt(n % 4);
  return n % 4 === 0 ? edge : BigInt(n);
}

function world(mode: 'owned' | 'immer'): Harness {
  const h = new Harness({ cores: 2 }, mode);
  const job = newJob(h);
  const running = newRunning(h, job);
  addMemory(h, koidOf(h, running.process));
  const { process } = newProcess(h, newJob(h, job));
  newThread(h, process);
  newThread(h);
  newChannel(h);
  newEvent(h);
  newVmo(h, 4 * PAGE);
  return h;
}

function run(h: Harness, list: readonly Step[]): unknown[] {
  const results: unknown[] = [];
  let thread = h.thread;
  for (const { name, choices } of list) {
    const call = syscallByName(name);
    const args = call.args.map((_, i) => value(h, call, i, choices[i]));
    const result = h.call(name, args, thread);
    results.push(result);
    if (result === 'gone') break;
    if (result === 'blocked') thread = h.newThread(h.process, 'next');
  }
  return results;
}

function handlesInTables(h: Harness): number {
  let count = 0;
  for (const { handles } of h.k.state.shared.values()) count += handles.size;
  return count;
}

test('any calls, with any arguments, do the same in owned and in drafted states, and leave nothing behind', (t) => {
  fc.assert(
    fc.property(steps, (list) => {
      const owned = world('owned');
      const drafted = world('immer');
      t.deepEqual(run(owned, list), run(drafted, list));
      t.is(owned.hash(), drafted.hash());
      t.deepEqual(orphans(owned), []);
      t.is(owned.k.state.handles, handlesInTables(owned));
    }),
    { numRuns: 300 },
  );
});

test('most random calls get past their first check', (t) => {
  let ok = 0;
  let all = 0;
  for (const list of fc.sample(steps, { numRuns: 60, seed: 1 })) {
    const results = run(world('owned'), list);
    all += results.length;
    ok += results.filter((result) => result === 0n).length;
  }
  t.true(ok > all / 5, `${ok} of ${all}`);
});
