/**
 * Builds every guest of test/guests from its C source: `node .build/tools/build-guests.js [NAME…]`.
 * With --check it builds elsewhere and fails, naming the file, when a result differs from what is committed.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { buildGuest, type CrossCompiler, compileRuntime } from '../src/platform/node/cross-compiler.js';

const GUESTS = 'test/guests';
/** Sources that are built a second time, as NAME-pie.elf: position-independent. */
const ALSO_PIE: readonly string[] = ['hello', 'process-tree'];
/** One compiler makes what is committed: Debian 12's, of the package gcc-riscv64-linux-gnu. */
const COMPILER: CrossCompiler = { command: 'riscv64-linux-gnu-gcc', kind: 'gcc-linux' };
const WARNINGS = ['-Wall', '-Wextra', '-Werror'];

/** A folder of guests of one file each; every other folder is one guest of several files. */
const FOLDER_OF_GUESTS = 'bench';
/** Guests of several files that can be built as position-independent programs only. */
const ONLY_PIE: readonly string[] = ['runner'];

interface Guest {
  /** From GUESTS on, without `.elf`. */
  readonly name: string;
  readonly sources: readonly string[];
  readonly pie: boolean;
}

function listGuests(folder = ''): Guest[] {
  const entries = readdirSync(join(GUESTS, folder), { withFileTypes: true });
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.isDirectory()) {
        return entry.name === FOLDER_OF_GUESTS ? listGuests(entry.name) : [guestOfFolder(entry.name)];
      }
      if (!entry.name.endsWith('.c')) return [];
      const name = join(folder, basename(entry.name, '.c'));
      const plain = { name, sources: [join(GUESTS, `${name}.c`)], pie: false };
      return ALSO_PIE.includes(name) ? [plain, { ...plain, name: `${name}-pie`, pie: true }] : [plain];
    });
}

function guestOfFolder(name: string): Guest {
  const sources = readdirSync(join(GUESTS, name)).filter((file) => /\.[cS]$/.test(file));
  return {
    name,
    sources: sources.sort().map((file) => join(GUESTS, name, file)),
    pie: ONLY_PIE.includes(name),
  };
}

function build(guests: readonly Guest[], outputDirectory: string, scratch: string): void {
  const runtimes = new Map<boolean, string[]>();
  for (const { name, sources, pie } of guests) {
    if (!runtimes.has(pie)) {
      const directory = join(scratch, pie ? 'runtime-pie' : 'runtime');
      mkdirSync(directory);
      const options = { pie, withoutDebugInfo: true, extraArguments: WARNINGS };
      runtimes.set(pie, compileRuntime(COMPILER, directory, options));
    }
    mkdirSync(join(outputDirectory, dirname(name)), { recursive: true });
    const result = buildGuest({
      compiler: COMPILER,
      sources,
      output: join(outputDirectory, `${name}.elf`),
      pie,
      withoutDebugInfo: true,
      extraArguments: WARNINGS,
      runtimeObjects: runtimes.get(pie)!,
    });
    process.stderr.write(result.messages);
    if (result.exitCode !== 0) throw new Error(`${name} does not build`);
  }
}

function differing(guests: readonly Guest[], outputDirectory: string): string[] {
  const same = (name: string) => {
    try {
      return readFileSync(join(GUESTS, name)).equals(readFileSync(join(outputDirectory, name)));
    } catch {
      return false;
    }
  };
  return guests.map(({ name }) => `${name}.elf`).filter((name) => !same(name));
}

function main(args: readonly string[]): number {
  const names = args.filter((arg) => arg !== '--check');
  const check = names.length < args.length;
  const guests = listGuests().filter(({ name }) => names.length === 0 || names.includes(name));
  const scratch = mkdtempSync(join(tmpdir(), 'jacinth-guests-'));
  try {
    build(guests, check ? scratch : GUESTS, scratch);
    const wrong = check ? differing(guests, scratch) : [];
    for (const name of wrong) {
      console.error(
        `${GUESTS}/${name} is not what its source builds to, run node .build/tools/build-guests.js`,
      );
    }
    console.log(`${guests.length - wrong.length} guests ${check ? 'are as committed' : 'built'}`);
    return wrong.length === 0 ? 0 : 1;
  } catch (error) {
    console.error(`build-guests: ${error instanceof Error ? error.message : error}`);
    return 1;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

process.exitCode = main(process.argv.slice(2));
