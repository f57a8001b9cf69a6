import test from 'ava';
import fc from 'fast-check';
import {
  decodeStruct,
  encodeStruct,
  STRUCT_NAMES,
  type StructField,
  sizeOf,
  struct,
} from '../../src/abi/structs.js';
import { AssertionError } from '../../src/base/assert.js';
import { STRUCT_PINS } from './struct-pins.js';

test('sizes, alignments and offsets of every struct', (t) => {
  t.deepEqual([...STRUCT_NAMES].sort(), Object.keys(STRUCT_PINS).sort());
  for (const name of STRUCT_NAMES) {
    const { sizeBytes, alignBytes, fields } = struct(name);
    const offsets = Object.values<StructField>(fields).map((field) => [field.name, field.offset]);
    t.deepEqual([sizeBytes, alignBytes, Object.fromEntries(offsets)], [...STRUCT_PINS[name]], name);
  }
});

test('a packet, byte by byte', (t) => {
  const bytes = encodeStruct('zx_port_packet_t', {
    key: 0x0102030405060708n,
    type: 1,
    status: -11,
    u: encodeStruct('zx_packet_signal_t', { trigger: 0x80000001, observed: 9, count: 1, timestamp: -1n }),
  });
  t.is(
    Buffer.from(bytes).toString('hex'),
    `0807060504030201${'01000000'}f5ffffff${'01000080'}09000000${'0100000000000000'}ffffffffffffffff${'0000000000000000'}`,
  );
  t.is(decodeStruct('zx_port_packet_t', bytes).status, -11);
  t.is(decodeStruct('zx_packet_signal_t', decodeStruct('zx_port_packet_t', bytes).u).trigger, 0x80000001);
});

test('nested structs, arrays, text and booleans', (t) => {
  const thread = encodeStruct('zx_info_thread_t', { state: 3, cpu_affinity_mask: { mask: [1n, 2] } });
  t.deepEqual(decodeStruct('zx_info_thread_t', thread).cpu_affinity_mask.mask.slice(0, 3), [1n, 2n, 0n]);
  const vmo = decodeStruct('zx_info_vmo_t', encodeStruct('zx_info_vmo_t', { name: Buffer.from('heap') }));
  t.is(Buffer.from(vmo.name).toString('latin1').replace(/\0+$/, ''), 'heap');
  t.is(vmo.name.length, 32);
  t.true(decodeStruct('zx_info_job_t', encodeStruct('zx_info_job_t', { exited: true })).exited);
  const regs = encodeStruct('zx_riscv64_thread_state_fp_regs_t', { q: [{ low: 5n }, { low: 6n, high: 7n }] });
  t.deepEqual(decodeStruct('zx_riscv64_thread_state_fp_regs_t', regs).q[1], { low: 6n, high: 7n });
});

test('any bytes decode, and come back where fields are', (t) => {
  const someStruct = fc.constantFrom(...STRUCT_NAMES).chain((name) => {
    const length = sizeOf(name);
    return fc.tuple(fc.constant(name), fc.uint8Array({ minLength: length, maxLength: length }));
  });
  fc.assert(
    fc.property(someStruct, ([name, bytes]) => {
      const values = decodeStruct(name, bytes);
      const again = encodeStruct(name, values as never);
      t.is(again.length, bytes.length);
      t.deepEqual(decodeStruct(name, again), values);
      for (const { type, offset, sizeBytes } of Object.values<StructField>(struct(name).fields)) {
        if (type === 'bool' || type === 'struct') continue;
        t.deepEqual(again.subarray(offset, offset + sizeBytes), bytes.subarray(offset, offset + sizeBytes));
      }
    }),
    { numRuns: 500 },
  );
});

test('decoding reads the view it is given, and copies', (t) => {
  const buffer = new Uint8Array(64).fill(0xee);
  buffer.set(encodeStruct('zx_port_packet_t', { key: 7n, u: new Uint8Array([1, 2, 3]) }), 5);
  const packet = decodeStruct('zx_port_packet_t', buffer.subarray(5, 60));
  buffer.fill(0);
  t.is(packet.key, 7n);
  t.deepEqual(packet.u.subarray(0, 4), new Uint8Array([1, 2, 3, 0]));
});

test('what does not fit is refused', (t) => {
  t.throws(() => decodeStruct('zx_info_vmar_t', new Uint8Array(15)), { instanceOf: AssertionError });
  t.throws(() => encodeStruct('zx_info_vmo_t', { name: new Uint8Array(33) }), { instanceOf: AssertionError });
  t.throws(() => encodeStruct('zx_cpu_set_t', { mask: new Array(9).fill(0n) }), {
    instanceOf: AssertionError,
  });
});
