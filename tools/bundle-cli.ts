/**
 * Puts the command line into a few scripts beside what the compiler wrote: `main.cjs`, which starts, and for each verb
 * `bundle/VERB.cjs` with all modules that it needs. Node takes a millisecond or two for each of hundreds of modules, and
 * as long again for its loader of ES modules; and what other verbs have would cost every start. The library stays as it is.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { SUMMARIES } from '../src/cli/overview.js';
import { SCRIPT_HEAD, SCRIPT_TAIL } from '../src/platform/node/cached-script.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const folder = join(root, '.build', 'src', 'cli');
const keep = join(root, '.build', 'tools', 'bundle-cli', 'keep-code.js');
const verbs = Object.keys(SUMMARIES);

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

/** commander asks for this, which is there already. */
const knownProcess: Plugin = {
  name: 'process as it is known',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:process$/ }, () => ({ path: 'process', namespace: 'known' }));
    onLoad({ filter: /.*/, namespace: 'known' }, () => ({ contents: 'module.exports = process;' }));
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

/** Leaves the modules of all other verbs out. */
const onlyVerb = (verb: string): Plugin => ({
  name: `of the verbs ${verb}`,
  setup({ onResolve, onLoad }) {
    const others = verbs.filter((other) => other !== verb).map((other) => `./${other}.js`);
    onResolve({ filter: /^\.\// }, ({ importer, path }) =>
      importer === join(folder, 'command.js') && others.includes(path)
        ? { path, namespace: 'other-verb' }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'other-verb' }, () => ({ contents: '' }));
  },
});

const OPTIONS: BuildOptions = {
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  minify: true,
  // Its modules for Node cannot be told apart by use, and are two hundred.
  alias: { rxjs: join(root, 'node_modules', 'rxjs', 'dist', 'esm', 'index.js') },
  define: { 'import.meta.url': 'scriptUrl' },
  logLevel: 'warning',
};
const SCRIPT_URL = 'const scriptUrl=require("node:url").pathToFileURL(__filename).href;';

async function bundleMain(): Promise<void> {
  const entryPoints = [join(folder, 'main.js')];
  await build({ ...OPTIONS, entryPoints, banner: { js: SCRIPT_URL }, outfile: join(folder, 'main.cjs') });
}

async function bundleVerb(verb: string): Promise<void> {
  await build({
    ...OPTIONS,
    entryPoints: [join(folder, 'command.js')],
    outfile: join(folder, 'bundle', `${verb}.cjs`),
    plugins: [laterChildProcess, knownProcess, laterFflate, onlyVerb(verb)],
    banner: { js: `${SCRIPT_HEAD}${SCRIPT_URL}` },
    footer: { js: SCRIPT_TAIL },
  });
}

const scratch = mkdtempSync(join(tmpdir(), 'jacinth-bundle-'));

async function keepCode(verb: string): Promise<void> {
  const args = [keep, verb, join(folder, 'bundle', `${verb}.cjs`), scratch];
  await promisify(execFile)(process.execPath, args, { cwd: root, maxBuffer: 2 ** 26 });
}

rmSync(join(folder, 'bundle'), { recursive: true, force: true });
await Promise.all([bundleMain(), ...verbs.map(bundleVerb)]);
try {
  // It makes the recordings that others look into.
  await keepCode('record');
  await Promise.all(verbs.filter((verb) => verb !== 'record').map(keepCode));
} finally {
  rmSync(scratch, { recursive: true });
}
