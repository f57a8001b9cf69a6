/**
 * What an engine takes: `node … ENGINE ROUNDS (GUEST CORES ARGUMENT)…` runs guests in this process and prints the costs
 * of each round as JSON. Under `--no-wasm-lazy-compilation` V8 compiles when it is given a module, so that its part is seen.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { EngineKind } from '../../src/cpu/arch.js';
import { table } from '../../src/cpu/engines/host-memory.js';
import { RegionMaker, statistics } from '../../src/cpu/engines/regions.js';
import { DEFAULTS, launch } from '../../src/loader/launch.js';
import { MAX_SHARED_PAGES, sharedPage } from '../../src/memory/shared-pages.js';

const PAGE_BYTES = 4096;

export interface RoundCost {
  /** Time to make each batch of regions: what V8 takes to compile and to link its module, and the rest. */
  readonly hostMs: readonly number[];
  readonly emissionMs: readonly number[];
  /** Guest instructions that regions were made of. */
  readonly instructions: number;
  /** The most memory that the process had so far, beyond the most that its guests had. */
  readonly peakMiB: number;
}

type Constructor = new (...args: unknown[]) => object;

/** As much of the host's WebAssembly as there is to measure. */
const { WebAssembly: host } = globalThis as unknown as {
  readonly WebAssembly: Record<'Module' | 'Instance', Constructor>;
};

let hostMs = 0;
const hostMsEach: number[] = [];
const emissionMsEach: number[] = [];
let guestPages = 0;

function inHost<T>(work: () => T): T {
  const start = performance.now();
  const result = work();
  hostMs += performance.now() - start;
  return result;
}

/** Puts stopwatches around what makes regions: nothing in the engines looks at a clock. */
function watchRegions(): void {
  for (const name of ['Module', 'Instance'] as const) {
    host[name] = new Proxy(host[name], {
      construct: (target, args) => inHost(() => new target(...args)),
    });
  }
  const grow = table.grow.bind(table);
  const set = table.set.bind(table);
  table.grow = (count) => inHost(() => grow(count));
  table.set = (index, value) => inHost(() => set(index, value));
  for (const name of ['hot', 'unnoted'] as const) {
    const make = RegionMaker.prototype[name];
    RegionMaker.prototype[name] = function (...args) {
      hostMs = 0;
      const start = performance.now();
      make.apply(this, args);
      emissionMsEach.push(performance.now() - start - hostMs);
      hostMsEach.push(hostMs);
    };
  }
}

/** So many others are asked for that no page of a program is known any more, nor the code made of it. */
function forgetPrograms(): void {
  const other = new Uint32Array(PAGE_BYTES / 4);
  for (let i = 0; i < MAX_SHARED_PAGES; i++) {
    other[0] = i;
    sharedPage(new Uint8Array(other.buffer));
  }
}

function runGuest(engine: EngineKind, guest: string, cores: number, argument: string): void {
  const name = basename(guest, '.elf');
  const program = { name, bytes: new Uint8Array(readFileSync(guest)), args: [name, argument], environ: [] };
  const machine = launch({ ...DEFAULTS, engine, cores, program });
  while (!machine.halted) {
    machine.command();
    guestPages = Math.max(guestPages, machine.k.state.committedPages);
  }
}

function peakMiB(): number {
  return process.resourceUsage().maxRSS / 2 ** 10 - (guestPages * PAGE_BYTES) / 2 ** 20;
}

function main([engine, rounds, ...guests]: readonly string[]): void {
  watchRegions();
  const costs: RoundCost[] = [];
  for (let round = 0; round < Number(rounds); round++) {
    const { instructions } = statistics;
    forgetPrograms();
    for (let i = 0; i < guests.length; i += 3) {
      runGuest(engine as EngineKind, guests[i], Number(guests[i + 1]), guests[i + 2]);
    }
    costs.push({
      hostMs: hostMsEach.splice(0),
      emissionMs: emissionMsEach.splice(0),
      instructions: statistics.instructions - instructions,
      peakMiB: peakMiB(),
    });
  }
  process.stdout.write(JSON.stringify(costs));
}

main(process.argv.slice(2));
