import { Signal } from '../../src/abi/signals.js';
import { type ChannelState, messageCharge } from '../../src/kernel/objects/channel.js';
import type { KernelState } from '../../src/kernel/objects/kernel.js';
import type {
  HandleEntry,
  KernelObject,
  ObjectKind,
  ObjectOf,
  Observer,
} from '../../src/kernel/objects/object.js';
import { PACKET_CHARGE, type PortState } from '../../src/kernel/objects/port.js';
import type { ProcessState } from '../../src/kernel/objects/process.js';
import type { SharedState } from '../../src/kernel/objects/shared-state.js';
import type { ThreadState, Wait } from '../../src/kernel/objects/thread.js';
import type { VmarState } from '../../src/kernel/objects/vmar.js';
import type { VmoState } from '../../src/kernel/objects/vmo.js';
import { PAGE_SIZE } from '../../src/memory/page.js';
import { brokenBindings, brokenSharedStates } from './invariants-restricted.js';
import { brokenObjects, heldBytes } from './object-invariants.js';

/**
 * What holds of every machine between two commands, whatever its programs did: references both ways, sums, and that
 * nothing is kept that nobody can reach.
 */
export function brokenInvariants(state: KernelState): string[] {
  return new Check(state).run();
}

class Check {
  private readonly found: string[] = [];
  /** Handles by the koid they name, in tables and in messages. */
  private readonly handles = new Map<number, number>();
  /** Mappings by VMO and process. */
  private readonly mappings = new Map<number, Map<number, number>>();
  /** Exceptions by the task they are about. */
  private readonly exceptions = new Map<number, number>();
  private regions = 0;
  private messageBytes = 0;

  constructor(private readonly state: KernelState) {}

  run(): string[] {
    const { objects } = this.state;
    for (const [koid, object] of objects) {
      this.expect(
        koid === object.koid && koid >= 1024 && koid < this.state.nextKoid,
        `koid ${koid} is wrong`,
      );
      this.collect(object);
    }
    for (const { handles } of this.state.shared.values())
      for (const entry of handles.values()) this.count(entry);
    this.found.push(...brokenSharedStates(this.state), ...brokenBindings(this.state));
    for (const object of objects.values()) this.object(object);
    for (const koid of this.handles.keys())
      this.expect(objects.has(koid), `a handle to ${koid}, which is gone`);
    this.sums();
    this.cores();
    this.deadlines();
    return [...this.found, ...brokenObjects(this.state)];
  }

  private expect(holds: boolean, otherwise: string): void {
    if (!holds) this.found.push(otherwise);
  }

  private find<K extends ObjectKind>(koid: number, kind: K): ObjectOf<K> | undefined {
    const object = this.state.objects.get(koid);
    return object?.kind === kind ? (object as ObjectOf<K>) : undefined;
  }

  private collect(object: KernelObject): void {
    for (const observer of object.observers.values()) {
      if (observer.kind === 'async') this.messageBytes += PACKET_CHARGE;
    }
    if (object.kind === 'channel') {
      for (const { bytes, handles } of object.messages.values()) {
        this.messageBytes += messageCharge(bytes.length, handles.length);
        for (const entry of handles) this.count(entry);
      }
    }
    for (const { channel } of 'handlers' in object ? object.handlers : [])
      this.count({ koid: channel, rights: 0 });
    for (const { channel } of 'debuggers' in object ? object.debuggers : [])
      this.count({ koid: channel, rights: 0 });
    if (object.kind === 'exception') {
      for (const task of [object.thread, object.process])
        this.exceptions.set(task, (this.exceptions.get(task) ?? 0) + 1);
    }
    this.messageBytes += heldBytes(object);
    if (object.kind === 'port') this.messageBytes += PACKET_CHARGE * object.packets.size;
    if (object.kind !== 'vmar' || object.destroyed) return;
    this.regions++;
    for (const region of object.regions.values()) {
      if (region.kind !== 'mapping') continue;
      this.regions++;
      const byProcess = this.mappings.get(region.vmo) ?? new Map<number, number>();
      this.mappings.set(region.vmo, byProcess);
      byProcess.set(object.process, (byProcess.get(object.process) ?? 0) + 1);
    }
  }

