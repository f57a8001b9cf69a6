import { DEFAULT_VINTAGE, type Vintage } from '../abi/vintage.js';
import { seedPrng } from '../base/prng.js';
import type { Arch, EngineKind } from '../cpu/arch.js';
import { archByName } from '../cpu/arch-table.js';
import { emptyState, type MachineConfig } from '../kernel/objects/kernel.js';
import type { Oracle } from '../kernel/scheduler/oracle.js';
import { RoundRobin } from '../kernel/scheduler/round-robin.js';
import { SeededRandom } from '../kernel/scheduler/seeded-random.js';
import { Machine } from '../machine/machine.js';
import type { ProgramSet } from '../machine/program-host.js';
import { bootstrap, checkProgram, type Program, startMessage, vdsoCalls } from './bootstrap.js';

export const STRATEGIES = ['random', 'round-robin'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** Everything a closed run depends on. */
export interface RunSpec {
  readonly program: Program;
  readonly cores: number;
  /** Steps a thread keeps a core, at most. */
  readonly quantumSteps: number;
  readonly strategy: Strategy;
  /** Seed of the schedule. */
  readonly seed: number;
  /** Seed of handle values and of zx_cprng_draw: apart from `seed`, so that runs of two schedules can be compared. */
  readonly entropySeed: number;
  /** Infinity: no limit. */
  readonly maxSteps: number;
  /** 4 KiB pages that guests may fill. */
  readonly physicalPages: number;
  /** The ABI that the program was written for. */
  readonly vintage: Vintage;
  /** Random addresses, from the entropy seed. */
  readonly aslr: boolean;
  /** How instructions are run: it does not show in the run, and no recording knows it. */
  readonly engine?: EngineKind;
  /** Programs in TypeScript that may be met: the program itself, and those it launches. */
  readonly programs?: ProgramSet | null;
}

/** 4 GiB of 4 KiB pages. */
export const MAX_PHYSICAL_PAGES = 1 << 20;
/** A command takes at most a quantum, and between commands a recorder writes what a kill -9 must not lose. */
export const MAX_QUANTUM_STEPS = 1 << 20;

/** What the numbers of a run may be. */
export const RANGES = {
  cores: { least: 1, most: 64 },
  quantumSteps: { least: 1, most: MAX_QUANTUM_STEPS },
  seed: { least: 0, most: Number.MAX_SAFE_INTEGER },
  entropySeed: { least: 0, most: Number.MAX_SAFE_INTEGER },
  maxSteps: { least: 0, most: Number.MAX_SAFE_INTEGER },
  physicalPages: { least: 1, most: MAX_PHYSICAL_PAGES },
} as const;

export const DEFAULTS = {
  cores: 1,
  quantumSteps: 16384,
  strategy: 'random',
  seed: 0,
  entropySeed: 0,
  maxSteps: Number.POSITIVE_INFINITY,
  physicalPages: 65536,
  vintage: DEFAULT_VINTAGE,
  aslr: false,
} as const satisfies Omit<RunSpec, 'program'>;

export function oracleFor(spec: RunSpec): Oracle {
  return spec.strategy === 'random'
    ? new SeededRandom(spec.quantumSteps, spec.seed)
    : new RoundRobin(spec.quantumSteps);
}

/** The one instruction set that programs can be for so far. */
export const ARCH: Arch = archByName('riscv64');

/** The constants of the machine that such a run needs. */
export function machineConfig({ cores, entropySeed, physicalPages, vintage, aslr }: RunSpec): MachineConfig {
  return { cores, entropySeed, physicalPages, vintage, aslr };
}

/**
 * A machine whose first command starts the program; observers have time to come before it.
 * @throws ElfError, ProcessArgsError when the program cannot be run here
 */
export function launch(spec: RunSpec, oracle: Oracle = oracleFor(spec)): Machine {
  const elf = checkProgram(spec.program.bytes);
  // Now, not amid the first command: who records has not made a file yet.
  startMessage(spec.program);
  const config = machineConfig(spec);
  return new Machine({
    state: emptyState(config, seedPrng(spec.entropySeed, 'cprng')),
    config,
    arch: ARCH,
    engine: spec.engine ?? 'auto',
    quantumSteps: spec.quantumSteps,
    maxSteps: spec.maxSteps,
    oracle,
    vdso: vdsoCalls(spec.vintage),
    programs: spec.programs ?? null,
    boot: (m) => bootstrap(m, spec.program, elf),
  });
}
