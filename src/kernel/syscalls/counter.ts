import { DEFAULT_RIGHTS } from '../../abi/rights.js';
import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import type { Call } from './call.js';
import type { Handlers } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { refuse } from './refusal.js';
import { changeSignals } from './signals.js';

const { COUNTER_POSITIVE, COUNTER_NON_POSITIVE } = Signal;

/** Counters have no job policy condition of their own (syscalls/counter_create). */
export const counterCalls: Handlers = {
  zx_counter_create: (call, { options }) => {
    call.allowOptions(options);
    call.requireOut('out');
    requireHandleRoom(call.k, call.process, 1);
    const koid = call.k.state.nextKoid;
    call.emit({ type: 'counter-created', koid });
    call.putHandle('out', koid, DEFAULT_RIGHTS.counter);
    return Status.OK;
  },

  zx_counter_add: (call, { value }) => {
    const counter = call.object('handle', 'counter');
    const sum = counter.value + value;
    if (sum !== BigInt.asIntN(64, sum)) refuse(Status.ERR_OUT_OF_RANGE);
    setCounter(call, counter.koid, sum);
    return Status.OK;
  },

  zx_counter_read: (call) => {
    const counter = call.object('handle', 'counter');
    call.requireOut('value');
    call.put('value', counter.value);
    return Status.OK;
  },

  zx_counter_write: (call, { value }) => {
    setCounter(call, call.object('handle', 'counter').koid, value);
    return Status.OK;
  },
};

function setCounter(call: Pick<Call, 'm'>, koid: number, value: bigint): void {
  call.m.emit({ type: 'counter-changed', koid, value });
  if (value > 0n) changeSignals(call.m, koid, COUNTER_NON_POSITIVE, COUNTER_POSITIVE);
  else changeSignals(call.m, koid, COUNTER_POSITIVE, COUNTER_NON_POSITIVE);
}
