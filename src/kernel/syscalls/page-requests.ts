import { TIME_INFINITE_NS } from '../../abi/clocks.js';
import { PacketType } from '../../abi/ports.js';
import { Status } from '../../abi/status.js';
import { encodeStruct } from '../../abi/structs.js';
import { PagerCommand } from '../../abi/vm.js';
import { PAGE_SIZE } from '../../memory/page.js';
import type { Kernel } from '../objects/kernel.js';
import { absentRuns, type PageRequest, type PageRun, type PageSource } from '../objects/page-source.js';
import type { Wait } from '../objects/thread.js';
import type { VmoState } from '../objects/vmo.js';
import { isWritable, lentEnd } from '../objects/vmo-pages.js';
import type { Decider } from './decider.js';
import { queuePacket } from './packets.js';
import { refuse } from './refusal.js';

/** Pages that a pager has to be asked for, or about, before an access. */
export interface Lack extends PageRun {
  /** The VMO that has the pager. */
  readonly vmo: number;
  readonly command: PageRequest['command'];
}

/** To commit a page is to make one where there are zeros, which is as good as writing them. */
export type PageAccess = 'read' | 'write' | 'commit';

/** A write waits for so many pages at most (vm/vm_object_paged, ReadWriteInternal). */
const MAX_WRITE_PAGES = 16;

/**
 * Thrown by a decider that needs pages before it can go on, and has emitted nothing yet that would have to be undone:
 * the thread waits for them, and makes the call again. When they do not come the call fails with `failure`, or with
 * the pager's reason when that is null.
 */
export class PagesNeeded {
  constructor(
    readonly lack: Lack,
    readonly failure: number | null,
  ) {}
}

/** What stands in the way of an access to pages of a VMO that holds its own; null when nothing does. */
export function lackIn(
  k: Kernel,
  vmo: VmoState,
  first: number,
  end: number,
  access: PageAccess,
): Lack | null {
  if (vmo.source !== null) return lackOfOwn(vmo, first, end, access);
  return vmo.lender === 0 ? null : lackOfLent(k, vmo, first, end);
}

function lackOfOwn(vmo: VmoState, first: number, end: number, access: PageAccess): Lack | null {
  const absent = absentRuns(vmo, first, end).next();
  const read: Lack | null = absent.done ? null : { vmo: vmo.koid, command: 'read', ...absent.value };
  if (access === 'read' || vmo.source?.trapsDirty !== true) return read;
  const isReady = (page: number): boolean =>
    access === 'write' ? isWritable(vmo, page) : vmo.pages.has(page);
  const stop = read === null ? end : read.page;
  for (let page = first; page < stop; page++) {
    if (isReady(page)) continue;
    let next = page + 1;
    while (next < stop && next < page + MAX_WRITE_PAGES && !isReady(next)) next++;
    return { vmo: vmo.koid, command: 'dirty', page, count: next - page };
  }
  return read;
}

/** What its lender does not have either, as far as that shows. To write a page its contents are needed first. */
function lackOfLent(k: Kernel, vmo: VmoState, first: number, end: number): Lack | null {
  const lender = k.get(vmo.lender, 'vmo');
  const shift = vmo.lenderOffset / PAGE_SIZE;
  for (const run of absentRuns(lender, first + shift, lentEnd(vmo, end) + shift)) {
    for (let page = run.page; page < run.page + run.count; page++) {
      if (vmo.pages.has(page - shift)) continue;
      const nextOwn = (vmo.pages.ceiling(page - shift)?.[0] ?? end) + shift;
      const count = Math.min(run.page + run.count, nextOwn) - page;
      return { vmo: lender.koid, command: 'read', page, count };
    }
  }
  return null;
}

/**
 * Makes sure that an access to bytes of a VMO can go on: throws PagesNeeded, and refuses with `failure`, or with
 * BAD_STATE, when there is nobody any more to ask.
 * @param failure status when the pages cannot be had; null: as their pager says
 */
export function requirePages(
  k: Kernel,
  range: { readonly vmo: VmoState; readonly offset: number; readonly length: number },
  access: PageAccess,
  failure: number | null = null,
): void {
  const { vmo, offset, length } = range;
  if (length === 0 || (vmo.source === null && vmo.lender === 0)) return;
  const first = Math.floor(offset / PAGE_SIZE);
  const end = Math.ceil((offset + length) / PAGE_SIZE);
  const lack = lackIn(k, vmo, first, end, access);
  if (lack === null) return;
  if (sourceOf(k, lack.vmo).detached) refuse(failure ?? Status.ERR_BAD_STATE);
  const count = access === 'write' ? Math.min(lack.count, MAX_WRITE_PAGES) : lack.count;
  throw new PagesNeeded({ ...lack, count }, failure);
}

function sourceOf(k: Kernel, vmo: number): PageSource {
  return k.get(vmo, 'vmo').source as PageSource;
}

/**
 * What is known of the page that a thread lacks without asking: that its pager said no since the thread asked last,
 * or that there is no pager any more. Null: it has to be asked. Emits that the thread knows now.
 */
export function failureOf(m: Decider, thread: number, lack: Lack): number | null {
  if (sourceOf(m.k, lack.vmo).detached) return Status.ERR_BAD_STATE;
  const { failedPage, ranSteps } = m.k.get(thread, 'thread');
  if (failedPage === null) return null;
  m.emit({ type: 'thread-page-failed', thread, failure: null });
  const { vmo, page, status } = failedPage;
  return vmo === lack.vmo && page === lack.page && failedPage.ranSteps === ranSteps ? status : null;
}

