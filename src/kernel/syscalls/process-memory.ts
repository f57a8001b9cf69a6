import { PROCESS_MEMORY_MAX_BYTES } from '../../abi/limits.js';
import { Status } from '../../abi/status.js';
import { ADDRESS_SPACES } from '../../abi/vm.js';
import { PAGE_SIZE } from '../../memory/page.js';
import { mappingAt } from '../objects/address-space.js';
import type { ProcessState } from '../objects/process.js';
import { readVmo } from '../objects/vmo-pages.js';
import type { Call } from './call.js';
import type { Handlers } from './dispatch.js';
import { requirePages } from './page-requests.js';
import { refuse, requireArgs } from './refusal.js';
import { missingPages, requireCached, requireInside, requireMemory, type VmoRange } from './vmo-range.js';

/** What the kernel looks at before it looks up the process (lib/syscalls/task). */
function requireBuffer(buffer: number, sizeBytes: bigint): void {
  requireArgs(buffer !== 0 && sizeBytes > 0n && sizeBytes <= PROCESS_MEMORY_MAX_BYTES);
}

/**
 * Where an address of another process is held, and how much of what was asked for the one mapping there has; refuses
 * with OUT_OF_RANGE past the end of its VMO, and with BAD_STATE for memory that is not cached.
 */
function locate(call: Call, process: ProcessState, vaddr: bigint, sizeBytes: bigint): VmoRange {
  if (process.life === 'dying' || process.life === 'dead') refuse(Status.ERR_BAD_STATE);
  const inside = vaddr < BigInt(ADDRESS_SPACES[call.k.arch.name].top);
  const mapping = inside ? mappingAt(call.k, process, Number(vaddr), 'any') : undefined;
  if (mapping === undefined) refuse(Status.ERR_NOT_FOUND);
  const into = Number(vaddr) - mapping.base;
  const length = Math.min(Number(sizeBytes), mapping.sizeBytes - into);
  const vmo = call.k.get(mapping.vmo, 'vmo');
  const range = requireInside(call.k, vmo, BigInt(mapping.vmoOffset + into), BigInt(length));
  requireCached(range.vmo);
  return range;
}

/** A debugger's calls: what a mapping permits its own process does not count. */
export const processMemoryCalls: Handlers = {
  zx_process_read_memory: (call, { vaddr, buffer, buffer_size }) => {
    requireBuffer(buffer, buffer_size);
    const { vmo, offset, length } = locate(call, call.object('handle', 'process'), vaddr, buffer_size);
    call.requireWritable(buffer, length);
    call.requireOut('actual');
    requirePages(call.k, { vmo, offset, length }, 'read');
    call.write(buffer, readVmo(call.k.state, vmo, offset, length));
    call.put('actual', length);
    return Status.OK;
  },

  zx_process_write_memory: (call, { vaddr, buffer, buffer_size }) => {
    requireBuffer(buffer, buffer_size);
    const process = call.object('handle', 'process');
    const range = locate(call, process, vaddr, buffer_size);
    if (range.vmo.vdsoCodeSizeBytes > 0) refuse(Status.ERR_ACCESS_DENIED);
    const bytes = call.read(buffer, range.length);
    call.requireOut('actual');
    requireMemory(call.k, missingPages(range));
    requirePages(call.k, range, 'write');
    for (let done = 0; done < range.length; ) {
      const offset = range.offset + done;
      const length = Math.min(PAGE_SIZE - (offset % PAGE_SIZE), range.length - done);
      call.emit({
        type: 'user-memory-written',
        process: process.koid,
        thread: call.thread,
        address: Number(vaddr) + done,
        vmo: range.vmo.koid,
        offset,
        bytes: bytes.slice(done, done + length),
      });
      done += length;
    }
    call.put('actual', range.length);
    return Status.OK;
  },
};
