import test from 'ava';
import fc from 'fast-check';
import { PacketType } from '../../src/abi/ports.js';
import { Status } from '../../src/abi/status.js';
import { decodeStruct, sizeOf } from '../../src/abi/structs.js';
import { PAGER_RESET_VMO_STATS, PagerCommand, PagerOp, VmoOp, VmoOption } from '../../src/abi/vm.js';
import { endThread } from '../../src/kernel/syscalls/tasks.js';
import { Harness } from './harness.js';
import { newPort, outcome, statusName } from './ipc-support.js';
import { PagerModel } from './pager-model.js';
import { foldsAlike, type Marks, mark, runAlike } from './refold.js';
import { brokenMemory, newVmo, PAGE } from './vm-support.js';

const PAGES = 6;
const KEY = 5n;

const page = fc.nat(PAGES - 1);
const range = { page, count: fc.integer({ min: 1, max: 3 }) };
const by = fc.nat(2);
const command = fc.oneof(
  { weight: 5, arbitrary: fc.record({ op: fc.constant('read' as const), by, page }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('write' as const), by, page }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('supply' as const), ...range }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('dirty' as const), ...range }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('zero' as const), ...range }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('begin' as const), ...range, zeros: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('end' as const), ...range }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('fail' as const), ...range }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('stats' as const), reset: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('kill' as const), by }) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** A call that a thread is in, or has to make again. */
interface Access {
  readonly op: 'read' | 'write';
  readonly page: number;
  readonly byte: number;
  /** Where `read` puts what it finds. */
  readonly buffer: number;
}

/** One request as the pager got it. */
interface Request {
  readonly command: number;
  readonly first: number;
  readonly end: number;
}

class World {
  readonly h: Harness;
  readonly model: PagerModel;
  readonly wrong: string[] = [];
  readonly marks: Marks = new Map();
  private readonly pager: number;
  private readonly vmo: number;
  private readonly port: number;
  private readonly out: number;
  private readonly source: number;
  private readonly threads: number[] = [];
  private readonly accesses = new Map<number, Access>();
  private readonly failing = new Map<number, string>();
  private requests: Request[] = [];
  private nextByte = 1;

  constructor(trapsDirty: boolean, mode: 'owned' | 'immer') {
    this.h = new Harness({}, mode);
    this.model = new PagerModel(PAGES, trapsDirty);
    this.out = this.h.scratch(1024);
    this.source = this.h.scratch(PAGE);
    this.port = newPort(this.h);
    this.do('zx_pager_create', [0, this.out]);
    this.pager = this.h.u32(this.out);
    const options = trapsDirty ? VmoOption.TRAP_DIRTY : 0;
    this.do('zx_pager_create_vmo', [this.pager, options, this.port, KEY, PAGES * PAGE, this.out]);
    this.vmo = this.h.u32(this.out);
    for (let i = 0; i < 3; i++) this.threads.push(this.h.newThread(this.h.process, `user-${i}`));
  }

  private do(...call: Parameters<Harness['call']>): string {
    return statusName(this.h.call(...call));
  }

  private expect(what: string, got: unknown, wanted: unknown): void {
    if (got !== wanted) this.wrong.push(`${what}: ${String(got)}, not ${String(wanted)}`);
  }

  run(c: Command): void {
    const end = 'count' in c ? Math.min(PAGES, c.page + c.count) : 0;
    const length = 'count' in c ? (end - c.page) * PAGE : 0;
    switch (c.op) {
      case 'read':
      case 'write':
        this.begin(this.threads[c.by], {
          op: c.op,
          page: c.page,
          byte: this.byte(),
          buffer: this.h.scratch(16),
        });
        break;
      case 'supply': {
        const byte = this.byte();
        const aux = newVmo(this.h, length);
        this.h.poke(this.source, new Uint8Array(PAGE).fill(byte));
        for (let at = 0; at < length; at += PAGE) this.do('zx_vmo_write', [aux, this.source, at, PAGE]);
        const args = [this.pager, this.vmo, c.page * PAGE, length, aux, 0];
        this.expect('supply', this.do('zx_pager_supply_pages', args), 'OK');
        for (let p = c.page; p < end; p++) this.model.supply(p, byte);
        this.forget(PagerCommand.READ, c.page, end);
        this.expect('what was supplied is zeros', this.byteOf(aux, 0), 0);
        this.do('zx_handle_close', [aux]);
        break;
      }
      case 'dirty':
        this.expect('dirty', this.range(PagerOp.DIRTY, c.page, length), this.model.dirty(c.page, end));
        if (this.model.trapsDirty) this.forget(PagerCommand.DIRTY, c.page, end);
        break;
      case 'zero':
        this.expect(
          'zero',
          this.do('zx_vmo_op_range', [this.vmo, VmoOp.ZERO, c.page * PAGE, length, 0, 0]),
          'OK',
        );
        this.model.zero(c.page, end);
        this.forget(PagerCommand.READ, c.page, end);
        break;
      case 'begin':
        this.expect('begin', this.range(PagerOp.WRITEBACK_BEGIN, c.page, length, c.zeros ? 1 : 0), 'OK');
        this.model.beginWriteback(c.page, end, c.zeros);
        break;
      case 'end':
        this.expect('end', this.range(PagerOp.WRITEBACK_END, c.page, length), 'OK');
        this.endWriteback(c.page, end);
        break;
      case 'fail':
        this.fail(c.page, end, length);
        break;
      case 'stats':
        this.stats(c.reset);
        break;
      case 'kill': {
        endThread(this.h, this.threads[c.by]);
        this.accesses.delete(this.threads[c.by]);
        this.failing.delete(this.threads[c.by]);
        this.threads[c.by] = this.h.newThread(this.h.process, 'next');
        this.forgetUnwaited();
        break;
      }
    }
    this.goOn();
    this.compare(JSON.stringify(c));
    mark(this.marks, this.h);
  }

