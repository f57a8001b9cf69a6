import test from 'ava';
import fc from 'fast-check';
import { RESTRICTED_ABI } from '../../src/abi/restricted.js';
import { decodeStruct } from '../../src/abi/structs.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';

const { restricted } = RISCV64;
const { contextRegister, reasonRegister, state } = RESTRICTED_ABI.riscv64;
const STATE_BYTES = 256;
const FLOAT_OFFSET = 32 * 8;
const FLOAT_BYTES = 33 * 8;

const states = fc.uint8Array({ minLength: STATE_BYTES, maxLength: STATE_BYTES });
const registerFiles = fc
  .uint8Array({ minLength: RISCV64.registersSizeBytes, maxLength: RISCV64.registersSizeBytes })
  .map((bytes) => {
    // x0 is 0 and fcsr has 8 bits.
    bytes.fill(0, 0, 8);
    bytes.fill(0, 64 * 8 + 1, 65 * 8);
    return bytes;
  });

test('a state goes to the registers of its fields, and back as it was but for bit 0 of pc', (t) => {
  fc.assert(
    fc.property(registerFiles, states, (file, bytes) => {
      const r = RISCV64.registersFrom(file.slice());
      restricted.load(r, bytes);
      const fields = decodeStruct(state as 'zx_riscv64_restricted_state_t', bytes);
      const expected = { ...fields, pc: fields.pc & ~1n };
      t.deepEqual(
        Object.fromEntries(RISCV64.namedRegisters(r)),
        expected as unknown as Record<string, bigint>,
      );
      const kept = { ...decodeStruct(state as 'zx_riscv64_restricted_state_t', restricted.save(r)) };
      t.deepEqual(kept, expected);
      const floats = r.bytes.subarray(FLOAT_OFFSET, FLOAT_OFFSET + FLOAT_BYTES);
      t.deepEqual(floats, file.subarray(FLOAT_OFFSET, FLOAT_OFFSET + FLOAT_BYTES), 'floats stay');
    }),
    { numRuns: 50 },
  );
});

test('the vector finds context and reason, zeros, and the floats as they are', (t) => {
  fc.assert(
    fc.property(
      registerFiles,
      fc.bigInt({ min: 0n, max: 2n ** 38n - 1n }),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      (file, pc, context) => {
        const r = RISCV64.registersFrom(file.slice());
        restricted.toVector(r, restricted.keep(r), { pc, context, reason: 2n });
        for (const [name, value] of RISCV64.namedRegisters(r)) {
          const expected = { pc: pc & ~1n, [contextRegister]: context, [reasonRegister]: 2n }[name] ?? 0n;
          t.is(value, expected, name);
        }
        t.deepEqual(
          r.bytes.subarray(FLOAT_OFFSET, FLOAT_OFFSET + FLOAT_BYTES),
          file.subarray(FLOAT_OFFSET, FLOAT_OFFSET + FLOAT_BYTES),
        );
      },
    ),
    { numRuns: 50 },
  );
});
