/** A run that takes checkpoints as it goes, for benchmarks. */
import { launch, type RunSpec } from '../src/loader/launch.js';
import type { Checkpoint, Machine } from '../src/machine/machine.js';

/** How many of the last checkpoints stay alive, as a timeline would keep some; the others, and all at the end, are released. */
const CHECKPOINTS_KEPT = 64;

/**
 * Where slices end, as whoever keeps checkpoints takes them.
 * @param everySteps between them; Infinity for none
 * @param look sees the machine after each
 * @returns how many were taken
 */
export function runWithCheckpoints(
  spec: RunSpec,
  everySteps: number,
  look: (machine: Machine) => void = () => {},
): number {
  const machine = launch(spec);
  const kept: Checkpoint[] = [];
  let taken = 0;
  for (let next = everySteps; !machine.halted; ) {
    machine.command();
    if (machine.k.state.steps < next) continue;
    next = machine.k.state.steps + everySteps;
    const place = taken++ % CHECKPOINTS_KEPT;
    if (kept.length === CHECKPOINTS_KEPT) machine.release(kept[place]);
    kept[place] = machine.checkpointToRelease();
    look(machine);
  }
  for (const checkpoint of kept) machine.release(checkpoint);
  return taken;
}