  private byte(): number {
    this.nextByte = (this.nextByte % 250) + 1;
    return this.nextByte;
  }

  private range(op: number, first: number, length: number, data: number | bigint = 0): string {
    return this.do('zx_pager_op_range', [this.pager, op, this.vmo, first * PAGE, length, data]);
  }

  /** The thread's access, unless it is still in another. */
  private begin(thread: number, access: Access): void {
    if (this.accesses.has(thread)) return;
    this.h.poke(access.buffer, Uint8Array.of(access.op === 'write' ? access.byte : 0xee));
    this.attempt(thread, access);
  }

  private attempt(thread: number, access: Access): void {
    const { op, page: at, buffer, byte } = access;
    const lacks = op === 'read' ? (this.model.lacksToRead(at) ? 'read' : null) : this.model.lacksToWrite(at);
    const call = op === 'read' ? 'zx_vmo_read' : 'zx_vmo_write';
    const before = this.requests.length;
    const got = this.do(call, [this.vmo, buffer, at * PAGE, 1], thread);
    this.takePackets();
    const failed = this.failing.get(thread);
    this.failing.delete(thread);
    if (failed !== undefined && lacks !== null) {
      this.expect(`${op} of page ${at} that failed`, got, failed);
      this.accesses.delete(thread);
      return;
    }
    this.expect(`${op} of page ${at}`, got, lacks === null ? 'OK' : 'blocked');
    if (got === 'blocked') {
      this.accesses.set(thread, access);
      this.checkAsked(lacks === 'dirty' ? PagerCommand.DIRTY : PagerCommand.READ, at, before);
      return;
    }
    this.accesses.delete(thread);
    if (op === 'write') this.model.write(at, byte);
    else this.expect(`page ${at} as read`, this.h.peek(buffer, 1).getUint8(0), this.model.bytes[at]);
  }

  /** The pager was asked for the page, now or before, and once. */
  private checkAsked(asked: number, at: number, before: number): void {
    const all = this.requests.filter((r) => r.command === asked && r.first <= at && at < r.end);
    this.expect(`requests for page ${at}`, all.length, 1);
    this.expect('new requests', this.requests.length <= before + 1, true);
  }

  private takePackets(): void {
    const bytes = sizeOf('zx_port_packet_t');
    while (this.do('zx_port_wait', [this.port, 0, this.out]) === 'OK') {
      const raw = new Uint8Array(this.h.peek(this.out, bytes).buffer);
      const { key, type, u } = decodeStruct('zx_port_packet_t', raw);
      const request = decodeStruct('zx_packet_page_request_t', u);
      this.expect('packet', `${key} ${type}`, `${KEY} ${PacketType.PAGE_REQUEST}`);
      const { command: what, offset, length } = request;
      const first = Number(offset) / PAGE;
      this.requests.push({ command: what, first, end: first + Number(length) / PAGE });
    }
  }

  /** What was asked of these pages is answered; what is left of a request goes on being one. */
  private forget(answered: number, first: number, end: number): void {
    this.requests = this.requests.flatMap((r) => {
      if (r.command !== answered || r.end <= first || end <= r.first) return [r];
      return [
        { ...r, end: Math.min(r.end, first) },
        { ...r, first: Math.max(r.first, end) },
      ].filter((part) => part.first < part.end);
    });
  }

  /** A request that nobody waits for any more is none. */
  private forgetUnwaited(): void {
    const wanted = [...this.accesses]
      .filter(([thread]) => !this.failing.has(thread))
      .map(([, { page: p }]) => p);
    this.requests = this.requests.filter((r) => wanted.some((p) => r.first <= p && p < r.end));
  }