/** Asks for pages, unless somebody did, and blocks the thread until they have come or will not come. */
export function waitForPages(m: Decider, thread: number, lack: Lack): void {
  const { vmo, command, page } = lack;
  let request = -1;
  let end = page + lack.count;
  for (const [order, other] of sourceOf(m.k, vmo).requests) {
    if (other.command !== command || other.page + other.count <= page) continue;
    if (other.page <= page) request = order;
    else end = Math.min(end, other.page);
  }
  if (request < 0) {
    request = m.k.state.nextOrder;
    ask(m, vmo, request, command, { page, count: end - page });
  }
  const order = m.k.state.nextOrder;
  m.emit({ type: 'page-waiter-added', vmo, request, order, thread, page });
  const wait: Wait = { kind: 'page', vmo, request, order };
  m.emit({ type: 'thread-blocked', thread, wait, deadlineNs: TIME_INFINITE_NS, deadlineOrder: 0 });
}

/**
 * Sends a request at once; where Zircon has one packet of a VMO in the port at a time, the order of several is the
 * same.
 */
function ask(m: Decider, vmo: number, order: number, command: PageRequest['command'], run: PageRun): void {
  const { port } = sourceOf(m.k, vmo);
  const target = m.k.find(port);
  const packet = target?.kind === 'port' && target.waiters.size === 0 ? target.tail : -1;
  m.emit({ type: 'page-requested', vmo, order, command, ...run, packet });
  sendPacket(m, vmo, command === 'read' ? PagerCommand.READ : PagerCommand.DIRTY, run);
}

function sendPacket(m: Decider, vmo: number, command: number, { page, count }: PageRun): void {
  const { port, key } = sourceOf(m.k, vmo);
  const payload = encodeStruct('zx_packet_page_request_t', {
    command,
    offset: page * PAGE_SIZE,
    length: count * PAGE_SIZE,
  });
  const packet = { key, type: PacketType.PAGE_REQUEST, status: Status.OK, payload };
  queuePacket(m, port, { ...packet, source: vmo, table: 0, handle: 0 });
}

/**
 * Pages of a range have come, or, with a status that is not OK, will not: requests that have all of theirs are over.
 * Threads that wait for a page of the range in vain go on at once, to fail.
 */
export function settlePages(
  m: Decider,
  vmo: number,
  commands: readonly PageRequest['command'][],
  { page, count }: PageRun,
  status: number = Status.OK,
): void {
  const end = page + count;
  for (const [order, request] of [...sourceOf(m.k, vmo).requests]) {
    const covered = Math.min(end, request.page + request.count) - Math.max(page, request.page);
    if (!commands.includes(request.command) || covered <= 0) continue;
    if (status !== Status.OK) {
      for (const [waiter, { thread, page: wanted }] of [...request.waiters]) {
        if (wanted < page || wanted >= end) continue;
        m.emit({ type: 'page-waiter-removed', vmo, request: order, order: waiter });
        const { ranSteps } = m.k.get(thread, 'thread');
        m.emit({ type: 'thread-page-failed', thread, failure: { vmo, page: wanted, status, ranSteps } });
        m.emit({ type: 'thread-woken', thread });
      }
    }
    m.emit({ type: 'page-request-settled', vmo, request: order, count: covered });
    const { missing, waiters } = sourceOf(m.k, vmo).requests.get(order) as PageRequest;
    if (missing <= 0 || waiters.size === 0) endRequest(m, vmo, order);
  }
}

/** A request is no more: its packet goes if nobody took it, and whoever waited tries again. */
function endRequest(m: Decider, vmo: number, order: number): void {
  const { port, requests } = sourceOf(m.k, vmo);
  const { packet, waiters } = requests.get(order) as PageRequest;
  m.emit({ type: 'page-request-ended', vmo, request: order });
  const target = m.k.find(port);
  if (packet >= 0 && target?.kind === 'port' && target.packets.has(packet)) {
    m.emit({ type: 'port-packet-removed', koid: port, number: packet });
  }
  for (const { thread } of waiters.values()) m.emit({ type: 'thread-woken', thread });
}

/** A thread does not wait for a page any more, because it ends; nor does a request that nobody else waits for. */
export function cancelPageWait(m: Decider, { vmo, request, order }: Extract<Wait, { kind: 'page' }>): void {
  const object = m.k.find(vmo);
  if (object?.kind !== 'vmo' || object.source?.requests.has(request) !== true) return;
  m.emit({ type: 'page-waiter-removed', vmo, request, order });
  if (sourceOf(m.k, vmo).requests.get(request)?.waiters.size === 0) endRequest(m, vmo, request);
}

/**
 * Nothing can be asked of a VMO's pager from here on.
 * @param dropClean what the pager could supply again goes
 * @param tell the pager gets a ZX_PAGER_VMO_COMPLETE packet
 */
export function detachPager(m: Decider, vmo: number, dropClean: boolean, tell: boolean): void {
  if (sourceOf(m.k, vmo).detached) {
    if (dropClean) m.emit({ type: 'vmo-detached', vmo, dropClean });
    return;
  }
  m.emit({ type: 'vmo-detached', vmo, dropClean });
  for (const order of [...sourceOf(m.k, vmo).requests.keys()]) endRequest(m, vmo, order);
  if (tell) sendPacket(m, vmo, PagerCommand.COMPLETE, { page: 0, count: 0 });
}
