import { Argument, Command, Option, type ParseOptionsResult } from 'commander';
import { UserError } from './errors.js';
import { writeAll } from './write-all.js';

const EXAMPLES = `
Examples:
  jacinth cc hello.c -o hello.elf
  jacinth cc main.c list.c -o program.elf --pie -- -Wall -DSIZE=100

The program gets Jacinth's own C runtime (printf, malloc, threads) and the
Zircon headers (zircon/syscalls.h). Exit status: the compiler's.`;

interface CcOptions {
  readonly output: string;
  readonly target: 'riscv64';
  readonly pie: boolean;
}

/** Keeps what follows `--` apart: commander itself would take it for more source files. */
class CcCommand extends Command {
  compilerArguments: string[] = [];

  override parseOptions(argv: string[]): ParseOptionsResult {
    const at = argv.indexOf('--');
    this.compilerArguments = at < 0 ? [] : argv.slice(at + 1);
    return super.parseOptions(at < 0 ? argv : argv.slice(0, at));
  }
}

/** `jacinth cc`: builds a guest with the sysroot and the installed cross compiler. */
export function ccCommand(): Command {
  const command = new CcCommand('cc');
  return command
    .description('Build a guest program from C with the installed cross compiler.')
    .addArgument(new Argument('<file...>', 'C or assembly files; what follows -- goes to the compiler'))
    .requiredOption('-o, --output <file>', 'where to write the program')
    .addOption(new Option('--target <isa>', 'instruction set').choices(['riscv64']).default('riscv64'))
    .option('--pie', 'position-independent instead of fixed addresses', false)
    .addHelpText('after', EXAMPLES)
    .action(async (sources: string[], options: CcOptions) => {
      const { buildGuest, CrossCompilerError, findCrossCompiler } = await import(
        '../platform/node/cross-compiler.js'
      );
      try {
        const compiler = findCrossCompiler(options.target, options.pie);
        const result = buildGuest({
          compiler,
          sources,
          output: options.output,
          pie: options.pie,
          extraArguments: command.compilerArguments,
        });
        writeAll(2, result.messages);
        process.exitCode = result.exitCode;
      } catch (error) {
        throw error instanceof CrossCompilerError ? new UserError(error.message) : error;
      }
    });
}
