import { Right } from '../rights.js';
import { type Call, creates, inCategory, uses } from './call.js';

export const RESTRICTED_CALLS: readonly Call[] = [
  ...inCategory('restricted', [
    {
      name: 'zx_restricted_bind_state',
      flags: ['next'],
      args: [
        'uint32_t options',
        ['zx_handle_t* out', { handle: creates('vmo') }],
        ['zx_exception_report_t* out_exception', { optional: true, since: 'head' }],
      ],
      policy: 'NEW_VMO',
      errors: [
        ['ERR_INVALID_ARGS', 'options nonzero or bad out (binding may stay)'],
        ['ERR_NO_MEMORY', 'no pages'],
      ],
    },
    {
      name: 'zx_restricted_enter',
      flags: ['next', 'blocking'],
      args: ['uint32_t options', 'uintptr_t vector_table_ptr', 'uintptr_t context'],
      errors: [
        ['ERR_INVALID_ARGS', 'option bits or vector not a user address'],
        ['ERR_BAD_STATE', 'no bound state, or register state invalid'],
        ['ERR_INTERNAL_INTR_RETRY', 'kernel signal pending, vDSO retries'],
        ['ERR_NOT_SUPPORTED', '2023 kernels only, vectored exceptions missing on arch'],
      ],
      note: 'no return on success; newest accepts options 0 only',
    },
    {
      name: 'zx_restricted_kick',
      flags: ['next'],
      args: [['zx_handle_t thread', { handle: uses('thread', Right.MANAGE_THREAD) }], 'uint32_t options'],
      errors: [
        ['ERR_INVALID_ARGS', 'options nonzero (before handle lookup)'],
        ['ERR_BAD_STATE', 'thread dying or dead'],
      ],
    },
    {
      name: 'zx_restricted_unbind_state',
      flags: ['next'],
      args: ['uint32_t options'],
      errors: [['ERR_INVALID_ARGS', 'options nonzero']],
      note: 'no bound state is not an error',
    },
  ]),
];
