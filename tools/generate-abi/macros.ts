import * as clocks from '../../src/abi/clocks.js';
import * as exceptions from '../../src/abi/exceptions.js';
import { InfoTopic, Property } from '../../src/abi/info.js';
import * as ipc from '../../src/abi/ipc.js';
import * as limits from '../../src/abi/limits.js';
import * as types from '../../src/abi/object-types.js';
import * as policy from '../../src/abi/policy.js';
import * as ports from '../../src/abi/ports.js';
import * as processargs from '../../src/abi/processargs.js';
import * as restricted from '../../src/abi/restricted.js';
import * as rights from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { Status } from '../../src/abi/status.js';
import * as system from '../../src/abi/system.js';
import * as threads from '../../src/abi/threads.js';
import * as vm from '../../src/abi/vm.js';

type Values = Readonly<Record<string, number | bigint>>;

function literal(value: number | bigint): string {
  if (value < 0) return String(value);
  const text = value < 10 ? String(value) : `0x${value.toString(16)}`;
  return value > 0xffffffff ? `${text}ull` : `${text}u`;
}

/** `#define NAME ((cast)value)` for each value; with no cast, plain decimal numbers. */
function macros(prefix: string, values: Values, cast?: string): string {
  return Object.entries(values)
    .map(
      ([name, value]) =>
        `#define ${prefix}${name} (${cast === undefined ? value : `(${cast})${literal(value)}`})\n`,
    )
    .join('');
}

function macroName(objectType: string): string {
  return objectType.toUpperCase().replaceAll('-', '_');
}

function renamed(values: Values, rename: (name: string) => string): Values {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [rename(name), value]));
}

function signalMacro(name: string): string {
  if (name.startsWith('OBJECT_')) return `__ZX_${name}`;
  if (name === 'USER_ALL') return 'ZX_USER_SIGNAL_ALL';
  if (name === 'KERNEL_ALL') return '__ZX_OBJECT_SIGNAL_ALL';
  if (name === 'NONE' || name === 'HANDLE_CLOSED') return `ZX_SIGNAL_${name}`;
  return name.replace(/^USER_(\d)$/, 'USER_SIGNAL_$1').replace(/^(?!ZX_|__)/, 'ZX_');
}

function alignmentMacros(): string {
  const units = ['KB', 'MB', 'GB'];
  const values: Record<string, number> = {};
  for (let log2 = vm.VM_ALIGN_LOG2_MIN; log2 <= vm.VM_ALIGN_LOG2_MAX; log2++) {
    const unit = Math.floor(log2 / 10) - 1;
    values[`${2 ** (log2 % 10)}${units[unit]}`] = log2 * 2 ** vm.VM_ALIGN_SHIFT;
  }
  return `#define ZX_VM_ALIGN_BASE ${vm.VM_ALIGN_SHIFT}\n${macros('ZX_VM_ALIGN_', values, 'zx_vm_option_t')}`;
}

