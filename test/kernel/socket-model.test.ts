import test from 'ava';
import fc from 'fast-check';
import { Property } from '../../src/abi/info.js';
import { SocketDisposition, SocketOption } from '../../src/abi/ipc.js';
import { Signal } from '../../src/abi/signals.js';
import { SOCKET_BUFFER_BYTES as MAX } from '../../src/kernel/objects/socket.js';
import { Harness } from './harness.js';
import { koidOf, statusName } from './ipc-support.js';
import { newSocket, ramp, readSocket, writeSocket } from './object-support.js';

const { WRITE_DISABLED: OFF, WRITE_ENABLED: ON } = SocketDisposition;

const end = fc.nat({ max: 1 });
const size = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 9 }) },
  { weight: 1, arbitrary: fc.constantFrom(4095, 4096, 5000, 100_000, MAX - 1, MAX) },
);
const disposition = fc.constantFrom(0, OFF, ON);

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant('write' as const), end, size }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('read' as const), end, size, peek: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('dispose' as const), end, own: disposition, peer: disposition }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('threshold' as const), end, reading: fc.boolean(), size }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('close' as const), end }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

interface End {
  open: boolean;
  /** What waits to be read here: whole datagrams, or the writes of a stream one by one. */
  waiting: number[][];
  writable: boolean;
  /** Nothing more comes, as it was told. */
  ended: boolean;
  peerDisabled: boolean;
  readThreshold: number;
  writeThreshold: number;
}

/** Two lists of lists of bytes. */
class Model {
  readonly ends: readonly [End, End];

  constructor(private readonly datagram: boolean) {
    const fresh = (): End => ({
      open: true,
      waiting: [],
      writable: true,
      ended: false,
      peerDisabled: false,
      readThreshold: 0,
      writeThreshold: 0,
    });
    this.ends = [fresh(), fresh()];
  }

  buffered(end: number): number {
    return this.ends[end].waiting.reduce((sum, { length }) => sum + length, 0);
  }

  write(from: number, bytes: Uint8Array): { status: string; actual: number } {
    const none = (status: string) => ({ status, actual: 0 });
    const to = this.ends[1 - from];
    if (!to.open) return none('ERR_PEER_CLOSED');
    if (!this.ends[from].writable) return none('ERR_BAD_STATE');
    if (bytes.length === 0) return none('OK');
    const room = MAX - this.buffered(1 - from);
    const fits = this.datagram ? bytes.length <= room : room > 0;
    if (!fits) return none('ERR_SHOULD_WAIT');
    const actual = Math.min(room, bytes.length);
    to.waiting.push([...bytes.subarray(0, actual)]);
    return { status: 'OK', actual };
  }

  read(at: number, size: number, peek: boolean): { status: string; bytes: number[] } {
    const { waiting, ended } = this.ends[at];
    if (waiting.length === 0) {
      const status = !this.ends[1 - at].open
        ? 'ERR_PEER_CLOSED'
        : ended
          ? 'ERR_BAD_STATE'
          : 'ERR_SHOULD_WAIT';
      return { status, bytes: [] };
    }
    const all = this.datagram ? waiting[0] : waiting.flat();
    const bytes = all.slice(0, size);
    if (!peek && size > 0) {
      const rest = all.slice(size);
      if (this.datagram) waiting.shift();
      else waiting.splice(0, waiting.length, ...(rest.length === 0 ? [] : [rest]));
    }
    return { status: 'OK', bytes };
  }

  dispose(at: number, own: number, peer: number): string {
    const [here, there] = [this.ends[at], this.ends[1 - at]];
    const blocked = (reader: End, writer: number): boolean =>
      writer === ON && reader.waiting.length > 0 && reader.peerDisabled;
    if (blocked(here, peer) || (there.open && blocked(there, own))) return 'ERR_BAD_STATE';
    if (own !== 0) here.writable = own === ON;
    if (own !== 0 && there.open) there.ended = there.peerDisabled = own === OFF;
    if (peer !== 0) here.ended = peer === OFF;
    if (peer !== 0 && there.open) {
      there.writable = peer === ON;
      here.peerDisabled = peer === OFF;
    }
    return 'OK';
  }

