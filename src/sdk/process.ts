import { Signal } from '../abi/signals.js';
import type { Handle } from './handle.js';
import type { Wide } from './invoke.js';
import { mapped, must } from './result.js';
import { TaskHandle } from './task.js';
import { Thread } from './thread.js';
import { Vmar } from './vmar.js';

/** A process: an address space, handles and threads. */
export class Process extends TaskHandle {
  /** `zx_thread_create`: a thread that has not started. */
  *createThread(name: string) {
    const result = yield* this.zx.threadCreate(this.raw, name, 0);
    return mapped(result, ['thread'], ({ out }) => ({ thread: new Thread(this.zx, out) }));
  }

  /**
   * `zx_process_start`: runs the first thread.
   * @param given a handle that the process gets, as its first argument; gone from here whatever happens
   */
  *start(thread: Thread, entry: Wide, stack: Wide, given: Handle | null, arg2: Wide = 0) {
    return yield* this.zx.processStart(this.raw, thread.raw, entry, stack, given?.release() ?? 0, arg2);
  }

  /** `zx_process_create_shared`: a process with this one's handles and shared addresses, and restricted ones of its own. */
  *createShared(name: string, options = 0) {
    const result = yield* this.zx.processCreateShared(this.raw, options, name);
    return mapped(result, ['process', 'restrictedVmar'], ({ procHandle, restrictedVmarHandle }) => ({
      process: new Process(this.zx, procHandle),
      restrictedVmar: new Vmar(this.zx, restrictedVmarHandle),
    }));
  }

  /** `zx_process_read_memory`: up to the end of the mapping there. */
  *readMemory(address: Wide, sizeBytes: number) {
    const result = yield* this.zx.processReadMemory(this.raw, address, sizeBytes);
    return mapped(result, ['bytes'], ({ buffer, actual }) => ({ bytes: buffer.slice(0, Number(actual)) }));
  }

  /** `zx_process_write_memory`: gives how many bytes were written. */
  *writeMemory(address: Wide, bytes: Uint8Array) {
    return yield* this.zx.processWriteMemory(this.raw, address, bytes);
  }

  /** Waits for the end of the process and gives its return code. @param deadline ns of monotonic time */
  *wait(deadline: Wide) {
    const { status } = yield* this.waitOne(Signal.PROCESS_TERMINATED, deadline);
    if (status !== 'ZX_OK') return { status, returnCode: null };
    const { info } = must(yield* this.info('PROCESS', 'zx_info_process_t'));
    return { status, returnCode: info.return_code };
  }
}
