#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { runScript } from '../platform/node/cached-script.js';
import '../platform/node/short-runs.js';
import '../platform/node/wasm-features.js';
import type { main } from './command.js';
import { asksForOverview, overview } from './overview.js';
import { writeAll } from './write-all.js';

/** Where the build puts `command.js` and all that it imports, in one script. */
const BUNDLE = fileURLToPath(new URL('bundle/command.cjs', import.meta.url));

const args = process.argv.slice(2);
if (asksForOverview(args)) writeAll(1, overview());
else void (runScript(BUNDLE) as { readonly main: typeof main }).main(args);
