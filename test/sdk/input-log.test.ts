import test from 'ava';
import fc from 'fast-check';
import type { Reply } from '../../src/sdk/operation.js';
import { type Entry, InputLog } from '../../src/sdk/runtime/input-log.js';

const anyInt64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

interface Told {
  readonly entry: Omit<Entry, 'values' | 'bytes'>;
  readonly reply: Reply;
}

const anyTold: fc.Arbitrary<Told> = fc.record({
  entry: fc.record({
    process: fc.nat(),
    thread: fc.nat(),
    ranSteps: fc.maxSafeNat(),
    operation: fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)),
  }),
  reply: fc.record({
    values: fc.tuple(anyInt64, anyInt64, anyInt64),
    blocks: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }),
  }),
});

test('a log gives back what was appended, after cuts too', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 6, arbitrary: anyTold }, { weight: 1, arbitrary: fc.nat(100) }), {
        maxLength: 200,
        size: 'max',
      }),
      (steps) => {
        const log = new InputLog();
        const model: Told[] = [];
        for (const step of steps) {
          if (typeof step === 'number') {
            log.cut(step);
            model.length = Math.min(model.length, step);
          } else {
            log.append(step.entry, step.reply);
            model.push(step);
          }
        }
        t.is(log.length, model.length);
        model.forEach(({ entry, reply }, i) => {
          const bytes = Uint8Array.from(reply.blocks.flatMap((block) => [...block]));
          t.deepEqual(log.at(i), { ...entry, values: reply.values, bytes });
          const { thread, ranSteps } = entry;
          t.true(log.matches(i, thread, ranSteps, reply));
          t.false(log.matches(i, thread + 1, ranSteps, reply));
          t.false(log.matches(i, thread, ranSteps + 1, reply));
          const longer = { ...reply, blocks: [...reply.blocks, Uint8Array.of(0)] };
          t.false(log.matches(i, thread, ranSteps, longer));
        });
      },
    ),
    { numRuns: 30 },
  );
});
