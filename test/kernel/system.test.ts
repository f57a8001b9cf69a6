import test from 'ava';
import fc from 'fast-check';
import type { SyscallName } from '../../src/abi/syscalls.js';
import { Prng, seedPrng } from '../../src/base/prng.js';
import { Harness } from './harness.js';
import { bytesAt, gives, isOpen, NOWHERE, words } from './ipc-support.js';

test('the machine says what it is', (t) => {
  const h = new Harness({ cores: 3, physicalPages: 1000 });
  t.is(h.call('zx_system_get_num_cpus', []), 3n);
  t.is(h.call('zx_system_get_page_size', []), 4096n);
  t.is(h.call('zx_system_get_physmem', []), 4_096_000n);
  t.is(h.call('zx_system_get_dcache_line_size', []), 64n);
});

test('zx_system_get_features: no features but those of the table, NOT_SUPPORTED, INVALID_ARGS', (t) => {
  const h = new Harness();
  const out = h.scratch(words(0xffffffff));
  for (const kind of [1, 2, 3, 4]) {
    h.poke(out, words(0xffffffff));
    gives(t, h, 'OK', 'zx_system_get_features', [kind, out]);
    t.is(h.u32(out), 0);
  }
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_system_get_features', [0, out]);
  gives(t, h, 'ERR_NOT_SUPPORTED', 'zx_system_get_features', [5, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_system_get_features', [1, NOWHERE]);
});

test('zx_cache_flush takes the combinations that mean something', (t) => {
  const h = new Harness();
  const taken = Array.from({ length: 16 }, (_, options) => options).filter(
    (options) => h.call('zx_cache_flush', [0x1000, 64, options]) === 0n,
  );
  t.deepEqual(taken, [1, 2, 3, 6, 7]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_cache_flush', [0x1000, 64, 0x80000001]);
});

test('zx_system_barrier has two kinds', (t) => {
  const h = new Harness();
  gives(t, h, 'OK', 'zx_system_barrier', [0]);
  gives(t, h, 'OK', 'zx_system_barrier', [1]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_system_barrier', [2]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_system_barrier', [0xffffffff]);
});

test('zx_cprng_draw continues the stream of the seed', (t) => {
  const h = new Harness({ entropySeed: 42 });
  const buffer = h.scratch(0x3000);
  const drawn: number[] = [];
  for (const size of [16, 4096 + 8, 0, 4]) {
    t.is(h.call('zx_cprng_draw', [buffer, size]), 0n);
    drawn.push(...bytesAt(h, buffer, size));
  }
  t.deepEqual(Uint8Array.from(drawn), new Prng(seedPrng(42, 'cprng')).bytes(16 + 4096 + 8 + 4));
  const other = new Harness({ entropySeed: 43 });
  other.call('zx_cprng_draw', [buffer, 16]);
  t.notDeepEqual([...bytesAt(other, buffer, 16)], drawn.slice(0, 16));
});

test('zx_cprng_draw into memory that is not there ends the process as a trap does', (t) => {
  for (const [buffer, size] of [
    [NOWHERE, 8n],
    [0, 1n],
    [0x10000000, 0x100001n],
    [0x10000000, 0xffff_ffff_ffff_ffffn],
  ] as const) {
    const h = new Harness();
    t.is(h.call('zx_cprng_draw', [buffer, size]), 'gone');
    t.is(h.k.get(h.process, 'process').returnCode, -1028n);
    t.like(
      h.events.find((e) => e.type === 'exception-raised'),
      { exception: 'undefined-instruction' },
    );
  }
});

test('zx_cprng_add_entropy changes the stream; INVALID_ARGS beyond 256 bytes or without memory', (t) => {
  const h = new Harness();
  const bytes = h.scratch(Uint8Array.from({ length: 257 }, (_, i) => i));
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_cprng_add_entropy', [bytes, 257]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_cprng_add_entropy', [NOWHERE, 1]);
  const { entropy } = h.k.state;
  gives(t, h, 'OK', 'zx_cprng_add_entropy', [bytes, 0]);
  t.deepEqual(h.k.state.entropy, entropy);
  gives(t, h, 'OK', 'zx_cprng_add_entropy', [bytes, 256]);
  t.notDeepEqual(h.k.state.entropy, entropy);
});

test('added entropy is a function of its bytes, all of them count, and the generator never dies', (t) => {
  const after = (bytes: Uint8Array): string => {
    const h = new Harness();
    h.call('zx_cprng_add_entropy', [h.scratch(bytes), bytes.length]);
    return h.k.state.entropy.map((word) => word >>> 0).join(' ');
  };
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (bytes, at, flip) => {
        const other = bytes.slice();
        other[at % bytes.length] ^= flip;
        t.is(after(bytes), after(bytes.slice()));
        t.not(after(bytes), after(other));
        t.not(after(bytes), '0 0 0 0');
      },
    ),
    { numRuns: 25 },
  );
});

test('calls that test calling: sums of int, wrapped', (t) => {
  const h = new Harness();
  const ints = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(ints, (values) => {
      for (let count = 0; count <= 8; count++) {
        const args = values.slice(0, count).map((value) => BigInt.asUintN(64, BigInt(value) | (7n << 40n)));
        const sum = values.slice(0, count).reduce((a, b) => a + b, 0);
        t.is(h.call(`zx_syscall_test_${count}` as SyscallName, args), BigInt(sum | 0));
      }
    }),
    { numRuns: 20 },
  );
});

test('calls that test calling: widening, wrapper, next, handles', (t) => {
  const h = new Harness();
  const ones = 0xffff_ffff_ffff_ffffn;
  const all = [ones, ones, ones, ones];
  t.is(
    h.call('zx_syscall_test_widening_unsigned_narrow', [1n, ones, ones, ones]),
    1n + 0xffffffffn + 0xffffn + 0xffn,
  );
  t.is(h.call('zx_syscall_test_widening_signed_narrow', all), -4n);
  t.is(BigInt.asUintN(64, h.call('zx_syscall_test_widening_unsigned_wide', all) as bigint), ones - 3n);
  t.is(h.call('zx_syscall_test_widening_signed_wide', all), -4n);
  t.is(h.call('zx_syscall_test_wrapper', [10, 20, 20]), 50n);
  gives(t, h, 'ERR_OUT_OF_RANGE', 'zx_syscall_test_wrapper', [10, 20, 21]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_syscall_test_wrapper', [10, -1n, 21]);
  gives(t, h, 'OK', 'zx_syscall_next_1', [50]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_syscall_next_1', [51]);
  const out = h.scratch(4);
  gives(t, h, 'OK', 'zx_syscall_test_handle_create', [0, out]);
  t.true(isOpen(h, h.u32(out)));
  const before = h.k.state.nextKoid;
  gives(t, h, 'ERR_NOT_FOUND', 'zx_syscall_test_handle_create', [-25n, out]);
  gives(t, h, 'ERR_INVALID_ARGS', 'zx_syscall_test_handle_create', [0, NOWHERE]);
  t.is(h.k.state.nextKoid, before);
});
