import { Right } from '../rights.js';
import { type Call, creates, inCategory, uses } from './call.js';

export const DEBUG_CALLS: readonly Call[] = [
  ...inCategory('debug', [
    {
      name: 'zx_debug_read',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('resource') }],
        ['char* buffer', { length: 'buffer_size' }],
        'size_t buffer_size',
        'size_t* actual',
      ],
      errors: [['ERR_NOT_SUPPORTED', 'serial syscalls disabled']],
    },
    {
      name: 'zx_debug_send_command',
      tier: 'ddk',
      args: [
        ['zx_handle_t resource', { handle: uses('resource') }],
        ['const char* buffer', { length: 'buffer_size' }],
        'size_t buffer_size',
      ],
      errors: [
        ['ERR_NOT_SUPPORTED', 'debugging syscalls disabled'],
        ['ERR_INVALID_ARGS', 'line too long'],
      ],
    },
    {
      name: 'zx_debug_write',
      tier: 'ddk',
      args: [['const char* buffer', { length: 'buffer_size' }], 'size_t buffer_size'],
      errors: [
        ['ERR_INVALID_ARGS', 'bad pointer'],
        ['ERR_NOT_SUPPORTED', 'serial syscalls disabled'],
      ],
      note: 'output truncated at 256 bytes per call',
    },
    {
      name: 'zx_debuglog_create',
      tier: 'ddk',
      args: [
        ['zx_handle_t resource', { handle: uses('resource') }],
        'uint32_t options',
        ['zx_handle_t* out', { handle: creates('debuglog') }],
      ],
      errors: [['ERR_INVALID_ARGS', 'bad option']],
    },
    {
      name: 'zx_debuglog_read',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('debuglog', Right.READ) }],
        'uint32_t options',
        ['void* buffer', { length: 'buffer_size' }],
        'size_t buffer_size',
      ],
      errors: [
        ['ERR_SHOULD_WAIT', 'no record'],
        ['ERR_BUFFER_TOO_SMALL', 'record larger than buffer'],
        ['ERR_INVALID_ARGS', 'options nonzero'],
      ],
      note: 'returns record length as positive status',
    },
    {
      name: 'zx_debuglog_write',
      tier: 'ddk',
      args: [
        ['zx_handle_t handle', { handle: uses('debuglog', Right.WRITE) }],
        'uint32_t options',
        ['const void* buffer', { length: 'buffer_size' }],
        'size_t buffer_size',
      ],
      errors: [['ERR_INVALID_ARGS', 'bad option or pointer']],
    },
  ]),
];
