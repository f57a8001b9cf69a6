import { syscallByNumber } from '../abi/syscalls.js';
import { isBuilt } from '../kernel/syscalls/dispatch.js';
import { crashReport, deadlockReport, symbolizerFor } from '../loader/crash-report.js';
import type { RunSpec } from '../loader/launch.js';
import type { Symbolizer } from '../loader/symbols.js';
import type { Machine } from '../machine/machine.js';
import { writeAll } from './write-all.js';

/**
 * Shows a running machine: the guest's console on stdout; crashes, deadlocks and calls that are not built on stderr.
 * @param consoleTo 2 when stdout is needed for something else
 */
export function showGuest(machine: Machine, spec: RunSpec, consoleTo: 1 | 2 = 1): void {
  const named = new Set<number>();
  const note = (text: string): boolean => writeAll(2, text);
  // Made once: a guest may crash many processes, and its symbol table may be large.
  let symbols: Symbolizer | null = null;
  const symbolizer = (): Symbolizer => (symbols ??= symbolizerFor(spec.program, spec));
  machine.listen((event) => {
    switch (event.type) {
      case 'console-written':
        writeAll(consoleTo, event.bytes);
        return;
      case 'exception-unhandled':
        note(crashReport(machine.k, event, symbolizer()));
        return;
      case 'syscall-entered': {
        const call = syscallByNumber(event.number);
        if (call === undefined || isBuilt(call.name) || named.has(event.number)) return;
        named.add(event.number);
        note(`jacinth: ${call.name} is not built yet, it answers ZX_ERR_NOT_SUPPORTED\n`);
        return;
      }
      case 'machine-halted':
        if (event.halt.kind === 'deadlock') note(deadlockReport(machine.k, symbolizer()));
        if (event.halt.kind === 'step-limit')
          note(`jacinth: step limit, after ${machine.k.state.steps} steps, raise --max-steps to go on\n`);
        return;
      default:
    }
  });
}