  threshold(at: number, reading: boolean, size: number): string {
    if (!reading && !this.ends[1 - at].open) return 'ERR_PEER_CLOSED';
    if (reading) this.ends[at].readThreshold = size;
    else this.ends[at].writeThreshold = size;
    return 'OK';
  }

  signals(at: number): number {
    const [here, there] = [this.ends[at], this.ends[1 - at]];
    const buffered = this.buffered(at);
    const room = MAX - this.buffered(1 - at);
    const names: [keyof typeof Signal, boolean][] = [
      ['SOCKET_READABLE', buffered > 0],
      ['SOCKET_WRITABLE', there.open && here.writable && room > 0],
      ['SOCKET_PEER_CLOSED', !there.open],
      ['SOCKET_WRITE_DISABLED', !here.writable],
      ['SOCKET_PEER_WRITE_DISABLED', here.peerDisabled],
      ['SOCKET_READ_THRESHOLD', here.readThreshold > 0 && buffered >= here.readThreshold],
    ];
    // Of an end whose peer is gone, nobody says how much room there is.
    if (there.open)
      names.push(['SOCKET_WRITE_THRESHOLD', here.writeThreshold > 0 && room >= here.writeThreshold]);
    return names.reduce((mask, [name, asserted]) => (asserted ? mask | Signal[name] : mask), 0);
  }
}

test('a socket is two bounded lists, of bytes or of datagrams', (t) => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 60 }), (datagram, steps) => {
      const h = new Harness();
      const handles = newSocket(h, datagram ? SocketOption.DATAGRAM : 0);
      const koids = handles.map((handle) => koidOf(h, handle));
      const model = new Model(datagram);
      let next = 0;
      const make = (s: Step): void => {
        const handle = handles[s.end];
        if (s.op === 'write') {
          const bytes = ramp(next, s.size);
          next += s.size;
          t.deepEqual(writeSocket(h, handle, bytes), model.write(s.end, bytes));
        } else if (s.op === 'read') {
          const { status, bytes } = model.read(s.end, s.size, s.peek);
          const got = readSocket(h, handle, s.size, s.peek ? SocketOption.PEEK : 0);
          t.deepEqual([got.status, [...got.bytes]], [status, bytes]);
        } else if (s.op === 'dispose') {
          const got = h.call('zx_socket_set_disposition', [handle, s.own, s.peer]);
          t.is(statusName(got), model.dispose(s.end, s.own, s.peer));
        } else if (s.op === 'threshold') {
          const property = s.reading ? Property.SOCKET_RX_THRESHOLD : Property.SOCKET_TX_THRESHOLD;
          const value = h.scratch(8);
          h.poke(value, Uint8Array.of(s.size, s.size >> 8, s.size >> 16, 0, 0, 0, 0, 0));
          const got = h.call('zx_object_set_property', [handle, property, value, 8]);
          t.is(statusName(got), model.threshold(s.end, s.reading, s.size));
        } else {
          h.call('zx_handle_close', [handle]);
          model.ends[s.end].open = false;
        }
      };
      for (const s of steps) {
        if (!model.ends[s.end].open) continue;
        make(s);
        for (const at of [0, 1]) {
          const signals = h.k.find(koids[at])?.signals;
          if (!model.ends[at].open) t.is(signals, undefined);
          else {
            const seen = model.ends[1 - at].open ? -1 : ~Signal.SOCKET_WRITE_THRESHOLD;
            t.is((signals ?? 0) & seen, model.signals(at));
          }
        }
      }
      for (const [at, handle] of handles.entries()) {
        if (model.ends[at].open) h.call('zx_handle_close', [handle]);
      }
      t.is(h.k.state.messageBytes, 0);
    }),
    { numRuns: 150 },
  );
});
