import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Instruction sets a guest can be built for. */
export const GUEST_TARGETS = ['riscv64'] as const;
export type GuestTarget = (typeof GUEST_TARGETS)[number];

export interface CrossCompiler {
  /** Program name, as found on the path. */
  readonly command: string;
  readonly kind: 'gcc-linux' | 'gcc-elf' | 'clang';
}

/** What can be wrong before a compiler has said anything; the message is one line. */
export class CrossCompilerError extends Error {}

export interface GuestBuild {
  readonly compiler: CrossCompiler;
  /** C or assembly files, compiled together with the sysroot's. */
  readonly sources: readonly string[];
  readonly output: string;
  /** A position-independent executable that relocates itself, instead of one with fixed addresses. */
  readonly pie?: boolean;
  /** Leave DWARF out; the symbol table stays. */
  readonly withoutDebugInfo?: boolean;
  /** Handed to the compiler after our own flags. */
  readonly extraArguments?: readonly string[];
  /** Objects of `compileRuntime` to link instead of compiling the sysroot's sources again. */
  readonly runtimeObjects?: readonly string[];
}

export interface CompilerResult {
  readonly exitCode: number;
  /** The compiler's own messages. */
  readonly messages: string;
}

// The same two levels up from src/platform/node and from its compiled copy in .build/src/platform/node.
const PACKAGE_ROOT = (() => {
  const here = dirname(fileURLToPath(import.meta.url));
  const root = resolve(here, '../../..');
  return basename(root) === '.build' ? dirname(root) : root;
})();
export const SYSROOT = join(PACKAGE_ROOT, 'src/sysroot');

/** Where fixed-address guests start: above Zircon's lowest user address, 0x200000. */
const BASE_ADDRESS = '0x1000000';

const CANDIDATES: Record<GuestTarget, readonly CrossCompiler[]> = {
  // The first is what the committed guests are built with. A bare-metal linker cannot make position-independent
  // executables and puts code and constants into one segment, so it comes after.
  riscv64: [
    { command: 'riscv64-linux-gnu-gcc', kind: 'gcc-linux' },
    { command: 'riscv64-unknown-elf-gcc', kind: 'gcc-elf' },
    { command: 'clang', kind: 'clang' },
  ],
};

function isOnPath(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, command), constants.X_OK);
      return directory !== '';
    } catch {
      return false;
    }
  });
}

/** The installed compilers for a target that can make the asked kind of program, best first. */
export function findCrossCompilers(target: GuestTarget, pie = false): CrossCompiler[] {
  return CANDIDATES[target].filter(({ command, kind }) => !(pie && kind === 'gcc-elf') && isOnPath(command));
}

/** The best installed compiler; throws a `CrossCompilerError` that says what to install when there is none. */
export function findCrossCompiler(target: GuestTarget, pie = false): CrossCompiler {
  const found = findCrossCompilers(target, pie)[0];
  if (found !== undefined) return found;
  const what = pie ? `position-independent ${target} programs` : target;
  throw new CrossCompilerError(
    `no compiler for ${what} on the path, install gcc-riscv64-linux-gnu (Debian, Ubuntu) or clang with lld`,
  );
}

function run(
  command: string,
  args: readonly string[],
  directory?: string,
): CompilerResult & { output: string } {
  const result = spawnSync(command, args, {
    cwd: directory,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    // Messages in one language, and no time stamp of the day in __DATE__.
    env: { ...process.env, LC_ALL: 'C', SOURCE_DATE_EPOCH: '0' },
  });
  if (result.error !== undefined)
    throw new CrossCompilerError(`${command} cannot be run: ${result.error.message}`);
  return { exitCode: result.status ?? 1, messages: result.stderr, output: result.stdout };
}

// Code for a library, with nothing to interpose: GNU ld (2.40) refuses the thread-local accesses that -fPIE gives.
const PIE_FLAGS = ['-fPIC', '-fvisibility=hidden', '-ftls-model=initial-exec'];

// Compiler-independent meaning: RV64GC, hard float, frame pointers for backtraces, addresses relative to the program
// counter, nothing relaxed by the linker, no unwind tables, our headers and the compiler's freestanding ones only.
function compileFlags(
  compiler: CrossCompiler,
  build: Pick<GuestBuild, 'pie' | 'withoutDebugInfo'>,
): string[] {
  const headers = run(compiler.command, ['-print-file-name=include']).output.trim();
  return [
    ...(compiler.kind === 'clang'
      ? ['--target=riscv64-unknown-elf']
      : ['-fno-tree-loop-distribute-patterns']),
    ...['-march=rv64gc', '-mabi=lp64d', '-mcmodel=medany', '-mno-relax', '-msmall-data-limit=0'],
    ...['-std=gnu11', '-ffp-contract=off', '-ffreestanding', '-O2', build.withoutDebugInfo ? '-g0' : '-g'],
    ...['-fno-omit-frame-pointer', '-fno-optimize-sibling-calls', '-fno-stack-protector'],
    ...['-fno-asynchronous-unwind-tables', '-fno-unwind-tables', '-fno-common'],
    ...[
      '-ffunction-sections',
      '-fdata-sections',
      '-frandom-seed=jacinth',
      ...(build.pie ? PIE_FLAGS : ['-fno-pie']),
    ],
    ...['-U__linux__', '-U__gnu_linux__', '-Ulinux', '-U__unix__', '-Uunix', '-D__Fuchsia__=1'],
    ...['-nostdinc', '-isystem', join(SYSROOT, 'include'), '-isystem', headers],
  ];
}