  private count({ koid }: HandleEntry): void {
    this.handles.set(koid, (this.handles.get(koid) ?? 0) + 1);
  }

  private sharedBy(process: number): SharedState | undefined {
    return this.state.shared.get(this.find(process, 'process')?.shared ?? 0);
  }

  private sums(): void {
    const { state } = this;
    let pages = 0;
    for (const object of state.objects.values()) if (object.kind === 'vmo') pages += object.pages.size;
    this.expect(pages === state.committedPages, `committedPages ${state.committedPages}, pages ${pages}`);
    this.expect(
      state.messageBytes === this.messageBytes,
      `messageBytes ${state.messageBytes}, messages ${this.messageBytes}`,
    );
    this.expect(state.regions === this.regions, `regions ${state.regions}, there are ${this.regions}`);
    this.expect(state.answered.length === 0, `exceptions let go of: ${state.answered.join(', ')}`);
    this.expect(this.find(state.rootJob, 'job') !== undefined, 'the root job is gone');
    if (state.mainProcess !== 0) {
      this.expect(this.find(state.mainProcess, 'process') !== undefined, 'the main process is gone');
    }
  }

  private object(object: KernelObject): void {
    const { koid, kind, handleCount } = object;
    const handles = this.handles.get(koid) ?? 0;
    this.expect(handleCount === handles, `${kind} ${koid}: handleCount ${handleCount}, handles ${handles}`);
    this.expect(handles > 0 || this.isKept(object), `${kind} ${koid}: nobody can reach it`);
    this.expect(object.signals >>> 0 === object.signals, `${kind} ${koid}: signals ${object.signals}`);
    for (const [order, observer] of object.observers) this.observer(object, order, observer);
    if (kind === 'channel') this.channel(object);
    else if (kind === 'eventpair') {
      this.peer(object, this.find(object.peer, 'eventpair'), Signal.EVENTPAIR_PEER_CLOSED);
    } else if (kind === 'job') this.job(object);
    else if (kind === 'port') this.port(object);
    else if (kind === 'process') this.process(object);
    else if (kind === 'thread') this.thread(object);
    else if (kind === 'vmar') this.vmar(object);
    else if (kind === 'vmo') this.vmo(object);
  }

  /** What keeps an object without handles. */
  private isKept(object: KernelObject): boolean {
    switch (object.kind) {
      case 'vmo':
        return (
          object.mappings > 0 ||
          object.borrowers.size > 0 ||
          object.holders.size > 0 ||
          object.restrictedState === 'bound'
        );
      case 'event':
        return [...this.state.systemEvents.values()].includes(object.koid);
      case 'iob':
        return object.regions.some(
          ({ views }) => (this.find(views[object.endpoint], 'vmo')?.mappings ?? 0) > 0,
        );
      case 'vmar':
        return !object.destroyed;
      case 'thread':
        return (
          object.exceptions > 0 ||
          object.life === 'ready' ||
          object.life === 'blocked' ||
          object.life === 'dying'
        );
      case 'process':
        return object.exceptions > 0 || object.life === 'running' || object.koid === this.state.mainProcess;
      case 'job':
        return object.parent === 0 || object.jobs.size > 0 || object.processes.size > 0;
      default:
        return false;
    }
  }

  private observer(object: KernelObject, order: number, observer: Observer): void {
    const name = `${object.kind} ${object.koid}: observer ${order}`;
    this.expect(order > 0 && order < this.state.nextOrder, `${name}: order out of range`);
    const through = this.state.shared.get(observer.table)?.handles.get(observer.handle);
    this.expect(through?.koid === object.koid, `${name}: its handle is not there`);
    if (observer.kind === 'async') {
      const port = this.find(observer.port, 'port');
      this.expect(port?.registrations.get(order) === object.koid, `${name}: its port does not know it`);
      return;
    }
    this.expect((observer.mask & object.signals) === 0, `${name}: waits for what is`);
    const wait = this.find(observer.thread, 'thread')?.wait;
    const named =
      (wait?.kind === 'wait-one' && wait.object === object.koid && wait.observer === order) ||
      (wait?.kind === 'wait-many' &&
        wait.items.some((i) => i.object === object.koid && i.observer === order));
    this.expect(named, `${name}: thread ${observer.thread} does not wait for it`);
  }

