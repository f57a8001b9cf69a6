import { Signal } from '../../src/abi/signals.js';
import type { FifoState } from '../../src/kernel/objects/fifo.js';
import type { IobState } from '../../src/kernel/objects/iob.js';
import type { KernelState } from '../../src/kernel/objects/kernel.js';
import type { KernelObject } from '../../src/kernel/objects/object.js';
import { SOCKET_BUFFER_BYTES, type SocketState } from '../../src/kernel/objects/socket.js';

/** What an object holds of the bytes that all messages may take. */
export function heldBytes(object: KernelObject): number {
  if (object.kind === 'fifo') return object.elementBytes * object.capacity;
  if (object.kind !== 'socket') return 0;
  return object.sizeBytes + (object.datagram ? 128 * object.chunks.size : 0);
}

/** The VMOs that an object keeps. */
function keptVmos(object: KernelObject): number[] {
  if (object.kind === 'stream' || object.kind === 'iob-shared-region') return [object.vmo];
  if (object.kind === 'iob') return object.regions.map(({ views }) => views[object.endpoint]);
  if (object.kind === 'thread') return object.rseq === undefined ? [] : [object.rseq.vmo];
  if (object.kind === 'clock') return object.vmo === 0 ? [] : [object.vmo];
  return [];
}

/** What does not hold of counters, FIFOs, sockets, streams, clocks, IO buffers, and of the VMOs that they keep. */
export function brokenObjects(state: KernelState): string[] {
  const broken: string[] = [];
  const holders = new Map<number, Set<number>>();
  for (const object of state.objects.values()) {
    const expect = (holds: boolean, otherwise: string): void => {
      if (!holds) broken.push(`${object.kind} ${object.koid}: ${otherwise}`);
    };
    for (const vmo of keptVmos(object)) {
      expect(state.objects.get(vmo)?.kind === 'vmo', `its VMO ${vmo} is gone`);
      holders.set(vmo, (holders.get(vmo) ?? new Set()).add(object.koid));
    }
    const asserted = (name: keyof typeof Signal, when: boolean): void => {
      expect(when === ((object.signals & Signal[name]) !== 0), `${name} is wrong`);
    };
    if (object.kind === 'counter') {
      expect(object.value === BigInt.asIntN(64, object.value), `value ${object.value}`);
      asserted('COUNTER_POSITIVE', object.value > 0n);
      asserted('COUNTER_NON_POSITIVE', object.value <= 0n);
    } else if (object.kind === 'clock') {
      asserted('CLOCK_STARTED', object.setting.transform.numerator !== 0);
      asserted('CLOCK_UPDATED', false);
      expect(object.setting.transform.denominator > 0, 'a rate that is none');
    } else if (object.kind === 'fifo') fifo(state, object, expect, asserted);
    else if (object.kind === 'iob') iob(state, object, expect, asserted);
    else if (object.kind === 'socket') socket(state, object, expect, asserted);
  }
  for (const vmo of state.objects.values()) {
    if (vmo.kind !== 'vmo') continue;
    const wanted = [...(holders.get(vmo.koid) ?? [])].sort((a, b) => a - b).join();
    const said = [...vmo.holders.keys()].join();
    if (wanted !== said) broken.push(`vmo ${vmo.koid}: held by ${wanted}, says ${said}`);
  }
  for (const [kind, koid] of state.systemEvents) {
    if (state.objects.get(koid)?.kind !== 'event') broken.push(`system event ${kind}: no event ${koid}`);
  }
  return broken;
}

/** Whoever has mapped a region can reach it, and nobody else is told that the end is there. */
function iob(state: KernelState, end: IobState, expect: Expect, asserted: Asserted): void {
  const other = state.objects.get(end.peer);
  const peer = other?.kind === 'iob' ? other : undefined;
  expect(peer === undefined || (peer.peer === end.koid && peer.endpoint !== end.endpoint), 'wrong peer');
  asserted('IOB_PEER_CLOSED', peer === undefined);
  for (const { views, vmo, sizeBytes } of end.regions) {
    const view = state.objects.get(views[end.endpoint]);
    const memory = state.objects.get(vmo);
    expect(view?.kind === 'vmo' && view.lender === vmo, `a view of ${vmo} is gone`);
    expect(memory?.kind === 'vmo' && memory.sizeBytes === sizeBytes, `the memory ${vmo} is gone`);
  }
}

type Expect = (holds: boolean, otherwise: string) => void;
type Asserted = (name: keyof typeof Signal, when: boolean) => void;

function fifo(state: KernelState, end: FifoState, expect: Expect, asserted: Asserted): void {
  const { elementBytes, capacity, data } = end;
  const other = state.objects.get(end.peer);
  const peer = other?.kind === 'fifo' ? other : undefined;
  expect(data.length % elementBytes === 0 && data.length <= elementBytes * capacity, `${data.length} bytes`);
  expect(peer === undefined || peer.peer === end.koid, 'its peer has another');
  asserted('FIFO_READABLE', data.length > 0);
  asserted('FIFO_WRITABLE', peer !== undefined && peer.data.length < elementBytes * capacity);
  asserted('FIFO_PEER_CLOSED', peer === undefined);
}

function socket(state: KernelState, end: SocketState, expect: Expect, asserted: Asserted): void {
  const { chunks, head, tail, headOffset, sizeBytes, readThresholdBytes, signals } = end;
  const other = state.objects.get(end.peer);
  const peer = other?.kind === 'socket' ? other : undefined;
  const bytes = [...chunks.values()].reduce((sum, { length }) => sum + length, 0);
  expect(
    sizeBytes === bytes - headOffset && sizeBytes <= SOCKET_BUFFER_BYTES,
    `${sizeBytes} of ${bytes} bytes`,
  );
  expect(chunks.size === tail - head, `${chunks.size} chunks from ${head} to ${tail}`);
  expect(!end.datagram || headOffset === 0, 'half a datagram');
  expect(peer === undefined || peer.peer === end.koid, 'its peer has another');
  const enabled = (signals & Signal.SOCKET_WRITE_DISABLED) === 0;
  asserted('SOCKET_READABLE', sizeBytes > 0);
  asserted('SOCKET_WRITABLE', enabled && peer !== undefined && peer.sizeBytes < SOCKET_BUFFER_BYTES);
  asserted('SOCKET_PEER_CLOSED', peer === undefined);
  asserted('SOCKET_READ_THRESHOLD', readThresholdBytes > 0 && sizeBytes >= readThresholdBytes);
}
