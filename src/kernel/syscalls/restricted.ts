import {
  isRestrictedStateValid,
  RESTRICTED_ABI,
  RestrictedOption,
  type RestrictedReasonName,
} from '../../abi/restricted.js';
import { DEFAULT_RIGHTS } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import { sizeOf } from '../../abi/structs.js';
import { ADDRESS_SPACES, PAGE_SIZE_BYTES } from '../../abi/vm.js';
import { assert } from '../../base/assert.js';
import { restrictedPage } from '../objects/restricted.js';
import { ELSEWHERE } from './call.js';
import type { Decider } from './decider.js';
import type { Handler, Handlers } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { releaseObjects } from './lifetime.js';
import { requirePolicy } from './policy.js';
import { refuse, requireArgs } from './refusal.js';
import { tellCoreAfterRestricted } from './rseq.js';
import { isUserWritable, writeUser } from './user-memory.js';
import { requireMemory } from './vmo-range.js';

const HANDLE_BYTES = 4;

/**
 * A VMO of one page, which holds every architecture's zx_restricted_exception_t. A bad `out` gives no handle but
 * leaves the VMO bound, as the manual says it may (syscalls/restricted_bind_state).
 */
const bind: Handler<'zx_restricted_bind_state'> = (call, { options, out, out_exception }) => {
  call.allowOptions(options);
  requirePolicy(call, 'NEW_VMO');
  requireMemory(call.k, 1);
  requireHandleRoom(call.k, call.process, 1);
  const vmo = call.k.state.nextKoid;
  call.emit({
    type: 'vmo-created',
    koid: vmo,
    sizeBytes: PAGE_SIZE_BYTES,
    contentSizeBytes: PAGE_SIZE_BYTES,
    resizable: false,
    discardable: false,
    name: 'restricted-state',
    vdsoCodeOffset: 0,
    vdsoCodeSizeBytes: 0,
  });
  call.emit({ type: 'vmo-pages-committed', vmo, page: 0, count: 1 });
  unbindState(call.m, call.thread);
  const reportAddress = call.k.config.vintage === 'head' ? out_exception : 0;
  call.emit({ type: 'restricted-state-bound', thread: call.thread, vmo, reportAddress });
  requireArgs(out !== 0 && isUserWritable(call.k, call.process, out, HANDLE_BYTES));
  call.putHandle('out', vmo, DEFAULT_RIGHTS.vmo);
  return Status.OK;
};

/** The order of checks is the kernel's (kernel/restricted, RestrictedEnter). */
const enter: Handler<'zx_restricted_enter'> = (call, { options, vector_table_ptr: vector, context }) => {
  const { k, thread } = call;
  call.allowOptions(options, k.config.vintage === 'head' ? 0 : RestrictedOption.EXCEPTION_CHANNEL);
  requireArgs(vector < BigInt(ADDRESS_SPACES[k.arch.name].top));
  const self = k.get(thread, 'thread');
  if (self.restrictedState === 0) refuse(Status.ERR_BAD_STATE);
  if (!isRestrictedStateValid(k.arch.name, restrictedPage(k, thread))) refuse(Status.ERR_BAD_STATE);
  if (self.kicked) call.emit({ type: 'restricted-left', thread, reason: 'KICK', vector, context });
  else {
    const exceptionChannel = (options & RestrictedOption.EXCEPTION_CHANNEL) !== 0;
    call.emit({ type: 'restricted-entered', thread, vector, context, exceptionChannel });
  }
  return ELSEWHERE;
};

/** The flag stays until the thread is in restricted mode or about to be; more than one kick leave one. */
const kick: Handler<'zx_restricted_kick'> = (call, { options }) => {
  call.allowOptions(options);
  const { koid, life, kicked } = call.object('thread', 'thread');
  if (life === 'dying' || life === 'dead') refuse(Status.ERR_BAD_STATE);
  if (!kicked) call.emit({ type: 'restricted-kicked', thread: koid });
  return Status.OK;
};

export const restrictedCalls: Handlers = {
  zx_restricted_bind_state: bind,
  zx_restricted_enter: enter,
  zx_restricted_kick: kick,

  zx_restricted_unbind_state: (call, { options }) => {
    call.allowOptions(options);
    unbindState(call.m, call.thread);
    return Status.OK;
  },
};

/** Takes a thread's state VMO away, if it has one; the VMO stays while somebody has a handle or maps it. */
export function unbindState(m: Decider, thread: number): void {
  const { restrictedState: vmo } = m.k.get(thread, 'thread');
  if (vmo === 0) return;
  m.emit({ type: 'restricted-state-unbound', thread, vmo });
  releaseObjects(m, [vmo]);
}

/** A system call instruction in restricted mode, whatever its number: pc is behind it when the vector looks. */
export function leaveBySyscall(m: Decider, thread: number): void {
  leave(m, thread, 'SYSCALL', m.k.arch.restricted.saveSyscall(m.k.registers(thread)));
}

/** A kicked thread was about to run an instruction in restricted mode. */
export function leaveByKick(m: Decider, thread: number): void {
  leave(m, thread, 'KICK', m.k.arch.restricted.save(m.k.registers(thread)));
}

/**
 * An exception in restricted mode that the vector is to handle; pc is at the instruction.
 * @param report zx_exception_report_t: goes behind the state, or where zx_restricted_bind_state was told
 */
export function leaveByException(m: Decider, thread: number, report: Uint8Array): void {
  const state = m.k.arch.restricted.save(m.k.registers(thread));
  const { restrictedReport: address, process } = m.k.get(thread, 'thread');
  if (address === 0) {
    const both = new Uint8Array(sizeOf(RESTRICTED_ABI[m.k.arch.name].exception));
    both.set(state);
    both.set(report, state.length);
    leave(m, thread, 'EXCEPTION', both);
    return;
  }
  const writable = isUserWritable(m.k, process, address, report.length);
  leave(m, thread, writable ? 'EXCEPTION' : 'EXCEPTION_LOST', state);
  if (writable) writeUser(m, process, thread, address, report);
}

function leave(m: Decider, thread: number, reason: RestrictedReasonName, saved: Uint8Array): void {
  const { restricted, restrictedState: vmo } = m.k.get(thread, 'thread');
  assert(restricted !== null, 'the thread is not in restricted mode');
  const { vector, context } = restricted;
  m.emit({ type: 'vmo-written', vmo, offset: 0, bytes: saved });
  m.emit({ type: 'restricted-left', thread, reason, vector, context });
  tellCoreAfterRestricted(m, thread);
}