  private peer(
    object: { koid: number; kind: string; signals: number },
    peer: { peer: number } | undefined,
    closed: number,
  ): void {
    const name = `${object.kind} ${object.koid}`;
    this.expect(peer === undefined || peer.peer === object.koid, `${name}: its peer has another`);
    this.expect((peer === undefined) === ((object.signals & closed) !== 0), `${name}: PEER_CLOSED is wrong`);
  }

  private channel(channel: ChannelState): void {
    const { koid, messages, head, tail, signals } = channel;
    const name = `channel ${koid}`;
    const peer = this.find(channel.peer, 'channel');
    this.peer(channel, peer, Signal.CHANNEL_PEER_CLOSED);
    this.expect(messages.size === tail - head, `${name}: ${messages.size} messages from ${head} to ${tail}`);
    for (const number of messages.keys()) {
      this.expect(number >= head && number < tail, `${name}: message ${number} is out of order`);
    }
    this.expect(
      messages.size > 0 === ((signals & Signal.CHANNEL_READABLE) !== 0),
      `${name}: READABLE with ${messages.size} messages`,
    );
    const writable = (signals & Signal.CHANNEL_WRITABLE) !== 0;
    this.expect(writable === (peer !== undefined), `${name}: WRITABLE is wrong`);
    for (const [txid, thread] of channel.calls) {
      const wait = this.find(thread, 'thread')?.wait;
      const inCall = wait?.kind === 'channel-call' && wait.channel === koid && wait.txid === txid;
      this.expect(inCall, `${name}: thread ${thread} is not in call ${txid}`);
    }
    const holder = channel.holder === 0 ? undefined : this.state.shared.get(channel.holder);
    const held = holder !== undefined && [...holder.handles.values()].some((entry) => entry.koid === koid);
    this.expect(held === (channel.holder !== 0), `${name}: table ${channel.holder} does not hold it`);
    this.expect(channel.handleCount === 1, `${name}: ${channel.handleCount} handles`);
  }

  private job(job: ObjectOf<'job'>): void {
    const { koid, jobs, processes, signals } = job;
    const name = `job ${koid}`;
    for (const child of jobs.keys()) {
      this.expect(this.find(child, 'job')?.parent === koid, `${name}: ${child} is no child job`);
    }
    for (const child of processes.keys()) {
      this.expect(this.find(child, 'process')?.job === koid, `${name}: ${child} is no process of it`);
    }
    this.expect((jobs.size === 0) === ((signals & Signal.JOB_NO_JOBS) !== 0), `${name}: NO_JOBS is wrong`);
    this.expect(
      (processes.size === 0) === ((signals & Signal.JOB_NO_PROCESSES) !== 0),
      `${name}: NO_PROCESSES is wrong`,
    );
    const dead = job.life === 'dead';
    this.expect(dead === ((signals & Signal.JOB_TERMINATED) !== 0), `${name}: TERMINATED is wrong`);
    this.expect(job.life !== 'killing', `${name}: is being killed between two commands`);
    this.expect(!dead || (jobs.size === 0 && processes.size === 0), `${name}: dead with children`);
    const parent = this.find(job.parent, 'job');
    if (!dead && job.parent !== 0) this.expect(parent?.jobs.has(koid) === true, `${name}: left its parent`);
  }

