import test from 'ava';
import fc from 'fast-check';
import { isPublic, SYSCALLS, type SyscallName } from '../../src/abi/syscalls.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { open } from '../../src/library/open.js';
import { replay } from '../../src/library/replay.js';
import { type Argument, inOut, input, type Operation, output } from '../../src/sdk/operation.js';
import { program } from '../../src/sdk/program.js';
import { run } from './support.js';

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
    { numRuns: 100 },
  );
  t.true(ended > 10, `${ended} ended well`);
});
