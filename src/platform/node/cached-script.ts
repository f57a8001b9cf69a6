import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { deserialize, serialize } from 'node:v8';
import { Script } from 'node:vm';

type Body = (exports: object, require: NodeJS.Require, module: { exports: object }, filename: string) => void;

/** What V8 made of a script's code: good for the same V8 with the same flags, which V8 checks. */
const cacheFile = (path: string): string => `${path}.cache`;

/** What the script itself made when it was used. */
const valueFile = (path: string): string => `${path}.value`;

function readBeside(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function compile(path: string, cachedData?: Buffer): Script {
  // The bundler writes ASCII, and this encoding is the quickest.
  const source = readFileSync(path, 'latin1');
  return new Script(`(function (exports, require, module, __filename) {${source}\n})`, {
    filename: path,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
}

function execute(script: Script, path: string): unknown {
  const module = { exports: {} };
  (script.runInThisContext() as Body)(module.exports, createRequire(path), module, path);
  return module.exports;
}

/** Runs a CommonJS script of one file, with the code that V8 kept of it if there is some; the answer is its exports. */
export function runScript(path: string): unknown {
  return execute(compile(path, readBeside(cacheFile(path))), path);
}

/** What `keepCode` kept beside a script; undefined when it was not called, or what it kept was cut. */
export function valueBeside(path: string): unknown {
  const bytes = readBeside(valueFile(path));
  try {
    return bytes === undefined ? undefined : deserialize(bytes);
  } catch {
    return undefined;
  }
}

/** Keeps what V8 has compiled of a script when `use` has used it, and what that gives. */
export async function keepCode(path: string, use: (exports: unknown) => Promise<unknown>): Promise<void> {
  const script = compile(path);
  writeFileSync(valueFile(path), serialize(await use(execute(script, path))));
  writeFileSync(cacheFile(path), script.createCachedData());
}
