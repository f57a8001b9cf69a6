import test from 'ava';
import fc from 'fast-check';
import { ProcArg } from '../../src/abi/processargs.js';
import {
  decodeProcessArgs,
  encodeProcessArgs,
  type ProcessArgs,
  ProcessArgsError,
} from '../../src/loader/processargs.js';

const anyString = fc.string({ unit: 'grapheme', maxLength: 20 }).map((s) => s.replaceAll('\0', ''));
const anyStrings = fc.array(anyString, { maxLength: 10 });
const anyArgs: fc.Arbitrary<ProcessArgs> = fc.record({
  roles: fc.array(fc.record({ type: fc.nat(255), arg: fc.nat(65535) }), { maxLength: 64 }),
  args: anyStrings,
  environ: anyStrings,
  names: anyStrings,
});

test('the message of a small process, byte by byte', (t) => {
  const message = encodeProcessArgs({
    roles: [
      { type: ProcArg.PROC_SELF, arg: 0 },
      { type: ProcArg.FD, arg: 2 },
    ],
    args: ['prog', 'x'],
    environ: ['A=1'],
    names: [],
  });
  const words = new Uint32Array(message.slice(0, 44).buffer);
  t.deepEqual([...words], [0x4150585d, 0x1000, 36, 44, 2, 51, 1, 55, 0, 0x00000001, 0x00020030]);
  t.is(new TextDecoder().decode(message.subarray(44)), 'prog\0x\0A=1\0');
});

test('what is encoded is decoded', (t) => {
  fc.assert(
    fc.property(anyArgs, (args) => {
      t.deepEqual(decodeProcessArgs(encodeProcessArgs(args), args.roles.length), args);
    }),
    { numRuns: 300 },
  );
});

test('arguments that fit no message are refused', (t) => {
  const none: ProcessArgs = { roles: [], args: [], environ: [], names: [] };
  const fits = 65536 - 36 - 1;
  t.is(encodeProcessArgs({ ...none, args: ['x'.repeat(fits)] }).length, 65536);
  const refuse = (args: ProcessArgs, message: RegExp) =>
    t.throws(() => encodeProcessArgs(args), { instanceOf: ProcessArgsError, message });
  refuse({ ...none, args: ['x'.repeat(fits + 1)] }, /65537 bytes .*limit 65536/);
  refuse({ ...none, environ: ['a\0b'] }, /NUL inside the argument "a\\u0000b"/);
  refuse({ ...none, roles: Array.from({ length: 65 }, () => ({ type: 1, arg: 0 })) }, /65 handles/);
});

test('damaged messages are refused or read, never more', (t) => {
  let refused = 0;
  fc.assert(
    fc.property(
      anyArgs,
      fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 }),
      fc.nat(200),
      fc.nat(64),
      (args, edits, cut, handles) => {
        const message = encodeProcessArgs(args);
        for (const [at, value] of edits) if (at < message.length) message[at] = value;
        try {
          decodeProcessArgs(message.subarray(0, Math.max(0, message.length - cut)), handles);
        } catch (error) {
          if (!(error instanceof ProcessArgsError)) throw error;
          refused++;
        }
      },
    ),
    { numRuns: 2000 },
  );
  t.true(refused > 200);
});
