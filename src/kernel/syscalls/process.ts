import { DEFAULT_RIGHTS, Right } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import type { SyscallArgs } from '../../abi/syscalls.js';
import { ProcessOption } from '../../abi/threads.js';
import { ADDRESS_SPACES, VmOption } from '../../abi/vm.js';
import { handleSlot, newHandleSecret } from '../objects/handle-value.js';
import type { ProcessState } from '../objects/process.js';
import { type Call, GONE } from './call.js';
import type { Handlers } from './dispatch.js';
import { closeHandle, receiveHandle, requireHandleRoom, takeHandle } from './handles.js';
import { readName } from './names.js';
import { requirePolicy } from './policy.js';
import { Refusal, refuse, requireArgs } from './refusal.js';
import { endProcess, updateJobSignals } from './tasks.js';
import { startStatus, startThread } from './thread.js';

const ROOT_VMAR_FLAGS =
  VmOption.CAN_MAP_SPECIFIC | VmOption.CAN_MAP_READ | VmOption.CAN_MAP_WRITE | VmOption.CAN_MAP_EXECUTE;
const ROOT_VMAR_RIGHTS = DEFAULT_RIGHTS.vmar | Right.READ | Right.WRITE | Right.EXECUTE;

export const processCalls: Handlers = {
  zx_process_create: (call, { name, name_size, options }) => {
    call.allowOptions(options, ProcessOption.SHARED);
    requirePolicy(call, 'NEW_PROCESS');
    const text = readName(call, name, name_size);
    const job = call.object('job', 'job');
    if (job.life !== 'ready') refuse(Status.ERR_BAD_STATE);
    call.requireOut('proc_handle', 'vmar_handle');
    requireHandleRoom(call.k, call.process, 2);
    const { base, sharedBase, top } = ADDRESS_SPACES[call.k.arch.name];
    const sharing = (options & ProcessOption.SHARED) !== 0;
    const { koid, vmar } = createProcess(call as Call, {
      name: text,
      job: job.koid,
      prototype: null,
      sharing,
      base: sharing ? sharedBase : base,
      top,
    });
    call.putHandle('proc_handle', koid, DEFAULT_RIGHTS.process);
    call.putHandle('vmar_handle', vmar, ROOT_VMAR_RIGHTS);
    return Status.OK;
  },

  // The child joins its prototype's job, whatever that job's policy says of it (object/process_dispatcher).
  zx_process_create_shared: (call, { options, name, name_size }) => {
    call.allowOptions(options);
    requirePolicy(call, 'NEW_PROCESS');
    const text = readName(call, name, name_size);
    const prototype = call.object('shared_proc', 'process');
    requireArgs(prototype.sharing);
    if (call.k.sharedBy(prototype.koid).members === 0) refuse(Status.ERR_BAD_STATE);
    const job = call.k.find(prototype.job);
    if (job?.kind !== 'job' || job.life !== 'ready') refuse(Status.ERR_BAD_STATE);
    call.requireOut('proc_handle', 'restricted_vmar_handle');
    requireHandleRoom(call.k, call.process, 2);
    const { base, restrictedTop: top } = ADDRESS_SPACES[call.k.arch.name];
    const { koid, vmar } = createProcess(call as Call, {
      name: text,
      job: job.koid,
      prototype,
      sharing: true,
      base,
      top,
    });
    const { debugAddress, breakOnLoad } = prototype;
    call.emit({ type: 'process-property-set', koid, property: 'debugAddress', value: debugAddress });
    call.emit({ type: 'process-property-set', koid, property: 'breakOnLoad', value: breakOnLoad });
    call.putHandle('proc_handle', koid, DEFAULT_RIGHTS.process);
    call.putHandle('restricted_vmar_handle', vmar, ROOT_VMAR_RIGHTS);
    return Status.OK;
  },

  // Whatever goes wrong, the handle is gone from the caller (syscalls/process_start).
  zx_process_start: (call, args) => {
    let status: number;
    try {
      status = startProcess(call, args);
    } catch (reason) {
      if (!(reason instanceof Refusal)) throw reason;
      status = reason.status;
    }
    if (status !== Status.OK) {
      closeHandle(call.m, call.process, handleSlot(args.arg1, call.table.handleSecret));
    }
    return status;
  },

  zx_process_exit: (call, { retcode }) => {
    endProcess(call.m, call.process, retcode);
    return GONE;
  },
};

interface NewProcess {
  readonly name: string;
  readonly job: number;
  /** Whose shared part it joins; the addresses below are its own part then. */
  readonly prototype: ProcessState | null;
  readonly sharing: boolean;
  readonly base: number;
  readonly top: number;
}

/** A process and the root VMAR that was made with it. */
function createProcess(call: Call, made: NewProcess): { koid: number; vmar: number } {
  const { prototype, base, top, ...rest } = made;
  const koid = call.k.state.nextKoid;
  const vmar = koid + 1;
  call.emit({
    type: 'process-created',
    ...rest,
    koid,
    rootVmar: prototype?.rootVmar ?? vmar,
    restrictedVmar: prototype === null ? 0 : vmar,
    shared: prototype?.shared ?? koid,
    handleSecret: prototype === null ? newHandleSecret(call.k.config.entropySeed, koid) : 0,
    main: false,
  });
  call.emit({
    type: 'vmar-created',
    koid: vmar,
    process: koid,
    parent: 0,
    base,
    sizeBytes: top - base,
    flags: ROOT_VMAR_FLAGS,
  });
  updateJobSignals(call.m, made.job);
  return { koid, vmar };
}

function startProcess(call: Call<'zx_process_start'>, args: SyscallArgs['zx_process_start']): number {
  const process = call.object('handle', 'process');
  const thread = call.object('thread', 'thread');
  const given = args.arg1 === 0 ? null : call.lookup(args.arg1);
  if (thread.process !== process.koid) return Status.ERR_ACCESS_DENIED;
  if (given !== null && (given.rights & Right.TRANSFER) === 0) return Status.ERR_ACCESS_DENIED;
  const status = startStatus(call.m, thread.koid, args.entry, true);
  if (status !== Status.OK) return status;
  // Within one table the handle stays what it is.
  let { arg1 } = args;
  if (given !== null && call.caller.shared !== process.shared) {
    takeHandle(call.m, call.process, given.slot);
    arg1 = receiveHandle(call.m, process.koid, given.koid, given.rights);
  }
  const { entry: pc, stack: sp, arg2 } = args;
  startThread(call.m, thread.koid, { pc, sp, arg1: BigInt(arg1), arg2, tp: 0n, abiReg: 0n });
  return Status.OK;
}
