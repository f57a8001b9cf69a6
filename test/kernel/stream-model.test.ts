import test from 'ava';
import fc from 'fast-check';
import { StreamMode, StreamSeekOrigin, StreamWriteOption } from '../../src/abi/ipc.js';
import { DEFAULT_RIGHTS } from '../../src/abi/rights.js';
import { VmoOption } from '../../src/abi/vm.js';
import { Harness } from './harness.js';
import { bytesAt, NOWHERE, statusName, withRights } from './ipc-support.js';
import { BUFFER, iovecs, move, newStream, newVmo, ramp } from './object-support.js';

const PAGE = 4096;
const MAX_SEEK = (1n << 64n) - 1n;

const which = fc.nat({ max: 1 });
const place = fc.oneof(
  fc.nat({ max: 20 }),
  fc.integer({ min: PAGE - 5, max: PAGE + 5 }),
  fc.nat({ max: 3 * PAGE }),
);
/** Capacities of vectors, and whether the last of them is nowhere. */
const vectors = fc.record({
  sizes: fc.array(fc.oneof(fc.nat({ max: 9 }), fc.constantFrom(PAGE - 3, PAGE, PAGE + 1)), { maxLength: 3 }),
  broken: fc.boolean(),
});
const at = fc.option(place, { nil: null });

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant('read' as const), which, at, vectors }) },
  {
    weight: 5,
    arbitrary: fc.record({ op: fc.constant('write' as const), which, at, vectors, append: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('seek' as const),
      which,
      whence: fc.nat({ max: 3 }),
      by: fc.oneof(fc.integer({ min: -30, max: 30 }), place),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('truncate' as const), to: place }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('poke' as const), to: place, size: fc.nat({ max: 9 }) }),
  },
);

interface Result {
  status: string;
  bytes: number[];
}

/** A file of bytes in an array as long as its memory, and two places in it. Only the first stream makes it longer. */
class Model {
  memory: number[] = [];
  end = 0;
  readonly seeks = [0n, 0n];

  read(which: number, offset: number | null, size: number, there: number): Result {
    const from = offset === null ? this.seeks[which] : BigInt(offset);
    const count = from >= BigInt(this.end) ? 0 : Math.min(size, this.end - Number(from));
    const moved = Math.min(count, there);
    if (count > 0 && moved === 0) return { status: 'ERR_NOT_FOUND', bytes: [] };
    if (offset === null) this.seeks[which] += BigInt(moved);
    return { status: 'OK', bytes: this.memory.slice(Number(from), Number(from) + moved) };
  }

  write(which: number, offset: number | null, append: boolean, bytes: number[], there: number): Result {
    const start = offset !== null ? BigInt(offset) : append ? BigInt(this.end) : this.seeks[which];
    if (bytes.length === 0) return { status: 'OK', bytes: [] };
    if (start + BigInt(bytes.length) > MAX_SEEK) return { status: 'ERR_FILE_BIG', bytes: [] };
    const from = Number(start);
    const grown = Math.ceil((from + bytes.length) / PAGE) * PAGE;
    const limit = which === 0 ? Math.max(this.memory.length, grown) : this.memory.length;
    if (from >= limit) return { status: 'ERR_NO_SPACE', bytes: [] };
    if (there === 0) return { status: 'ERR_NOT_FOUND', bytes: [] };
    while (this.memory.length < limit) this.memory.push(0);
    if (from > this.end) this.memory.fill(0, this.end, from);
    const moved = bytes.slice(0, Math.min(limit - from, there));
    this.memory.splice(from, moved.length, ...moved);
    this.end = Math.max(this.end, from + moved.length);
    if (offset === null) this.seeks[which] = BigInt(from + moved.length);
    return { status: 'OK', bytes: moved };
  }

  seek(which: number, whence: number, by: number): string {
    const origin = [0n, this.seeks[which], BigInt(this.end)][whence];
    if (origin === undefined) return 'ERR_INVALID_ARGS';
    const to = origin + BigInt(by);
    if (to < 0n || to > MAX_SEEK) return 'ERR_INVALID_ARGS';
    this.seeks[which] = to;
    return 'OK';
  }

