import { builtinModules } from 'node:module';
import { moduleOf, packageOf } from './modules.js';
import { type Finding, isTypeScript, type Source } from './source.js';

const TOP_LEVEL: readonly string[] = [
  'LICENSE',
  'README.md',
  'package-lock.json',
  'package.json',
  'recordings',
  'src',
  'test',
  'tools',
  'tsconfig.json',
];

/** The top level against the layout that others rely on: nothing more (but dot files), nothing less. */
export function checkLayout(names: readonly string[]): Finding[] {
  const extra = names.filter((name) => !name.startsWith('.') && !TOP_LEVEL.includes(name));
  const missing = TOP_LEVEL.filter((name) => !names.includes(name));
  return [
    ...extra.map((path) => ({ path, line: 0, what: 'does not belong at the top level' })),
    ...missing.map((path) => ({ path, line: 0, what: 'is missing' })),
  ];
}

/** File and folder names: kebab-case, except where a standard or a tool gives the name. */
export function checkFileNames(sources: readonly Source[]): Finding[] {
  const given = /^(?:[A-Z]+(?:\.md)?|\..*|string_view\.h)$/;
  const kebab = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*(?:\.S)?$/;
  return sources
    .filter(({ path }) => path.split('/').some((name) => !given.test(name) && !kebab.test(name)))
    .map(({ path }) => ({ path, line: 0, what: 'name is not in kebab-case' }));
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Development tools that are run, not imported. */
const TOOLS = new Set(['@biomejs/biome', '@types/node', 'typescript']);

/** Packages that are imported without being declared where they ship, or declared and never imported. */
export function checkPackages(sources: readonly Source[], manifest: Manifest): Finding[] {
  const shipped = Object.keys(manifest.dependencies ?? {});
  const development = Object.keys(manifest.devDependencies ?? {});
  const findings: Finding[] = [];
  const imported = new Set<string>();
  for (const source of sources.filter(isTypeScript)) {
    const { path } = source;
    const known = path.startsWith('src/') ? shipped : [...shipped, ...development];
    for (const { specifier, line } of moduleOf(source).imports) {
      if (specifier.startsWith('.') || specifier.startsWith('node:')) continue;
      const name = packageOf(specifier);
      imported.add(name);
      if (builtinModules.includes(name)) findings.push({ path, line, what: `write node:${name}` });
      else if (!known.includes(name))
        findings.push({ path, line, what: `imports ${name}, which is not declared` });
    }
  }
  for (const name of [...shipped, ...development]) {
    if (imported.has(name) || TOOLS.has(name)) continue;
    findings.push({ path: 'package.json', line: 0, what: `declares ${name}, which nobody imports` });
  }
  return findings;
}

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>
  >;
}

/**
 * Packages for other platforms that the lock file names and does not hold: `npm ci` refuses such a file everywhere.
 * They get lost when a registry does not have them at the moment that the lock file is written.
 */
export function checkLock(lock: Lock): Finding[] {
  const findings: Finding[] = [];
  for (const [owner, { optionalDependencies }] of Object.entries(lock.packages)) {
    for (const name of Object.keys(optionalDependencies ?? {})) {
      if (holders(owner).some((folder) => lock.packages[`${folder}node_modules/${name}`] !== undefined))
        continue;
      findings.push({ path: 'package-lock.json', line: 0, what: `lacks ${name} of ${owner}` });
    }
  }
  return findings;
}

/** The folders where Node looks for what a package imports, innermost first. */
function holders(owner: string): string[] {
  const folders = [''];
  for (const { index } of owner.matchAll(/(?<=^|\/)node_modules\//g)) folders.push(owner.slice(0, index));
  return [...folders, `${owner}/`].reverse();
}
