import { ProcArg } from '../abi/processargs.js';
import { DEFAULT_RIGHTS, Right } from '../abi/rights.js';
import { Signal } from '../abi/signals.js';
import { SYSCALLS } from '../abi/syscalls.js';
import type { Vintage } from '../abi/vintage.js';
import { ADDRESS_SPACES, VmOption } from '../abi/vm.js';
import { assert } from '../base/assert.js';
import { newHandleSecret } from '../kernel/objects/handle-value.js';
import type { HandleEntry } from '../kernel/objects/object.js';
import type { Decider } from '../kernel/syscalls/decider.js';
import { receiveHandle } from '../kernel/syscalls/handles.js';
import type { VdsoCalls } from '../machine/machine.js';
import { PAGE_SIZE } from '../memory/page.js';
import { type Elf, readProgram } from './elf.js';
import { layoutOf, MAX_STACK_BYTES, PROGRAM_ADDRESSES } from './layout.js';
import { encodeProcessArgs } from './processargs.js';
import { imageSpan, pageCeil, segmentImages } from './segments.js';
import { buildVdso, keptVdso, VDSO_SONAME, type Vdso } from './vdso.js';
import { magentaVdsoCalls } from './vdso-magenta.js';
import { RISCV64_VDSO } from './vdso-riscv64.js';

/** Bumped when the same program would start in another state: recordings name the one they were made with. */
export const BOOTSTRAP_VERSION = 1;

/** Fuchsia's default for a main thread (ZIRCON_DEFAULT_STACK_SIZE). */
const DEFAULT_STACK_BYTES = 256 * 1024;
/** Zircon's job tree height (ZX_JOB's MAX_HEIGHT). */
const ROOT_JOB_HEIGHT = 32;

const { READ, WRITE, EXECUTE } = {
  READ: VmOption.PERM_READ,
  WRITE: VmOption.PERM_WRITE,
  EXECUTE: VmOption.PERM_EXECUTE,
};
const CAN_MAP_ALL =
  VmOption.CAN_MAP_SPECIFIC | VmOption.CAN_MAP_READ | VmOption.CAN_MAP_WRITE | VmOption.CAN_MAP_EXECUTE;
/** Rights of a root VMAR's handle as zx_process_create gives it. */
const ROOT_VMAR_RIGHTS = DEFAULT_RIGHTS.vmar | Right.READ | Right.WRITE | Right.EXECUTE;

const READ_EXECUTE_VMO_RIGHTS = (DEFAULT_RIGHTS.vmo | Right.EXECUTE) & ~Right.WRITE;

const { base: USER_BASE, top: USER_TOP } = ADDRESS_SPACES.riscv64;

const vdsos = new Map<Vintage, Vdso>();

/** The riscv64 vDSO of a vintage, built once. Only Magenta's has other functions. */
export function theVdso(vintage: Vintage): Vdso {
  let vdso = vdsos.get(vintage);
  if (vdso === undefined) {
    const older = () => (vintage === 'magenta' ? magentaVdsoCalls() : []);
    vdso = keptVdso(`vDSO of riscv64, ${vintage}`, () => buildVdso(RISCV64_VDSO, [...SYSCALLS, ...older()]));
    vdsos.set(vintage, vdso);
  }
  return vdso;
}

export function vdsoCalls(vintage: Vintage): VdsoCalls {
  const { traps, codeSizeBytes } = theVdso(vintage);
  return { codeSizeBytes, callAt: (offset) => traps.get(offset) ?? 0 };
}

export interface Program {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** argv, the program's name first. */
  readonly args: readonly string[];
  /** NAME=value each. */
  readonly environ: readonly string[];
}

/**
 * Checks that a file can be run here.
 * @throws ElfError
 */
export function checkProgram(bytes: Uint8Array): Elf {
  return readProgram(bytes, {
    machine: RISCV64_VDSO.machine,
    machineName: 'riscv64',
    addresses: PROGRAM_ADDRESSES,
    vdsoName: VDSO_SONAME,
  });
}

/** What the handles of the first process's message are for, in their order. */
const ROLES = [
  ProcArg.PROC_SELF,
  ProcArg.THREAD_SELF,
  ProcArg.JOB_DEFAULT,
  ProcArg.VMAR_ROOT,
  ProcArg.VMAR_LOADED,
  ProcArg.VMO_STACK,
  ProcArg.VMO_VDSO,
  ProcArg.VMO_EXECUTABLE,
] as const;

/**
 * The bytes of that message.
 * @throws ProcessArgsError
 */
export function startMessage({ args, environ }: Program): Uint8Array {
  return encodeProcessArgs({ roles: ROLES.map((type) => ({ type, arg: 0 })), args, environ, names: [] });
}

