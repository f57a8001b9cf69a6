import { Right } from '../rights.js';
import { type Call, creates, inCategory, uses } from './call.js';

export const EXCEPTION_CALLS: readonly Call[] = [
  ...inCategory('exception', [
    {
      name: 'zx_exception_get_process',
      args: [
        ['zx_handle_t handle', { handle: uses('exception') }],
        ['zx_handle_t* out', { handle: creates('process') }],
      ],
      errors: [
        ['ERR_ACCESS_DENIED', 'came over a thread channel'],
        ['ERR_INVALID_ARGS', 'bad out'],
      ],
    },
    {
      name: 'zx_exception_get_thread',
      args: [
        ['zx_handle_t handle', { handle: uses('exception') }],
        ['zx_handle_t* out', { handle: creates('thread') }],
      ],
      errors: [['ERR_INVALID_ARGS', 'bad out']],
    },
    {
      name: 'zx_task_create_exception_channel',
      args: [
        [
          'zx_handle_t handle',
          {
            handle: uses(
              ['job', 'process', 'thread'],
              Right.INSPECT | Right.DUPLICATE | Right.TRANSFER | Right.MANAGE_THREAD,
              'ENUMERATE on a job or process',
            ),
          },
        ],
        'uint32_t options',
        ['zx_handle_t* out', { handle: creates('channel') }],
      ],
      policy: 'NEW_CHANNEL',
      errors: [
        ['ERR_ALREADY_BOUND', 'slot taken by a live channel'],
        ['ERR_BAD_STATE', 'task dying or dead'],
        ['ERR_INVALID_ARGS', 'unknown option or DEBUGGER on a thread'],
        ['ERR_NO_RESOURCES', 'job debugger slots (32) full'],
      ],
      note: 'returned channel end is read-only (no WRITE)',
    },
    {
      name: 'zx_thread_raise_exception',
      args: ['uint32_t options', 'uint32_t type', 'const zx_exception_context_t* context'],
      errors: [['ERR_INVALID_ARGS', 'options not TARGET_JOB_DEBUGGER, type not ZX_EXCP_USER, bad pointer']],
      note: 'delivered to job debuggers, does not kill if unhandled',
    },
  ]),
];
