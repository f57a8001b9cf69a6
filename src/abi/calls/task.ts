import { Right } from '../rights.js';
import { type Call, consumes, creates, inCategory, uses } from './call.js';

export const TASK_CALLS: readonly Call[] = [
  ...inCategory('job', [
    {
      name: 'zx_job_create',
      args: [
        ['zx_handle_t parent_job', { handle: uses('job', Right.MANAGE_JOB) }],
        'uint32_t options',
        ['zx_handle_t* out', { handle: creates('job') }],
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'options nonzero or bad out'],
        ['ERR_OUT_OF_RANGE', 'parent at max height (root height 32 counts down)'],
        ['ERR_BAD_STATE', 'parent dead'],
      ],
    },
    {
      name: 'zx_job_set_critical',
      args: [
        ['zx_handle_t job', { handle: uses('job', Right.DESTROY) }],
        'uint32_t options',
        ['zx_handle_t process', { handle: uses('process', Right.WAIT) }],
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'bad option or job not an ancestor of process'],
        ['ERR_ALREADY_BOUND', 'process already critical'],
      ],
    },
    {
      name: 'zx_job_set_policy',
      args: [
        ['zx_handle_t handle', { handle: uses('job', Right.SET_POLICY) }],
        'uint32_t options',
        'uint32_t topic',
        ['const void* policy', { length: 'policy_size' }],
        'uint32_t policy_size',
      ],
      errors: [
        [
          'ERR_INVALID_ARGS',
          'bad topic/options/pointer, zero entries, more than 32 entries, unknown condition or flag value',
        ],
        ['ERR_NOT_SUPPORTED', 'unknown action'],
        ['ERR_ALREADY_EXISTS', 'ABSOLUTE and a locked entry differs'],
        ['ERR_BAD_STATE', 'job has child jobs or processes, or is dead'],
        ['ERR_OUT_OF_RANGE', 'more entries than conditions (19..32)'],
      ],
      note: 'policy_size counts entries, not bytes; argument checks precede the handle lookup in the newest kernel',
    },
  ]),
  ...inCategory('process', [
    {
      name: 'zx_process_create',
      args: [
        ['zx_handle_t job', { handle: uses('job', Right.MANAGE_PROCESS) }],
        ['const char* name', { length: 'name_size' }],
        'size_t name_size',
        'uint32_t options',
        ['zx_handle_t* proc_handle', { handle: creates('process') }],
        ['zx_handle_t* vmar_handle', { handle: creates('vmar') }],
      ],
      policy: 'NEW_PROCESS',
      errors: [
        ['ERR_INVALID_ARGS', 'options not 0 or SHARED, bad pointers'],
        ['ERR_BAD_STATE', 'job dead or dying'],
      ],
      note: 'policy of the CALLING process is consulted, not of the job argument; checked before name copy and job lookup',
    },
    {
      name: 'zx_process_create_shared',
      flags: ['next'],
      args: [
        ['zx_handle_t shared_proc', { handle: uses('process', Right.MANAGE_PROCESS | Right.GET_PROPERTY) }],
        'uint32_t options',
        ['const char* name', { length: 'name_size' }],
        'size_t name_size',
        ['zx_handle_t* proc_handle', { handle: creates('process') }],
        ['zx_handle_t* restricted_vmar_handle', { handle: creates('vmar') }],
      ],
      policy: 'NEW_PROCESS',
      errors: [
        ['ERR_INVALID_ARGS', 'options nonzero or prototype not shareable'],
        ['ERR_BAD_STATE', 'shared state already torn down, or job dead'],
      ],
      note: "child lands in prototype's job; DEBUG_ADDR and BREAK_ON_LOAD are copied, vDSO base is common",
    },
    {
      name: 'zx_process_exit',
      returns: 'void',
      flags: ['noreturn'],
      args: ['int64_t retcode'],
      note: 'first exit/kill code wins; kills all threads',
    },
    {
      name: 'zx_process_read_memory',
      args: [
        ['zx_handle_t handle', { handle: uses('process', Right.READ | Right.WRITE) }],
        'zx_vaddr_t vaddr',
        ['void* buffer', { length: 'buffer_size' }],
        'size_t buffer_size',
        'size_t* actual',
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'null buffer, size 0 or over 64 MiB'],
        ['ERR_BAD_STATE', 'address space gone or uncached'],
        ['ERR_NOT_FOUND', 'no mapping at vaddr (newest; was NO_MEMORY)'],
        ['ERR_OUT_OF_RANGE', 'offset past vmo end'],
      ],
      note: 'reads one mapping only, short reads normal',
    },
    {
      name: 'zx_process_start',
      args: [
        ['zx_handle_t handle', { handle: uses('process', Right.WRITE) }],
        ['zx_handle_t thread', { handle: uses('thread', Right.WRITE) }],
        'zx_vaddr_t entry',
        'zx_vaddr_t stack',
        ['zx_handle_t arg1', { handle: consumes('any', Right.TRANSFER), optional: true }],
        'uintptr_t arg2',
      ],
      errors: [
        ['ERR_ACCESS_DENIED', 'thread of another process, arg1 lacks TRANSFER'],
        ['ERR_BAD_STATE', 'already started or dead, thread not fresh'],
        ['ERR_INVALID_ARGS', 'entry not a user/canonical pc'],
      ],
      note: 'arg1 is consumed on every path; initial regs pc,sp,arg1,arg2, rest 0',
    },
    {
      name: 'zx_process_write_memory',
      args: [
        ['zx_handle_t handle', { handle: uses('process', Right.WRITE) }],
        'zx_vaddr_t vaddr',
        ['const void* buffer', { length: 'buffer_size' }],
        'size_t buffer_size',
        'size_t* actual',
      ],
      errors: [
        ['ERR_NOT_SUPPORTED', 'debugging syscalls off (checked first)'],
        ['ERR_INVALID_ARGS', 'null buffer, size 0 or over 64 MiB'],
        ['ERR_BAD_STATE', 'address space gone'],
        ['ERR_ACCESS_DENIED', 'vDSO range'],
        ['ERR_NOT_FOUND', 'no mapping'],
        ['ERR_OUT_OF_RANGE', 'offset past vmo end'],
      ],
    },
  ]),
  ...inCategory('task', [
    {
      name: 'zx_task_kill',
      args: [['zx_handle_t handle', { handle: uses(['job', 'process', 'thread'], Right.DESTROY) }]],
      errors: [['ERR_WRONG_TYPE', 'not a job, process or thread']],
      note: 'asynchronous: waits on TERMINATED tell completion; killing own thread/process does not return',
    },
    {
      name: 'zx_task_suspend',
      args: [
        ['zx_handle_t handle', { handle: uses(['thread', 'process'], Right.WRITE) }],
        ['zx_handle_t* token', { handle: creates('suspend-token') }],
      ],
      errors: [
        ['ERR_BAD_STATE', 'dying or dead'],
        ['ERR_NOT_SUPPORTED', 'suspending self or own process'],
        ['ERR_INVALID_ARGS', 'bad out'],
      ],
      note: 'deprecated alias kept',
    },
    {
      name: 'zx_task_suspend_token',
      args: [
        ['zx_handle_t handle', { handle: uses(['thread', 'process'], Right.WRITE) }],
        ['zx_handle_t* token', { handle: creates('suspend-token') }],
      ],
      errors: [
        ['ERR_BAD_STATE', 'dying or dead'],
        ['ERR_NOT_SUPPORTED', 'suspending self or own process'],
        ['ERR_INVALID_ARGS', 'bad out'],
      ],
      note: 'counted; resume when last token closes',
    },
  ]),
  ...inCategory('thread', [
    {
      name: 'zx_thread_create',
      args: [
        ['zx_handle_t process', { handle: uses('process', Right.MANAGE_THREAD) }],
        ['const char* name', { length: 'name_size' }],
        'size_t name_size',
        'uint32_t options',
        ['zx_handle_t* out', { handle: creates('thread') }],
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'options nonzero, null name'],
        ['ERR_BAD_STATE', 'process dead'],
      ],
    },
    { name: 'zx_thread_exit', returns: 'void', flags: ['noreturn'], args: [] },
    {
      name: 'zx_thread_legacy_yield',
      args: ['uint32_t options'],
      errors: [['ERR_INVALID_ARGS', 'options nonzero']],
    },
    {
      name: 'zx_thread_read_state',
      args: [
        ['zx_handle_t handle', { handle: uses('thread', Right.READ) }],
        'uint32_t kind',
        ['void* buffer', { length: 'buffer_size' }],
        'size_t buffer_size',
      ],
      errors: [
        ['ERR_BAD_STATE', 'not suspended nor in exception'],
        ['ERR_BUFFER_TOO_SMALL', 'buffer'],
        ['ERR_INVALID_ARGS', 'unknown kind or bad pointer'],
        ['ERR_NOT_SUPPORTED', 'register set absent'],
      ],
    },
    {
      name: 'zx_thread_set_rseq',
      flags: ['next'],
      args: [
        [
          'zx_handle_t vmo',
          { handle: uses('vmo', Right.READ | Right.WRITE | Right.DUPLICATE), optional: true },
        ],
        'uint64_t offset',
        'uint64_t size',
      ],
      errors: [
        [
          'ERR_INVALID_ARGS',
          'size not sizeof(zx_rseq_t), misaligned, pager vmo, unregister with nonzero args',
        ],
        ['ERR_OUT_OF_RANGE', 'not inside vmo'],
        ['ERR_NO_MEMORY', 'no page'],
      ],
      note: 'RFC-0278 and kernels of 2026: a second registration replaces the first',
    },
    {
      name: 'zx_thread_start',
      flags: ['vdsocall'],
      args: [
        ['zx_handle_t handle', { handle: uses('thread', Right.MANAGE_THREAD) }],
        'zx_vaddr_t thread_entry',
        'zx_vaddr_t stack',
        'uintptr_t arg1',
        'uintptr_t arg2',
      ],
      errors: [
        ['ERR_BAD_STATE', 'thread already started or process not running'],
        ['ERR_INVALID_ARGS', 'pc not user/canonical'],
      ],
      note: 'newest: vDSO wrapper over thread_start_regs with tp=abi_reg=0',
    },
    {
      name: 'zx_thread_start_regs',
      args: [
        ['zx_handle_t handle', { handle: uses('thread', Right.MANAGE_THREAD) }],
        'uint64_t pc',
        'uint64_t sp',
        'uint64_t arg1',
        'uint64_t arg2',
        'uint64_t tp',
        'uint64_t abi_reg',
      ],
      errors: [
        ['ERR_BAD_STATE', 'as thread_start'],
        ['ERR_INVALID_ARGS', 'register value impossible (non-user pc, x64 non-canonical tp)'],
      ],
      note: 'tp -> tp/tpidr_el0/fs_base; abi_reg -> gp(riscv)/x18(arm64)/r15(x64)',
    },
    {
      name: 'zx_thread_write_state',
      args: [
        ['zx_handle_t handle', { handle: uses('thread', Right.WRITE) }],
        'uint32_t kind',
        ['const void* buffer', { length: 'buffer_size' }],
        'size_t buffer_size',
      ],
      errors: [
        ['ERR_BAD_STATE', 'not suspended nor in exception'],
        ['ERR_BUFFER_TOO_SMALL', 'buffer'],
        ['ERR_INVALID_ARGS', 'unknown kind, bad value (non-canonical, bad flags/mxcsr), bad pointer'],
        ['ERR_NOT_SUPPORTED', 'register set absent or debug regs disabled'],
      ],
    },
  ]),
];