/**
 * Starts the first process of an empty machine as Zircon's userboot starts its own: jobs, address space, segments,
 * vDSO, stack, one thread, and a channel with the processargs message.
 */
export function bootstrap(m: Decider, program: Program, elf: Elf): void {
  const boot = new Boot(m);
  const layout = layoutOf(elf, m.k.config);
  if (m.k.config.aslr) m.emit({ type: 'addresses-drawn', state: layout.entropy });
  boot.jobs();
  const vdsoVmo = boot.vdsoVmo();
  const executable = boot.vmo(program.name, program.bytes, pageCeil(program.bytes.length));
  const { process, rootVmar } = boot.process(program.name);
  const loaded = boot.segments(elf, rootVmar, program.name, layout.bias);
  boot.mapVdso(vdsoVmo, rootVmar, layout.vdsoAddress);
  const stack = boot.stack(elf, rootVmar, layout.stackTop);
  const thread = m.k.state.nextKoid;
  m.emit({ type: 'thread-created', koid: thread, process, name: 'main' });
  const handles: Record<(typeof ROLES)[number], HandleEntry> = {
    [ProcArg.PROC_SELF]: { koid: process, rights: DEFAULT_RIGHTS.process },
    [ProcArg.THREAD_SELF]: { koid: thread, rights: DEFAULT_RIGHTS.thread },
    [ProcArg.JOB_DEFAULT]: { koid: boot.mainJob, rights: DEFAULT_RIGHTS.job },
    [ProcArg.VMAR_ROOT]: { koid: rootVmar, rights: ROOT_VMAR_RIGHTS },
    [ProcArg.VMAR_LOADED]: { koid: loaded, rights: ROOT_VMAR_RIGHTS },
    [ProcArg.VMO_STACK]: { koid: stack, rights: DEFAULT_RIGHTS.vmo },
    [ProcArg.VMO_VDSO]: { koid: vdsoVmo, rights: READ_EXECUTE_VMO_RIGHTS },
    [ProcArg.VMO_EXECUTABLE]: { koid: executable, rights: READ_EXECUTE_VMO_RIGHTS },
  };
  const channel = boot.channel(
    startMessage(program),
    ROLES.map((role) => handles[role]),
    process,
  );
  m.emit({ type: 'process-life-changed', koid: process, life: 'running', returnCode: 0n });
  m.emit({
    type: 'thread-started',
    koid: thread,
    pc: BigInt(elf.entry + layout.bias),
    sp: BigInt(layout.stackTop),
    arg1: BigInt(channel),
    arg2: BigInt(layout.vdsoAddress),
    tp: 0n,
    abiReg: 0n,
    signals: Signal.THREAD_RUNNING,
  });
}

class Boot {
  mainJob = 0;

  constructor(private readonly m: Decider) {}

  private next(): number {
    return this.m.k.state.nextKoid;
  }

  jobs(): void {
    const signals = Signal.JOB_NO_JOBS | Signal.JOB_NO_PROCESSES;
    const root = this.next();
    this.m.emit({
      type: 'job-created',
      koid: root,
      parent: 0,
      name: 'root',
      maxHeight: ROOT_JOB_HEIGHT,
      signals,
    });
    this.mainJob = this.next();
    this.m.emit({
      type: 'job-created',
      koid: this.mainJob,
      parent: root,
      name: 'main',
      maxHeight: ROOT_JOB_HEIGHT - 1,
      signals: Signal.JOB_NO_JOBS,
    });
    this.m.emit({ type: 'signals-changed', koid: root, signals: Signal.JOB_NO_PROCESSES });
  }

  /** A VMO with these bytes at its start; pages that are all zero are not written. */
  vmo(name: string, bytes: Uint8Array, sizeBytes: number, code = { offset: 0, sizeBytes: 0 }): number {
    const koid = this.next();
    const contentSizeBytes = bytes.length;
    this.m.emit({
      type: 'vmo-created',
      koid,
      sizeBytes,
      contentSizeBytes,
      resizable: false,
      discardable: false,
      name: name.slice(0, 31),
      vdsoCodeOffset: code.offset,
      vdsoCodeSizeBytes: code.sizeBytes,
    });
    for (let offset = 0; offset < bytes.length; offset += PAGE_SIZE) {
      const page = bytes.slice(offset, offset + PAGE_SIZE);
      if (page.some((byte) => byte !== 0))
        this.m.emit({ type: 'vmo-written', vmo: koid, offset, bytes: page });
    }
    return koid;
  }

  vdsoVmo(): number {
    const { image, codeOffset, codeSizeBytes } = theVdso(this.m.k.config.vintage);
    return this.vmo('vdso/next', image, image.length, {
      offset: codeOffset,
      sizeBytes: pageCeil(codeSizeBytes),
    });
  }

