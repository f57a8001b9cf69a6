import { readFileSync } from 'node:fs';
import test from 'ava';
import { ProcArg } from '../../src/abi/processargs.js';
import { Signal } from '../../src/abi/signals.js';
import { replay } from '../../src/library/replay.js';
import { ElfError } from '../../src/loader/elf.js';
import { Fold } from '../../src/recording/fold.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { Recording } from '../../src/recording/format/reader.js';
import { Channel } from '../../src/sdk/channel.js';
import { launch } from '../../src/sdk/launch.js';
import { type Program, program } from '../../src/sdk/program.js';
import { must } from '../../src/sdk/result.js';
import { FOREVER, run } from './support.js';

function guest(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../../test/guests/${name}.elf`, import.meta.url)));
}

/** Launches one program after the other and says how each ended. */
function supervisor(programs: readonly (readonly [name: string, program: Uint8Array | Program])[]): Program {
  return program('supervisor', function* (zx) {
    for (const [name, file] of programs) {
      const { process } = must(yield* launch(zx, { name, program: file, args: [name, 'argument'] }));
      const { returnCode } = must(yield* process.wait(FOREVER));
      yield* zx.print(`${name}: ${returnCode}\n`);
      yield* process.close();
    }
  });
}

test('a program in TypeScript launches machine code, fixed and position-independent, and waits for it', (t) => {
  const what = supervisor([
    ['hello', guest('hello')],
    ['hello-pie', guest('hello-pie')],
    ['crash', guest('null-pointer')],
  ]);
  for (const cores of [1, 2, 8]) {
    const { console, end, bytes } = run(what, { cores, seed: cores, quantumSteps: 200 });
    const hello = 'Hello from Zircon.\nargument 1: argument\n';
    t.true(console.startsWith(`${hello}hello: 0\n${hello}hello-pie: 0\n`));
    t.regex(console, /crash: -1028\n$/);
    t.is(end.exitCode, 0);
    t.is(replay(bytes, { programs: [what] }).divergence, null);
  }
});

/** Answers each message with its bytes turned around, and says when nobody asks any more. */
const server = program('server', function* (zx) {
  const channel = new Channel(zx, zx.startup(ProcArg.USER0));
  for (let answered = 0; ; answered++) {
    const { observed } = must(
      yield* channel.waitOne(Signal.CHANNEL_READABLE | Signal.CHANNEL_PEER_CLOSED, FOREVER),
    );
    if ((observed & Signal.CHANNEL_READABLE) === 0) return answered;
    const { bytes } = must(yield* channel.read());
    must(yield* channel.write(bytes.toReversed()));
  }
});

test('programs in TypeScript launch each other and talk over a channel; recorded, replayed, folded', (t) => {
  const client = program('client', function* (zx) {
    const { first, second } = must(yield* Channel.create(zx));
    const handles = [{ type: ProcArg.USER0, arg: 0, handle: second }];
    const { process } = must(yield* launch(zx, { name: 'server', program: server, handles }));
    for (let i = 1; i <= 3; i++) {
      must(yield* first.write(Uint8Array.of(i, 2 * i, 3 * i)));
      must(yield* first.waitOne(Signal.CHANNEL_READABLE, FOREVER));
      yield* zx.print(`${must(yield* first.read()).bytes.join(' ')}\n`);
    }
    yield* first.close();
    return must(yield* process.wait(FOREVER)).returnCode;
  });
  const options = { cores: 2, seed: 4, quantumSteps: 10, detail: 'full', programs: [server] } as const;
  const { console, end, bytes } = run(client, options);
  t.is(console, '3 2 1\n6 4 2\n9 6 3\n');
  t.is(end.exitCode, 3);
  t.is(replay(bytes, { programs: [client, server] }).divergence, null);
  t.throws(() => replay(bytes, { programs: [client] }), { message: /"server"/ });
  t.notThrows(() => new Fold(Recording.open(bytesSource(bytes))).run());
});

test('machine code runs beside its supervisor on other cores, and can be killed', (t) => {
  const what = program('killer', function* (zx) {
    const { process } = must(
      yield* launch(zx, { name: 'spin', program: guest('spin'), args: ['spin', '100000000'] }),
    );
    yield* zx.work(5000);
    must(yield* process.kill());
    return must(yield* process.wait(FOREVER)).returnCode === -1024n ? 0 : 1;
  });
  const { end } = run(what, { cores: 2, seed: 1, quantumSteps: 500 });
  t.is(end.exitCode, 0);
  t.true(end.steps > 6000 && end.steps < 100_000);
});

test('launch says which call failed, and leaves nothing behind', (t) => {
  const { end, console } = run(function* (zx) {
    const { job } = must(yield* zx.job.createJob());
    must(yield* job.setPolicy([{ condition: 'NEW_PROCESS', action: 'DENY' }]));
    must(yield* job.kill());
    const before = must(
      yield* zx.process.info('PROCESS_HANDLE_STATS', 'zx_info_process_handle_stats_t'),
    ).info;
    const { first, second } = must(yield* Channel.create(zx));
    const handles = [{ type: ProcArg.USER0, arg: 0, handle: second }];
    const refused = yield* launch(zx, { name: 'hello', program: guest('hello'), job, handles });
    t.deepEqual(refused, { status: 'ZX_ERR_BAD_STATE', process: null });
    yield* first.close();
    const after = must(yield* zx.process.info('PROCESS_HANDLE_STATS', 'zx_info_process_handle_stats_t')).info;
    t.deepEqual(after, before);
  });
  t.is(console, '');
  t.is(end.exitCode, 0);
});

test('a file that is no program throws before anything is made', (t) => {
  const { console } = run(function* (zx) {
    try {
      yield* launch(zx, { name: 'text', program: new TextEncoder().encode('not a program') });
    } catch (reason) {
      t.true(reason instanceof ElfError);
      yield* zx.print('refused\n');
    }
  });
  t.is(console, 'refused\n');
});

test('a program that the run does not know is machine code that is none', (t) => {
  const stranger = program('stranger', function* () {});
  const { end, console } = run(supervisor([['stranger', stranger]]));
  t.regex(console, /stranger: -1028/);
  t.is(end.exitCode, 0);
});

test('a page that looks like a program of the run is one, wherever it came from', (t) => {
  const twin = program('twin', function* (zx) {
    if (zx.args[0] === 'child') return 5;
    const { process } = must(yield* launch(zx, { name: 'twin', program: twin, args: ['child'] }));
    return must(yield* process.wait(FOREVER)).returnCode + 1n;
  });
  t.is(run(twin).end.exitCode, 6);
});
