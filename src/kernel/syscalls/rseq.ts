import { Status } from '../../abi/status.js';
import { decodeStruct, sizeOf, struct } from '../../abi/structs.js';
import { CachePolicy } from '../../abi/vm.js';
import { PAGE_SIZE } from '../../memory/page.js';
import type { Kernel } from '../objects/kernel.js';
import type { Rseq } from '../objects/rseq.js';
import { pageForRead } from '../objects/vmo-pages.js';
import type { Decider } from './decider.js';
import type { Handlers } from './dispatch.js';
import { releaseObjects } from './lifetime.js';
import { requireArgs } from './refusal.js';
import { commitRange, isBacked, missingPages, requireInside, requireMemory } from './vmo-range.js';

const RSEQ_BYTES = sizeOf('zx_rseq_t');

export const rseqCalls: Handlers = {
  // The order of checks is the kernel's (lib/syscalls/thread).
  zx_thread_set_rseq: (call, { vmo, offset, size }) => {
    const { k, thread } = call;
    if (vmo === 0) {
      requireArgs(offset === 0n && size === 0n);
      clearRseq(call.m, thread);
      return Status.OK;
    }
    requireArgs(size === BigInt(RSEQ_BYTES) && offset % BigInt(struct('zx_rseq_t').alignBytes) === 0n);
    const object = call.object('vmo', 'vmo');
    requireArgs(!isBacked(k, object) && object.cachePolicy === CachePolicy.CACHED);
    const range = requireInside(k, object, offset, size);
    requireMemory(k, missingPages(range));
    commitRange(call.m, range);
    const before = k.get(thread, 'thread').rseq;
    const rseq: Rseq = { vmo: range.vmo.koid, offset: range.offset };
    call.emit({ type: 'thread-rseq-set', thread, rseq });
    if (before !== undefined) releaseObjects(call.m, [before.vmo]);
    tellCore(call.m, rseq, k.state.slice?.core ?? 0);
    return Status.OK;
  },
};

/** The kernel looks at a thread's restartable sequence no more; its VMO may go. */
export function clearRseq(m: Decider, thread: number): void {
  const { rseq } = m.k.get(thread, 'thread');
  if (rseq === undefined) return;
  m.emit({ type: 'thread-rseq-set', thread, rseq: null });
  releaseObjects(m, [rseq.vmo]);
}

/**
 * A thread came to a core that it did not have: it learns which, and if it stands inside its restartable sequence it
 * goes on at abort_ip (RFC-0278). In restricted mode it stands in none, and learns the core when it leaves.
 */
export function checkRseq(m: Decider, thread: number, core: number): void {
  const { k } = m;
  const { rseq, restricted } = k.get(thread, 'thread');
  if (rseq === undefined || restricted !== null) return;
  tellCore(m, rseq, core);
  const { start_ip, post_commit_offset, abort_ip } = readRseq(k, rseq);
  const behindStart = BigInt.asUintN(64, k.arch.pc(k.registers(thread)) - start_ip);
  if (behindStart < post_commit_offset) m.emit({ type: 'thread-rseq-aborted', thread, pc: abort_ip });
}

/** A thread left restricted mode: it is told of the core, if it has one; else when it gets one. */
export function tellCoreAfterRestricted(m: Decider, thread: number): void {
  const { rseq } = m.k.get(thread, 'thread');
  const { slice } = m.k.state;
  if (rseq !== undefined && slice?.thread === thread) tellCore(m, rseq, slice.core);
}

function tellCore(m: Decider, rseq: Rseq, core: number): void {
  if (readRseq(m.k, rseq).cpu_id === core) return;
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, core, true);
  m.emit({ type: 'vmo-written', vmo: rseq.vmo, offset: rseq.offset, bytes });
}

function readRseq(k: Kernel, { vmo, offset }: Rseq) {
  const { bytes } = pageForRead(k.state, k.get(vmo, 'vmo'), Math.floor(offset / PAGE_SIZE));
  const at = offset % PAGE_SIZE;
  return decodeStruct('zx_rseq_t', bytes.subarray(at, at + RSEQ_BYTES));
}
