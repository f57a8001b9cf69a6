import { Right } from '../rights.js';
import { type Call, consumes, creates, inCategory, uses } from './call.js';

export const HANDLE_CALLS: readonly Call[] = [
  ...inCategory('handle', [
    {
      name: 'zx_handle_check_valid',
      flags: ['vdsocall'],
      args: ['zx_handle_t handle'],
      errors: [
        ['ERR_INVALID_ARGS', 'value is 0'],
        ['ERR_OUT_OF_RANGE', 'low two bits not both set'],
        ['ERR_NOT_FOUND', 'well-formed, not in table'],
      ],
      note: 'does not return BAD_HANDLE, does not trip BAD_HANDLE policy',
    },
    {
      name: 'zx_handle_close',
      args: [['zx_handle_t handle', { handle: consumes('any') }]],
      errors: [['ERR_BAD_HANDLE', 'nonzero value not in table']],
      note: 'closing 0 is OK',
    },
    {
      name: 'zx_handle_close_many',
      args: [
        ['const zx_handle_t* handles', { length: 'num_handles', handle: consumes('any') }],
        'size_t num_handles',
      ],
      errors: [
        ['ERR_BAD_HANDLE', 'some entry invalid or repeated (the valid ones are still closed)'],
        ['ERR_INVALID_ARGS', 'bad array pointer'],
      ],
    },
    {
      name: 'zx_handle_duplicate',
      args: [
        ['zx_handle_t handle', { handle: uses('any', Right.DUPLICATE) }],
        'uint32_t rights',
        ['zx_handle_t* out', { handle: creates('any') }],
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'rights not a subset or bad out'],
        ['ERR_ACCESS_DENIED', 'source lacks DUPLICATE (checked before the subset test)'],
      ],
    },
    {
      name: 'zx_handle_replace',
      args: [
        ['zx_handle_t handle', { handle: consumes('any') }],
        'uint32_t rights',
        ['zx_handle_t* out', { handle: creates('any') }],
      ],
      errors: [['ERR_INVALID_ARGS', 'rights not a subset (source is still closed) or bad out']],
      note: 'no right needed; source always gone after a valid call',
    },
  ]),
  ...inCategory('object', [
    {
      name: 'zx_object_get_child',
      args: [
        ['zx_handle_t handle', { handle: uses(['job', 'process', 'resource'], Right.ENUMERATE) }],
        'uint64_t koid',
        'uint32_t rights',
        ['zx_handle_t* out', { handle: creates('any') }],
      ],
      errors: [
        ['ERR_NOT_FOUND', 'no such direct child'],
        ['ERR_ACCESS_DENIED', 'asked rights not on parent handle'],
        ['ERR_INVALID_ARGS', 'bad out'],
        ['ERR_WRONG_TYPE', 'other object type'],
      ],
    },
    {
      name: 'zx_object_get_info',
      args: [
        ['zx_handle_t handle', { handle: uses('any', Right.NONE, 'by topic') }],
        'uint32_t topic',
        ['void* buffer', { length: 'buffer_size' }],
        'size_t buffer_size',
        ['size_t* actual', { optional: true }],
        ['size_t* avail', { optional: true }],
      ],
      errors: [
        ['ERR_WRONG_TYPE', 'topic does not fit object'],
        ['ERR_BUFFER_TOO_SMALL', 'fixed-size topic, buffer short'],
        ['ERR_INVALID_ARGS', 'bad pointer'],
        ['ERR_NOT_SUPPORTED', 'unknown topic'],
        ['ERR_BAD_STATE', 'object dead or not in a state that has the info'],
      ],
    },
    {
      name: 'zx_object_get_property',
      args: [
        ['zx_handle_t handle', { handle: uses('any', Right.GET_PROPERTY) }],
        'uint32_t property',
        ['void* value', { length: 'value_size' }],
        'size_t value_size',
      ],
      errors: [
        ['ERR_WRONG_TYPE', 'property does not fit object'],
        ['ERR_BUFFER_TOO_SMALL', 'value_size short'],
        ['ERR_NOT_SUPPORTED', 'unknown property'],
        ['ERR_INVALID_ARGS', 'bad pointer or unknown number'],
        ['ERR_BAD_STATE', 'thread dead (NAME)'],
      ],
    },
    {
      name: 'zx_object_set_profile',
      args: [
        [
          'zx_handle_t handle',
          {
            handle: uses(['thread', 'vmar'], Right.NONE, 'MANAGE_THREAD on a thread, OP_CHILDREN on a VMAR'),
          },
        ],
        ['zx_handle_t profile', { handle: uses('profile', Right.APPLY_PROFILE) }],
        'uint32_t options',
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'options nonzero (before handle lookup)'],
        ['ERR_BAD_STATE', 'thread not startable/dying/dead'],
        ['ERR_NOT_SUPPORTED', 'profile kind not for target'],
      ],
    },
    {
      name: 'zx_object_set_property',
      args: [
        ['zx_handle_t handle', { handle: uses('any', Right.SET_PROPERTY) }],
        'uint32_t property',
        ['const void* value', { length: 'value_size' }],
        'size_t value_size',
      ],
      errors: [
        ['ERR_WRONG_TYPE', 'property does not fit object'],
        ['ERR_BUFFER_TOO_SMALL', 'value_size short'],
        ['ERR_NOT_SUPPORTED', 'unknown or read-only'],
        ['ERR_INVALID_ARGS', 'bad pointer or value'],
        ['ERR_OUT_OF_RANGE', 'value out of range'],
      ],
    },
    {
      name: 'zx_object_signal',
      args: [
        ['zx_handle_t handle', { handle: uses('any', Right.SIGNAL) }],
        'uint32_t clear_mask',
        'uint32_t set_mask',
      ],
      errors: [['ERR_INVALID_ARGS', "bits outside the object's user-settable mask"]],
      note: 'events/eventpairs also allow SIGNALED (bit 3); others only bits 24-31',
    },
    {
      name: 'zx_object_signal_peer',
      args: [
        ['zx_handle_t handle', { handle: uses('any', Right.SIGNAL_PEER) }],
        'uint32_t clear_mask',
        'uint32_t set_mask',
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'mask'],
        ['ERR_NOT_SUPPORTED', 'object has no peer'],
        ['ERR_PEER_CLOSED', 'peer gone'],
      ],
    },
    {
      name: 'zx_object_wait_async',
      args: [
        ['zx_handle_t handle', { handle: uses('any', Right.WAIT) }],
        ['zx_handle_t port', { handle: uses('port', Right.WRITE) }],
        'uint64_t key',
        'zx_signals_t signals',
        'uint32_t options',
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'unknown options or both timestamp kinds'],
        ['ERR_NOT_SUPPORTED', 'object not waitable'],
      ],
    },
    {
      name: 'zx_object_wait_many',
      flags: ['blocking'],
      args: [
        ['zx_wait_item_t* items', { direction: 'inout', length: 'num_items' }],
        'size_t num_items',
        'zx_instant_mono_t deadline',
      ],
      errors: [
        ['ERR_OUT_OF_RANGE', 'more than 64'],
        ['ERR_INVALID_ARGS', 'bad array'],
        ['ERR_CANCELED', 'some handle closed during wait (its pending has bit23)'],
        ['ERR_TIMED_OUT', 'deadline'],
        ['ERR_INTERNAL_INTR_RETRY', 'suspended'],
      ],
      note: '0 items still sleeps to deadline; pending written on OK, TIMED_OUT and CANCELED',
    },
    {
      name: 'zx_object_wait_one',
      flags: ['blocking'],
      args: [
        ['zx_handle_t handle', { handle: uses('any', Right.WAIT) }],
        'zx_signals_t signals',
        'zx_instant_mono_t deadline',
        ['zx_signals_t* observed', { optional: true }],
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'bad out'],
        ['ERR_CANCELED', 'handle closed/transferred during wait'],
        ['ERR_TIMED_OUT', 'deadline'],
        ['ERR_INTERNAL_INTR_RETRY', 'suspended'],
      ],
      note: 'observed written also on TIMED_OUT; signals==0 waits to deadline',
    },
  ]),
];
