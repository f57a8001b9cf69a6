import test from 'ava';
import fc from 'fast-check';
import { SYSCALL_NAMES } from '../../src/abi/calls/numbers.js';
import { ALL_RIGHTS, Right } from '../../src/abi/rights.js';
import {
  argumentRegisters,
  decodeArgs,
  isPublic,
  SYSCALLS,
  type SyscallArgs,
  syscallByName,
  syscallByNumber,
} from '../../src/abi/syscalls.js';
import { Hasher } from '../../src/base/digest.js';

/** The numbers of the first release: the list may grow behind them, and never change before. */
const FIRST_COUNT = 228;
const FIRST_DIGEST = '4181effec9c127d890499409b32335d4';

test('numbers are fixed: the first 228 names stay where they are', (t) => {
  const names = SYSCALL_NAMES.slice(0, FIRST_COUNT);
  t.is(new Hasher().string(names.join(' ')).value(), FIRST_DIGEST);
  t.is(syscallByName('zx_bti_create').number, 1);
  t.is(syscallByName('zx_debug_write').number, 36);
});

test('numbers count from 1 without gaps, and names are found', (t) => {
  SYSCALLS.forEach((call, index) => {
    t.is(call.number, index + 1);
    t.is(syscallByNumber(call.number), call);
    t.is(syscallByName(call.name), call);
  });
  for (const none of [0, -1, 1.5, SYSCALLS.length + 1, 2 ** 53, Number.NaN])
    t.is(syscallByNumber(none), undefined);
  for (const none of ['zx_', 'constructor', '__proto__']) t.is(syscallByName(none), undefined);
});

test('internal calls are not for programs', (t) => {
  const hidden = SYSCALLS.filter((call) => !isPublic(call)).map((call) => call.name);
  t.deepEqual(hidden, [
    'zx_channel_call_etc_finish',
    'zx_channel_call_etc_noretry',
    'zx_channel_call_finish',
    'zx_channel_call_noretry',
    'zx_clock_get_boot_via_kernel',
    'zx_clock_get_monotonic_via_kernel',
    'zx_cprng_draw_once',
    'zx_ticks_get_boot_via_kernel',
    'zx_ticks_get_via_kernel',
  ]);
});

test('arguments fit registers, and what they refer to exists', (t) => {
  for (const { name, args } of SYSCALLS) {
    t.true(args.length <= 8, name);
    const names = args.map((arg) => arg.name);
    t.is(new Set(names).size, names.length, name);
    for (const arg of args) {
      const where = `${name} ${arg.name}`;
      for (const other of [arg.lengthArg, arg.elementSizeArg]) {
        if (other === undefined) continue;
        t.is(arg.kind, 'pointer', where);
        t.true(names.includes(other), where);
      }
      if (arg.direction !== 'in') t.is(arg.kind, 'pointer', where);
    }
  }
});

test('handle arguments: values or arrays are used, single pointers filled, rights exist', (t) => {
  for (const { name, args } of SYSCALLS) {
    for (const { handle, ...arg } of args) {
      if (handle === undefined) continue;
      const where = `${name} ${arg.name}`;
      if (handle.op === 'create') t.is(arg.cType, 'zx_handle_t*', where);
      else t.true(arg.kind === 'handle' || arg.cType === 'const zx_handle_t*', where);
      t.is(handle.rights & ~ALL_RIGHTS, 0, where);
      if (handle.oneOf !== undefined) {
        t.is(handle.type, 'any', where);
        t.true(handle.oneOf.length > 1, where);
      }
    }
  }
});

