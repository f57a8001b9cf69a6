import test from 'ava';
import { isRestrictedStateValid, RESTRICTED_ABI, RestrictedReason } from '../../src/abi/restricted.js';
import { encodeStruct, type StructName, sizeOf, struct } from '../../src/abi/structs.js';
import { ADDRESS_SPACES, type Arch } from '../../src/abi/vm.js';

/** By zircon/syscalls-next.h: size of the state, where the pc is, and size with the exception report. */
const SIZES: Readonly<Record<Arch, readonly [state: number, pc: number, exception: number]>> = {
  riscv64: [256, 0, 296],
  arm64: [280, 256, 320],
  x64: [160, 128, 200],
};

const ARCHS = Object.keys(SIZES) as Arch[];

type Fields = Record<string, { offset: number; sizeBytes: number }>;

function fieldsOf(name: StructName): Fields {
  return struct(name).fields as Fields;
}

test('the state comes first, the exception report right behind it', (t) => {
  for (const arch of ARCHS) {
    const { state, syscall, exception, pc } = RESTRICTED_ABI[arch];
    const [stateBytes, pcOffset, exceptionBytes] = SIZES[arch];
    t.is(sizeOf(state), stateBytes, arch);
    t.is(fieldsOf(state)[pc].offset, pcOffset, arch);
    t.is(sizeOf(syscall), stateBytes, arch);
    t.is(sizeOf(exception), exceptionBytes, arch);
    t.is(fieldsOf(exception).state.offset, 0, arch);
    t.is(fieldsOf(exception).exception.offset, stateBytes, arch);
  }
});

test('registers of the riscv64 state, by the psABI: pc, then x1 to x31', (t) => {
  const offsets = (...names: string[]): number[] =>
    names.map((name) => fieldsOf('zx_riscv64_restricted_state_t')[name].offset / 8);
  t.deepEqual(offsets('pc', 'ra', 'sp', 'gp', 'tp', 't0', 's0', 's1', 'a0', 'a7', 's2', 's11', 't3', 't6'), [
    ...[0, 1, 2, 3, 4, 5, 8, 9, 10, 17, 18, 27, 28, 31],
  ]);
});

test('what the vector is told, by zx_restricted_enter', (t) => {
  const told = ARCHS.map((arch) => {
    const { contextRegister, reasonRegister, kept } = RESTRICTED_ABI[arch];
    return [contextRegister, reasonRegister, ...kept].join(' ');
  });
  t.deepEqual(told, ['a0 a1', 'x0 x1 tpidr_el0', 'rdi rsi fs_base gs_base']);
  t.deepEqual(RestrictedReason, { SYSCALL: 0, EXCEPTION: 1, KICK: 2, EXCEPTION_LOST: 3 });
});

test('a pc must be below the top of user addresses, wherever that is', (t) => {
  for (const arch of ARCHS) {
    const { state, pc } = RESTRICTED_ABI[arch];
    const valid = (value: bigint): boolean =>
      isRestrictedStateValid(arch, encodeStruct(state, { [pc]: value } as object));
    const top = BigInt(ADDRESS_SPACES[arch].top);
    t.true(valid(0n) && valid(top - 2n), arch);
    t.false(valid(top) || valid(2n ** 63n) || valid(2n ** 64n - 1n), arch);
  }
});

test('arm64: only the condition flags may be set', (t) => {
  const valid = (cpsr: number): boolean =>
    isRestrictedStateValid('arm64', encodeStruct('zx_arm64_restricted_state_t', { cpsr }));
  t.true(valid(0) && valid(0xf0000000));
  // Mode, interrupt masks, and aarch32, which no processor here has.
  for (const bit of [0x1, 0x10, 0x40, 0x80, 0x100, 0x200, 0x400]) t.false(valid(bit), bit.toString(16));
});

test('x64: flags of programs, and canonical segment bases', (t) => {
  const valid = (fields: object): boolean =>
    isRestrictedStateValid('x64', encodeStruct('zx_x86_64_restricted_state_t', fields));
  t.true(valid({ flags: 0x244dd5n }));
  // The bit that is always one, interrupts, I/O privilege, virtual 8086.
  for (const bit of [0x2n, 0x200n, 0x3000n, 0x20000n, 2n ** 31n]) t.false(valid({ flags: bit }));
  for (const base of ['fs_base', 'gs_base']) {
    t.true(valid({ [base]: 2n ** 47n - 1n }) && valid({ [base]: 2n ** 64n - 2n ** 47n }));
    t.false(valid({ [base]: 2n ** 47n }) || valid({ [base]: 2n ** 63n }));
  }
});