  truncate(to: number): string {
    if (to > this.memory.length) return 'ERR_OUT_OF_RANGE';
    if (to !== this.end) this.memory.fill(0, Math.min(to, this.end));
    this.end = to;
    return 'OK';
  }
}

/** The vectors in memory: their list, their length, and how many bytes of it are there. */
function lay(h: Harness, { sizes, broken }: { sizes: number[]; broken: boolean }) {
  const buffers: [number, number][] = [];
  let from = BUFFER;
  for (const size of sizes) {
    buffers.push([from, size]);
    // Apart from one another, so that an order that is wrong shows.
    from += size + 7;
  }
  const size = sizes.reduce((sum, s) => sum + s, 0);
  if (broken) buffers.push([NOWHERE, 4]);
  return { buffers, list: iovecs(h, ...buffers), size: broken ? size + 4 : size, there: size };
}

function gather(h: Harness, buffers: readonly [number, number][], count: number): number[] {
  return buffers
    .flatMap(([address, size]) => (address === NOWHERE ? [] : [...bytesAt(h, address, size)]))
    .slice(0, count);
}

test('streams over one VMO are places in one file', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const h = new Harness();
      const vmo = newVmo(h, 0, VmoOption.RESIZABLE);
      const mode = StreamMode.READ | StreamMode.WRITE;
      const streams = [newStream(h, vmo, mode), newStream(h, withRights(h, vmo, DEFAULT_RIGHTS.vmo), mode)];
      const model = new Model();
      let next = 1;
      for (const s of steps) {
        if (s.op === 'read') {
          const { buffers, list, size, there } = lay(h, s.vectors);
          const offset = s.at === null ? [] : [s.at];
          const name = s.at === null ? 'zx_stream_readv' : 'zx_stream_readv_at';
          const got = move(h, name, [streams[s.which], 0, ...offset, list, buffers.length]);
          const want = model.read(s.which, s.at, size, there);
          t.deepEqual({ status: got.status, bytes: gather(h, buffers, got.actual) }, want);
        } else if (s.op === 'write') {
          const { buffers, list, size, there } = lay(h, s.vectors);
          const bytes = ramp(next, size);
          next += size;
          let from = 0;
          for (const [address, length] of buffers) {
            if (address !== NOWHERE) h.poke(address, bytes.slice(from, from + length));
            from += length;
          }
          const offset = s.at === null ? [] : [s.at];
          const options = s.append && s.at === null ? StreamWriteOption.APPEND : 0;
          const name = s.at === null ? 'zx_stream_writev' : 'zx_stream_writev_at';
          const got = move(h, name, [streams[s.which], options, ...offset, list, buffers.length]);
          const want = model.write(s.which, s.at, s.append, [...bytes], there);
          t.deepEqual([got.status, got.actual], [want.status, want.bytes.length]);
        } else if (s.op === 'seek') {
          const got = move(h, 'zx_stream_seek', [streams[s.which], s.whence, s.by]);
          t.is(got.status, model.seek(s.which, s.whence, s.by));
        } else if (s.op === 'truncate') {
          t.is(statusName(h.call('zx_vmo_set_stream_size', [vmo, s.to])), model.truncate(s.to));
        } else {
          // Behind the end too: what is there must not show later.
          const bytes = ramp(next, s.size);
          next += s.size;
          h.poke(BUFFER, bytes);
          const status = statusName(h.call('zx_vmo_write', [vmo, BUFFER, s.to, s.size]));
          if (status === 'OK') model.memory.splice(s.to, s.size, ...bytes);
        }
        for (const [i, stream] of streams.entries()) {
          const place = move(h, 'zx_stream_seek', [stream, StreamSeekOrigin.CURRENT, 0]);
          t.is(place.actual, Number(model.seeks[i]));
        }
      }
      const list = iovecs(h, [BUFFER, 8 * PAGE]);
      const all = move(h, 'zx_stream_readv_at', [streams[1], 0, 0, list, 1]);
      t.deepEqual([...bytesAt(h, BUFFER, all.actual)], model.memory.slice(0, model.end));
    }),
    { numRuns: 150 },
  );
});
