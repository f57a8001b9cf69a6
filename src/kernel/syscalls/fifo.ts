import { FIFO_MAX_SIZE_BYTES } from '../../abi/limits.js';
import { DEFAULT_RIGHTS } from '../../abi/rights.js';
import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import { type FifoState, fifoCharge } from '../objects/fifo.js';
import type { Decider } from './decider.js';
import type { Handlers } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { requirePolicy } from './policy.js';
import { requireMessageRoom } from './quota.js';
import { refuse } from './refusal.js';
import { changeSignals } from './signals.js';

/** Elements to move: as many as asked for, bounded by what there is; refuses what no FIFO would move. */
function elementsToMove(fifo: FifoState, elementBytes: bigint, count: bigint, most: number): number {
  if (elementBytes !== BigInt(fifo.elementBytes) || count === 0n) refuse(Status.ERR_OUT_OF_RANGE);
  return count < BigInt(most) ? Number(count) : most;
}

function elementsIn({ data, elementBytes }: FifoState): number {
  return data.length / elementBytes;
}

export const fifoCalls: Handlers = {
  // Any count will do: kernels up to 2020 wanted a power of two (syscalls/fifo_create).
  zx_fifo_create: (call, { elem_count, elem_size, options }) => {
    call.allowOptions(options);
    requirePolicy(call, 'NEW_FIFO');
    const sizeBytes = elem_count * elem_size;
    if (sizeBytes === 0n || sizeBytes > BigInt(FIFO_MAX_SIZE_BYTES)) refuse(Status.ERR_OUT_OF_RANGE);
    const shape = { elementBytes: Number(elem_size), capacity: Number(elem_count) };
    call.requireOut('out0', 'out1');
    requireHandleRoom(call.k, call.process, 2);
    requireMessageRoom(call.k, 2 * fifoCharge(shape));
    const koid0 = call.k.state.nextKoid;
    call.emit({ type: 'fifo-created', koid0, koid1: koid0 + 1, ...shape });
    call.putHandle('out0', koid0, DEFAULT_RIGHTS.fifo);
    call.putHandle('out1', koid0 + 1, DEFAULT_RIGHTS.fifo);
    return Status.OK;
  },

  // The order of checks is the kernel's (object/fifo_dispatcher): a closed peer comes before a wrong size.
  zx_fifo_write: (call, { elem_size, data, count }) => {
    const { koid, peer } = call.object('handle', 'fifo');
    const end = call.k.find(peer);
    if (end?.kind !== 'fifo') return Status.ERR_PEER_CLOSED;
    const queued = elementsIn(end);
    const elements = elementsToMove(end, elem_size, count, end.capacity - queued);
    if (elements === 0) return Status.ERR_SHOULD_WAIT;
    const bytes = call.read(data, elements * end.elementBytes);
    call.requireOut('actual_count');
    call.emit({ type: 'fifo-written', koid: peer, bytes });
    call.put('actual_count', elements);
    changeSignals(call.m, peer, 0, Signal.FIFO_READABLE);
    if (queued + elements === end.capacity) changeSignals(call.m, koid, Signal.FIFO_WRITABLE, 0);
    return Status.OK;
  },

  // `data_size` counts elements, whatever its name says.
  zx_fifo_read: (call, { elem_size, data, data_size }) => {
    const fifo = call.object('handle', 'fifo');
    const queued = elementsIn(fifo);
    const elements = elementsToMove(fifo, elem_size, data_size, queued);
    const peerLives = call.k.find(fifo.peer) !== undefined;
    if (elements === 0) return peerLives ? Status.ERR_SHOULD_WAIT : Status.ERR_PEER_CLOSED;
    const sizeBytes = elements * fifo.elementBytes;
    const bytes = fifo.data.slice(0, sizeBytes);
    call.requireWritable(data, sizeBytes);
    call.requireOut('actual_count');
    call.emit({ type: 'fifo-read', koid: fifo.koid, sizeBytes });
    call.write(data, bytes);
    call.put('actual_count', elements);
    if (peerLives) changeSignals(call.m, fifo.peer, 0, Signal.FIFO_WRITABLE);
    if (elements === queued) changeSignals(call.m, fifo.koid, Signal.FIFO_READABLE, 0);
    return Status.OK;
  },
};

/** An end without handles goes; the other can only be read until it is empty. */
export function releaseFifo(m: Decider, { koid, peer }: FifoState): void {
  m.emit({ type: 'object-destroyed', koid });
  changeSignals(m, peer, Signal.FIFO_WRITABLE, Signal.FIFO_PEER_CLOSED);
}
