import { fc, testProp } from '@fast-check/ava';
import type { ExecutionContext } from 'ava';
import { type SyscallName, syscallByName } from '../../src/abi/syscalls.js';
import { ADDRESS_SPACES, VmOption, VmoOption } from '../../src/abi/vm.js';
import { vmarCalls } from '../../src/kernel/syscalls/vmar.js';
import { vmoCalls } from '../../src/kernel/syscalls/vmo.js';
import { Harness, SCRATCH } from './harness.js';
import { CAN_MAP_RWX, heldPages, newVmar, newVmo, PAGE } from './vm-support.js';

const CALLS = [...Object.keys(vmarCalls), ...Object.keys(vmoCalls)] as SyscallName[];
const THREADS = 3;

/** An argument: a handle from the table by its place, or a number; the same in every kernel that it is given to. */
type Argument = { readonly handle: number } | bigint;

const { base } = ADDRESS_SPACES.riscv64;
const number = fc.oneof(
  fc.constantFrom(0n, 1n, 2n, 3n, 0x10n, 0x400n, 0x1000n, 0x2000n, 0x8000n, 0xfffn),
  fc.constantFrom(base, SCRATCH, SCRATCH + 8, SCRATCH + 0xffffc, base + PAGE, base + 0x10000).map(BigInt),
  fc.constantFrom(...Object.values(VmOption).map(BigInt)),
  fc.bigInt(0n, 0x3ffn),
  fc.bigInt(0n, 64n).map((pages) => pages * 4096n),
  fc.nat(64).map((bit) => BigInt.asUintN(64, (1n << BigInt(bit)) - 1n)),
  fc.nat(64).map((bit) => BigInt.asUintN(64, 1n << BigInt(bit))),
  fc.nat(64).map((bit) => BigInt.asUintN(64, -(1n << BigInt(bit)))),
  fc.bigInt(0n, 2n ** 64n - 1n),
);
const handle = fc.oneof(
  { weight: 12, arbitrary: fc.record({ handle: fc.nat(15) }) },
  { weight: 1, arbitrary: fc.bigInt(0n, 0xffffffffn) },
);

interface Step {
  readonly name: SyscallName;
  readonly args: readonly Argument[];
  readonly thread: number;
}

const step: fc.Arbitrary<Step> = fc.constantFrom(...CALLS).chain((name) =>
  fc.record({
    name: fc.constant(name),
    args: fc.tuple(
      ...syscallByName(name).args.map((a): fc.Arbitrary<Argument> => (a.kind === 'handle' ? handle : number)),
    ),
    thread: fc.nat(THREADS - 1),
  }),
);

class Fuzzed {
  readonly h: Harness;
  private readonly threads: number[];

  constructor(mode: 'owned' | 'immer') {
    this.h = new Harness({ physicalPages: 300 }, mode);
    this.threads = [
      this.h.thread,
      ...Array.from({ length: THREADS - 1 }, () => this.h.newThread(this.h.process, 'x')),
    ];
    newVmo(this.h, 5 * PAGE, VmoOption.RESIZABLE);
    newVmo(this.h, 2 ** 40);
    newVmo(this.h, 3 * PAGE, VmoOption.DISCARDABLE);
    newVmar(this.h, CAN_MAP_RWX | VmOption.CAN_MAP_SPECIFIC, 0, 64 * PAGE);
  }

  /** The status, or what else became of it. */
  run({ name, args, thread }: Step): string {
    const { h } = this;
    const owner = h.k.find(this.threads[thread]);
    if (owner?.kind !== 'thread' || owner.life === 'dead') return 'dead';
    const { handles, handleSecret } = h.k.sharedBy(h.process);
    const values = [...handles.keys()].map((slot) => ((slot ^ handleSecret) << 2) | 3);
    const given = args.map((a) =>
      typeof a === 'bigint' ? a : BigInt(values[a.handle % values.length] ?? 0),
    );
    return String(h.call(name, given, owner.koid));
  }
}

testProp(
  'memory calls with any arguments: a status, a dead thread, and the same state both ways',
  [fc.array(step, { minLength: 20, maxLength: 60, size: 'max' })],
  (t: ExecutionContext, steps) => {
    const owned = new Fuzzed('owned');
    const immer = new Fuzzed('immer');
    for (const one of steps) t.is(owned.run(one), immer.run(one));
    t.is(owned.h.hash(), immer.h.hash());
    t.is(owned.h.k.state.committedPages, heldPages(owned.h));
    t.true(owned.h.k.state.committedPages <= 300);
  },
  { numRuns: 150 },
);