// No path of this machine may reach the output: the same sources give the same bytes anywhere. Not every gcc hands its
// own map on to the assembler, which writes the paths of .S files.
function prefixMaps(compiler: CrossCompiler, ...directories: readonly string[]): string[] {
  const maps = [
    ...[...new Set(directories)].map((directory) => `${directory}=.`),
    `${SYSROOT}=/jacinth/sysroot`,
  ];
  return maps.flatMap((map) => [
    `-ffile-prefix-map=${map}`,
    ...(compiler.kind === 'clang' ? [] : ['-Xassembler', `--debug-prefix-map=${map}`]),
  ]);
}

function linkFlags(compiler: CrossCompiler, build: GuestBuild): string[] {
  const forKind = {
    'gcc-linux': ['-Wl,-z,separate-code', '-Wl,-z,norelro', '-Wl,--hash-style=gnu', '-lgcc'],
    'gcc-elf': ['-lgcc'],
    // Without relaxation clang names every basic block in the symbol table.
    clang: ['-fuse-ld=lld', '-Wl,-z,separate-code', '-Wl,-z,norelro', '-Wl,--discard-locals'],
  }[compiler.kind];
  const layout = build.pie
    ? ['-Wl,-pie', '-Wl,--no-dynamic-linker', '-Wl,-z,text']
    : [compiler.kind === 'clang' ? `-Wl,--image-base=${BASE_ADDRESS}` : `-Wl,-Ttext-segment=${BASE_ADDRESS}`];
  return [
    ...['-nostdlib', '-static', '-Wl,--gc-sections', '-Wl,--build-id=sha1', '-Wl,-z,noexecstack'],
    ...[
      '-Wl,-z,max-page-size=4096',
      '-Wl,--no-relax',
      ...(build.withoutDebugInfo ? ['-Wl,--strip-debug'] : []),
    ],
    ...layout,
    ...forKind,
  ];
}

function runtimeSources(): string[] {
  const directory = join(SYSROOT, 'lib');
  const names = readdirSync(directory).filter((name) => name.endsWith('.c') || name.endsWith('.S'));
  // The order decides the layout, and readdir's own order is the host's.
  return names.sort((a, b) => (a < b ? -1 : 1)).map((name) => join(directory, name));
}

/**
 * Compiles the sysroot's sources into `directory` and returns the objects, for linking several guests.
 * Throws a `CrossCompilerError` with the compiler's messages when that fails.
 */
export function compileRuntime(
  compiler: CrossCompiler,
  directory: string,
  options: Pick<GuestBuild, 'pie' | 'withoutDebugInfo' | 'extraArguments'> = {},
): string[] {
  const sources = runtimeSources();
  const flags = [
    ...compileFlags(compiler, options),
    ...prefixMaps(compiler, directory),
    ...(options.extraArguments ?? []),
  ];
  for (const [kind, extra] of [
    ['.c', []],
    // DWARF of assembly would only add paths, and clang does not map them.
    ['.S', ['-g0']],
  ] as const) {
    const ofKind = sources.filter((source) => source.endsWith(kind));
    const result = run(compiler.command, [...flags, ...extra, '-c', ...ofKind], directory);
    if (result.exitCode !== 0)
      throw new CrossCompilerError(`the sysroot does not compile:\n${result.messages}`);
  }
  return sources.map((source) => join(directory, `${basename(source).replace(/\.[cS]$/, '')}.o`));
}

/** Compiles and links one guest. The result is the compiler's own; its messages are not interpreted. */
export function buildGuest(build: GuestBuild): CompilerResult {
  const sources = build.sources.map((source) => resolve(source));
  const { compiler } = build;
  const scratch = mkdtempSync(join(tmpdir(), 'jacinth-cc-'));
  try {
    const runtime =
      build.runtimeObjects ??
      compileRuntime(compiler, scratch, { pie: build.pie, withoutDebugInfo: build.withoutDebugInfo });
    const result = run(compiler.command, [
      ...compileFlags(compiler, build),
      ...prefixMaps(compiler, process.cwd(), ...sources.map((source) => dirname(source))),
      ...(build.extraArguments ?? []),
      ...sources,
      ...runtime,
      ...['-o', resolve(build.output)],
      ...linkFlags(compiler, build),
    ]);
    return { exitCode: result.exitCode, messages: result.messages };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
