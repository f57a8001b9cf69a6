import test from 'ava';
import { Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { Channel } from '../../src/sdk/channel.js';
import { Event, Eventpair } from '../../src/sdk/event.js';
import { Handle } from '../../src/sdk/handle.js';
import { must } from '../../src/sdk/result.js';
import { Vmo } from '../../src/sdk/vmo.js';
import { callsOf, FOREVER, run } from './support.js';

test('duplicate gives the same class, with the rights asked for; replace consumes', (t) => {
  const { end, console } = run(function* (zx) {
    const { event } = must(yield* Event.create(zx));
    const { handle: copy } = must(yield* event.duplicate(Right.WAIT));
    t.true(copy instanceof Event);
    t.not(copy.raw, event.raw);
    t.is((yield* copy.koid()).koid, (yield* event.koid()).koid);
    t.deepEqual(yield* copy.duplicate(), { status: 'ZX_ERR_ACCESS_DENIED', handle: null });
    t.deepEqual(yield* event.duplicate(Right.READ), { status: 'ZX_ERR_INVALID_ARGS', handle: null });
    const { handle: weak } = must(yield* event.replace(Right.WAIT));
    t.is(event.raw, 0);
    t.deepEqual(yield* weak.signal(0, Signal.EVENT_SIGNALED), { status: 'ZX_ERR_ACCESS_DENIED' });
    t.is((yield* weak.close()).status, 'ZX_OK');
    t.is((yield* weak.close()).status, 'ZX_OK');
    t.is((yield* weak.waitOne(1, 0)).status, 'ZX_ERR_BAD_HANDLE');
  });
  t.is(console, '');
  t.is(end.exitCode, 0);
});

test('using closes before the next call; what was given away is not closed', (t) => {
  const finished = run(function* (zx) {
    {
      using event = must(yield* Event.create(zx)).event;
      yield* event.signal(0, Signal.EVENT_SIGNALED);
    }
    {
      using pair = must(yield* Eventpair.create(zx)).first;
      pair.release();
    }
    yield* zx.clockGetMonotonic();
    using last = must(yield* Event.create(zx)).event;
    t.not(last.raw, 0);
    return 0;
  });
  const names = callsOf(finished).map((call) => call.split(' ')[0]);
  t.deepEqual(names, [
    'zx_event_create',
    'zx_object_signal',
    'zx_handle_close',
    'zx_eventpair_create',
    'zx_clock_get_monotonic',
    'zx_event_create',
    'zx_handle_close',
  ]);
  t.is(finished.end.exitCode, 0);
});

test('waits tell what they saw, also when time was up', (t) => {
  const { end } = run(function* (zx) {
    const { first, second } = must(yield* Eventpair.create(zx));
    const late = yield* first.waitOne(Signal.USER_0, 0);
    t.deepEqual(late, { status: 'ZX_ERR_TIMED_OUT', observed: 0 });
    must(yield* second.signalPeer(0, Signal.USER_0));
    t.deepEqual(yield* first.waitOne(Signal.USER_0, FOREVER), { status: 'ZX_OK', observed: Signal.USER_0 });
    yield* second.close();
    t.is((yield* first.signalPeer(0, 0)).status, 'ZX_ERR_PEER_CLOSED');
    const many = yield* zx.objectWaitMany([{ handle: first.raw, waitfor: Signal.USER_1 }], 0);
    t.is(many.status, 'ZX_ERR_TIMED_OUT');
    t.is(many.items?.[0].pending, (Signal.USER_0 | Signal.EVENTPAIR_PEER_CLOSED) >>> 0);
  });
  t.is(end.exitCode, 0);
});

test('handles travel in messages and get their class back', (t) => {
  const { end, console } = run(function* (zx) {
    const { first, second } = must(yield* Channel.create(zx));
    const { vmo } = must(yield* Vmo.create(zx, 4096));
    must(yield* vmo.setName('a VMO'));
    must(yield* first.write(Uint8Array.of(1, 2, 3), [vmo]));
    t.is(vmo.raw, 0);
    t.is((yield* second.read(2)).status, 'ZX_ERR_BUFFER_TOO_SMALL');
    const { bytes, handles } = must(yield* second.read());
    t.deepEqual(bytes, Uint8Array.of(1, 2, 3));
    t.true(handles[0] instanceof Handle);
    const arrived = handles[0].as(Vmo);
    t.is(handles[0].raw, 0);
    t.is(must(yield* arrived.name()).name, 'a VMO');
    must(
      yield* second.writeEtc(new Uint8Array(0), [{ handle: arrived, duplicate: true, rights: Right.READ }]),
    );
    t.not(arrived.raw, 0);
    const { handles: copies } = must(yield* first.read());
    const { info } = must(yield* copies[0].info('HANDLE_BASIC', 'zx_info_handle_basic_t'));
    t.is(info.rights, Right.READ);
    const refused = yield* first.writeEtc(new Uint8Array(0), [{ handle: arrived, type: 5 }]);
    t.is(refused.status, 'ZX_ERR_WRONG_TYPE');
    t.deepEqual(yield* first.read(), { status: 'ZX_ERR_SHOULD_WAIT', bytes: null, handles: null });
  });
  t.is(console, '');
  t.is(end.exitCode, 0);
});
