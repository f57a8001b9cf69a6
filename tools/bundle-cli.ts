/**
 * Puts the command line into two scripts beside what the compiler wrote: `main.cjs`, which starts, and
 * `bundle/command.cjs` with all modules. Node takes a millisecond or two for each of five hundred, and as long again for
 * its loader of ES modules. The library stays as it is.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const folder = join(root, '.build', 'src', 'cli');
/** commander asks for this at once, for commands that are programs, of which there are none here. */
const laterChildProcess: Plugin = {
  name: 'child_process when it is used',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      importer.includes('commander') ? { path: 'child_process', namespace: 'later' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'later' }, () => ({
      contents: `Object.defineProperty(exports, 'spawn', { get: () => require('child_process').spawn });`,
    }));
  },
};

/** It makes its tables when it is loaded, and Node has a quicker one: see `ByteSource.inflate`. */
const laterFflate: Plugin = {
  name: 'fflate when it is used',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^fflate\/browser$/ }, ({ importer }) =>
      importer.endsWith('codec.js') ? { path: 'fflate', namespace: 'later-fflate' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'later-fflate' }, () => ({
      contents: ['deflateSync', 'inflateSync', 'Inflate']
        .map(
          (name) =>
            `Object.defineProperty(exports, '${name}', { get: () => require('fflate/browser').${name} });`,
        )
        .join('\n'),
      resolveDir: root,
    }));
  },
};

const OPTIONS: BuildOptions = {
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  minify: true,
  // Its modules for Node cannot be told apart by use, and are two hundred.
  alias: { rxjs: join(root, 'node_modules', 'rxjs', 'dist', 'esm', 'index.js') },
  plugins: [laterChildProcess, laterFflate],
  define: { 'import.meta.url': 'scriptUrl' },
  banner: { js: 'const scriptUrl=require("node:url").pathToFileURL(__filename).href;' },
  logLevel: 'warning',
};

rmSync(join(folder, 'bundle'), { recursive: true, force: true });
await build({ ...OPTIONS, entryPoints: [join(folder, 'main.js')], outfile: join(folder, 'main.cjs') });
const outfile = join(folder, 'bundle', 'command.cjs');
await build({ ...OPTIONS, entryPoints: [join(folder, 'command.js')], outfile });
const keep = join(root, '.build', 'tools', 'bundle-cli', 'keep-code.js');
const { status, stderr } = spawnSync(process.execPath, [keep, outfile], { cwd: root, encoding: 'utf8' });
if (status !== 0) throw new Error(stderr);
