import { Right } from '../rights.js';
import { type Call, consumes, creates, inCategory, uses } from './call.js';

export const EVENT_CALLS: readonly Call[] = [
  ...inCategory('event', [
    {
      name: 'zx_event_create',
      args: ['uint32_t options', ['zx_handle_t* out', { handle: creates('event') }]],
      policy: 'NEW_EVENT',
      errors: [['ERR_INVALID_ARGS', 'options nonzero or bad out']],
    },
    {
      name: 'zx_eventpair_create',
      args: [
        'uint32_t options',
        ['zx_handle_t* out0', { handle: creates('eventpair') }],
        ['zx_handle_t* out1', { handle: creates('eventpair') }],
      ],
      policy: 'NEW_EVENTPAIR',
      errors: [
        ['ERR_NOT_SUPPORTED', 'options nonzero (not INVALID_ARGS)'],
        ['ERR_INVALID_ARGS', 'bad out'],
      ],
    },
  ]),
  ...inCategory('counter', [
    {
      name: 'zx_counter_add',
      args: [['zx_handle_t handle', { handle: uses('counter', Right.READ | Right.WRITE) }], 'int64_t value'],
      errors: [['ERR_OUT_OF_RANGE', 'result overflows int64']],
    },
    {
      name: 'zx_counter_create',
      args: ['uint32_t options', ['zx_handle_t* out', { handle: creates('counter') }]],
      errors: [['ERR_INVALID_ARGS', 'options nonzero or bad out']],
      note: 'policy NEW_COUNTER does not exist in the header seen',
    },
    {
      name: 'zx_counter_read',
      args: [['zx_handle_t handle', { handle: uses('counter', Right.READ) }], 'int64_t* value'],
      errors: [['ERR_INVALID_ARGS', 'bad out']],
    },
    {
      name: 'zx_counter_write',
      args: [['zx_handle_t handle', { handle: uses('counter', Right.WRITE) }], 'int64_t value'],
    },
  ]),
  ...inCategory('port', [
    {
      name: 'zx_port_cancel',
      args: [
        ['zx_handle_t handle', { handle: uses('port', Right.WRITE) }],
        ['zx_handle_t source', { handle: uses('any', Right.WAIT) }],
        'uint64_t key',
      ],
      errors: [
        ['ERR_NOT_FOUND', 'nothing pending for (source,key)'],
        ['ERR_NOT_SUPPORTED', 'source not waitable'],
      ],
      note: '2018 docs say source needs WRITE; kernel asks WAIT',
    },
    {
      name: 'zx_port_cancel_key',
      args: [
        ['zx_handle_t handle', { handle: uses('port', Right.WRITE) }],
        'uint32_t options',
        'uint64_t key',
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'options nonzero'],
        ['ERR_NOT_FOUND', 'nothing with key'],
      ],
    },
    {
      name: 'zx_port_create',
      args: ['uint32_t options', ['zx_handle_t* out', { handle: creates('port') }]],
      policy: 'NEW_PORT',
      errors: [['ERR_INVALID_ARGS', 'unknown option or bad out']],
    },
    {
      name: 'zx_port_queue',
      args: [['zx_handle_t handle', { handle: uses('port', Right.WRITE) }], 'const zx_port_packet_t* packet'],
      errors: [
        ['ERR_INVALID_ARGS', 'bad packet pointer'],
        ['ERR_SHOULD_WAIT', 'too many user packets queued (also policy exception)'],
      ],
      note: 'type is forced to USER, key/status kept',
    },
    {
      name: 'zx_port_wait',
      flags: ['blocking'],
      args: [
        ['zx_handle_t handle', { handle: uses('port', Right.READ) }],
        'zx_instant_mono_t deadline',
        ['zx_port_packet_t* packet', { optional: true }],
      ],
      errors: [
        ['ERR_TIMED_OUT', 'deadline'],
        ['ERR_INVALID_ARGS', 'bad out'],
        ['ERR_CANCELED', 'port closed during wait'],
        ['ERR_INTERNAL_INTR_RETRY', 'suspended'],
      ],
    },
  ]),
  ...inCategory('futex', [
    {
      name: 'zx_futex_get_owner',
      args: ['const zx_futex_t* value_ptr', ['zx_koid_t* koid', { optional: true }]],
      errors: [['ERR_INVALID_ARGS', 'misaligned or bad pointer']],
    },
    {
      name: 'zx_futex_requeue',
      args: [
        'const zx_futex_t* value_ptr',
        'uint32_t wake_count',
        'int32_t current_value',
        'const zx_futex_t* requeue_ptr',
        'uint32_t requeue_count',
        ['zx_handle_t new_requeue_owner', { handle: uses('thread'), optional: true }],
      ],
      errors: [
        [
          'ERR_INVALID_ARGS',
          'bad/misaligned/equal pointers, or owner not allowed (caller or already-waiting or dead thread)',
        ],
        ['ERR_BAD_STATE', 'value changed'],
        ['ERR_BAD_HANDLE', 'owner invalid (checked after value)'],
        ['ERR_WRONG_TYPE', 'owner not a thread'],
      ],
    },
    {
      name: 'zx_futex_requeue_single_owner',
      args: [
        'const zx_futex_t* value_ptr',
        'int32_t current_value',
        'const zx_futex_t* requeue_ptr',
        'uint32_t requeue_count',
        ['zx_handle_t new_requeue_owner', { handle: uses('thread'), optional: true }],
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'as futex_requeue'],
        ['ERR_BAD_STATE', 'value changed'],
      ],
    },
    {
      name: 'zx_futex_wait',
      flags: ['blocking'],
      args: [
        'const zx_futex_t* value_ptr',
        'int32_t current_value',
        ['zx_handle_t new_futex_owner', { handle: uses('thread'), optional: true }],
        'zx_instant_mono_t deadline',
      ],
      errors: [
        [
          'ERR_INVALID_ARGS',
          'bad/misaligned pointer, or owner is caller / a waiter on this futex / not started or dead / other process',
        ],
        ['ERR_BAD_STATE', 'value differs'],
        ['ERR_BAD_HANDLE', 'owner invalid and value matched'],
        ['ERR_WRONG_TYPE', 'owner not a thread'],
        ['ERR_TIMED_OUT', 'deadline passed'],
        ['ERR_INTERNAL_INTR_RETRY', 'suspended, vDSO retries'],
      ],
    },
    {
      name: 'zx_futex_wake',
      args: ['const zx_futex_t* value_ptr', 'uint32_t wake_count'],
      errors: [['ERR_INVALID_ARGS', 'misaligned or bad pointer']],
      note: 'never fails when nobody waits; clears owner',
    },
    {
      name: 'zx_futex_wake_handle_close_thread_exit',
      returns: 'void',
      flags: ['vdsocall', 'noreturn'],
      args: [
        'const zx_futex_t* value_ptr',
        'uint32_t wake_count',
        'int32_t new_value',
        ['zx_handle_t close_handle', { handle: consumes('any'), optional: true }],
      ],
      note: 'store + wake + close + exit from vDSO, uses no stack after store',
    },
    {
      name: 'zx_futex_wake_single_owner',
      args: ['const zx_futex_t* value_ptr'],
      errors: [['ERR_INVALID_ARGS', 'misaligned or bad pointer']],
      note: 'wakes one and makes it owner',
    },
  ]),
];
