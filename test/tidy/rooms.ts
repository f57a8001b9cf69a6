import { type Import, moduleOf, resolveImport } from './modules.js';
import { type Finding, isTypeScript, type Source } from './source.js';

/**
 * The rooms of src, earliest first; rooms on one line do not know each other. A file belongs to the room with the
 * longest path that starts its own. Everything imports from earlier lines only.
 */
const ORDER: readonly (readonly string[])[] = [
  ['src/version.ts', 'src/base/'],
  ['src/abi/'],
  ['src/memory/'],
  ['src/kernel/objects/'],
  ['src/kernel/scheduler/', 'src/kernel/syscalls/', 'src/cpu/'],
  ['src/machine/'],
  ['src/loader/'],
  ['src/recording/'],
  ['src/platform/', 'src/timeline/'],
  ['src/diff/', 'src/explore/', 'src/sdk/'],
  ['src/library/'],
  ['src/index.ts', 'src/servers/'],
  ['src/node.ts'],
  ['src/cli/'],
];

/** What reads and writes ELF files does without a kernel, so that others can have it without one. */
const ELF_FILES = /^src\/loader\/(?:elf|gnu-hash|processargs|segments|symbols|vdso)\b/;

/** The CPU contract: types that every room from memory on may speak in. */
const CONTRACT = 'src/cpu/arch.ts';

interface Room {
  readonly name: string;
  readonly rank: number;
  /** It may import rooms whose rank is below this. */
  readonly sees: number;
}

function roomOf(path: string): Room | null {
  let best: Room | null = null;
  for (const [rank, rooms] of ORDER.entries()) {
    for (const name of rooms) {
      if (path.startsWith(name) && name.length > (best?.name.length ?? 0)) best = { name, rank, sees: rank };
    }
  }
  if (best === null || !ELF_FILES.test(path)) return best;
  return { name: 'src/loader/elf', rank: best.rank, sees: roomOf('src/memory/')!.rank + 1 };
}

function mayImport(from: Room, to: Room, target: string, use: Import): boolean {
  if (from.name === to.name || (from.name === 'src/loader/' && to.name === 'src/loader/elf')) return true;
  if (to.name === 'src/platform/') return ['src/servers/', 'src/node.ts', 'src/cli/'].includes(from.name);
  if (target === CONTRACT && use.typeOnly && from.sees >= roomOf('src/memory/')!.rank) return true;
  return to.rank < from.sees;
}

/** Only the architecture's own folder and files named after it may know an architecture. */
const ARCHITECTURE = /^src\/cpu\/(riscv64|arm64|x64)\//;

function knowsArchitecture(path: string, architecture: string): boolean {
  return (
    path === 'src/cpu/arch-table.ts' ||
    path.startsWith(`src/cpu/${architecture}/`) ||
    path.includes(`-${architecture}.`)
  );
}

/** Imports inside src that go against the order of the rooms, or leave src. */
export function checkImportDirection(sources: readonly Source[]): Finding[] {
  const findings: Finding[] = [];
  const paths = new Set(sources.map((s) => s.path));
  for (const source of sources) {
    if (!isTypeScript(source) || !source.path.startsWith('src/')) continue;
    const { path } = source;
    const room = roomOf(path);
    if (room === null) {
      findings.push({ path, line: 0, what: 'belongs to no room of src' });
      continue;
    }
    for (const use of moduleOf(source).imports) {
      const what = complaint(path, room, use, paths);
      if (what !== null) findings.push({ path, line: use.line, what });
    }
  }
  return findings;
}

function complaint(path: string, room: Room, use: Import, paths: ReadonlySet<string>): string | null {
  const target = resolveImport(path, use.specifier);
  if (target === null) return null;
  if (!paths.has(target)) return `imports ${use.specifier}, which is not there`;
  const targetRoom = roomOf(target);
  if (targetRoom === null) return `imports ${target}, which is outside of every room`;
  const architecture = ARCHITECTURE.exec(target)?.[1];
  if (architecture !== undefined && !knowsArchitecture(path, architecture)) {
    return `imports ${target}: ask src/cpu/arch-table.ts for an architecture`;
  }
  return mayImport(room, targetRoom, target, use) ? null : `${room.name} may not import ${target}`;
}
