/** Bundles modules for a browser, as whoever uses the library in a page would. */
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * @param entries by the name of its bundle, the module that a bundle starts at: a path, or an export of this package
 * @returns ES modules by file name: `NAME.js`
 * @throws (rejects) when anything that is reached imports a module of Node's, or what a package has for Node only
 */
export async function bundleForBrowser(
  entries: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: { ...entries },
    absWorkingDir: fileURLToPath(new URL('../..', import.meta.url)),
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    outdir: 'bundles',
    write: false,
    logLevel: 'silent',
  });
  return new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
}
