import { PROCESS_MEMORY_MAX_BYTES } from '../../abi/limits.js';
import { Status } from '../../abi/status.js';
import { ADDRESS_SPACES } from '../../abi/vm.js';
import { PAGE_SIZE } from '../../memory/page.js';
import type { ProcessState } from '../objects/process.js';
import { findMapping } from '../objects/vmar.js';
import { readVmo, type VmoState } from '../objects/vmo.js';
import type { Call } from './call.js';
import type { Handlers } from './dispatch.js';
import { refuse, requireArgs } from './refusal.js';
import { missingPages, requireCached, requireInside, requireMemory, type VmoRange } from './vmo-range.js';

/** What the kernel looks at before it looks up the process (lib/syscalls/task). */
function requireBuffer(buffer: number, sizeBytes: bigint): void {
  requireArgs(buffer !== 0 && sizeBytes > 0n && sizeBytes <= PROCESS_MEMORY_MAX_BYTES);
}

/** Where an address of another process is, and how much of what was asked for the one mapping there has. */
function locate(call: Call, process: ProcessState, vaddr: bigint, sizeBytes: bigint) {
  if (process.life === 'dying' || process.life === 'dead') refuse(Status.ERR_BAD_STATE);
  const inside = vaddr < BigInt(ADDRESS_SPACES[call.k.arch.name].top);
  const mapping = inside ? findMapping(call.k, process.rootVmar, Number(vaddr)) : undefined;
  if (mapping === undefined) refuse(Status.ERR_NOT_FOUND);
  const into = Number(vaddr) - mapping.base;
  const length = Math.min(Number(sizeBytes), mapping.sizeBytes - into);
  const vmo = call.k.get(mapping.vmo, 'vmo');
  return { vmo, wanted: { offset: mapping.vmoOffset + into, length } };
}

function requireReachable(vmo: VmoState, { offset, length }: VmoRange): void {
  requireInside(vmo, BigInt(offset), BigInt(length));
  requireCached(vmo);
}

/** A debugger's calls: what a mapping permits its own process does not count. */
export const processMemoryCalls: Handlers = {
  zx_process_read_memory: (call, { vaddr, buffer, buffer_size }) => {
    requireBuffer(buffer, buffer_size);
    const { vmo, wanted } = locate(call, call.object('handle', 'process'), vaddr, buffer_size);
    requireReachable(vmo, wanted);
    call.requireWritable(buffer, wanted.length);
    call.requireOut('actual');
    call.write(buffer, readVmo(vmo, wanted.offset, wanted.length));
    call.put('actual', wanted.length);
    return Status.OK;
  },

  zx_process_write_memory: (call, { vaddr, buffer, buffer_size }) => {
    requireBuffer(buffer, buffer_size);
    const process = call.object('handle', 'process');
    const { vmo, wanted } = locate(call, process, vaddr, buffer_size);
    if (vmo.vdsoCodeSizeBytes > 0) refuse(Status.ERR_ACCESS_DENIED);
    requireReachable(vmo, wanted);
    const bytes = call.read(buffer, wanted.length);
    call.requireOut('actual');
    requireMemory(call.k, missingPages(vmo, wanted));
    for (let done = 0; done < wanted.length; ) {
      const offset = wanted.offset + done;
      const length = Math.min(PAGE_SIZE - (offset % PAGE_SIZE), wanted.length - done);
      call.emit({
        type: 'user-memory-written',
        process: process.koid,
        thread: call.thread,
        address: Number(vaddr) + done,
        vmo: vmo.koid,
        offset,
        bytes: bytes.slice(done, done + length),
      });
      done += length;
    }
    call.put('actual', wanted.length);
    return Status.OK;
  },
};
