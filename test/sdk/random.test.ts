import test from 'ava';
import fc from 'fast-check';
import { ProcArg } from '../../src/abi/processargs.js';
import { Signal } from '../../src/abi/signals.js';
import { decodeStruct, encodeStruct, sizeOf } from '../../src/abi/structs.js';
import { isPublic, SYSCALLS, type SyscallName } from '../../src/abi/syscalls.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { open } from '../../src/library/open.js';
import { replay } from '../../src/library/replay.js';
import { Place } from '../../src/sdk/image.js';
import { type Argument, inOut, input, type Operation, output } from '../../src/sdk/operation.js';
import { program } from '../../src/sdk/program.js';
import { must } from '../../src/sdk/result.js';
import { FOREVER, run } from './support.js';

/** Calls that end the thread before it can do anything else. */
const LAST: readonly SyscallName[] = ['zx_process_exit', 'zx_thread_exit'];
const NAMES = SYSCALLS.filter((call) => isPublic(call) && !LAST.includes(call.name)).map(({ name }) => name);

const anyBlock = fc.oneof(
  fc.uint8Array({ maxLength: 80 }).map(input),
  fc.nat(80).map(output),
  fc.uint8Array({ maxLength: 80 }).map(inOut),
);
const anyArgument: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 3, arbitrary: fc.nat(8) },
  { weight: 2, arbitrary: anyBlock },
  { weight: 1, arbitrary: fc.constantFrom(4096, 0x80000000, 0xffffffffffffffffn, 0x200000) },
  // The place of a handle that was made before, or nearly.
  { weight: 3, arbitrary: fc.nat(15).map((n) => -1 - n) },
);
const anyAddress = fc.oneof(fc.nat(0x300000), fc.constantFrom(0x3fefffff00, 2 ** 38, 2 ** 47, -8));
const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      kind: fc.constant('call' as const),
      name: fc.constantFrom(...NAMES),
      args: fc.array(anyArgument, { minLength: 8, maxLength: 8 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('work' as const), steps: fc.nat(20) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('load' as const),
      address: anyAddress,
      sizeBytes: fc.nat(9000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('store' as const),
      address: anyAddress,
      bytes: fc.uint8Array({ maxLength: 20 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('compare-exchange' as const),
      address: anyAddress,
      expected: fc.nat(3),
      desired: fc.nat(3),
    }),
  },
);

/** Does what it is told; negative arguments stand for words of what calls gave back: handles, most often. */
function puppet(operations: readonly (readonly Operation[])[]) {
  return program('puppet', function* (zx) {
    const words: number[] = zx.startupHandles.map(({ handle }) => handle);
    const act = function* (list: readonly Operation[]) {
      for (const operation of list) {
        const filled =
          operation.kind === 'call'
            ? {
                ...operation,
                args: operation.args.map((arg) =>
                  typeof arg === 'number' && arg < 0 ? (words[words.length + arg] ?? 0) : arg,
                ),
              }
            : operation;
        const { blocks } = yield filled;
        for (const block of blocks) {
          if (block.length >= 4) words.push(new DataView(block.buffer, block.byteOffset).getUint32(0, true));
        }
      }
    };
    for (const list of operations.slice(1)) yield* zx.spawn(() => act(list));
    yield* act(operations[0]);
  });
}

test('whatever programs do, runs end, replay, and are the same wherever one looks first', (t) => {
  let ended = 0;
  fc.assert(
    fc.property(
      fc.array(fc.array(anyOperation, { maxLength: 40, size: 'max' }), { minLength: 1, maxLength: 3 }),
      fc.nat(100),
      (operations, seed) => {
        const what = puppet(operations);
        const options = { seed, cores: 1 + (seed % 3), quantumSteps: 1 + (seed % 30), maxSteps: 5000 };
        const { bytes, end } = run(what, options);
        t.is(replay(bytes, { programs: [what] }).divergence, null);
        const { timeline } = open(bytes, { programs: [what] });
        const middle = { seq: end.events >> 1, step: 0 };
        const hash = stateHash(timeline.seek(middle).k.snapshot());
        t.is(stateHash(timeline.seek(timeline.end).k.snapshot()), end.stateHash);
        t.is(stateHash(timeline.seek(middle).k.snapshot()), hash);
        t.is(stateHash(timeline.seek(timeline.end).k.snapshot()), end.stateHash);
        if (end.exitCode === 0) ended++;
      },
    ),
    { numRuns: 250 },
  );
  t.true(ended > 10, `${ended} ended well`);
});

test('a thread that loses its code page faults there, however its runs are cut', (t) => {
  const unmapping = program('unmapping', function* (zx) {
    const loaded = zx.startup(ProcArg.VMAR_LOADED);
    yield* zx.vmarDestroy(loaded);
    yield* zx.print('not reached');
  });
  const steps = [1, 2, 3, 5, 100].map((quantumSteps) => {
    const { end, console, bytes } = run(unmapping, { quantumSteps });
    t.is(console, '');
    t.is(end.exitCode, 134);
    t.is(replay(bytes, { programs: [unmapping] }).divergence, null);
    return end.steps;
  });
  t.is(new Set(steps).size, 1);
});

test('a debugger may send a thread anywhere: forward, replayed and sought it comes to the same', (t) => {
  const REGISTERS = 'zx_riscv64_thread_state_general_regs_t';
  for (const where of [
    0n,
    0x10n,
    BigInt(Place.main),
    BigInt(Place.call) + 4n,
    BigInt(Place.vector),
    1n << 37n,
  ]) {
    const what = program('debugger', function* (zx) {
      const { thread } = must(
        yield* zx.spawn(function* () {
          for (let i = 0; i < 50; i++) yield* zx.work(3);
        }),
      );
      yield* zx.work(20);
      const { token } = must(yield* thread.suspend());
      const { buffer } = must(yield* thread.readState(0, sizeOf(REGISTERS)));
      const registers = decodeStruct(REGISTERS, buffer);
      const page = registers.pc - (registers.pc % 4096n);
      const pc = where < 4096n && where > 0n ? page + where : where;
      must(yield* thread.writeState(0, encodeStruct(REGISTERS, { ...registers, pc })));
      must(yield* token.close());
      yield* thread.waitOne(Signal.TASK_TERMINATED, FOREVER);
    });
    const { end, bytes } = run(what, { cores: 2, seed: 1, quantumSteps: 7 });
    // Nowhere to go on from, but for the places that a thread might have been at anyway.
    const isPlace = where === BigInt(Place.call) + 4n;
    t.is(end.exitCode, isPlace ? 0 : 134, `sent to ${where}`);
    t.is(replay(bytes, { programs: [what] }).divergence, null);
    const { timeline } = open(bytes, { programs: [what] });
    const hashes = Array.from({ length: end.events }, (_, seq) =>
      stateHash(timeline.seek({ seq, step: 0 }).k.snapshot()),
    );
    for (let seq = end.events - 1; seq >= 0; seq -= 9) {
      t.is(stateHash(timeline.seek({ seq, step: 0 }).k.snapshot()), hashes[seq]);
    }
  }
});
