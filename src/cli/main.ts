#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { ExitStatus } from '../machine/exit-status.js';
import { piecesBeside, runScript } from '../platform/node/cached-script.js';
import '../platform/node/short-runs.js';
import '../platform/node/wasm-features.js';
import type { main, prepare } from './command.js';
import { asksForOverview, failedStatus, overview, verbOf } from './overview.js';
import { saidAll, writeAll } from './write-all.js';

/** Where the build puts `command.js` and all that it imports for a verb, in one script; any will say what is no verb. */
function bundleFor(args: readonly string[]): string {
  return fileURLToPath(new URL(`bundle/${verbOf(args) ?? 'cc'}.cjs`, import.meta.url));
}

interface Command {
  readonly main: typeof main;
  readonly prepare: typeof prepare;
}

function load(bundle: string): Command | null {
  try {
    return runScript(bundle, require) as Command;
  } catch (reason) {
    writeAll(2, `jacinth: cannot start: ${(reason as Error).message}, in ${bundle}, install it again\n`);
    process.exitCode = failedStatus(args);
    return null;
  }
}

function start(): void {
  const bundle = bundleFor(args);
  const command = load(bundle);
  if (command === null) return;
  command.prepare(piecesBeside(bundle) ?? []);
  // All is written by then: hosts would wait for their compilers and collect garbage first.
  void command.main(args).then(() => process.exit());
}

const args = process.argv.slice(2);
if (asksForOverview(args)) {
  writeAll(1, overview());
  if (!saidAll()) process.exitCode = ExitStatus.FAILED;
} else start();
