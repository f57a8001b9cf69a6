import { comparePositions } from '../machine/position.js';
import { type Access, type Accesses, accessMoment, type Variable } from './accesses.js';
import { type Both, type LossCount, type LostUpdate, SIDES, type SideName } from './report.js';
import type { Run } from './run.js';
import { amount, nameOf } from './words.js';

/** Lost stores that are told. */
const MAX_TOLD = 4;

/** A thread loads, others store something else, and it stores over them without having looked again. */
export interface Loss {
  readonly load: Access;
  /** The first of the others' stores, and how many there were. */
  readonly overwritten: readonly Access[];
  readonly overwrittenCount: number;
  readonly store: Access;
}

/** A thread's last load since its last store, and what others stored since. */
class OpenUpdate {
  readonly first: Access[] = [];
  last: Access | null = null;
  count = 0;

  constructor(readonly load: Access) {}

  add(store: Access): void {
    if (this.first.length < MAX_TOLD) this.first.push(store);
    this.last = store;
    this.count++;
  }
}

/** All such, in the order of the stores that did the damage. */
export function lossesIn(list: readonly Access[]): Loss[] {
  const found: Loss[] = [];
  const open = new Map<number, OpenUpdate>();
  for (const access of list) {
    const { kind, thread, pc } = access;
    if (kind === 'load') {
      open.set(thread, new OpenUpdate(access));
      continue;
    }
    const own = open.get(thread);
    if (pc !== null && own !== undefined && own.last !== null && own.last.value !== own.load.value) {
      const { load, first: overwritten, count: overwrittenCount } = own;
      found.push({ load, overwritten, overwrittenCount, store: access });
    }
    open.delete(thread);
    for (const other of open.values()) other.add(access);
  }
  return found;
}

/**
 * Whether updates of a variable were lost in one of two runs more often than in the other, and how the first was.
 * @param differs it is known to have had two values: then it may be lost as often in both
 * @throws Diverged
 */
export function lostUpdate(
  runs: Both<Run>,
  variable: Variable,
  accesses: Both<Accesses>,
  differs: boolean,
): LostUpdate | null {
  const losses = { a: lossesIn(accesses.a.list), b: lossesIn(accesses.b.list) };
  const counts = { a: count(losses.a, accesses.a), b: count(losses.b, accesses.b) };
  if (counts.a.stores === counts.b.stores && !(differs && counts.a.stores > 0)) return null;
  const side: SideName = counts.a.stores >= counts.b.stores ? 'a' : 'b';
  const run = runs[side];
  const loss = losses[side][0];
  const overwritten = loss.overwritten.map((access) => accessMoment(run, access));
  const load = accessMoment(run, loss.load);
  const store = accessMoment(run, loss.store);
  const victim = nameOf(load.thread);
  return {
    kind: 'lost-update',
    summary:
      `lost update of ${variable.name} in ${side.toUpperCase()}: ${victim} read ${amount(load)}, ` +
      `${nameOf(overwritten[0].thread)} wrote ${amount(overwritten[0])}, ${victim} wrote ${amount(store)} over it`,
    side,
    what: variable.name,
    address: variable.address,
    process: variable.processes[side],
    counts,
    load,
    overwritten,
    overwrittenCount: loss.overwrittenCount,
    store,
    switched: switchBetween(run, loss),
    other: sameElsewhere(runs, accesses, side, loss),
  };
}

function count(losses: readonly Loss[], { complete }: Accesses): LossCount {
  const stores = losses.reduce((sum, { overwrittenCount }) => sum + overwrittenCount, 0);
  return { times: losses.length, stores, complete };
}

/** The choice of the scheduler that let the first overwritten store come between. */
function switchBetween(run: Run, { load, overwritten }: Loss): LostUpdate['switched'] {
  const other = overwritten[0];
  let preempted = false;
  let chosen: LostUpdate['switched'] = null;
  run.timeline.events(load.position, other.position, ({ seq, event }) => {
    if (event.type === 'thread-preempted' && event.thread === load.thread) preempted = true;
    if (event.type !== 'slice-started' || event.thread !== other.thread) return;
    const name = nameOf(run.threadName(event.thread));
    chosen = {
      position: { seq, step: 0 },
      preempted,
      text: `core ${event.core} runs ${name} for ${event.steps} steps`,
    };
  });
  return chosen;
}

/** The store that is the same of its thread, counted by its own stores, in the other run. */
function sameElsewhere(
  runs: Both<Run>,
  accesses: Both<Accesses>,
  side: SideName,
  { store }: Loss,
): LostUpdate['other'] {
  if (!accesses.a.complete || !accesses.b.complete) return null;
  const otherSide = SIDES.find((name) => name !== side)!;
  const run = runs[otherSide];
  const key = runs[side].thread(store.thread)?.key ?? '';
  const thread = run.history.threads.get(key);
  if (thread === undefined) return null;
  const isStoreOf = (koid: number) => (access: Access) => access.kind === 'store' && access.thread === koid;
  const ordinal = accesses[side].list.filter(isStoreOf(store.thread)).indexOf(store);
  const { list } = accesses[otherSide];
  const same = list.filter(isStoreOf(thread.koid))[ordinal];
  if (same === undefined) return null;
  const before = list.slice(0, list.indexOf(same));
  const load = before.findLast(({ kind, thread: koid }) => kind === 'load' && koid === thread.koid);
  if (load === undefined) return null;
  const writer = before.findLast(
    ({ kind, position }) => kind === 'store' && comparePositions(position, load.position) < 0,
  );
  return {
    load: accessMoment(run, load),
    writer: writer === undefined ? null : accessMoment(run, writer),
    store: accessMoment(run, same),
  };
}
