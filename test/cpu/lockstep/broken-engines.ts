import { Prng, seedPrng } from '../../../src/base/prng.js';
import type { Engine, MemoryView, Registers, RunResult, Trace } from '../../../src/cpu/arch.js';
import { RISCV64 } from '../../../src/cpu/riscv64/arch.js';
import { PAGE_SIZE, type Page } from '../../../src/memory/page.js';

/** Engines with one fault each, as fast engines have them. Lock step that does not find them is worth nothing. */

type Run = (
  r: Registers,
  m: MemoryView,
  budget: number,
  timeNs: bigint,
  grace: number,
  trace?: Trace,
) => RunResult;

function around(wrap: (run: Run) => Run): () => Engine {
  return () => {
    const engine = RISCV64.createEngine('reference');
    return { run: wrap((...args) => engine.run(...args)) };
  };
}

/** Once in so many runs. */
const SELDOM = 64;
const FCSR_BYTE = 64 * 8;
const INEXACT = 1;

/** Whether it is time to be wrong. */
function seldom(): () => boolean {
  const prng = new Prng(seedPrng(1, 'broken'));
  return () => prng.below(SELDOM) === 0;
}

/** A view of a memory in which one thing is otherwise. */
function seenAs(memory: MemoryView, change: Partial<MemoryView>): MemoryView {
  return {
    get generation() {
      return memory.generation;
    },
    get epoch() {
      return memory.epoch;
    },
    get original() {
      return memory.original;
    },
    get replacedAlone() {
      return memory.replacedAlone;
    },
    pageForLoad: (n) => memory.pageForLoad(n),
    pageForStore: (n) => memory.pageForStore(n),
    pageForFetch: (n) => memory.pageForFetch(n),
    ...change,
  };
}

/** The same view for the same memory every time, so that an engine's caches live on. */
function through(change: (memory: MemoryView) => MemoryView): () => Engine {
  return around((run) => {
    const views = new WeakMap<MemoryView, MemoryView>();
    return (registers, memory, ...more) => {
      let view = views.get(memory);
      if (view === undefined) {
        view = change(memory);
        views.set(memory, view);
      }
      return run(registers, view, ...more);
    };
  });
}

export const BROKEN_ENGINES: Record<string, () => Engine> = {
  'loses the inexact flag': around((run) => {
    const now = seldom();
    return (registers, ...more) => {
      const result = run(registers, ...more);
      if (now()) registers.bytes[FCSR_BYTE] &= ~INEXACT;
      return result;
    };
  }),
  'loses a store': around((run) => {
    const now = seldom();
    return (registers, memory, ...more) => {
      if (!now()) return run(registers, memory, ...more);
      let lost: { page: Page; before: Uint8Array } | null = null;
      const view = seenAs(memory, {
        pageForStore(n) {
          const page = memory.pageForStore(n);
          if (page !== null) lost ??= { page, before: page.bytes.slice() };
          return page;
        },
      });
      const result = run(registers, view, ...more);
      const { page, before } = (lost as { page: Page; before: Uint8Array } | null) ?? {
        page: null,
        before: null,
      };
      if (page !== null) {
        const at = page.bytes.findIndex((byte, i) => byte !== before[i]);
        if (at >= 0) page.bytes[at] = before[at];
      }
      return result;
    };
  }),
  'retires one too many of a long run': around((run) => (registers, memory, budget, ...more) => {
    return run(registers, memory, budget > 2000 ? budget + 1 : budget, ...more);
  }),
  'runs old code after stores to it': through((memory) => {
    const first = new Map<number, Page>();
    return seenAs(memory, {
      pageForFetch(n) {
        const page = memory.pageForFetch(n);
        if (page !== null && !first.has(n)) first.set(n, page.copy({}));
        return page === null ? null : first.get(n)!;
      },
    });
  }),
  'does not hear of a new generation': through((memory) =>
    Object.defineProperty(seenAs(memory, {}), 'generation', { value: 0 }),
  ),
  'does not hear of a new epoch': through((memory) =>
    Object.defineProperty(seenAs(memory, {}), 'epoch', { value: 0 }),
  ),
  'takes every replaced page for replaced alone': through((memory) =>
    Object.defineProperty(seenAs(memory, {}), 'replacedAlone', { value: true }),
  ),
  'writes into snapshots': through((memory) =>
    seenAs(memory, {
      pageForStore(n) {
        const before = memory.pageForLoad(n);
        return before === null ? memory.pageForStore(n) : memory.pageForStore(n) && before;
      },
    }),
  ),
  'executes what must not be executed': through((memory) =>
    seenAs(memory, { pageForFetch: (n) => memory.pageForFetch(n) ?? memory.pageForLoad(n) }),
  ),
  'says the access, not the missing byte, of a fault across pages': around((run) => (registers, ...more) => {
    const result = run(registers, ...more);
    const { stop, steps } = result;
    if (stop.kind !== 'page-fault' || stop.access === 'fetch' || Number(stop.address) % PAGE_SIZE !== 0)
      return result;
    return { steps, stop: { ...stop, address: stop.address - 1n } };
  }),
  'starts a run one instruction late in time': around((run) => (registers, memory, budget, timeNs, grace) => {
    return run(registers, memory, budget, timeNs + 1n, grace);
  }),
  'drops grace': around(
    (run) => (registers, memory, budget, timeNs) => run(registers, memory, budget, timeNs, 0),
  ),
  'leaves pc behind a system call': around((run) => (registers, ...more) => {
    const result = run(registers, ...more);
    if (result.stop.kind === 'syscall') RISCV64.skipSyscall(registers);
    return result;
  }),
};

/** Gets one bit wrong whenever it runs instructions with this name. Slow: it runs them one by one. */
export function wrongAt(mnemonic: string): () => Engine {
  return () => {
    const engine = RISCV64.createEngine('reference');
    return {
      run(registers, memory, budget, timeNs, grace, trace) {
        let steps = 0;
        for (;;) {
          let name = '';
          const watch: Trace = {
            step: (pc, bits, length) => {
              name = RISCV64.disassemble(pc, bits).split(' ')[0];
              trace?.step(pc, bits, length);
            },
            register: (number, value) => trace?.register(number, value),
            load: (address, sizeBytes, value) => trace?.load(address, sizeBytes, value),
            store: (address, sizeBytes, value) => trace?.store(address, sizeBytes, value),
          };
          const one = engine.run(
            registers,
            memory,
            Math.min(1, budget - steps),
            timeNs + BigInt(steps),
            grace,
            watch,
          );
          steps += one.steps;
          if (name === mnemonic) registers.bytes[11 * 8] ^= 1;
          if (one.stop.kind !== 'budget' || steps >= budget) return { steps, stop: one.stop };
        }
      },
    };
  };
}
