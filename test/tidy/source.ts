import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** One text file of the project: its path from the root, with slashes. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** What a rule complains of. Lines count from 1; 0 is the file as a whole. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly what: string;
}

export function describe(findings: readonly Finding[]): string[] {
  return findings.map(({ path, line, what }) =>
    line === 0 ? `${path}: ${what}` : `${path}:${line}: ${what}`,
  );
}

/** What version control ignores, and its own folder. */
const IGNORED = /^(?:node_modules|\.build|\.git)$|\.(?:log|tmp)$/;

export function topLevelNames(): string[] {
  return readdirSync(ROOT).filter((name) => !IGNORED.test(name));
}

/** Every text file of the project, in path order. A file with a zero byte is not text. */
export function readProject(directory = ''): Source[] {
  const sources: Source[] = [];
  const entries = readdirSync(ROOT + directory, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (IGNORED.test(entry.name)) continue;
    const path = directory + entry.name;
    if (entry.isDirectory()) sources.push(...readProject(`${path}/`));
    else if (entry.isFile()) {
      const text = readFileSync(ROOT + path, 'utf8');
      if (!text.includes('\0')) sources.push({ path, text });
    }
  }
  return sources;
}

export function isTypeScript(source: Source): boolean {
  return source.path.endsWith('.ts');
}
