import { Right } from '../rights.js';
import { type Call, creates, inCategory, uses } from './call.js';

export const STREAM_CALLS: readonly Call[] = [
  ...inCategory('fifo', [
    {
      name: 'zx_fifo_create',
      args: [
        'size_t elem_count',
        'size_t elem_size',
        'uint32_t options',
        ['zx_handle_t* out0', { handle: creates('fifo') }],
        ['zx_handle_t* out1', { handle: creates('fifo') }],
      ],
      policy: 'NEW_FIFO',
      errors: [
        [
          'ERR_OUT_OF_RANGE',
          'count or size zero, or product over 4096 (2020 kernels: count must also be a power of two)',
        ],
        ['ERR_INVALID_ARGS', 'options nonzero or bad out'],
      ],
    },
    {
      name: 'zx_fifo_read',
      args: [
        ['zx_handle_t handle', { handle: uses('fifo', Right.READ) }],
        'size_t elem_size',
        ['void* data', { length: 'data_size', elementSize: 'elem_size' }],
        'size_t data_size',
        ['size_t* actual_count', { optional: true }],
      ],
      errors: [
        ['ERR_OUT_OF_RANGE', 'count 0 or wrong element size'],
        ['ERR_SHOULD_WAIT', 'empty'],
        ['ERR_PEER_CLOSED', 'empty and peer closed'],
        ['ERR_INVALID_ARGS', 'bad pointer'],
      ],
    },
    {
      name: 'zx_fifo_write',
      args: [
        ['zx_handle_t handle', { handle: uses('fifo', Right.WRITE) }],
        'size_t elem_size',
        ['const void* data', { length: 'count', elementSize: 'elem_size' }],
        'size_t count',
        ['size_t* actual_count', { optional: true }],
      ],
      errors: [
        ['ERR_OUT_OF_RANGE', 'count 0 or wrong element size'],
        ['ERR_SHOULD_WAIT', 'full'],
        ['ERR_PEER_CLOSED', 'peer closed'],
        ['ERR_INVALID_ARGS', 'bad pointer'],
      ],
      note: 'partial writes allowed',
    },
  ]),
  ...inCategory('socket', [
    {
      name: 'zx_socket_create',
      args: [
        'uint32_t options',
        ['zx_handle_t* out0', { handle: creates('socket') }],
        ['zx_handle_t* out1', { handle: creates('socket') }],
      ],
      policy: 'NEW_SOCKET',
      errors: [['ERR_INVALID_ARGS', 'unknown option or bad out']],
    },
    {
      name: 'zx_socket_read',
      args: [
        ['zx_handle_t handle', { handle: uses('socket', Right.READ) }],
        'uint32_t options',
        ['void* buffer', { length: 'buffer_size' }],
        'size_t buffer_size',
        ['size_t* actual', { optional: true }],
      ],
      errors: [
        ['ERR_SHOULD_WAIT', 'no data'],
        ['ERR_PEER_CLOSED', 'no data and peer closed'],
        ['ERR_BAD_STATE', 'peer writing disabled and drained'],
        ['ERR_INVALID_ARGS', 'null buffer with size, options other than PEEK'],
      ],
    },
    {
      name: 'zx_socket_set_disposition',
      args: [
        ['zx_handle_t handle', { handle: uses('socket', Right.MANAGE_SOCKET) }],
        'uint32_t disposition',
        'uint32_t disposition_peer',
      ],
      errors: [
        ['ERR_BAD_STATE', 're-enable with data buffered'],
        ['ERR_INVALID_ARGS', 'both bits or unknown bits'],
      ],
    },
    {
      name: 'zx_socket_write',
      args: [
        ['zx_handle_t handle', { handle: uses('socket', Right.WRITE) }],
        'uint32_t options',
        ['const void* buffer', { length: 'buffer_size' }],
        'size_t buffer_size',
        ['size_t* actual', { optional: true }],
      ],
      errors: [
        ['ERR_SHOULD_WAIT', 'full'],
        ['ERR_OUT_OF_RANGE', 'datagram bigger than space'],
        ['ERR_BAD_STATE', 'writing disabled'],
        ['ERR_PEER_CLOSED', 'peer closed'],
        ['ERR_INVALID_ARGS', 'null buffer or options'],
      ],
    },
  ]),
  ...inCategory('stream', [
    {
      name: 'zx_stream_create',
      args: [
        'uint32_t options',
        ['zx_handle_t vmo', { handle: uses('vmo', Right.NONE, 'READ and WRITE as the mode asks') }],
        'uint64_t seek',
        ['zx_handle_t* out_stream', { handle: creates('stream') }],
      ],
      errors: [['ERR_INVALID_ARGS', 'unknown mode bits or bad out']],
    },
    {
      name: 'zx_stream_readv',
      args: [
        ['zx_handle_t handle', { handle: uses('stream', Right.READ) }],
        'uint32_t options',
        ['zx_iovec_t* vectors', { length: 'num_vectors' }],
        'size_t num_vectors',
        ['size_t* actual', { optional: true }],
      ],
      errors: [
        ['ERR_BAD_STATE', 'source unreadable'],
        ['ERR_INVALID_ARGS', 'options or vector'],
        ['ERR_NOT_FOUND', 'buffer unmapped'],
      ],
    },
    {
      name: 'zx_stream_readv_at',
      args: [
        ['zx_handle_t handle', { handle: uses('stream', Right.READ) }],
        'uint32_t options',
        'uint64_t offset',
        ['zx_iovec_t* vectors', { length: 'num_vectors' }],
        'size_t num_vectors',
        ['size_t* actual', { optional: true }],
      ],
      errors: [
        ['ERR_BAD_STATE', 'source unreadable'],
        ['ERR_INVALID_ARGS', 'options or vector'],
        ['ERR_NOT_FOUND', 'buffer unmapped'],
      ],
    },
    {
      name: 'zx_stream_seek',
      args: [
        ['zx_handle_t handle', { handle: uses('stream', Right.NONE, 'READ or WRITE, either will do') }],
        'uint32_t whence',
        'int64_t offset',
        ['uint64_t* out_seek', { optional: true }],
      ],
      errors: [['ERR_INVALID_ARGS', 'unknown whence or result negative/overflow']],
    },
    {
      name: 'zx_stream_writev',
      args: [
        ['zx_handle_t handle', { handle: uses('stream', Right.WRITE) }],
        'uint32_t options',
        ['const zx_iovec_t* vectors', { length: 'num_vectors' }],
        'size_t num_vectors',
        ['size_t* actual', { optional: true }],
      ],
      errors: [
        ['ERR_FILE_BIG', 'max size'],
        ['ERR_NO_SPACE', 'cannot grow'],
        ['ERR_BAD_STATE', 'source unwritable'],
        ['ERR_INVALID_ARGS', 'options or vector'],
        ['ERR_NOT_FOUND', 'buffer unmapped'],
      ],
    },
    {
      name: 'zx_stream_writev_at',
      args: [
        ['zx_handle_t handle', { handle: uses('stream', Right.WRITE) }],
        'uint32_t options',
        'uint64_t offset',
        ['const zx_iovec_t* vectors', { length: 'num_vectors' }],
        'size_t num_vectors',
        ['size_t* actual', { optional: true }],
      ],
      errors: [
        ['ERR_FILE_BIG', 'max size'],
        ['ERR_NO_SPACE', 'cannot grow'],
        ['ERR_BAD_STATE', 'source unwritable'],
        ['ERR_INVALID_ARGS', 'options or vector'],
        ['ERR_NOT_FOUND', 'buffer unmapped'],
      ],
    },
  ]),
];
