import { Right } from '../rights.js';
import { type Call, creates, inCategory, uses } from './call.js';

export const CLOCK_CALLS: readonly Call[] = [
  ...inCategory('clock', [
    {
      name: 'zx_clock_create',
      args: [
        'uint64_t options',
        ['const void* args', { optional: true }],
        ['zx_handle_t* out', { handle: creates('clock') }],
      ],
      errors: [['ERR_INVALID_ARGS', 'bad option combination, args version or out']],
    },
    { name: 'zx_clock_get_boot', returns: 'zx_instant_boot_t', flags: ['vdsocall'], args: [] },
    { name: 'zx_clock_get_boot_via_kernel', returns: 'zx_instant_boot_t', flags: ['internal'], args: [] },
    {
      name: 'zx_clock_get_details',
      args: [
        ['zx_handle_t handle', { handle: uses('clock', Right.READ) }],
        'uint64_t options',
        'void* details',
      ],
      errors: [['ERR_INVALID_ARGS', 'unknown struct version or bad pointer']],
    },
    {
      name: 'zx_clock_get_details_mapped',
      flags: ['vdsocall'],
      args: ['const void* clock_addr', 'uint64_t options', 'void* details'],
      errors: [['ERR_INVALID_ARGS', 'unknown struct version or bad pointer']],
    },
    { name: 'zx_clock_get_monotonic', returns: 'zx_instant_mono_t', flags: ['vdsocall'], args: [] },
    {
      name: 'zx_clock_get_monotonic_via_kernel',
      returns: 'zx_instant_mono_t',
      flags: ['internal'],
      args: [],
    },
    {
      name: 'zx_clock_read',
      args: [['zx_handle_t handle', { handle: uses('clock', Right.READ) }], 'zx_time_t* now'],
      errors: [['ERR_INVALID_ARGS', 'bad out']],
    },
    {
      name: 'zx_clock_read_mapped',
      flags: ['vdsocall'],
      args: ['const void* clock_addr', 'zx_time_t* now'],
      errors: [['ERR_INVALID_ARGS', 'bad pointer']],
      note: 'an address that is no mapped clock is undefined behaviour',
    },
    {
      name: 'zx_clock_update',
      args: [
        ['zx_handle_t handle', { handle: uses('clock', Right.WRITE) }],
        'uint64_t options',
        'const void* args',
      ],
      errors: [
        ['ERR_INVALID_ARGS', "change breaks clock's monotonic/continuous/backstop promise or bad version"],
        ['ERR_BAD_STATE', 'first update without a value'],
      ],
      note: 'monotonic clocks cannot go back; continuous clocks cannot jump',
    },
  ]),
  ...inCategory('time', [
    {
      name: 'zx_deadline_after',
      returns: 'zx_instant_mono_t',
      flags: ['vdsocall'],
      args: ['zx_duration_mono_t nanoseconds'],
      note: 'saturating add to clock_get_monotonic',
    },
    {
      name: 'zx_nanosleep',
      flags: ['blocking'],
      args: ['zx_instant_mono_t deadline'],
      errors: [['ERR_INTERNAL_INTR_RETRY', 'suspended, vDSO retries']],
      note: 'returns OK; deadline <=0 acts as a yield',
    },
    { name: 'zx_ticks_get', returns: 'zx_instant_mono_ticks_t', flags: ['vdsocall'], args: [] },
    { name: 'zx_ticks_get_boot', returns: 'zx_instant_boot_ticks_t', flags: ['vdsocall'], args: [] },
    {
      name: 'zx_ticks_get_boot_via_kernel',
      returns: 'zx_instant_boot_ticks_t',
      flags: ['internal'],
      args: [],
    },
    { name: 'zx_ticks_get_via_kernel', returns: 'zx_instant_mono_ticks_t', flags: ['internal'], args: [] },
    { name: 'zx_ticks_per_second', returns: 'zx_ticks_t', flags: ['vdsocall', 'const'], args: [] },
  ]),
  ...inCategory('timer', [
    { name: 'zx_timer_cancel', args: [['zx_handle_t handle', { handle: uses('timer', Right.WRITE) }]] },
    {
      name: 'zx_timer_create',
      args: ['uint32_t options', 'uint32_t clock_id', ['zx_handle_t* out', { handle: creates('timer') }]],
      policy: 'NEW_TIMER',
      errors: [['ERR_INVALID_ARGS', 'slack mode unknown, clock not MONOTONIC/BOOT, bad out']],
    },
    {
      name: 'zx_timer_set',
      args: [
        ['zx_handle_t handle', { handle: uses('timer', Right.WRITE) }],
        'zx_time_t deadline',
        'zx_duration_t slack',
      ],
      errors: [['ERR_OUT_OF_RANGE', 'negative slack']],
      note: 'clears SIGNALED first; past deadline fires at once',
    },
  ]),
];
