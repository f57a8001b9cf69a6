import { type Command, InvalidArgumentError, Option } from 'commander';
import { VINTAGES, type Vintage } from '../abi/vintage.js';
import { ENGINE_KINDS, type EngineKind } from '../cpu/arch.js';
import { ElfError } from '../loader/elf.js';
import { DEFAULTS, RANGES, type RunSpec, STRATEGIES, type Strategy } from '../loader/launch.js';
import { ExitStatus } from '../machine/exit-status.js';
import { readProgramFile } from '../platform/node/program-file.js';
import { UserError } from './errors.js';

export interface RunOptions {
  readonly cores: number;
  readonly quantum: number;
  readonly strategy: Strategy;
  readonly seed: number;
  readonly entropySeed: number;
  readonly aslr?: true;
  readonly maxSteps?: number;
  readonly memory: number;
  readonly env: readonly string[];
  readonly abi: Vintage;
  readonly engine: EngineKind;
}

/** How instructions are run, the same for all verbs that run some. */
export function engineOption(): Option {
  return new Option('--engine <name>', 'how instructions are run; it never shows in a run')
    .choices(ENGINE_KINDS)
    .default('auto');
}

/** A parser of whole numbers in a range, decimal or 0x. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^(0x[0-9a-f]+|[0-9]+)$/i.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

/** The options that decide a run, the same for `run` and `record`. */
export function addRunOptions(command: Command): Command {
  const inRange = (name: keyof typeof RANGES, unit = 1): ((text: string) => number) =>
    wholeNumber(RANGES[name].least, RANGES[name].most / unit);
  return command
    .argument('<program>', 'an ELF file for riscv64')
    .argument('[args...]', "the program's arguments, after --")
    .option('--cores <n>', 'simulated cores, 1 to 64', inRange('cores'), DEFAULTS.cores)
    .option('--seed <n>', 'seed of the schedule', inRange('seed'), DEFAULTS.seed)
    .option('--quantum <n>', 'steps a thread keeps a core', inRange('quantumSteps'), DEFAULTS.quantumSteps)
    .addOption(
      new Option('--strategy <name>', 'who runs next').choices(STRATEGIES).default(DEFAULTS.strategy),
    )
    .option(
      '--entropy-seed <n>',
      'seed of random numbers that the guest sees',
      inRange('entropySeed'),
      DEFAULTS.entropySeed,
    )
    .option(
      '--aslr',
      'random addresses, from the entropy seed, for whatever the program leaves to the kernel',
    )
    .option('--max-steps <n>', 'end the run after so many steps (exit status 124)', inRange('maxSteps'))
    .option(
      '--memory <MiB>',
      'memory that guests may fill',
      inRange('physicalPages', 256),
      DEFAULTS.physicalPages / 256,
    )
    .addOption(
      new Option('--abi <vintage>', 'the ABI of the program').choices(VINTAGES).default(DEFAULTS.vintage),
    )
    .addOption(engineOption())
    .option('--env <NAME=value>', "a variable of the program's environment; repeat for more", collect, []);
}

function collect(text: string, before: readonly string[]): string[] {
  if (!/^[^=\0]+=/.test(text)) throw new InvalidArgumentError('It must be NAME=value.');
  return [...before, text];
}

/**
 * Starts a program; why one cannot be run is told with its name.
 * @throws UserError for an ElfError
 */
export function ofProgram<T>(path: string, start: () => T): T {
  try {
    return start();
  } catch (reason) {
    if (!(reason instanceof ElfError)) throw reason;
    throw new UserError(
      `${reason.message}, in ${path}, give a program that \`jacinth cc\` built`,
      ExitStatus.NOT_A_PROGRAM,
    );
  }
}

/** The run that a command line asks for. */
export function runSpec(path: string, args: readonly string[], options: RunOptions): RunSpec {
  const file = readProgramFile(path);
  if (file === 'missing')
    throw new UserError(`no such file, ${path}, check the name`, ExitStatus.NO_SUCH_FILE);
  if (file === 'unreadable') {
    throw new UserError(`not a readable program, ${path}, give an ELF file`, ExitStatus.NOT_A_PROGRAM);
  }
  if (file === 'too large') {
    throw new UserError(`a program of more than 32 MiB, ${path}, strip it`, ExitStatus.NOT_A_PROGRAM);
  }
  return {
    program: { ...file, args: [file.name, ...args], environ: options.env },
    cores: options.cores,
    quantumSteps: options.quantum,
    strategy: options.strategy,
    seed: options.seed,
    entropySeed: options.entropySeed,
    aslr: options.aslr ?? false,
    maxSteps: options.maxSteps ?? Number.POSITIVE_INFINITY,
    physicalPages: options.memory * 256,
    vintage: options.abi,
    engine: options.engine,
  };
}
