import { DEFAULT_RIGHTS } from '../../abi/rights.js';
import { Status } from '../../abi/status.js';
import type { Handlers } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { refuse } from './refusal.js';

/** A C `int`: sums wrap. */
function intSum(...values: number[]): number {
  return values.reduce((sum, value) => (sum + value) | 0, 0);
}

/** Calls that do nothing but show how arguments and results travel (lib/syscalls/test). */
export const testingCalls: Handlers = {
  zx_syscall_test_0: () => 0,
  zx_syscall_test_1: (_, { a }) => a,
  zx_syscall_test_2: (_, { a, b }) => intSum(a, b),
  zx_syscall_test_3: (_, { a, b, c }) => intSum(a, b, c),
  zx_syscall_test_4: (_, { a, b, c, d }) => intSum(a, b, c, d),
  zx_syscall_test_5: (_, { a, b, c, d, e }) => intSum(a, b, c, d, e),
  zx_syscall_test_6: (_, { a, b, c, d, e, f }) => intSum(a, b, c, d, e, f),
  zx_syscall_test_7: (_, { a, b, c, d, e, f, g }) => intSum(a, b, c, d, e, f, g),
  zx_syscall_test_8: (_, { a, b, c, d, e, f, g, h }) => intSum(a, b, c, d, e, f, g, h),
  zx_syscall_next_1: (_, { arg }) => (arg > 50 ? Status.ERR_INVALID_ARGS : Status.OK),

  zx_syscall_test_wrapper: (_, { a, b, c }) => {
    if (a < 0 || b < 0 || c < 0) refuse(Status.ERR_INVALID_ARGS);
    const sum = intSum(a, b, c);
    return sum > 50 ? Status.ERR_OUT_OF_RANGE : sum;
  },

  // Zircon makes the handle whatever it will return, which then is a leak; here it is made when it can be given.
  zx_syscall_test_handle_create: (call, { return_value }) => {
    if (return_value !== Status.OK) return return_value;
    call.requireOut('out');
    requireHandleRoom(call.k, call.process, 1);
    const koid = call.k.state.nextKoid;
    call.emit({ type: 'event-created', koid });
    call.putHandle('out', koid, DEFAULT_RIGHTS.event);
    return Status.OK;
  },

  zx_syscall_test_widening_signed_narrow: (_, { a, b, c, d }) => BigInt.asIntN(64, a + BigInt(b + c + d)),
  zx_syscall_test_widening_signed_wide: (_, { a, b, c, d }) => BigInt.asIntN(64, a + b + c + d),
  zx_syscall_test_widening_unsigned_narrow: (_, { a, b, c, d }) => BigInt.asUintN(64, a + BigInt(b + c + d)),
  zx_syscall_test_widening_unsigned_wide: (_, { a, b, c, d }) => BigInt.asUintN(64, a + b + c + d),
};
