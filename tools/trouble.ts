import { type ParseArgsConfig, parseArgs } from 'node:util';

/** What keeps a comparison or a measurement from being made, as opposed to what comes out of it: one line. */
export class Trouble extends Error {}

/** A command line as `parseArgs` has it; what is wrong with it is a `Trouble`. */
export function commandLine<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    // What follows the first sentence is about arguments that start with a dash.
    throw new Trouble(error instanceof Error ? error.message.split('. ')[0] : `${error}`);
  }
}

/** Runs a comparison, whose exit status is 0 for equal, 1 for different; it is 2 for trouble, told in one line. */
export async function compareAs(name: string, compare: () => number | Promise<number>): Promise<void> {
  try {
    process.exitCode = await compare();
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    console.error(`${name}: ${error.message}`);
    process.exitCode = 2;
  }
}
