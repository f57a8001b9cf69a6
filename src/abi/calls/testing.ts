import { type Call, creates, inCategory } from './call.js';

export const TESTING_CALLS: readonly Call[] = [
  ...inCategory('test', [
    { name: 'zx_syscall_next_1', flags: ['next', 'testing'], args: ['int32_t arg'] },
    { name: 'zx_syscall_test_0', flags: ['testing'], args: [] },
    { name: 'zx_syscall_test_1', flags: ['testing'], args: ['int32_t a'] },
    { name: 'zx_syscall_test_2', flags: ['testing'], args: ['int32_t a', 'int32_t b'] },
    { name: 'zx_syscall_test_3', flags: ['testing'], args: ['int32_t a', 'int32_t b', 'int32_t c'] },
    {
      name: 'zx_syscall_test_4',
      flags: ['testing'],
      args: ['int32_t a', 'int32_t b', 'int32_t c', 'int32_t d'],
    },
    {
      name: 'zx_syscall_test_5',
      flags: ['testing'],
      args: ['int32_t a', 'int32_t b', 'int32_t c', 'int32_t d', 'int32_t e'],
    },
    {
      name: 'zx_syscall_test_6',
      flags: ['testing'],
      args: ['int32_t a', 'int32_t b', 'int32_t c', 'int32_t d', 'int32_t e', 'int32_t f'],
    },
    {
      name: 'zx_syscall_test_7',
      flags: ['testing'],
      args: ['int32_t a', 'int32_t b', 'int32_t c', 'int32_t d', 'int32_t e', 'int32_t f', 'int32_t g'],
    },
    {
      name: 'zx_syscall_test_8',
      flags: ['testing'],
      args: [
        'int32_t a',
        'int32_t b',
        'int32_t c',
        'int32_t d',
        'int32_t e',
        'int32_t f',
        'int32_t g',
        'int32_t h',
      ],
      note: 'returns the sum of arguments',
    },
    {
      name: 'zx_syscall_test_handle_create',
      flags: ['testing'],
      args: ['zx_status_t return_value', ['zx_handle_t* out', { handle: creates('event') }]],
      note: 'any: returns return_value; handle made only when it is OK',
    },
    {
      name: 'zx_syscall_test_widening_signed_narrow',
      returns: 'int64_t',
      flags: ['testing'],
      args: ['int64_t a', 'int32_t b', 'int16_t c', 'int8_t d'],
    },
    {
      name: 'zx_syscall_test_widening_signed_wide',
      returns: 'int64_t',
      flags: ['testing'],
      args: ['int64_t a', 'int64_t b', 'int64_t c', 'int64_t d'],
    },
    {
      name: 'zx_syscall_test_widening_unsigned_narrow',
      returns: 'uint64_t',
      flags: ['testing'],
      args: ['uint64_t a', 'uint32_t b', 'uint16_t c', 'uint8_t d'],
    },
    {
      name: 'zx_syscall_test_widening_unsigned_wide',
      returns: 'uint64_t',
      flags: ['testing'],
      args: ['uint64_t a', 'uint64_t b', 'uint64_t c', 'uint64_t d'],
    },
    {
      name: 'zx_syscall_test_wrapper',
      flags: ['testing', 'vdsocall'],
      args: ['int32_t a', 'int32_t b', 'int32_t c'],
      errors: [['ERR_OUT_OF_RANGE', 'negative argument or sum over 50']],
    },
  ]),
];