  private fail(first: number, end: number, length: number): void {
    const status = BigInt.asUintN(64, BigInt(Status.ERR_IO));
    this.expect('fail', this.range(PagerOp.FAIL, first, length, status), 'OK');
    for (const [thread, { page: at }] of this.accesses) {
      if (at >= first && at < end) this.failing.set(thread, 'ERR_IO');
    }
    this.forget(PagerCommand.READ, first, end);
    this.forget(PagerCommand.DIRTY, first, end);
    this.forgetUnwaited();
  }

  /** Threads that wait no more make their calls again. Those whose page has been answered must not wait. */
  private goOn(): void {
    for (const [thread, access] of [...this.accesses]) {
      if (this.h.k.get(thread, 'thread').life === 'ready') this.attempt(thread, access);
      else if (this.failing.has(thread))
        this.wrong.push(`page ${access.page} failed, but ${outcome(this.h, thread)}`);
    }
    for (const [thread, { op, page: at }] of this.accesses) {
      const lacks = op === 'read' ? this.model.lacksToRead(at) : this.model.lacksToWrite(at) !== null;
      // Of a request for several pages a thread may wait for all.
      const asked = this.requests.some((r) => r.first <= at + 2 && at - 2 < r.end);
      if (!lacks && !asked) this.wrong.push(`thread ${thread} waits for page ${at}, which is there`);
    }
    this.takePackets();
  }

  /** What was being written back is clean, but zeros next to others may count as dirty once more: that is looked up. */
  private endWriteback(first: number, end: number): void {
    const zeros = this.model.states.map((state) => state === 'zero-cleaning');
    this.model.endWriteback(first, end);
    const told = this.dirtyPages();
    for (let p = first; p < end; p++) if (zeros[p] && told[p] === 'zero') this.model.states[p] = 'zero';
  }

  private dirtyPages(): (false | 'held' | 'zero')[] {
    const size = sizeOf('zx_vmo_dirty_range_t');
    const args = [
      this.pager,
      this.vmo,
      0,
      PAGES * PAGE,
      this.out,
      PAGES * size,
      this.out + 512,
      this.out + 520,
    ];
    this.expect('query', this.do('zx_pager_query_dirty_ranges', args), 'OK');
    const pages = new Array<false | 'held' | 'zero'>(PAGES).fill(false);
    for (let i = 0; i < Number(this.h.u64(this.out + 512)); i++) {
      const raw = new Uint8Array(this.h.peek(this.out + i * size, size).buffer);
      const { offset, length, options } = decodeStruct('zx_vmo_dirty_range_t', raw);
      const from = Number(offset) / PAGE;
      pages.fill(options === 0n ? 'held' : 'zero', from, from + Number(length) / PAGE);
    }
    return pages;
  }

  private stats(reset: boolean): void {
    const args = [this.pager, this.vmo, reset ? PAGER_RESET_VMO_STATS : 0, this.out, 4];
    this.expect('stats', this.do('zx_pager_query_vmo_stats', args), 'OK');
    this.expect('modified', this.h.u32(this.out), this.model.modified ? 1 : 0);
    if (reset) this.model.modified = false;
  }

  private byteOf(vmo: number, offset: number): number {
    this.do('zx_vmo_read', [vmo, this.out, offset, 1]);
    return this.h.peek(this.out, 1).getUint8(0);
  }

  private compare(after: string): void {
    const told = this.dirtyPages();
    this.model.states.forEach((state, p) => {
      if (told[p] !== this.model.isDirty(p))
        this.wrong.push(`${after}: page ${p} is ${state}, told ${told[p]}`);
      if (state === 'absent') return;
      if (this.byteOf(this.vmo, p * PAGE) !== this.model.bytes[p])
        this.wrong.push(`${after}: byte of page ${p}`);
    });
    this.wrong.push(...brokenMemory(this.h).map((text) => `${after}: ${text}`));
  }
}

const commands = fc.array(command, { minLength: 5, maxLength: 40, size: 'max' });

test('a VMO with a pager is what its pages say one by one', (t) => {
  fc.assert(
    fc.property(commands, fc.boolean(), (list, trapsDirty) => runAlike(new World(trapsDirty, 'owned'), list)),
    { numRuns: 80, includeErrorInReport: true },
  );
  t.pass();
});

test('pagers: recorded events lead to the states they were recorded in, in any order and both ways of reducing', (t) => {
  fc.assert(
    fc.property(commands, fc.boolean(), fc.nat(), (list, trapsDirty, seed) =>
      foldsAlike(new World(trapsDirty, 'owned'), new World(trapsDirty, 'immer'), list, seed),
    ),
    { numRuns: 20 },
  );
  t.pass();
});
