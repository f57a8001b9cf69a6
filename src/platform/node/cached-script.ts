import { closeSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs';
import { Script } from 'node:vm';

type Body = (exports: object, require: NodeJS.Require, module: { exports: object }, filename: string) => void;

/** What stands around the CommonJS code in a script's file: the same around it later would be a copy of it all. */
export const SCRIPT_HEAD = '(function (exports, require, module, __filename) {';
export const SCRIPT_TAIL = '\n})';

/** What V8 made of a script's code: good for the same V8 with the same flags, which V8 checks. */
const cacheFile = (path: string): string => `${path}.cache`;

/** What the script itself made when it was used: their names and lengths as JSON in a line, then the pieces. */
const valueFile = (path: string): string => `${path}.value`;

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function read(path: string, room: Buffer): Buffer {
  const file = openSync(path, 'r');
  try {
    return room.subarray(0, readSync(file, room));
  } finally {
    closeSync(file);
  }
}

function compile(path: string, cachedBytes: number): Script {
  // One room for both, one after the other: hosts take longer to give memory than to put something there.
  const room = Buffer.allocUnsafeSlow(Math.max(sizeOf(path), cachedBytes));
  // The bundler writes ASCII, and this encoding is the quickest.
  const source = read(path, room).toString('latin1');
  const options = cachedBytes === 0 ? {} : { cachedData: read(cacheFile(path), room) };
  return new Script(source, { filename: path, ...options });
}

function execute(script: Script, path: string, require: NodeJS.Require): unknown {
  const module = { exports: {} };
  (script.runInThisContext() as Body)(module.exports, require, module, path);
  return module.exports;
}

/**
 * Runs a CommonJS script of one file, with the code that V8 kept of it if there is some; the answer is its exports.
 * @param require the script's: to make one, `node:module` would load Node's loaders for ES modules, 2 ms of each start
 */
export function runScript(path: string, require: NodeJS.Require): unknown {
  return execute(compile(path, sizeOf(cacheFile(path))), path, require);
}

type Pieces = [name: string, bytes: Uint8Array][];

function piecesOf(file: Buffer): Pieces | null {
  let at = file.indexOf('\n') + 1;
  const pieces: Pieces = [];
  for (const [name, length] of JSON.parse(file.toString('utf8', 0, at)) as [string, number][]) {
    // No Buffer: of that, a slice is no copy.
    pieces.push([name, new Uint8Array(file.buffer, file.byteOffset + at, length)]);
    at += length;
  }
  return at === file.length ? pieces : null;
}

/** The pieces that `keepCode` kept beside a script; null when it was not called, or what it kept was cut. */
export function piecesBeside(path: string): Pieces | null {
  try {
    return piecesOf(readFileSync(valueFile(path)));
  } catch {
    return null;
  }
}

/** Keeps what V8 has compiled of a script when `use` has used it, and the pieces that `made` gives after that. */
export async function keepCode(
  path: string,
  require: NodeJS.Require,
  use: (exports: unknown) => Promise<void>,
  made: () => Promise<Pieces>,
): Promise<void> {
  const script = compile(path, 0);
  await use(execute(script, path, require));
  writeFileSync(cacheFile(path), script.createCachedData());
  const pieces = await made();
  const head = JSON.stringify(pieces.map(([name, { length }]) => [name, length]));
  writeFileSync(
    valueFile(path),
    Buffer.concat([Buffer.from(`${head}\n`), ...pieces.map(([, bytes]) => bytes)]),
  );
}
