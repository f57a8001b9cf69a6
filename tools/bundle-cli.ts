/**
 * Puts the command line's modules into a few files, over what the compiler wrote: Node takes a millisecond or two for
 * each of five hundred, which is most of what a short command takes. The library stays as it is.
 */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const folder = join(root, '.build', 'src', 'cli');
rmSync(join(folder, 'bundle'), { recursive: true, force: true });
await build({
  entryPoints: [join(folder, 'main.js')],
  outdir: folder,
  allowOverwrite: true,
  bundle: true,
  // Verbs stay apart: each loads what it needs.
  splitting: true,
  chunkNames: 'bundle/[name]-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minify: true,
  // Its modules for Node cannot be told apart by use, and are two hundred.
  alias: { rxjs: join(root, 'node_modules', 'rxjs', 'dist', 'esm', 'index.js') },
  // What is inside and not a module itself asks for Node's own modules this way.
  banner: {
    js: "import{createRequire as requireOf}from'node:module';const require=requireOf(import.meta.url);",
  },
  logLevel: 'warning',
});
