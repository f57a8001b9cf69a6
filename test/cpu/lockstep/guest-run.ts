import type { EngineKind } from '../../../src/cpu/arch.js';
import { stateHash } from '../../../src/kernel/objects/state-hash.js';
import { DEFAULTS, launch, type RunSpec } from '../../../src/loader/launch.js';
import type { Machine } from '../../../src/machine/machine.js';
import { formatPosition } from '../../../src/machine/position.js';

export interface GuestOutcome {
  readonly steps: number;
  readonly hashes: number;
  /** What differs, in words; null when nothing does. */
  readonly difference: string | null;
}

/** The next boundary where a slice has ended: nothing but a slice makes steps. */
function untilSlice(machine: Machine): void {
  const { steps } = machine.k.state;
  while (!machine.halted && machine.k.state.steps === steps) machine.command();
}

/**
 * Runs a program on a machine for each engine, in turns of `every` slices, and compares state hashes after each turn.
 * Taking a hash takes a snapshot, so that every page that is written is copied in every turn.
 */
export function compareOnGuest(
  program: RunSpec['program'],
  settings: Partial<RunSpec>,
  kinds: readonly EngineKind[],
  every: number,
): GuestOutcome {
  const machines = kinds.map((engine) => launch({ ...DEFAULTS, ...settings, program, engine }));
  const [first] = machines;
  let hashes = 0;
  const outcome = (difference: string | null): GuestOutcome => {
    return { steps: first.k.state.steps * machines.length, hashes, difference };
  };
  while (!first.halted) {
    for (const machine of machines) for (let i = 0; i < every; i++) untilSlice(machine);
    const found = machines.map(
      (machine) => `${stateHash(machine.k.snapshot())} at ${formatPosition(machine.position)}`,
    );
    hashes++;
    const other = found.findIndex((text) => text !== found[0]);
    if (other > 0) return outcome(`${kinds[0]} ${found[0]}, ${kinds[other]} ${found[other]}`);
  }
  const ends = machines.map((machine) => machine.eventHash());
  const other = ends.findIndex((hash) => hash !== ends[0]);
  return outcome(other > 0 ? `events of ${kinds[0]} and ${kinds[other]}` : null);
}
