import { Signal } from '../../src/abi/signals.js';
import { VmOption } from '../../src/abi/vm.js';
import { Channel } from '../../src/sdk/channel.js';
import { Event } from '../../src/sdk/event.js';
import { type Program, program } from '../../src/sdk/program.js';
import { must } from '../../src/sdk/result.js';
import { Vmo } from '../../src/sdk/vmo.js';
import type { Zx } from '../../src/sdk/zx.js';
import { FOREVER } from './support.js';

const PAGE = 4096;

/** A mutex in memory: 0 free, 1 held, 2 held and waited for. */
export function* lock(zx: Zx, address: bigint) {
  let seen = yield* zx.compareExchange(address, 0, 1);
  while (seen !== 0) {
    if (seen === 2 || (yield* zx.compareExchange(address, 1, 2)) !== 0)
      yield* zx.futexWait(address, 2, 0, FOREVER);
    seen = yield* zx.compareExchange(address, 0, 2);
  }
}

export function* unlock(zx: Zx, address: bigint) {
  if ((yield* zx.compareExchange(address, 1, 0)) === 1) return;
  yield* zx.storeInt32(address, 0);
  yield* zx.futexWake(address, 1);
}

/**
 * Threads that pay into one account, under a mutex or not; then one that answers over a channel. Prints what the
 * account came to, and what threads saw of each other in what they share in TypeScript.
 */
export function bank(threads: number, payments: number, safe: boolean): Program {
  return program('bank', function* (zx) {
    const { vmo } = must(yield* Vmo.create(zx, PAGE));
    const { address } = must(
      yield* zx.rootVmar.map(VmOption.PERM_READ | VmOption.PERM_WRITE, 0, vmo, 0, PAGE),
    );
    const balance = address + 64n;
    const order: number[] = [];
    const all = [];
    for (let i = 0; i < threads; i++) {
      const pay = function* () {
        for (let n = 0; n < payments; n++) {
          if (safe) yield* lock(zx, address);
          const before = yield* zx.loadInt32(balance);
          yield* zx.work(1 + (before % 3));
          yield* zx.storeInt32(balance, before + 1);
          if (safe) yield* unlock(zx, address);
          order.push(i);
        }
      };
      all.push(must(yield* zx.spawn(pay, { name: `clerk ${i}` })).thread);
    }
    const { first, second } = must(yield* Channel.create(zx));
    const { event } = must(yield* Event.create(zx));
    must(
      yield* zx.spawn(function* () {
        must(yield* second.waitOne(Signal.CHANNEL_READABLE, FOREVER));
        const { bytes, handles } = must(yield* second.read());
        must(yield* handles[0].as(Event).signal(0, Signal.EVENT_SIGNALED));
        must(yield* second.write(bytes.map((b, i) => (i < 4 ? b : 255 - b))));
        yield* second.close();
      }),
    );
    for (const thread of all) must(yield* thread.waitOne(Signal.TASK_TERMINATED, FOREVER));
    const { handle } = must(yield* event.duplicate());
    const answer = must(
      yield* first.call({ bytes: Uint8Array.of(0, 0, 0, 0, 1), handles: [handle] }, FOREVER),
    );
    yield* zx.print(`${answer.bytes[4]}\n`);
    const total = yield* zx.loadInt32(balance);
    yield* zx.print(`${total} ${order.join('')}\n`);
    return total === threads * payments ? 0 : 1;
  });
}
