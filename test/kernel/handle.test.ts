import test from 'ava';
import { DEFAULT_RIGHTS, Right } from '../../src/abi/rights.js';
import { Status } from '../../src/abi/status.js';
import { Harness } from './harness.js';

test('duplicate gives a subset of rights under a new value', (t) => {
  const h = new Harness();
  const out = h.scratch(4);
  t.is(h.call('zx_event_create', [0, out]), 0n);
  const event = h.u32(out);
  t.is(h.call('zx_handle_duplicate', [event, Right.WAIT, out]), 0n);
  const duplicate = h.u32(out);
  t.not(duplicate, event);
  t.is(h.call('zx_handle_duplicate', [duplicate, Right.SAME_RIGHTS, out]), BigInt(Status.ERR_ACCESS_DENIED));
  t.is(h.call('zx_handle_duplicate', [event, Right.READ, out]), BigInt(Status.ERR_INVALID_ARGS));
  t.is(h.call('zx_handle_duplicate', [event, Right.SAME_RIGHTS, 0x10]), BigInt(Status.ERR_INVALID_ARGS));
  t.is(h.call('zx_handle_close', [event]), 0n);
  t.is(h.call('zx_handle_duplicate', [event, Right.WAIT, out]), BigInt(Status.ERR_BAD_HANDLE));
  t.is(h.call('zx_handle_close', [duplicate]), 0n);
  t.true(h.events.some((e) => e.type === 'object-destroyed'));
});

test('replace consumes the handle even when it refuses the rights', (t) => {
  const h = new Harness();
  const out = h.scratch(4);
  h.call('zx_event_create', [0, out]);
  const event = h.u32(out);
  t.is(
    h.call('zx_handle_replace', [event, DEFAULT_RIGHTS.event | Right.READ, out]),
    BigInt(Status.ERR_INVALID_ARGS),
  );
  t.is(h.call('zx_handle_close', [event]), BigInt(Status.ERR_BAD_HANDLE));
});
