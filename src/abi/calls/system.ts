import { Right } from '../rights.js';
import { type Call, creates, inCategory, uses } from './call.js';

export const SYSTEM_CALLS: readonly Call[] = [
  ...inCategory('cache', [
    {
      name: 'zx_cache_flush',
      flags: ['vdsocall'],
      args: ['const void* addr', 'size_t size', 'uint32_t options'],
      errors: [['ERR_INVALID_ARGS', 'unknown or empty option bits']],
    },
  ]),
  ...inCategory('cprng', [
    {
      name: 'zx_cprng_add_entropy',
      args: [['const void* buffer', { length: 'buffer_size' }], 'size_t buffer_size'],
      errors: [['ERR_INVALID_ARGS', 'over 256 bytes or bad pointer']],
    },
    {
      name: 'zx_cprng_draw',
      returns: 'void',
      flags: ['vdsocall'],
      args: [['void* buffer', { length: 'buffer_size' }], 'size_t buffer_size'],
      note: 'vDSO loops in 256-byte pieces over cprng_draw_once; kill: bad buffer kills the process',
    },
    {
      name: 'zx_cprng_draw_once',
      flags: ['internal'],
      args: [['void* buffer', { length: 'buffer_size' }], 'size_t buffer_size'],
      errors: [['ERR_INVALID_ARGS', 'over 256 bytes or bad buffer']],
    },
  ]),
  ...inCategory('system', [
    {
      name: 'zx_system_barrier',
      flags: ['next'],
      args: ['uint32_t options'],
      errors: [['ERR_INVALID_ARGS', 'unknown kind']],
    },
    { name: 'zx_system_get_dcache_line_size', returns: 'uint32_t', flags: ['vdsocall', 'const'], args: [] },
    {
      name: 'zx_system_get_event',
      args: [
        ['zx_handle_t root_job', { handle: uses('job', Right.MANAGE_PROCESS) }],
        'uint32_t kind',
        ['zx_handle_t* event', { handle: creates('event') }],
      ],
      errors: [
        ['ERR_ACCESS_DENIED', 'not the root job'],
        ['ERR_INVALID_ARGS', 'kind'],
      ],
    },
    {
      name: 'zx_system_get_features',
      flags: ['vdsocall'],
      args: ['uint32_t kind', 'uint32_t* features'],
      errors: [['ERR_NOT_SUPPORTED', 'kind unknown on this arch']],
    },
    { name: 'zx_system_get_num_cpus', returns: 'uint32_t', flags: ['vdsocall', 'const'], args: [] },
    { name: 'zx_system_get_page_size', returns: 'uint32_t', flags: ['vdsocall', 'const'], args: [] },
    { name: 'zx_system_get_physmem', returns: 'uint64_t', flags: ['vdsocall'], args: [] },
    {
      name: 'zx_system_get_version_string',
      returns: 'zx_string_view_t',
      flags: ['vdsocall', 'const'],
      args: [],
    },
    {
      name: 'zx_system_watch_memory_stall',
      args: [
        ['zx_handle_t resource', { handle: uses('resource') }],
        'uint32_t kind',
        'zx_duration_t threshold',
        'zx_duration_t window',
        ['zx_handle_t* event', { handle: creates('event') }],
      ],
      policy: 'NEW_EVENT',
      errors: [['ERR_INVALID_ARGS', 'threshold>window, window over 10 s, either not positive, or kind']],
    },
  ]),
];
