import { Command } from 'commander';
import { launch } from '../loader/launch.js';
import { exitStatus } from '../machine/exit-status.js';
import '../platform/node/huge-pages.js';
import { showGuest } from './guest-output.js';
import { addRunOptions, ofProgram, type RunOptions, runSpec } from './run-options.js';

export function runCommand(): Command {
  return addRunOptions(new Command('run'))
    .description('Run a program. Its console is stdout, its exit code is the exit status.')
    .addHelpText('after', '\nExample:\n  jacinth run hello.elf --cores 2 --seed 7 -- some arguments')
    .action((path: string, args: string[], options: RunOptions) => {
      const spec = runSpec(path, args, options);
      const machine = ofProgram(path, () => launch(spec));
      showGuest(machine, spec);
      machine.run();
      if (machine.k.state.halt !== null) process.exitCode = exitStatus(machine.k.state.halt);
    });
}