/** Macros of each header, in groups with a heading. */
export const MACROS = {
  errors: () => [macros('ZX_', Status)],
  rights: () => [
    macros('ZX_RIGHT_', rights.Right, 'zx_rights_t'),
    macros(
      'ZX_RIGHTS_',
      {
        BASIC: rights.RIGHTS_BASIC,
        IO: rights.RIGHTS_IO,
        PROPERTY: rights.RIGHTS_PROPERTY,
        POLICY: rights.RIGHTS_POLICY,
      },
      'zx_rights_t',
    ),
    macros(
      'ZX_DEFAULT_',
      renamed(rights.DEFAULT_RIGHTS, (name) => `${macroName(name)}_RIGHTS`),
      'zx_rights_t',
    ),
  ],
  limits: () => [
    macros('ZX_', { PAGE_SIZE: vm.PAGE_SIZE_BYTES, PAGE_MASK: vm.PAGE_SIZE_BYTES - 1 }, 'uintptr_t'),
    macros('ZX_', {
      PAGE_SHIFT: vm.PAGE_SHIFT,
      MIN_PAGE_SHIFT: vm.PAGE_SHIFT,
      MAX_PAGE_SHIFT: vm.PAGE_SHIFT,
    }),
  ],
  types: () => [
    macros(
      'ZX_HANDLE_',
      { INVALID: limits.HANDLE_INVALID, FIXED_BITS_MASK: limits.HANDLE_FIXED_BITS_MASK },
      'zx_handle_t',
    ),
    macros(
      'ZX_KOID_',
      { INVALID: limits.KOID_INVALID, KERNEL: limits.KOID_KERNEL, FIRST: limits.KOID_FIRST },
      'zx_koid_t',
    ),
    macros('ZX_CLOCK_', clocks.ClockId, 'zx_clock_t'),
    '#define ZX_TIME_INFINITE INT64_MAX\n#define ZX_TIME_INFINITE_PAST INT64_MIN\n',
    macros('', renamed(Signal, signalMacro), 'zx_signals_t'),
    '#define ZX_EVENT_SIGNAL_MASK (ZX_USER_SIGNAL_ALL | ZX_EVENT_SIGNALED)\n' +
      '#define ZX_EVENTPAIR_SIGNAL_MASK (ZX_USER_SIGNAL_ALL | ZX_EVENTPAIR_SIGNALED | ZX_EVENTPAIR_PEER_CLOSED)\n',
    macros('ZX_OBJ_TYPE_', renamed(types.ObjectType, macroName), 'zx_obj_type_t') +
      macros(
        'ZX_OBJ_TYPE_',
        { NONE: types.OBJECT_TYPE_NONE, UPPER_BOUND: types.OBJECT_TYPE_UPPER_BOUND },
        'zx_obj_type_t',
      ),
    macros(
      'ZX_',
      {
        MAX_NAME_LEN: limits.NAME_SIZE_BYTES,
        WAIT_MANY_MAX_ITEMS: limits.WAIT_MANY_MAX_ITEMS,
        CPRNG_DRAW_MAX_LEN: limits.CPRNG_DRAW_MAX_BYTES,
        CPRNG_ADD_ENTROPY_MAX_LEN: limits.CPRNG_ADD_ENTROPY_MAX_BYTES,
      },
      'size_t',
    ),
    macros(
      'ZX_',
      {
        CHANNEL_MAX_MSG_BYTES: limits.CHANNEL_MAX_MSG_BYTES,
        CHANNEL_MAX_MSG_HANDLES: limits.CHANNEL_MAX_MSG_HANDLES,
        CHANNEL_MAX_MSG_IOVECS: limits.CHANNEL_MAX_MSG_IOVECS,
        FIFO_MAX_SIZE_BYTES: limits.FIFO_MAX_SIZE_BYTES,
      },
      'uint32_t',
    ),
    macros('ZX_VM_', vm.VmOption, 'zx_vm_option_t') + alignmentMacros(),
    macros('ZX_VMAR_OP_', vm.VmarOp, 'uint32_t'),
    macros('ZX_VMO_', vm.VmoOption, 'uint32_t'),
    macros('ZX_VMO_CHILD_', vm.VmoChildOption, 'uint32_t'),
    macros('ZX_VMO_OP_', vm.VmoOp, 'uint32_t'),
    macros('ZX_PAGER_OP_', vm.PagerOp, 'uint32_t') +
      macros('ZX_VMO_DIRTY_RANGE_', vm.DirtyRangeOption, 'uint64_t') +
      macros(
        'ZX_PAGER_',
        { VMO_STATS_MODIFIED: vm.PAGER_VMO_STATS_MODIFIED, RESET_VMO_STATS: vm.PAGER_RESET_VMO_STATS },
        'uint32_t',
      ),
    macros('ZX_CACHE_POLICY_', vm.CachePolicy, 'uint32_t'),
    macros('ZX_CACHE_FLUSH_', vm.CacheFlush, 'uint32_t'),
    macros('ZX_CHANNEL_READ_', ipc.ChannelReadOption, 'uint32_t') +
      macros('ZX_CHANNEL_WRITE_', ipc.ChannelWriteOption, 'uint32_t'),
    macros('ZX_HANDLE_OP_', ipc.HandleOp, 'zx_handle_op_t'),
    macros('ZX_SOCKET_', ipc.SocketOption, 'uint32_t') +
      macros('ZX_SOCKET_DISPOSITION_', ipc.SocketDisposition, 'uint32_t'),
    macros('ZX_STREAM_MODE_', ipc.StreamMode, 'uint32_t') +
      macros('ZX_STREAM_', ipc.StreamWriteOption, 'uint32_t') +
      macros('ZX_STREAM_SEEK_ORIGIN_', ipc.StreamSeekOrigin, 'uint32_t'),
    macros('ZX_TIMER_SLACK_', clocks.TimerSlack, 'uint32_t'),
    macros('ZX_PROCESS_', threads.ProcessOption, 'uint32_t') +
      macros('ZX_JOB_CRITICAL_PROCESS_', threads.JobCriticalOption, 'uint32_t'),
    macros('ZX_SYSTEM_EVENT_', system.SystemEventKind, 'uint32_t'),
  ],
  features: () => [
    macros('ZX_FEATURE_KIND_', system.FeatureKind, 'uint32_t'),
    macros('ZX_VM_FEATURE_', system.VmFeature, 'uint32_t'),
  ],
  processargs: () => [
    macros(
      'ZX_PROCARGS_',
      { PROTOCOL: processargs.PROCARGS_PROTOCOL, VERSION: processargs.PROCARGS_VERSION },
      'uint32_t',
    ),
    '#define PA_HND(type, arg) (((type) & 0xffu) | (((arg) & 0xffffu) << 16))\n' +
      '#define PA_HND_TYPE(info) ((info) & 0xffu)\n#define PA_HND_ARG(info) (((info) >> 16) & 0xffffu)\n',
    macros('PA_', processargs.ProcArg, 'uint32_t'),
  ],
  object: () => [
    macros('ZX_INFO_', InfoTopic, 'uint32_t'),
    macros('ZX_PROP_', Property, 'uint32_t'),
    macros('ZX_INFO_PROCESS_FLAG_', threads.ProcessInfoFlag, 'uint32_t'),
    macros('ZX_TASK_RETCODE_', threads.TaskRetcode, 'int64_t'),
    macros('ZX_INFO_VMO_', vm.VmoInfoFlag, 'uint32_t'),
    macros('ZX_INFO_MAPS_TYPE_', vm.MapsType, 'uint32_t'),
    macros('ZX_THREAD_STATE_', threads.ThreadState, 'zx_thread_state_t'),
  ],
  debug: () => [macros('ZX_THREAD_STATE_', threads.ThreadStateKind, 'uint32_t')],
  exception: () => [
    macros(
      'ZX_EXCP_',
      { SYNTH: exceptions.EXCEPTION_SYNTHETIC_BIT, ...exceptions.ExceptionType },
      'zx_excp_type_t',
    ),
    macros('ZX_EXCP_USER_CODE_', exceptions.ExceptionUserCode, 'uint32_t'),
    macros('ZX_EXCP_POLICY_CODE_', policy.PolicyExceptionCode, 'uint32_t'),
    macros('ZX_EXCEPTION_CHANNEL_', exceptions.ExceptionChannelOption, 'uint32_t') +
      macros('ZX_EXCEPTION_CHANNEL_TYPE_', exceptions.ExceptionChannelType, 'uint32_t'),
    macros('ZX_EXCEPTION_', exceptions.RaiseExceptionOption, 'uint32_t'),
    macros('ZX_EXCEPTION_STATE_', exceptions.ExceptionState, 'uint32_t'),
    macros('ZX_EXCEPTION_STRATEGY_', exceptions.ExceptionStrategy, 'uint32_t'),
  ],
  policy: () => [
    macros('ZX_JOB_POL_', policy.PolicyMode, 'uint32_t') +
      macros('ZX_JOB_POL_', policy.PolicyTopic, 'uint32_t'),
    macros('ZX_POL_', { ...policy.PolicyCondition, MAX: policy.POLICY_CONDITION_COUNT }, 'uint32_t'),
    macros('ZX_POL_ACTION_', policy.PolicyAction, 'uint32_t'),
    macros('ZX_POL_OVERRIDE_', policy.PolicyOverride, 'uint32_t'),
  ],
  port: () => [
    macros('ZX_PKT_TYPE_', ports.PacketType, 'uint32_t'),
    macros('ZX_WAIT_ASYNC_', ports.WaitAsyncOption, 'uint32_t'),
    macros('ZX_PORT_', ports.PortOption, 'uint32_t'),
    macros('ZX_PAGER_VMO_', vm.PagerCommand, 'uint16_t'),
  ],
  clock: () => [
    macros('ZX_CLOCK_OPT_', clocks.ClockOption, 'uint64_t'),
    `#define ZX_CLOCK_ARGS_VERSION(n) (((uint64_t)(n)) << ${clocks.CLOCK_ARGS_VERSION_SHIFT})\n`,
    macros('ZX_CLOCK_UPDATE_OPTION_', clocks.ClockUpdateOption, 'uint64_t'),
    macros(
      'ZX_CLOCK_UPDATE_',
      {
        MIN_RATE_ADJUST: clocks.CLOCK_RATE_ADJUST_MIN_PPM,
        MAX_RATE_ADJUST: clocks.CLOCK_RATE_ADJUST_MAX_PPM,
      },
      'int32_t',
    ),
    macros('ZX_CLOCK_', { UNKNOWN_ERROR: clocks.CLOCK_UNKNOWN_ERROR_NS }, 'uint64_t'),
  ],
  iob: () => [
    `#define ZX_IOB_MAX_REGIONS ${limits.IOB_MAX_REGIONS}\n`,
    macros('ZX_IOB_ACCESS_', ipc.IobAccess, 'uint32_t'),
    macros('ZX_IOB_REGION_TYPE_', ipc.IobRegionType, 'uint32_t'),
    macros('ZX_IOB_DISCIPLINE_TYPE_', ipc.IobDisciplineType, 'uint64_t'),
  ],
  restricted: () => [
    macros('ZX_RESTRICTED_REASON_', restricted.RestrictedReason, 'uint64_t'),
    macros('ZX_RESTRICTED_OPT_', restricted.RestrictedOption, 'uint32_t'),
  ],
} as const satisfies Record<string, () => string[]>;
