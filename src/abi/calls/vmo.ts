import { Right } from '../rights.js';
import { type Call, consumes, creates, inCategory, uses } from './call.js';

export const VMO_CALLS: readonly Call[] = [
  ...inCategory('vmo', [
    {
      name: 'zx_vmo_create',
      args: ['uint64_t size', 'uint32_t options', ['zx_handle_t* out', { handle: creates('vmo') }]],
      policy: 'NEW_VMO',
      errors: [
        ['ERR_INVALID_ARGS', 'unknown options, UNBOUNDED with RESIZABLE, bad out'],
        ['ERR_OUT_OF_RANGE', 'too large'],
      ],
      note: 'size rounded up to page; content/stream size keeps the byte value',
    },
    {
      name: 'zx_vmo_create_child',
      args: [
        ['zx_handle_t handle', { handle: uses('vmo', Right.DUPLICATE | Right.READ) }],
        'uint32_t options',
        'uint64_t offset',
        'uint64_t size',
        ['zx_handle_t* out', { handle: creates('vmo') }],
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'unaligned offset, bad option mix (slice out of bounds, resizable slice)'],
        ['ERR_OUT_OF_RANGE', 'offset+size overflow/too large'],
        ['ERR_BAD_STATE', 'pinned pages block COW, restricted-state vmo'],
        ['ERR_NOT_SUPPORTED', 'contiguous/physical/discardable/slice-of-resizable parents'],
        ['ERR_ACCESS_DENIED', 'rights'],
      ],
      note: 'snapshot kinds gain WRITE, lose EXECUTE; NO_WRITE keeps EXECUTE',
    },
    {
      name: 'zx_vmo_create_contiguous',
      args: [
        ['zx_handle_t bti', { handle: uses('bti', Right.MAP) }],
        'size_t size',
        'uint32_t alignment_log2',
        ['zx_handle_t* out', { handle: creates('vmo') }],
      ],
      policy: 'NEW_VMO',
      errors: [
        ['ERR_INVALID_ARGS', 'size 0 or alignment'],
        ['ERR_NO_MEMORY', 'no run of pages'],
      ],
    },
    {
      name: 'zx_vmo_create_physical',
      args: [
        ['zx_handle_t resource', { handle: uses('resource') }],
        'zx_paddr_t paddr',
        'size_t size',
        ['zx_handle_t* out', { handle: creates('vmo') }],
      ],
      policy: 'NEW_VMO',
      errors: [
        ['ERR_INVALID_ARGS', 'unaligned'],
        ['ERR_OUT_OF_RANGE', 'too large'],
      ],
    },
    {
      name: 'zx_vmo_get_size',
      args: [['zx_handle_t handle', { handle: uses('vmo') }], 'uint64_t* size'],
      errors: [['ERR_INVALID_ARGS', 'bad out']],
    },
    {
      name: 'zx_vmo_get_stream_size',
      args: [['zx_handle_t handle', { handle: uses('vmo') }], 'uint64_t* size'],
      errors: [['ERR_INVALID_ARGS', 'bad out']],
    },
    {
      name: 'zx_vmo_op_range',
      flags: ['blocking'],
      args: [
        ['zx_handle_t handle', { handle: uses('vmo', Right.NONE, 'READ or WRITE by operation') }],
        'uint32_t op',
        'uint64_t offset',
        'uint64_t size',
        ['void* buffer', { direction: 'inout', optional: true, length: 'buffer_size' }],
        'size_t buffer_size',
      ],
      errors: [
        ['ERR_OUT_OF_RANGE', 'range past end'],
        ['ERR_INVALID_ARGS', 'unknown op, unaligned DECOMMIT, zero size cache op'],
        ['ERR_NOT_SUPPORTED', 'op does not fit vmo kind'],
        ['ERR_BAD_STATE', 'lock/pager state'],
        ['ERR_UNAVAILABLE', 'TRY_LOCK on discarded'],
      ],
    },
    {
      name: 'zx_vmo_read',
      flags: ['blocking'],
      args: [
        ['zx_handle_t handle', { handle: uses('vmo', Right.READ) }],
        ['void* buffer', { length: 'buffer_size' }],
        'uint64_t offset',
        'size_t buffer_size',
      ],
      errors: [
        ['ERR_OUT_OF_RANGE', 'offset+size past end'],
        ['ERR_NOT_FOUND', 'buffer unmapped'],
        ['ERR_INVALID_ARGS', 'null buffer'],
        ['ERR_BAD_STATE', 'uncached or dead pager'],
      ],
      note: 'zero length at end is OK',
    },
    {
      name: 'zx_vmo_replace_as_executable',
      args: [
        ['zx_handle_t handle', { handle: consumes('vmo') }],
        ['zx_handle_t vmex', { handle: uses('resource'), optional: true }],
        ['zx_handle_t* out', { handle: creates('vmo') }],
      ],
      policy: 'AMBIENT_MARK_VMO_EXEC',
      errors: [
        ['ERR_ACCESS_DENIED', 'job policy denies AMBIENT_MARK_VMO_EXEC (only when vmex is 0)'],
        ['ERR_BAD_HANDLE', 'not a vmo handle or bad resource'],
        ['ERR_ACCESS_DENIED', 'policy denies ambient'],
      ],
      note: 'result handle gains EXECUTE',
    },
    {
      name: 'zx_vmo_set_cache_policy',
      args: [['zx_handle_t handle', { handle: uses('vmo', Right.MAP) }], 'uint32_t cache_policy'],
      errors: [
        ['ERR_BAD_STATE', 'mapped, has children, is child, pinned, or committed and uncached'],
        ['ERR_INVALID_ARGS', 'bad bits'],
        ['ERR_NOT_SUPPORTED', 'kind'],
      ],
    },
    {
      name: 'zx_vmo_set_size',
      args: [['zx_handle_t handle', { handle: uses('vmo', Right.WRITE | Right.RESIZE) }], 'uint64_t size'],
      errors: [
        ['ERR_UNAVAILABLE', 'not resizable'],
        ['ERR_OUT_OF_RANGE', 'too large'],
        ['ERR_BAD_STATE', 'pinned pages'],
        ['ERR_ACCESS_DENIED', 'RESIZE missing (newest)'],
      ],
    },
    {
      name: 'zx_vmo_set_stream_size',
      args: [['zx_handle_t handle', { handle: uses('vmo', Right.WRITE) }], 'uint64_t size'],
      errors: [['ERR_OUT_OF_RANGE', 'beyond vmo size']],
    },
    {
      name: 'zx_vmo_transfer_data',
      flags: ['blocking'],
      args: [
        ['zx_handle_t dst_vmo', { handle: uses('vmo', Right.WRITE) }],
        'uint32_t options',
        'uint64_t offset',
        'uint64_t length',
        ['zx_handle_t src_vmo', { handle: uses('vmo', Right.READ | Right.WRITE) }],
        'uint64_t src_offset',
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'options or alignment'],
        ['ERR_OUT_OF_RANGE', 'ranges'],
        ['ERR_BAD_STATE', 'pinned/clean state'],
        ['ERR_NOT_SUPPORTED', 'kinds'],
      ],
    },
    {
      name: 'zx_vmo_write',
      flags: ['blocking'],
      args: [
        ['zx_handle_t handle', { handle: uses('vmo', Right.WRITE) }],
        ['const void* buffer', { length: 'buffer_size' }],
        'uint64_t offset',
        'size_t buffer_size',
      ],
      errors: [
        ['ERR_OUT_OF_RANGE', 'past end'],
        ['ERR_NOT_FOUND', 'buffer unmapped'],
        ['ERR_INVALID_ARGS', 'null buffer'],
        ['ERR_BAD_STATE', 'uncached or dead pager'],
      ],
    },
  ]),
  ...inCategory('pager', [
    {
      name: 'zx_pager_create',
      args: ['uint32_t options', ['zx_handle_t* out', { handle: creates('pager') }]],
      policy: 'NEW_PAGER',
      errors: [['ERR_INVALID_ARGS', 'options nonzero']],
    },
    {
      name: 'zx_pager_create_vmo',
      args: [
        ['zx_handle_t pager', { handle: uses('pager', Right.ATTACH_VMO) }],
        'uint32_t options',
        ['zx_handle_t port', { handle: uses('port', Right.WRITE) }],
        'uint64_t key',
        'uint64_t size',
        ['zx_handle_t* out', { handle: creates('vmo') }],
      ],
      errors: [
        ['ERR_OUT_OF_RANGE', 'too big'],
        ['ERR_INVALID_ARGS', 'options'],
      ],
    },
    {
      name: 'zx_pager_detach_vmo',
      args: [
        ['zx_handle_t pager', { handle: uses('pager', Right.ATTACH_VMO) }],
        ['zx_handle_t vmo', { handle: uses('vmo') }],
      ],
      errors: [['ERR_INVALID_ARGS', 'vmo not from this pager']],
    },
    {
      name: 'zx_pager_op_range',
      args: [
        ['zx_handle_t pager', { handle: uses('pager', Right.MANAGE_VMO) }],
        'uint32_t op',
        ['zx_handle_t pager_vmo', { handle: uses('vmo', Right.NONE, 'WRITE for some operations') }],
        'uint64_t offset',
        'uint64_t length',
        'uint64_t data',
      ],
      errors: [
        ['ERR_OUT_OF_RANGE', 'range'],
        ['ERR_BAD_STATE', 'vmo state'],
        ['ERR_NOT_SUPPORTED', 'op'],
        ['ERR_INVALID_ARGS', 'op/alignment'],
      ],
    },
    {
      name: 'zx_pager_query_dirty_ranges',
      flags: ['next'],
      args: [
        ['zx_handle_t pager', { handle: uses('pager', Right.MANAGE_VMO) }],
        ['zx_handle_t pager_vmo', { handle: uses('vmo', Right.READ) }],
        'uint64_t offset',
        'uint64_t length',
        ['void* buffer', { length: 'buffer_size' }],
        'size_t buffer_size',
        ['size_t* actual', { optional: true }],
        ['size_t* avail', { optional: true }],
      ],
      errors: [
        ['ERR_NOT_SUPPORTED', 'no dirty tracking'],
        ['ERR_OUT_OF_RANGE', 'range'],
      ],
    },
    {
      name: 'zx_pager_query_vmo_stats',
      args: [
        ['zx_handle_t pager', { handle: uses('pager', Right.MANAGE_VMO) }],
        ['zx_handle_t pager_vmo', { handle: uses('vmo', Right.READ) }],
        'uint32_t options',
        ['void* buffer', { length: 'buffer_size' }],
        'size_t buffer_size',
      ],
      errors: [
        ['ERR_INVALID_ARGS', 'options'],
        ['ERR_BUFFER_TOO_SMALL', 'buffer'],
      ],
    },
    {
      name: 'zx_pager_supply_pages',
      args: [
        ['zx_handle_t pager', { handle: uses('pager', Right.MANAGE_VMO) }],
        ['zx_handle_t pager_vmo', { handle: uses('vmo') }],
        'uint64_t offset',
        'uint64_t length',
        ['zx_handle_t aux_vmo', { handle: uses('vmo', Right.READ | Right.WRITE) }],
        'uint64_t aux_offset',
      ],
      errors: [
        ['ERR_BAD_STATE', 'aux pages unsuitable'],
        ['ERR_OUT_OF_RANGE', 'range'],
        ['ERR_INVALID_ARGS', 'alignment'],
      ],
    },
  ]),
];
