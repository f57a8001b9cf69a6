import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';

/** The tests run from the compiler's output; fixtures stay beside the sources. */
const FIXTURES = new URL('../../../test/loader/fixtures/', import.meta.url);

export function fixturePath(name: string): string {
  return new URL(name, FIXTURES).pathname;
}

export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(fixturePath(name)));
}

export function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 60_000 });
  if (error !== undefined) throw error;
  if (status !== 0 || stderr !== '')
    throw new Error(`${command} ${args.join(' ')}: ${status}\n${stdout}${stderr}`);
  return stdout;
}

function isInstalled(tool: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(`${folder}/${tool}`));
}

/** A test that is shown as skipped where one of the tools is missing. */
export function testWith(
  tools: readonly string[],
  title: string,
  body: (t: ExecutionContext) => void | Promise<void>,
): void {
  const missing = tools.filter((tool) => !isInstalled(tool));
  if (missing.length === 0) test(title, body);
  else test.skip(`${title} (not installed: ${missing.join(', ')})`, body);
}

/** A copy with little-endian fields replaced: offset, size in bytes, value. */
export function patched(
  bytes: Uint8Array,
  ...fields: [offset: number, size: number, value: bigint][]
): Uint8Array {
  const copy = bytes.slice();
  for (const [offset, size, value] of fields)
    for (let i = 0; i < size; i++) copy[offset + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  return copy;
}
