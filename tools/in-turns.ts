/** What something adds to a run, measured beside the same run without it. */
import { launch, type RunSpec } from '../src/loader/launch.js';
import type { Machine } from '../src/machine/machine.js';
import { comparePositions } from '../src/machine/position.js';

/** Processor time of this process and all its threads, in milliseconds: a busy host moves that less than the clock. */
function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Runs a machine to where another of the same run is. */
function catchUp(machine: Machine, to: Machine): void {
  while (!machine.halted && comparePositions(machine.position, to.position) < 0) machine.command();
}

/**
 * Processor time of a run that something is added to over that of the plain run. Both go on in turns of some
 * milliseconds: of whole runs one behind the other, each ratio was up to a fifth off on a shared host.
 * @param run runs to the end, and has others look at its machine now and then
 */
export function costInTurns(
  spec: RunSpec,
  run: (look: (machine: Machine) => void) => void,
  looksATurn: number,
): number {
  let plain!: Machine;
  const launchMs = cpuMs(() => {
    plain = launch(spec);
  });
  let caughtUpMs = 0;
  let looks = 0;
  const bothMs = cpuMs(() =>
    run((machine) => {
      if (++looks % looksATurn === 0) caughtUpMs += cpuMs(() => catchUp(plain, machine));
    }),
  );
  const restMs = cpuMs(() => plain.run());
  return (bothMs - caughtUpMs) / (launchMs + caughtUpMs + restMs);
}
