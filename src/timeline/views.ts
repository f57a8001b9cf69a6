import { rightsNames } from '../abi/rights.js';
import { signalNames } from '../abi/signals.js';
import { syscallByNumber } from '../abi/syscalls.js';
import type { NamedRegister } from '../cpu/arch.js';
import { rootVmarsOf } from '../kernel/objects/address-space.js';
import { handleValue } from '../kernel/objects/handle-value.js';
import type { Kernel } from '../kernel/objects/kernel.js';
import type { KernelObject } from '../kernel/objects/object.js';
import type { ProcessState } from '../kernel/objects/process.js';
import type { ThreadState } from '../kernel/objects/thread.js';
import type { Region, VmarState } from '../kernel/objects/vmar.js';
import type { Names } from './names.js';
import { hex64, permissionsText, printable } from './text.js';

/** A stranger's guest may nest regions deeply; below this many levels they are not shown. */
const MAX_DEPTH = 64;

export interface ThreadView {
  readonly koid: number;
  readonly name: string;
  readonly process: number;
  readonly life: ThreadState['life'];
  readonly mode: 'normal' | 'restricted';
  /** The core that holds it; null when it is queued or does not run. */
  readonly core: number | null;
  /** Null when it never ran, or is dead. */
  readonly pc: string | null;
  readonly symbol: string | null;
  /** The call it is in. */
  readonly syscall: string | null;
  /** What it waits for. */
  readonly waits: string | null;
  readonly steps: number;
}

export interface FrameView {
  readonly address: string;
  readonly symbol: string;
}

export interface RegistersView {
  readonly thread: number;
  readonly name: string;
  readonly general: readonly NamedRegister[];
  readonly float: readonly NamedRegister[];
}

export interface HandleView {
  readonly value: string;
  readonly koid: number;
  readonly type: string;
  readonly name: string;
  readonly rights: readonly string[];
}

/** A region of an address space: `depth` counts the VMARs around it. */
export interface MapView {
  readonly depth: number;
  readonly kind: Region['kind'];
  readonly address: string;
  readonly sizeBytes: number;
  /** Of a mapping: `rw-`, and the VMO behind it. */
  readonly permissions: string | null;
  readonly vmo: number | null;
  readonly vmoName: string | null;
  readonly vmoOffset: string | null;
  /** Of a VMAR. */
  readonly koid: number | null;
}

export interface ObjectView {
  readonly koid: number;
  readonly type: string;
  readonly name: string;
  readonly handles: number;
  readonly signals: readonly string[];
  /** What else there is to say, by kind. */
  readonly detail: string;
}

export function processes(k: Kernel): ProcessState[] {
  return [...k.state.objects.values()].filter((object): object is ProcessState => object.kind === 'process');
}

export function threadViews(k: Kernel, names: Names): ThreadView[] {
  const threads = [...k.state.objects.values()].filter((o): o is ThreadState => o.kind === 'thread');
  return threads.map((thread) => {
    const { koid, process, life, syscall, ranSteps } = thread;
    const registers = k.state.registers.get(koid);
    const pc = registers === undefined ? null : BigInt.asUintN(64, k.arch.pc(registers));
    const core = k.state.cores.findIndex((c) => c.thread === koid);
    return {
      koid,
      name: printable(thread.name),
      process,
      life,
      mode: thread.restricted === null ? 'normal' : 'restricted',
      core: core < 0 ? null : core,
      pc: pc === null ? null : hex64(pc),
      symbol: pc === null ? null : names.symbol(process, pc),
      syscall: syscallByNumber(syscall)?.name ?? null,
      waits: names.wait(koid),
      steps: ranSteps,
    };
  });
}

/** The calls a thread is in, innermost first. A return address is named after the function that the call is in. */
export function frameViews(names: Names, thread: number): FrameView[] {
  const symbolizer = names.symbolizer(names.processOf(thread));
  return names.backtrace(thread).map(({ address, kind }) => {
    const at = Number(address);
    const place = kind === 'ra' ? symbolizer.resolve(at - 1) : null;
    const symbol =
      place === null
        ? names.address(names.processOf(thread), address)
        : `${printable(place.symbol)}+${hex64(at - place.start)}`;
    return { address: hex64(address), symbol };
  });
}