  private port(port: PortState): void {
    const name = `port ${port.koid}`;
    const users = [...port.packets.values()].filter((packet) => packet.source === 0).length;
    this.expect(users === port.userPackets, `${name}: userPackets ${port.userPackets}, there are ${users}`);
    for (const number of port.packets.keys()) this.expect(number < port.tail, `${name}: packet ${number}`);
    for (const [order, source] of port.registrations) {
      const observer = this.state.objects.get(source)?.observers.get(order);
      const known = observer?.kind === 'async' && observer.port === port.koid;
      this.expect(known, `${name}: object ${source} does not know registration ${order}`);
    }
    this.expect(
      port.waiters.size === 0 || port.packets.size === 0,
      `${name}: ${port.waiters.size} threads wait for one of ${port.packets.size} packets`,
    );
    for (const thread of port.waiters.values()) {
      const wait = this.find(thread, 'thread')?.wait;
      this.expect(
        wait?.kind === 'port' && wait.port === port.koid,
        `${name}: thread ${thread} does not wait`,
      );
    }
  }

  private process(process: ProcessState): void {
    const { koid, life } = process;
    const name = `process ${koid}`;
    this.expect(life !== 'dying', `${name}: is dying between two commands`);
    const dead = life === 'dead';
    this.expect(
      dead === ((process.signals & Signal.PROCESS_TERMINATED) !== 0),
      `${name}: TERMINATED is wrong`,
    );
    for (const thread of process.threads.keys()) {
      this.expect(this.find(thread, 'thread')?.process === koid, `${name}: thread ${thread} is not its own`);
    }
    if (dead) {
      this.expect(process.threads.size === 0, `${name}: dead with ${process.threads.size} threads`);
      return;
    }
    this.expect(this.find(process.job, 'job')?.processes.has(koid) === true, `${name}: left its job`);
    const root = this.find(process.rootVmar, 'vmar');
    this.expect(root !== undefined && root.process === process.shared, `${name}: no root VMAR`);
    const own = this.find(process.restrictedVmar, 'vmar');
    this.expect(process.restrictedVmar === 0 || own?.process === koid, `${name}: no restricted root VMAR`);
  }

  private thread(thread: ThreadState): void {
    const { koid, life, wait } = thread;
    const name = `thread ${koid}`;
    const { cores, runQueue, registers, deadlines } = this.state;
    const exceptions = this.exceptions.get(koid) ?? 0;
    this.expect(
      thread.exceptions === exceptions,
      `${name}: ${thread.exceptions} exceptions, ${exceptions} there`,
    );
    this.expect(thread.exitNote === null, `${name}: something was noted between two commands`);
    const places =
      cores.filter((core) => core.thread === koid).length +
      runQueue.filter((queued) => queued === koid).length;
    const runs = life === 'ready' && thread.suspends === 0;
    this.expect(places === (runs ? 1 : 0), `${name}: ${life} and in ${places} places to run`);
    const waits = life === 'blocked' || life === 'dying';
    this.expect((wait !== null) === waits, `${name}: ${life}, waits for ${wait?.kind}`);
    const started = life === 'ready' || waits;
    this.expect(registers.has(koid) === started, `${name}: ${life}, registers ${registers.has(koid)}`);
    this.expect(thread.rseq === undefined || started, `${name}: ${life} with a restartable sequence`);
    const listed = this.find(thread.process, 'process')?.threads.has(koid) ?? false;
    this.expect(listed === started, `${name}: ${life}, in its process's list: ${listed}`);
    this.expect(
      (thread.syscall !== 0) === (life === 'blocked' && wait?.kind !== 'exception' && wait?.kind !== 'page'),
      `${name}: ${life} in call ${thread.syscall}`,
    );
    const { THREAD_RUNNING, THREAD_SUSPENDED, THREAD_TERMINATED } = Signal;
    const bits = THREAD_RUNNING | THREAD_SUSPENDED | THREAD_TERMINATED;
    const alive = thread.suspends > 0 && wait?.kind !== 'exception' ? THREAD_SUSPENDED : THREAD_RUNNING;
    const signals = started ? alive : life === 'dead' ? THREAD_TERMINATED : 0;
    this.expect((thread.signals & bits) === signals, `${name}: ${life} with signals ${thread.signals}`);
    if (thread.deadlineOrder !== 0) {
      const own = deadlines.filter((d) => d.order === thread.deadlineOrder);
      this.expect(own.length === 1 && own[0].koid === koid, `${name}: no deadline ${thread.deadlineOrder}`);
    }
    if (wait !== null) this.wait(thread, wait);
  }

