import { IntMap } from '../../src/base/int-map.js';
import { Prng, seedPrng } from '../../src/base/prng.js';
import { applyEvent } from '../../src/kernel/objects/events.js';
import { emptyState, Kernel } from '../../src/kernel/objects/kernel.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import type { Harness } from './harness.js';

/**
 * The state after the first `count` events of a harness, from nothing and by reducers alone: what replaying to there,
 * or going back to there, has to give.
 */
function refold({ events, k: { config, arch } }: Harness, count: number, mode: 'owned' | 'immer'): string {
  const k = new Kernel(emptyState(config, seedPrng(config.entropySeed, 'cprng')), config, arch, mode);
  for (const event of events.slice(0, count)) applyEvent(k, event);
  return hashOf(k);
}

/** Without registers: harnesses put marks in them that no event tells of. */
function hashOf(k: Kernel): string {
  return stateHash({ ...k.snapshot(), registers: IntMap.empty() });
}

/** Places in the list of a harness's events, and the state's hash there. */
export type Marks = Map<number, string>;

export function mark(marks: Marks, h: Harness): void {
  marks.set(h.events.length, hashOf(h.k));
}

/** Which of some of the marks are not what folding the events gives, in whichever order one goes to them. */
export function wrongMarks(marks: Marks, h: Harness, seed: number): number[] {
  const random = new Prng(seedPrng(seed, 'marks'));
  const all = [...marks.keys()];
  const some = Array.from({ length: Math.min(6, all.length) }, () => all[random.below(all.length)]);
  return some.filter((count, i) => refold(h, count, i % 2 === 0 ? 'owned' : 'immer') !== marks.get(count));
}

/** A machine beside a model of what it should be. */
export interface ModelledWorld<Command> {
  readonly h: Harness;
  readonly marks: Marks;
  /** Where the two do not agree. */
  readonly wrong: readonly string[];
  run(command: Command): void;
}

/** Runs commands, and throws at the first behind which machine and model are not alike. */
export function runAlike<Command>(world: ModelledWorld<Command>, commands: readonly Command[]): void {
  for (const command of commands) {
    world.run(command);
    if (world.wrong.length > 0) throw new Error(`${JSON.stringify(command)}: ${world.wrong.join('; ')}`);
  }
}

/** Whether commands lead to the same states with both ways of reducing, and folding their events to each on the way. */
export function foldsAlike<Command>(
  owned: ModelledWorld<Command>,
  drafted: ModelledWorld<Command>,
  commands: readonly Command[],
  seed: number,
): boolean {
  for (const command of commands) {
    owned.run(command);
    drafted.run(command);
  }
  return owned.h.hash() === drafted.h.hash() && wrongMarks(owned.marks, owned.h, seed).length === 0;
}