  process(name: string): { process: number; rootVmar: number } {
    const { m } = this;
    const rootVmar = this.next();
    const process = rootVmar + 1;
    m.emit({
      type: 'vmar-created',
      koid: rootVmar,
      process,
      parent: 0,
      base: USER_BASE,
      sizeBytes: USER_TOP - USER_BASE,
      flags: CAN_MAP_ALL,
    });
    m.emit({
      type: 'process-created',
      koid: process,
      name: name.slice(0, 31),
      job: this.mainJob,
      rootVmar,
      restrictedVmar: 0,
      shared: process,
      sharing: false,
      handleSecret: newHandleSecret(m.k.config.entropySeed, process),
      main: true,
    });
    return { process, rootVmar };
  }

  private region(rootVmar: number, base: number, sizeBytes: number): number {
    const koid = this.next();
    const { process } = this.m.k.get(rootVmar, 'vmar');
    this.m.emit({
      type: 'vmar-created',
      koid,
      process,
      parent: rootVmar,
      base,
      sizeBytes,
      flags: CAN_MAP_ALL,
    });
    return koid;
  }

  private map(
    vmar: number,
    base: number,
    sizeBytes: number,
    vmo: number,
    permissions: number,
    vmoOffset = 0,
  ): void {
    this.m.emit({
      type: 'mapping-added',
      vmar,
      base,
      sizeBytes,
      vmo,
      vmoOffset,
      permissions,
      maxPermissions: permissions,
      endsWithStream: false,
    });
  }

  segments(elf: Elf, rootVmar: number, name: string, bias: number): number {
    const span = imageSpan(elf);
    const vmar = this.region(rootVmar, span.address + bias, span.sizeBytes);
    for (const { address, sizeBytes, bytes, segment } of segmentImages(elf)) {
      const vmo = this.vmo(`${segment.writable ? 'data' : 'code'}:${name}`, bytes, sizeBytes);
      const permissions =
        (segment.readable ? READ : 0) | (segment.writable ? WRITE : 0) | (segment.executable ? EXECUTE : 0);
      this.map(vmar, address + bias, sizeBytes, vmo, permissions);
    }
    return vmar;
  }

  mapVdso(vmo: number, rootVmar: number, address: number): void {
    const { image, codeOffset, codeSizeBytes } = theVdso(this.m.k.config.vintage);
    assert(codeOffset % PAGE_SIZE === 0 && image.length % PAGE_SIZE === 0, 'the vDSO is made of pages');
    const vmar = this.region(rootVmar, address, image.length);
    this.map(vmar, address, codeOffset, vmo, READ);
    this.map(vmar, address + codeOffset, pageCeil(codeSizeBytes), vmo, READ | EXECUTE, codeOffset);
    this.m.emit({ type: 'vdso-mapped', vmar: rootVmar, codeAddress: address + codeOffset });
  }

  stack(elf: Elf, rootVmar: number, top: number): number {
    const asked = elf.stackSizeBytes === 0 ? DEFAULT_STACK_BYTES : elf.stackSizeBytes;
    const sizeBytes = Math.min(MAX_STACK_BYTES, pageCeil(asked));
    const vmo = this.vmo('stack: main', new Uint8Array(0), sizeBytes);
    this.map(rootVmar, top - sizeBytes, sizeBytes, vmo, READ | WRITE);
    return vmo;
  }

  /** A channel whose one end holds the message and belongs to the process: that end's handle value. */
  channel(bytes: Uint8Array, handles: readonly HandleEntry[], process: number): number {
    const { m } = this;
    const koid0 = this.next();
    m.emit({ type: 'channel-created', koid0, koid1: koid0 + 1, signals: Signal.CHANNEL_WRITABLE });
    m.emit({ type: 'handle-made', koid: koid0 });
    m.emit({ type: 'handle-made', koid: koid0 + 1 });
    for (const { koid } of handles) m.emit({ type: 'handle-made', koid });
    m.emit({ type: 'channel-message-queued', koid: koid0 + 1, bytes, handles });
    m.emit({
      type: 'signals-changed',
      koid: koid0 + 1,
      signals: Signal.CHANNEL_READABLE | Signal.CHANNEL_WRITABLE,
    });
    // The near end, which nobody holds any more, is closed by the launcher.
    m.emit({ type: 'handle-dropped', koid: koid0 });
    m.emit({ type: 'object-destroyed', koid: koid0 });
    m.emit({
      type: 'signals-changed',
      koid: koid0 + 1,
      signals: Signal.CHANNEL_READABLE | Signal.CHANNEL_PEER_CLOSED,
    });
    return receiveHandle(m, process, koid0 + 1, DEFAULT_RIGHTS.channel);
  }
}