  private wait(thread: ThreadState, wait: Wait): void {
    const name = `thread ${thread.koid} in ${wait.kind}`;
    const observes = (koid: number, order: number): void => {
      const observer = this.state.objects.get(koid)?.observers.get(order);
      const known = observer?.kind === 'wait' && observer.thread === thread.koid;
      this.expect(known, `${name}: object ${koid} does not know observer ${order}`);
    };
    if (wait.kind === 'wait-one') observes(wait.object, wait.observer);
    if (wait.kind === 'wait-many') for (const { object, observer } of wait.items) observes(object, observer);
    if (wait.kind === 'exception') {
      const exception = this.find(wait.exception, 'exception');
      const own = exception?.pending === true && exception.thread === thread.koid;
      this.expect(own && exception.handleCount > 0, `${name}: nobody has exception ${wait.exception}`);
    }
    if (wait.kind === 'port') {
      const waiters = this.find(wait.port, 'port')?.waiters;
      this.expect([...(waiters?.values() ?? [])].includes(thread.koid), `${name}: port does not know it`);
    }
    if (wait.kind === 'futex') {
      const futex = this.sharedBy(thread.process)?.futexes.get(wait.address);
      this.expect(futex?.waiters.get(wait.order) === thread.koid, `${name}: futex does not know it`);
    }
    if (wait.kind === 'channel-call') {
      const calls = this.find(wait.channel, 'channel')?.calls;
      this.expect(calls?.get(wait.txid) === thread.koid, `${name}: channel does not know it`);
    }
  }

  private vmar(vmar: VmarState): void {
    const { koid, base, sizeBytes, regions } = vmar;
    const name = `vmar ${koid}`;
    if (vmar.destroyed) {
      this.expect(regions.size === 0, `${name}: destroyed with ${regions.size} regions`);
      return;
    }
    const owner = this.find(vmar.process, 'process');
    const restricted = owner !== undefined && owner.restrictedVmar === koid;
    const alive = this.state.shared.has(vmar.process) || (owner !== undefined && owner.life !== 'dead');
    this.expect(alive, `${name}: alive in a dead process`);
    if (vmar.parent === 0) {
      const isRoot = owner === undefined || restricted || owner.rootVmar === koid;
      this.expect(isRoot, `${name}: not a root of its process`);
    } else {
      const entry = this.find(vmar.parent, 'vmar')?.regions.get(base / PAGE_SIZE);
      const known = entry?.kind === 'vmar' && entry.koid === koid && entry.sizeBytes === sizeBytes;
      this.expect(known, `${name}: its parent does not know it`);
    }
    let end = base;
    for (const [page, region] of regions) {
      const at = `${name}: region at 0x${region.base.toString(16)}`;
      this.expect(region.base === page * PAGE_SIZE && region.sizeBytes > 0, `${at}: wrong place`);
      this.expect(region.base >= end && region.sizeBytes % PAGE_SIZE === 0, `${at}: overlaps`);
      end = region.base + region.sizeBytes;
      if (region.kind === 'vmar') {
        this.expect(this.find(region.koid, 'vmar')?.parent === koid, `${at}: no such child`);
        continue;
      }
      this.expect(this.find(region.vmo, 'vmo') !== undefined, `${at}: its VMO is gone`);
      this.expect((region.permissions & ~region.maxPermissions) === 0, `${at}: more than it may`);
      this.expect(region.vmoOffset % PAGE_SIZE === 0, `${at}: VMO offset ${region.vmoOffset}`);
    }
    this.expect(end <= base + sizeBytes, `${name}: a region ends outside`);
  }

