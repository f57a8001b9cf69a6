import { fc, testProp } from '@fast-check/ava';
import type { ExecutionContext } from 'ava';
import { VmOption, VmoChildOption, VmoOp, VmoOption } from '../../src/abi/vm.js';
import { placeOf } from '../../src/kernel/objects/vmo-pages.js';
import { Harness } from './harness.js';
import { statusName } from './ipc-support.js';
import { brokenMemory, PAGE, RW, vmoOf } from './vm-support.js';
import { ByteModel, bytesOf, type ModelVmo, sizeOf } from './vmo-model.js';

/** Largest VMO, pages, and how many pages all of them may hold. */
const PAGES = 5;
const LIMIT = 7;
/** Scratch memory that is there from the start: one page of results, and buffers. */
const SCRATCH_PAGES = PAGES + 2;

const SNAPSHOTS = [
  VmoChildOption.SNAPSHOT,
  VmoChildOption.SNAPSHOT_AT_LEAST_ON_WRITE,
  VmoChildOption.SNAPSHOT_MODIFIED,
];

/** Near the edges of pages, mostly. */
const bytes = fc
  .tuple(fc.nat({ max: PAGES }), fc.constantFrom(-2, -1, 0, 0, 0, 1, 2, 1000))
  .map(([page, extra]) => Math.max(0, page * PAGE + extra));
const vmo = fc.nat(5);
const length = fc.oneof(fc.constantFrom(0, 1, 2, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE), bytes);
const range = { vmo, offset: bytes, length };
const command = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('create' as const), size: bytes, resizable: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('snapshot' as const),
      vmo,
      kind: fc.constantFrom(...SNAPSHOTS),
      offset: fc.oneof(fc.constantFrom(0, PAGE, 2 * PAGE), bytes),
      size: bytes,
      resizable: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('slice' as const),
      vmo,
      offset: fc.oneof(fc.constantFrom(0, PAGE, 2 * PAGE), bytes),
      size: fc.oneof(fc.constantFrom(0, PAGE, 2 * PAGE), bytes),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('reference' as const),
      vmo,
      offset: fc.constantFrom<number>(0, 0, 0, PAGE),
      size: fc.constantFrom<number>(0, 0, 0, PAGE),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('close' as const), vmo }) },
  { weight: 8, arbitrary: fc.record({ op: fc.constant('write' as const), ...range, value: fc.nat(255) }) },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant('poke' as const), vmo, offset: bytes }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('commit' as const), ...range }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('decommit' as const), ...range }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('zero' as const), ...range }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('transfer' as const),
      ...range,
      from: vmo,
      fromOffset: fc.oneof(fc.constantFrom(0, PAGE, 2 * PAGE), bytes),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('setSize' as const), vmo, size: bytes }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('setStreamSize' as const), vmo, size: bytes }) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

class Pair {
  readonly model = new ByteModel(LIMIT);
  readonly h: Harness;
  private readonly handles: number[] = [];
  private readonly out: number;
  private readonly buffer: number;

  constructor(mode: 'owned' | 'immer' = 'owned') {
    this.h = new Harness({ physicalPages: LIMIT + SCRATCH_PAGES }, mode);
    this.out = this.h.scratch(PAGE);
    this.buffer = this.h.scratch(new Uint8Array((SCRATCH_PAGES - 1) * PAGE));
    this.h.poke(this.out, Uint8Array.of(1));
    this.run({ op: 'create', size: 3 * PAGE, resizable: true });
  }

  private made(result: ReturnType<Harness['call']>): string {
    if (result === 0n) this.handles.push(this.h.u32(this.out));
    return statusName(result);
  }

  run(c: Command): [kernel: string, model: string] {
    const { h, model, out } = this;
    if (c.op === 'create') {
      const options = c.resizable ? VmoOption.RESIZABLE : 0;
      const answer = this.made(h.call('zx_vmo_create', [c.size, options, out]));
      return [answer, model.create(c.size, c.resizable)];
    }
    const open = model.vmos.map((_, i) => i).filter((i) => model.vmos[i].open);
    if (open.length === 1 && c.op === 'close') return ['', ''];
    const i = open[c.vmo % open.length];
    const target = model.vmos[i];
    const size = sizeOf(target);
    // Mostly inside: the model's own sizes are not known when commands are made up.
    const inside = 'offset' in c && size > 0 && c.vmo !== 5 ? { ...c, offset: c.offset % size } : c;
    return this.runOn(inside, target, this.handles[i]);
  }

