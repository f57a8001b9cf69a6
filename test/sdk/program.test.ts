import test from 'ava';
import { ProcArg } from '../../src/abi/processargs.js';
import { Status } from '../../src/abi/status.js';
import { readElf } from '../../src/loader/elf.js';
import { codePrefix, programImage, startsWith } from '../../src/sdk/image.js';
import { must } from '../../src/sdk/result.js';
import { Vmo } from '../../src/sdk/vmo.js';
import type { Zx } from '../../src/sdk/zx.js';
import { callsOf, run } from './support.js';

test('a program has its arguments and environment, writes to the console, and gives its return code', (t) => {
  const { console, end } = run(
    function* (zx) {
      yield* zx.print(`${zx.args.join(' ')}; ${zx.environ.join(' ')}\n`);
      return 42;
    },
    { args: ['one', 'two'], environ: ['A=b'] },
  );
  t.is(console, 'test one two; A=b\n');
  t.is(end.exitCode, 42);
});

test('a program that returns nothing gives 0; zx.exit ends it from anywhere', (t) => {
  t.is(run(function* () {}).end.exitCode, 0);
  const { end, console } = run(function* (zx) {
    const inner = function* () {
      yield* zx.exit(9);
    };
    yield* inner();
    yield* zx.print('not reached');
  });
  t.is(end.exitCode, 9);
  t.is(console, '');
});

test('a program that throws ends as by an exception, and says why', (t) => {
  const { end, console, events } = run(function* (zx) {
    yield* zx.print('before\n');
    throw new RangeError('too much');
  });
  t.is(end.exitCode, 134);
  t.is(console, 'before\ntest: uncaught RangeError: too much\n');
  t.true(events.some((e) => e.type === 'exception-raised' && e.exception === 'undefined-instruction'));
});

test('long texts come in pieces, cut nowhere', (t) => {
  const text = `${'é'.repeat(300)}\n`;
  const { console } = run(function* (zx) {
    yield* zx.print(text);
  });
  t.is(console, text);
});

test('the startup handles are those of a first process', (t) => {
  const { end } = run(function* (zx) {
    for (const handle of [zx.process, zx.thread, zx.rootVmar, zx.job, zx.vdso]) {
      must(yield* handle.koid());
    }
    t.is((yield* zx.process.name()).name, 'test');
    t.is((yield* zx.thread.name()).name, 'main');
    t.is(zx.startup(ProcArg.USER0), 0);
    t.not(zx.startup(ProcArg.VMO_EXECUTABLE), 0);
  });
  t.is(end.exitCode, 0);
});

test('a call that fails gives its status and no out-values', (t) => {
  const { end } = run(function* (zx) {
    const refused = yield* zx.vmoCreate(4096, 1);
    t.deepEqual(refused, { status: 'ZX_ERR_INVALID_ARGS', out: null });
    const pair = yield* zx.channelCreate(1);
    t.deepEqual(pair, { status: 'ZX_ERR_INVALID_ARGS', out0: null, out1: null });
    const made = yield* Vmo.create(zx, 2n ** 63n);
    t.deepEqual(made, { status: 'ZX_ERR_OUT_OF_RANGE', vmo: null });
    // The type follows from the status.
    const { vmo } = must(yield* Vmo.create(zx, 4096));
    const read = yield* vmo.read(0, 4);
    if (read.status === 'ZX_OK') t.deepEqual(read.bytes, new Uint8Array(4));
    else t.is(read.bytes, null);
    t.is(read.status, 'ZX_OK');
  });
  t.is(end.exitCode, 0);
});

test('must throws the status', (t) => {
  const { console, end } = run(function* (zx) {
    must(yield* zx.handleDuplicate(0, 0));
  });
  t.is(console, 'test: uncaught Failed: ZX_ERR_BAD_HANDLE\n');
  t.is(end.exitCode, 134);
});

test('a call is two steps; work is as many as it says, whatever the slices', (t) => {
  const steps = (n: number, quantumSteps: number) =>
    run(
      function* (zx) {
        yield* zx.work(n);
      },
      { quantumSteps },
    ).end.steps;
  const none = run(function* () {}).end.steps;
  for (const quantum of [1, 2, 3, 7, 1000]) {
    t.is(steps(1, quantum), none + 1);
    t.is(steps(500, quantum), none + 500);
  }
  const one = run(function* (zx) {
    yield* zx.eventCreate(0);
  });
  t.is(one.end.steps, none + 2);
});

test('memory: load and store at mapped addresses, across pages; a fault elsewhere', (t) => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);
  const mapTwoPages = function* (zx: Zx) {
    const { vmo } = must(yield* Vmo.create(zx, 8192));
    const { address } = must(yield* zx.rootVmar.map(3, 0, vmo, 0, 8192));
    return { vmo, address };
  };
  const { end, console } = run(function* (zx) {
    const { vmo, address } = yield* mapTwoPages(zx);
    yield* zx.store(address + 3n, bytes);
    t.deepEqual(yield* zx.load(address + 3n, 5000), bytes);
    t.deepEqual(must(yield* vmo.read(3, 5000)).bytes, bytes);
    t.is(yield* zx.compareExchange(address, 0x02010000, 5), 0);
    yield* zx.storeInt32(address, -7);
    t.is(yield* zx.compareExchange(address, -7, 8), -7);
    t.is(yield* zx.loadInt32(address), 8);
  });
  t.is(console, '');
  t.is(end.exitCode, 0);
  for (const wild of ['load', 'store', 'compareExchange'] as const) {
    const { end: ended, events } = run(function* (zx) {
      const { address } = yield* mapTwoPages(zx);
      if (wild === 'load') yield* zx.load(address + 8190n, 8);
      else if (wild === 'store') yield* zx.store(address + 8190n, new Uint8Array(8));
      else yield* zx.compareExchange(address + 8192n, 0, 1);
    });
    t.is(ended.exitCode, 134);
    const raised = events.find((e) => e.type === 'exception-raised');
    t.is(raised?.type === 'exception-raised' ? raised.exception : '', 'page-fault');
  }
});

test('arguments that do not fit the stack fault, as they would in C', (t) => {
  const { end } = run(function* (zx) {
    yield* zx.vmoRead(0, 0, 1 << 20);
  });
  t.is(end.exitCode, 134);
});

test('a program is an ELF file with its name in it', (t) => {
  const image = programImage('bank');
  const elf = readElf(image);
  t.true(elf.isPie);
  const code = elf.loadSegments.find((s) => s.executable)!;
  const page = image.subarray(code.fileOffset);
  t.true(startsWith(page, codePrefix('bank')));
  for (const other of ['ban', 'banks', 'tank', '']) t.false(startsWith(page, codePrefix(other)));
  for (const name of ['', 'a\0b', 'x'.repeat(256)])
    t.throws(() => programImage(name), { instanceOf: RangeError });
});

test('the same calls give the same statuses as for any guest', (t) => {
  const finished = run(function* (zx) {
    yield* zx.eventCreate(0);
    yield* zx.eventCreate(1);
    yield* zx.handleClose(3);
  });
  t.deepEqual(callsOf(finished), [
    'zx_event_create 0',
    `zx_event_create ${Status.ERR_INVALID_ARGS}`,
    `zx_handle_close ${Status.ERR_BAD_HANDLE}`,
  ]);
});
