import { Right } from '../rights.js';
import { type Call, consumes, creates, inCategory, uses } from './call.js';

export const VMAR_CALLS: readonly Call[] = [
  ...inCategory('vmar', [
    {
      name: 'zx_vmar_allocate',
      args: [
        [
          'zx_handle_t parent_vmar',
          { handle: uses('vmar', Right.OP_CHILDREN, 'READ, WRITE, EXECUTE for each CAN_MAP_* asked for') },
        ],
        'zx_vm_option_t options',
        'size_t offset',
        'size_t size',
        ['zx_handle_t* child_vmar', { handle: creates('vmar') }],
        'zx_vaddr_t* child_addr',
      ],
      errors: [
        ['ERR_BAD_STATE', 'parent destroyed'],
        [
          'ERR_INVALID_ARGS',
          'unknown option, size 0 or unaligned, offset unaligned, offset nonzero without SPECIFIC/UPPER_LIMIT, both of those, range outside parent, SPECIFIC base misaligned for ALIGN, PERM_* bits',
        ],
        ['ERR_ALREADY_EXISTS', 'SPECIFIC overlaps (2018-2020: NO_MEMORY)'],
        ['ERR_NO_RESOURCES', 'no gap found (older: NO_MEMORY)'],
        ['ERR_ACCESS_DENIED', 'CAN_MAP_* not on parent or handle, SPECIFIC without CAN_MAP_SPECIFIC'],
      ],
    },
    {
      name: 'zx_vmar_destroy',
      args: [['zx_handle_t handle', { handle: uses('vmar', Right.OP_CHILDREN) }]],
      errors: [
        ['ERR_BAD_STATE', 'already destroyed'],
        ['ERR_NOT_SUPPORTED', 'root vmar'],
      ],
    },
    {
      name: 'zx_vmar_map',
      args: [
        [
          'zx_handle_t handle',
          { handle: uses('vmar', Right.NONE, 'READ, WRITE, EXECUTE as the permissions asked for') },
        ],
        'zx_vm_option_t options',
        'size_t vmar_offset',
        [
          'zx_handle_t vmo',
          { handle: uses('vmo', Right.MAP, 'READ, WRITE, EXECUTE as the permissions asked for') },
        ],
        'uint64_t vmo_offset',
        'size_t len',
        'zx_vaddr_t* mapped_addr',
      ],
      policy: 'VMAR_WX',
      errors: [
        ['ERR_BAD_STATE', 'vmar destroyed'],
        [
          'ERR_INVALID_ARGS',
          'len 0, unaligned offsets, offset without SPECIFIC/UPPER_LIMIT, OVERWRITE with MAP_RANGE, WRITE or EXECUTE-only combos refused, FAULT_BEYOND_STREAM_SIZE without ALLOW_FAULTS',
        ],
        ['ERR_ALREADY_EXISTS', 'SPECIFIC overlaps'],
        ['ERR_NO_RESOURCES', 'no gap'],
        ['ERR_ACCESS_DENIED', 'rights or CAN_MAP_* missing, vDSO rules'],
        ['ERR_NOT_SUPPORTED', 'needs ALLOW_FAULTS or REQUIRE_NON_RESIZABLE on a resizable vmo'],
        ['ERR_BUFFER_TOO_SMALL', 'past end of fixed vmo without ALLOW_FAULTS'],
        ['ERR_OUT_OF_RANGE', 'vmo_offset+len overflows'],
      ],
      note: 'len is rounded up to pages; VMAR_WX policy consulted when WRITE and EXECUTE both asked',
    },
    {
      name: 'zx_vmar_map_clock',
      args: [
        ['zx_handle_t handle', { handle: uses('vmar', Right.READ) }],
        'zx_vm_option_t options',
        'size_t vmar_offset',
        ['zx_handle_t clock', { handle: uses('clock', Right.READ | Right.MAP) }],
        'size_t len',
        'zx_vaddr_t* mapped_addr',
      ],
      errors: [
        [
          'ERR_INVALID_ARGS',
          "len not the clock's mapped size, writable/executable options, clock not created MAPPABLE",
        ],
      ],
    },
    {
      name: 'zx_vmar_op_range',
      flags: ['blocking'],
      args: [
        ['zx_handle_t handle', { handle: uses('vmar', Right.NONE, 'READ or WRITE by operation') }],
        'uint32_t op',
        'zx_vaddr_t address',
        'size_t size',
        ['void* buffer', { direction: 'inout', optional: true, length: 'buffer_size' }],
        'size_t buffer_size',
      ],
      errors: [
        ['ERR_BAD_STATE', 'vmar destroyed or gap in range'],
        [
          'ERR_INVALID_ARGS',
          'buffer given, size 0, unaligned, unknown op, subregions with COMMIT/DECOMMIT/PREFETCH',
        ],
        ['ERR_OUT_OF_RANGE', 'outside vmar or past stream/vmo size'],
        ['ERR_NOT_SUPPORTED', 'vmo cannot do op'],
      ],
    },
    {
      name: 'zx_vmar_protect',
      args: [
        [
          'zx_handle_t handle',
          { handle: uses('vmar', Right.NONE, 'READ, WRITE, EXECUTE as the permissions asked for') },
        ],
        'zx_vm_option_t options',
        'zx_vaddr_t addr',
        'size_t len',
      ],
      policy: 'VMAR_WX',
      errors: [
        [
          'ERR_INVALID_ARGS',
          'len 0 or unaligned, WRITE or EXECUTE combination refused, subregion without OP_CHILDREN',
        ],
        ['ERR_NOT_FOUND', 'hole in range'],
        [
          'ERR_ACCESS_DENIED',
          "rights, vmo rights at map time, CAN_MAP_*, raising a sub-region's permissions",
        ],
        ['ERR_BAD_STATE', 'vmar destroyed'],
      ],
    },
    {
      name: 'zx_vmar_unmap',
      args: [
        ['zx_handle_t handle', { handle: uses('vmar', Right.NONE, 'OP_CHILDREN when whole sub-regions go') }],
        'zx_vaddr_t addr',
        'size_t len',
      ],
      errors: [
        [
          'ERR_INVALID_ARGS',
          'unaligned, len 0, partial overlap of a sub-region, sub-region without OP_CHILDREN',
        ],
        ['ERR_NOT_FOUND', 'nothing mapped at all'],
        ['ERR_BAD_STATE', 'vmar destroyed'],
        ['ERR_ACCESS_DENIED', 'vDSO code mapping'],
      ],
    },
    {
      name: 'zx_vmar_unmap_handle_close_thread_exit',
      flags: ['vdsocall', 'noreturn_on_success'],
      args: [
        ['zx_handle_t vmar_handle', { handle: uses('vmar') }],
        'zx_vaddr_t addr',
        'size_t size',
        ['zx_handle_t close_handle', { handle: consumes('any'), optional: true }],
      ],
      note: 'as vmar_unmap: returned when unmap fails',
    },
  ]),
];