  private runOn(
    c: Exclude<Command, { op: 'create' }>,
    target: ModelVmo,
    handle: number,
  ): [kernel: string, model: string] {
    const { h, model, out, buffer } = this;
    const range = (op: number, offset: number, length: number): string =>
      statusName(h.call('zx_vmo_op_range', [handle, op, offset, length, 0, 0]));
    switch (c.op) {
      case 'snapshot': {
        const options = c.kind + (c.resizable ? VmoChildOption.RESIZABLE : 0);
        const answer = this.made(h.call('zx_vmo_create_child', [handle, options, c.offset, c.size, out]));
        return [answer, model.snapshot(target, c.offset, c.size, c.resizable)];
      }
      case 'slice':
      case 'reference': {
        const option = c.op === 'slice' ? VmoChildOption.SLICE : VmoChildOption.REFERENCE;
        // A reference of something resizable can have the right to do it.
        const resizable = c.op === 'reference' && target.resizable ? VmoChildOption.RESIZABLE : 0;
        const args = [handle, option + resizable, c.offset, c.size, out];
        return [this.made(h.call('zx_vmo_create_child', args)), model[c.op](target, c.offset, c.size)];
      }
      case 'close':
        model.close(target);
        return [statusName(h.call('zx_handle_close', [handle])), 'OK'];
      case 'write': {
        const data = new Uint8Array(c.length).fill(c.value);
        h.poke(buffer, data);
        const answer = h.call('zx_vmo_write', [handle, buffer, c.offset, c.length]);
        return [statusName(answer), model.write(target, c.offset, data)];
      }
      case 'poke':
        return this.poke(target, handle, c.offset);
      case 'commit':
        return [range(VmoOp.COMMIT, c.offset, c.length), model.commit(target, c.offset, c.length)];
      case 'decommit':
        return [range(VmoOp.DECOMMIT, c.offset, c.length), model.decommit(target, c.offset, c.length)];
      case 'zero':
        return [range(VmoOp.ZERO, c.offset, c.length), model.zero(target, c.offset, c.length)];
      case 'transfer': {
        const open = model.vmos.map((_, i) => i).filter((i) => model.vmos[i].open);
        const from = open[c.from % open.length];
        const args = [handle, 0, c.offset, c.length, this.handles[from], c.fromOffset];
        const told = model.transfer(target, c.offset, c.length, model.vmos[from], c.fromOffset);
        return [statusName(h.call('zx_vmo_transfer_data', args)), told];
      }
      case 'setSize':
        return [statusName(h.call('zx_vmo_set_size', [handle, c.size])), model.setSize(target, c.size)];
      case 'setStreamSize': {
        const answer = h.call('zx_vmo_set_stream_size', [handle, c.size]);
        return [statusName(answer), model.setStreamSize(target, c.size)];
      }
    }
  }

  /** Writes through a mapping: zx_vmo_get_size puts the VMO's size into the VMO itself. */
  private poke(target: ModelVmo, handle: number, offset: number): [string, string] {
    const { h, model, out } = this;
    const size = sizeOf(target);
    if (size === 0) return ['', ''];
    const map = [h.handles.rootVmar, RW | VmOption.ALLOW_FAULTS, 0, handle, 0, size, out];
    if (h.call('zx_vmar_map', map) !== 0n) return ['map', 'OK'];
    const address = Number(h.u64(out));
    const result = h.call('zx_vmo_get_size', [handle, address + offset]);
    h.call('zx_vmar_unmap', [h.handles.rootVmar, address, size]);
    const data = new Uint8Array(new BigUint64Array([BigInt(size)]).buffer);
    const told = model.write(target, offset, data);
    return [statusName(result), told === 'OK' ? 'OK' : 'ERR_INVALID_ARGS'];
  }

  /** All bytes, sizes and held pages are the model's. */
  compare(t: ExecutionContext, after: string): void {
    const { h, model, buffer, out } = this;
    model.vmos.forEach((expected, i) => {
      if (!expected.open) return;
      const handle = this.handles[i];
      const { koid } = vmoOf(h, handle);
      t.is(h.call('zx_vmo_get_size', [handle, out]), 0n, after);
      t.is(h.u64(out), BigInt(sizeOf(expected)), after);
      t.is(h.call('zx_vmo_get_stream_size', [handle, out]), 0n, after);
      t.is(h.u64(out), BigInt(expected.stream.size), after);
      const held = placeOf(h.k.state, vmoOf(h, handle), 0).vmo.pages;
      t.deepEqual(
        [...held.keys()],
        [...expected.memory.held].sort((a, b) => a - b),
        after,
      );
      t.is(vmoOf(h, handle).children.size, model.childrenOf(expected).length, after);
      const length = sizeOf(expected);
      t.is(h.call('zx_vmo_read', [handle, buffer, 0, length]), 0n, after);
      const read = new Uint8Array(h.peek(buffer, length).buffer);
      t.true(Buffer.compare(read, bytesOf(expected)) === 0, `${after}: bytes of VMO ${koid}`);
    });
    t.deepEqual(brokenMemory(h), [], after);
    t.is(h.k.state.committedPages, model.heldPages + SCRATCH_PAGES, after);
  }
}

testProp(
  'families of VMOs are what plain bytes say',
  [fc.array(command, { minLength: 5, maxLength: 40, size: 'max' })],
  (t: ExecutionContext, commands) => {
    const pair = new Pair();
    for (const c of commands) {
      const [kernel, model] = pair.run(c);
      t.is(kernel, model, JSON.stringify(c));
      pair.compare(t, JSON.stringify(c));
      // A snapshot must not see what happens after it.
      if (commands.length % 3 === 0) pair.h.k.snapshot();
    }
  },
  { numRuns: 300 },
);

testProp(
  'a snapshot of the machine keeps its hash whatever happens next',
  [fc.array(command, { minLength: 5, maxLength: 30, size: 'max' }), fc.nat(30)],
  (t: ExecutionContext, commands, at) => {
    const pair = new Pair();
    const whole = new Pair();
    for (const c of commands.slice(0, at)) {
      pair.run(c);
      whole.run(c);
    }
    const kept = pair.h.k.snapshot();
    for (const c of commands.slice(at)) pair.run(c);
    pair.h.k.restore(kept);
    t.is(pair.h.hash(), whole.h.hash());
  },
  { numRuns: 60 },
);

testProp(
  'VMOs: drafts and owned copies come to the same state',
  [fc.array(command, { minLength: 5, maxLength: 30, size: 'max' })],
  (t: ExecutionContext, commands) => {
    const owned = new Pair('owned');
    const immer = new Pair('immer');
    for (const c of commands) {
      owned.run(c);
      immer.run(c);
    }
    t.is(owned.h.hash(), immer.h.hash());
  },
  { numRuns: 60 },
);
