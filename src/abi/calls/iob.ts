import { Right } from '../rights.js';
import { type Call, creates, inCategory, uses } from './call.js';

export const IOB_CALLS: readonly Call[] = [
  ...inCategory('iob', [
    {
      name: 'zx_iob_allocate_id',
      flags: ['next'],
      args: [
        ['zx_handle_t handle', { handle: uses('iob', Right.WRITE) }],
        'uint32_t options',
        'uint32_t region_index',
        ['const void* blob', { length: 'blob_size' }],
        'size_t blob_size',
        'uint32_t* id',
      ],
      errors: [
        ['ERR_NO_MEMORY', 'region full'],
        ['ERR_OUT_OF_RANGE', 'bad index'],
        ['ERR_WRONG_TYPE', 'region discipline differs'],
        ['ERR_INVALID_ARGS', 'options or bad pointer'],
        ['ERR_ACCESS_DENIED', 'endpoint lacks mediated write'],
        ['ERR_IO_DATA_INTEGRITY', 'header or index of the region impossible'],
      ],
    },
    {
      name: 'zx_iob_create',
      args: [
        'uint64_t options',
        ['const void* regions', { length: 'num_regions' }],
        'size_t num_regions',
        ['zx_handle_t* ep0_out', { handle: creates('iob') }],
        ['zx_handle_t* ep1_out', { handle: creates('iob') }],
      ],
      policy: 'NEW_IOB',
      errors: [
        ['ERR_INVALID_ARGS', 'bad region type/access/size/discipline, options nonzero'],
        ['ERR_OUT_OF_RANGE', 'too many regions (64)'],
      ],
    },
    {
      name: 'zx_iob_create_shared_region',
      flags: ['next'],
      args: [
        'uint64_t options',
        'uint64_t size',
        ['zx_handle_t* out', { handle: creates('iob-shared-region') }],
      ],
      policy: 'NEW_IOB',
      errors: [['ERR_INVALID_ARGS', 'options, unaligned size or bad out']],
    },
    {
      name: 'zx_iob_writev',
      args: [
        ['zx_handle_t handle', { handle: uses('iob', Right.WRITE) }],
        'uint64_t options',
        'uint32_t region_index',
        ['const zx_iovec_t* vectors', { length: 'num_vectors' }],
        'size_t num_vectors',
      ],
      errors: [
        ['ERR_OUT_OF_RANGE', 'bad index'],
        ['ERR_WRONG_TYPE', 'region discipline differs'],
        ['ERR_ACCESS_DENIED', 'endpoint lacks mediated write'],
        ['ERR_INVALID_ARGS', 'options, bad vector, more than 8 vectors, too long'],
        ['ERR_NO_SPACE', 'ring full'],
        ['ERR_IO_DATA_INTEGRITY', 'head or tail of the ring impossible'],
      ],
    },
    {
      name: 'zx_vmar_map_iob',
      args: [
        [
          'zx_handle_t handle',
          { handle: uses('vmar', Right.NONE, 'READ, WRITE, EXECUTE as the permissions asked for') },
        ],
        'zx_vm_option_t options',
        'size_t vmar_offset',
        ['zx_handle_t ep', { handle: uses('iob', Right.MAP) }],
        'uint32_t region_index',
        'uint64_t region_offset',
        'size_t region_length',
        'zx_vaddr_t* mapped_addr',
      ],
      errors: [
        ['ERR_OUT_OF_RANGE', 'bad index or range'],
        ['ERR_ACCESS_DENIED', 'endpoint lacks map access'],
        ['ERR_INVALID_ARGS', 'as vmar_map'],
      ],
    },
  ]),
];