  private vmo(vmo: VmoState): void {
    const { koid, sizeBytes, pages, children } = vmo;
    const name = `vmo ${koid}`;
    this.expect(sizeBytes % PAGE_SIZE === 0 && sizeBytes >= 0, `${name}: ${sizeBytes} bytes`);
    this.expect(
      vmo.contentSizeBytes <= sizeBytes,
      `${name}: content ${vmo.contentSizeBytes} of ${sizeBytes}`,
    );
    for (const number of pages.keys()) {
      this.expect(
        number >= 0 && number * PAGE_SIZE < sizeBytes,
        `${name}: page ${number} of ${sizeBytes} bytes`,
      );
    }
    const byProcess = this.mappings.get(koid) ?? new Map<number, number>();
    let total = 0;
    for (const [process, count] of byProcess) {
      total += count;
      const own = vmo.mappingsByProcess.get(process);
      this.expect(own === count, `${name}: ${own} mappings in process ${process}, there are ${count}`);
    }
    this.expect(vmo.mappings === total, `${name}: mappings ${vmo.mappings}, there are ${total}`);
    this.expect(vmo.mappingsByProcess.size === byProcess.size, `${name}: mapped by processes that do not`);
    const none = children.size === 0;
    this.expect(none === ((vmo.signals & Signal.VMO_ZERO_CHILDREN) !== 0), `${name}: ZERO_CHILDREN is wrong`);
    for (const child of children.keys()) {
      this.expect(this.find(child, 'vmo')?.parent === koid, `${name}: ${child} is no child`);
    }
    if (vmo.parent !== 0) {
      this.expect(this.find(vmo.parent, 'vmo')?.children.has(koid) === true, `${name}: its parent lost it`);
    }
    this.lending(vmo);
  }

  private lending(vmo: VmoState): void {
    const { koid, childKind, pages, lender, lenderOffset, lenderBytes, borrowers } = vmo;
    const name = `vmo ${koid}`;
    for (const borrower of borrowers.keys()) {
      this.expect(this.find(borrower, 'vmo')?.lender === koid, `${name}: ${borrower} does not borrow of it`);
    }
    const view = childKind === 'slice' || childKind === 'reference';
    this.expect(!view || (pages.size === 0 && lender !== 0), `${name}: a ${childKind} with pages of its own`);
    this.expect(childKind !== 'slice' || lenderBytes === vmo.sizeBytes, `${name}: a slice that shows less`);
    if (lender === 0) {
      this.expect(lenderOffset === 0 && lenderBytes === 0, `${name}: borrows of nobody`);
      return;
    }
    const other = this.find(lender, 'vmo');
    this.expect(other?.lender === 0 && other.borrowers.has(koid), `${name}: ${lender} does not lend to it`);
  }

  private cores(): void {
    const { cores, slice, runQueue } = this.state;
    for (const [i, { thread, quantumSteps }] of cores.entries()) {
      if (thread === 0) this.expect(quantumSteps === 0, `core ${i}: idle with a quantum`);
      else
        this.expect(
          this.find(thread, 'thread')?.life === 'ready',
          `core ${i}: thread ${thread} is not ready`,
        );
    }
    for (const thread of runQueue) {
      this.expect(this.find(thread, 'thread')?.life === 'ready', `run queue: thread ${thread} is not ready`);
    }
    if (slice === null) return;
    this.expect(
      cores[slice.core]?.thread === slice.thread,
      `slice: thread ${slice.thread} is not on its core`,
    );
    this.expect(slice.stepsLeft > 0, `slice: ${slice.stepsLeft} steps left`);
  }

  private deadlines(): void {
    const { deadlines, nextOrder } = this.state;
    for (const [i, { atNs, order, kind, koid }] of deadlines.entries()) {
      const name = `deadline ${order} of ${kind} ${koid}`;
      const before = deadlines[i - 1];
      if (before !== undefined) {
        const sorted = before.atNs < atNs || (before.atNs === atNs && before.order < order);
        this.expect(sorted, `${name}: out of order`);
      }
      this.expect(order > 0 && order < nextOrder, `${name}: order out of range`);
      const owner = this.find(koid, kind);
      this.expect(owner?.deadlineOrder === order, `${name}: does not belong to it`);
    }
    for (const timer of this.state.objects.values()) {
      if (timer.kind !== 'timer' || timer.deadlineOrder === 0) continue;
      const own = deadlines.filter((d) => d.order === timer.deadlineOrder && d.koid === timer.koid);
      this.expect(own.length === 1, `timer ${timer.koid}: its deadline is not there`);
    }
  }
}
