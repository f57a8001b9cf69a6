import { type Module, moduleOf, resolveImport } from './modules.js';
import { type Finding, isTypeScript, type Source } from './source.js';

/** Where the product starts: the sources of what package.json offers under `bin` and `exports`. */
export function entryPoints(manifest: { readonly bin?: unknown; readonly exports?: unknown }): string[] {
  const built = JSON.stringify([manifest.bin, manifest.exports]).matchAll(
    /"\.(?:\/\.)?build\/(src\/[^"]+)\.c?js"/g,
  );
  return [...built].map(([, path]) => `${path}.ts`);
}

function modulesOf(sources: readonly Source[]): Map<string, Module> {
  return new Map(sources.filter(isTypeScript).map((source) => [source.path, moduleOf(source)]));
}

/** Files of src that no entry point reaches: nobody can use them. */
export function checkDeadFiles(sources: readonly Source[], entries: readonly string[]): Finding[] {
  const modules = modulesOf(sources);
  const reached = new Set<string>();
  const pending = [...entries];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const module = modules.get(path);
    if (module === undefined || reached.has(path)) continue;
    reached.add(path);
    for (const { specifier } of module.imports) pending.push(resolveImport(path, specifier) ?? '');
  }
  const dead = [...modules.keys()].filter((path) => path.startsWith('src/') && !reached.has(path));
  const missing = entries.filter((path) => !modules.has(path));
  return [
    ...missing.map((path) => ({ path, line: 0, what: 'is missing' })),
    ...dead.map((path) => ({ path, line: 0, what: 'no entry point reaches it' })),
  ];
}

/** Exports of src that no other file asks for. A type may be exported because an exported signature names it. */
export function checkDeadExports(sources: readonly Source[], entries: readonly string[]): Finding[] {
  const modules = modulesOf(sources);
  const used = new Map<string, Set<string>>();

  const use = (path: string, name: string): void => {
    const module = modules.get(path);
    const names = used.get(path) ?? new Set();
    if (module === undefined || names.has(name)) return;
    used.set(path, names.add(name));
    if (name !== '*' && module.exports.some((e) => e.name === name)) return;
    for (const { kind, specifier } of module.imports) {
      if (kind === 'star re-export') use(resolveImport(path, specifier) ?? '', name);
    }
  };

  for (const module of modules.values()) {
    for (const { specifier, names, kind } of module.imports) {
      // What a barrel passes on is used when somebody takes it from the barrel.
      if (kind === 'star re-export' && !entries.includes(module.path)) continue;
      for (const name of names) use(resolveImport(module.path, specifier) ?? '', name);
    }
  }

  const findings: Finding[] = [];
  for (const source of sources) {
    const { path, text } = source;
    if (!isTypeScript(source) || !path.startsWith('src/') || entries.includes(path)) continue;
    const names = used.get(path);
    for (const { name, line, isType } of moduleOf(source).exports) {
      if (names?.has('*') || names?.has(name)) continue;
      if (isType && (text.match(new RegExp(`\\b${name}\\b`, 'g')) ?? []).length > 1) continue;
      findings.push({ path, line, what: `nobody imports ${name}` });
    }
  }
  return findings;
}