export function registerViews(k: Kernel): RegistersView[] {
  return [...k.state.registers].map(([thread, registers]) => {
    const object = k.find(thread);
    return {
      thread,
      name: object?.kind === 'thread' ? printable(object.name) : '',
      general: k.arch.namedRegisters(registers),
      float: k.arch.floatRegisters(registers),
    };
  });
}

export function handleViews(k: Kernel, process: ProcessState, names: Names): HandleView[] {
  const { handles, handleSecret } = k.sharedBy(process.koid);
  return [...handles].map(([slot, { koid, rights }]) => ({
    value: hex64(handleValue(slot, handleSecret)),
    koid,
    type: k.find(koid)?.kind ?? '',
    name: names.nameOf(koid),
    rights: rightsNames(rights),
  }));
}

export function mapViews(k: Kernel, process: ProcessState, names: Names): MapView[] {
  const out: MapView[] = [];
  const visit = (koid: number, depth: number): void => {
    const vmar = k.find(koid);
    if (vmar?.kind !== 'vmar') return;
    out.push(vmarView(vmar, depth));
    if (depth >= MAX_DEPTH) return;
    for (const region of vmar.regions.values()) {
      if (region.kind === 'vmar') visit(region.koid, depth + 1);
      else {
        out.push({
          depth: depth + 1,
          kind: 'mapping',
          address: hex64(region.base),
          sizeBytes: region.sizeBytes,
          permissions: permissionsText(region.permissions),
          vmo: region.vmo,
          vmoName: names.nameOf(region.vmo),
          vmoOffset: hex64(region.vmoOffset),
          koid: null,
        });
      }
    }
  };
  for (const root of rootVmarsOf(process)) visit(root, 0);
  return out;
}

function vmarView({ koid, base, sizeBytes }: VmarState, depth: number): MapView {
  const none = { permissions: null, vmo: null, vmoName: null, vmoOffset: null };
  return { depth, kind: 'vmar', address: hex64(base), sizeBytes, ...none, koid };
}

export function objectViews(k: Kernel, names: Names): ObjectView[] {
  return [...k.state.objects.values()].map((object) => ({
    koid: object.koid,
    type: object.kind,
    name: names.nameOf(object.koid),
    handles: object.handleCount,
    signals: signalNames(object.kind, object.signals),
    detail: detailOf(object, names),
  }));
}

function detailOf(object: KernelObject, names: Names): string {
  switch (object.kind) {
    case 'channel':
      return `peer ${object.peer}, ${object.messages.size} messages`;
    case 'clock':
      return object.setting.transform.numerator === 0 ? 'not started' : `${object.setting.rateAdjust} ppm`;
    case 'counter':
      return `value ${object.value}`;
    case 'eventpair':
      return `peer ${object.peer}`;
    case 'fifo':
      return `peer ${object.peer}, ${object.data.length / object.elementBytes} of ${object.capacity} elements`;
    case 'iob':
      return `peer ${object.peer}, end ${object.endpoint}, ${object.regions.length} regions`;
    case 'iob-shared-region':
      return `VMO ${object.vmo}`;
    case 'job':
      return `parent ${object.parent}, ${object.processes.size} processes, ${object.jobs.size} jobs, ${object.life}`;
    case 'port':
      return `${object.packets.size} packets, ${object.waiters.size} waiters`;
    case 'process':
      return `job ${object.job}, ${object.threads.size} threads, ${object.life}`;
    case 'socket':
      return `peer ${object.peer}, ${object.sizeBytes} bytes${object.datagram ? ` in ${object.chunks.size} datagrams` : ''}`;
    case 'stream':
      return `VMO ${object.vmo}, at ${object.seek}`;
    case 'thread':
      return `process ${object.process}, ${names.wait(object.koid) === null ? object.life : `waits ${names.wait(object.koid)}`}`;
    case 'timer':
      return object.deadlineNs === 0n ? 'not set' : `fires at ${object.deadlineNs} ns`;
    case 'vmar':
      return `process ${object.process}, ${hex64(object.base)} + ${hex64(object.sizeBytes)}${object.destroyed ? ', destroyed' : ''}`;
    case 'vmo':
      return `${hex64(object.sizeBytes)} bytes, ${object.pages.size} pages, ${object.mappings} mappings${object.parent === 0 ? '' : `, child of ${object.parent}`}`;
    default:
      return '';
  }
}
