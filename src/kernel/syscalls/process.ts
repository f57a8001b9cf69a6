import { DEFAULT_RIGHTS, Right } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import type { SyscallArgs } from '../../abi/syscalls.js';
import { ProcessOption } from '../../abi/threads.js';
import { ADDRESS_SPACES, VmOption } from '../../abi/vm.js';
import { handleSlot, newHandleSecret } from '../objects/handle-value.js';
import { type Call, GONE } from './call.js';
import type { Handlers } from './dispatch.js';
import { closeHandle, receiveHandle, requireHandleRoom, takeHandle } from './handles.js';
import { readName } from './names.js';
import { requirePolicy } from './policy.js';
import { Refusal, refuse } from './refusal.js';
import { endProcess, updateJobSignals } from './tasks.js';
import { startStatus, startThread } from './thread.js';

const ROOT_VMAR_FLAGS =
  VmOption.CAN_MAP_SPECIFIC | VmOption.CAN_MAP_READ | VmOption.CAN_MAP_WRITE | VmOption.CAN_MAP_EXECUTE;
const ROOT_VMAR_RIGHTS = DEFAULT_RIGHTS.vmar | Right.READ | Right.WRITE | Right.EXECUTE;

export const processCalls: Handlers = {
  zx_process_create: (call, { name, name_size, options }) => {
    // A process that shares its address space needs restricted mode, which is not built.
    if (options === ProcessOption.SHARED) refuse(Status.ERR_NOT_SUPPORTED);
    call.allowOptions(options);
    requirePolicy(call, 'NEW_PROCESS');
    const text = readName(call, name, name_size);
    const job = call.object('job', 'job');
    if (job.life !== 'ready') refuse(Status.ERR_BAD_STATE);
    call.requireOut('proc_handle', 'vmar_handle');
    requireHandleRoom(call.k, call.process, 2);
    createProcess(call, text, job.koid);
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

function createProcess(call: Call<'zx_process_create'>, name: string, job: number): void {
  const koid = call.k.state.nextKoid;
  const rootVmar = koid + 1;
  const handleSecret = newHandleSecret(call.k.config.entropySeed, koid);
  call.emit({
    type: 'process-created',
    koid,
    name,
    job,
    rootVmar,
    restrictedVmar: 0,
    shared: koid,
    handleSecret,
    main: false,
  });
  const { base, top } = ADDRESS_SPACES[call.k.arch.name];
  call.emit({
    type: 'vmar-created',
    koid: rootVmar,
    process: koid,
    parent: 0,
    base,
    sizeBytes: top - base,
    flags: ROOT_VMAR_FLAGS,
  });
  updateJobSignals(call.m, job);
  call.putHandle('proc_handle', koid, DEFAULT_RIGHTS.process);
  call.putHandle('vmar_handle', rootVmar, ROOT_VMAR_RIGHTS);
}

function startProcess(call: Call<'zx_process_start'>, args: SyscallArgs['zx_process_start']): number {
  const process = call.object('handle', 'process');
  const thread = call.object('thread', 'thread');
  const given = args.arg1 === 0 ? null : call.lookup(args.arg1);
  if (thread.process !== process.koid) return Status.ERR_ACCESS_DENIED;
  if (given !== null && (given.rights & Right.TRANSFER) === 0) return Status.ERR_ACCESS_DENIED;
  const status = startStatus(call.m, thread.koid, args.entry, true);
  if (status !== Status.OK) return status;
  let arg1 = 0;
  if (given !== null) {
    takeHandle(call.m, call.process, given.slot);
    arg1 = receiveHandle(call.m, process.koid, given.koid, given.rights);
  }
  const { entry: pc, stack: sp, arg2 } = args;
  startThread(call.m, thread.koid, { pc, sp, arg1: BigInt(arg1), arg2, tp: 0n, abiReg: 0n });
  return Status.OK;
}