test('a call as the table tells it', (t) => {
  const call = syscallByName('zx_vmar_map');
  t.deepEqual(
    call.args.map((arg) => [arg.cType, arg.name, arg.kind, arg.direction]),
    [
      ['zx_handle_t', 'handle', 'handle', 'in'],
      ['zx_vm_option_t', 'options', 'u32', 'in'],
      ['size_t', 'vmar_offset', 'u64', 'in'],
      ['zx_handle_t', 'vmo', 'handle', 'in'],
      ['uint64_t', 'vmo_offset', 'u64', 'in'],
      ['size_t', 'len', 'u64', 'in'],
      ['zx_vaddr_t*', 'mapped_addr', 'pointer', 'out'],
    ],
  );
  t.deepEqual(call.args[3].handle, {
    type: 'vmo',
    op: 'use',
    rights: Right.MAP,
    rightsNote: 'READ, WRITE, EXECUTE as the permissions asked for',
  });
  t.is(call.policy, 'VMAR_WX');
  t.deepEqual(call.errors[0], {
    status: 'ERR_BAD_HANDLE',
    cause: "handle is not in the caller's handle table",
  });
  t.true(
    call.errors.some((error) => error.status === 'ERR_ACCESS_DENIED' && error.cause.includes('VMAR_WX')),
  );
});

test('statuses that follow from the arguments are listed', (t) => {
  const statuses = (name: 'zx_channel_create' | 'zx_handle_duplicate' | 'zx_handle_check_valid') =>
    syscallByName(name).errors.map((error) => error.status);
  t.true(statuses('zx_channel_create').includes('ERR_NO_MEMORY'));
  t.true(statuses('zx_handle_duplicate').includes('ERR_BAD_HANDLE'));
  t.false(statuses('zx_handle_duplicate').includes('ERR_WRONG_TYPE'));
  t.false(statuses('zx_handle_check_valid').includes('ERR_BAD_HANDLE'));
});

/** Another way to the same answer, by width and sign read off the C type. */
function expected(cType: string, value: bigint): number | bigint {
  if (cType.endsWith('*')) return value < 2n ** 53n ? Number(value) : Number.MAX_SAFE_INTEGER;
  const wide =
    /^(u?int64_t|size_t|uintptr_t|zx_(koid|paddr|vaddr|off|time|duration.*|instant.*|ticks)_t)$/.test(cType);
  const width = wide ? 64n : /16/.test(cType) ? 16n : /int8/.test(cType) ? 8n : 32n;
  const signed = /^(int|zx_(time|duration|instant|ticks|status))/.test(cType);
  let low = value % (1n << width);
  if (signed && low >= 1n << (width - 1n)) low -= 1n << width;
  return wide ? low : Number(low);
}

test('registers become arguments by their C types', (t) => {
  const register = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.constantFrom(0n, 2n ** 31n, 2n ** 63n),
  );
  const registers = fc.array(register, { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(fc.constantFrom(...SYSCALLS), registers, (call, values) => {
      const want = Object.fromEntries(call.args.map((arg, i) => [arg.name, expected(arg.cType, values[i])]));
      const signed = (i: number) => BigInt.asIntN(64, values[i]);
      for (const register of [(i: number) => values[i], signed]) {
        const got = decodeArgs(call, argumentRegisters(register)) as unknown as Record<string, unknown>;
        t.deepEqual(Object.fromEntries(call.args.map(({ name }) => [name, got[name]])), want);
      }
    }),
    { numRuns: 1000 },
  );
});

test('decoded arguments are typed by the call', (t) => {
  const values = [1n, 2n, 0x1000n, 4n, 0x2000n, 0xffff_ffff_0000_0006n];
  const args: SyscallArgs['zx_channel_write'] = decodeArgs(
    syscallByName('zx_channel_write'),
    argumentRegisters((i) => values[i]),
  );
  const { handle, options, bytes, num_bytes, handles, num_handles } = args;
  t.deepEqual(
    { handle, options, bytes, num_bytes, handles, num_handles },
    { handle: 1, options: 2, bytes: 0x1000, num_bytes: 4, handles: 0x2000, num_handles: 6 },
  );
  const deadline: bigint = decodeArgs(
    syscallByName('zx_nanosleep'),
    argumentRegisters(() => 2n ** 64n - 1n),
  ).deadline;
  t.is(deadline, -1n);
});
