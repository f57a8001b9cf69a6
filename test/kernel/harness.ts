import { DEFAULT_RIGHTS } from '../../src/abi/rights.js';
import { argumentRegisters, type SyscallName, syscallByName } from '../../src/abi/syscalls.js';
import { ThreadStateKind } from '../../src/abi/threads.js';
import { ADDRESS_SPACES, VmOption } from '../../src/abi/vm.js';
import { seedPrng } from '../../src/base/prng.js';
import type { Arch, Registers } from '../../src/cpu/arch.js';
import { applyEvent, type KernelEvent } from '../../src/kernel/objects/events.js';
import { newHandleSecret } from '../../src/kernel/objects/handle-value.js';
import { emptyState, Kernel, type MachineConfig } from '../../src/kernel/objects/kernel.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import type { Decider } from '../../src/kernel/syscalls/decider.js';
import { decideSyscall } from '../../src/kernel/syscalls/dispatch.js';
import { addHandle } from '../../src/kernel/syscalls/handles.js';
import { leaveBySyscall } from '../../src/kernel/syscalls/restricted.js';
import { suspendWithProcess } from '../../src/kernel/syscalls/suspend.js';
import { readUser, writeUser } from '../../src/kernel/syscalls/user-memory.js';

/** Registers that hold a result and nothing else: kernel tests need no instructions. */
class ResultRegisters implements Registers {
  constructor(readonly bytes: Uint8Array) {}
  copy(): Registers {
    return new ResultRegisters(this.bytes.slice());
  }
}

const notUsed = (): never => {
  throw new Error('kernel tests run no instructions');
};

export const FAKE_ARCH: Arch = {
  name: 'riscv64',
  elfMachine: 243,
  registersSizeBytes: 8,
  registersFrom: (bytes) => new ResultRegisters(bytes),
  initialRegisters: () => new ResultRegisters(new Uint8Array(8)),
  createEngine: notUsed,
  pc: () => 0n,
  pcNumber: () => 0,
  setPc: () => {},
  sp: () => 0n,
  framePointer: () => 0n,
  returnAddress: () => 0n,
  syscallNumber: notUsed,
  shortSyscallNumber: notUsed,
  syscallArguments: notUsed,
  syscallArgument: (r) => new DataView(r.bytes.buffer).getBigInt64(0, true),
  skipSyscall: () => {},
  setResult: (r, value) => new DataView(r.bytes.buffer).setBigInt64(0, value, true),
  result: (r) => new DataView(r.bytes.buffer).getBigInt64(0, true),
  returnToSyscall: () => {},
  stateSizeBytes: (kind) => (kind === ThreadStateKind.GENERAL_REGS ? 8 : null),
  readState: (r, kind) => (kind === ThreadStateKind.GENERAL_REGS ? r.bytes.slice() : null),
  isStateValid: (_, bytes) => bytes[0] !== 0xff,
  writeState: (r, _, bytes) => r.bytes.set(bytes.subarray(0, 8)),
  restricted: {
    load: (r, state) => r.bytes.set(state.subarray(0, 8)),
    save: (r) => new Uint8Array(256).map((_, i) => r.bytes[i] ?? 0),
    saveSyscall: (r) => new Uint8Array(256).map((_, i) => r.bytes[i] ?? 0),
    keep: () => new Uint8Array(0),
    toVector: (r, _kept, { reason }) => new DataView(r.bytes.buffer).setBigUint64(0, reason, true),
  },
  namedRegisters: () => [],
  floatRegisters: () => [],
  exceptionRegisters: () => [],
  exceptionData: () => new Uint8Array(24),
  registerName: String,
  setRegister: () => {},
  disassemble: notUsed,
  dataFlow: notUsed,
  instructionLength: notUsed,
};

/** Where the scratch memory of the test process is: 1 MiB, readable and writable. */
export const SCRATCH = 0x10000000;
const SCRATCH_BYTES = 0x100000;

const PENDING = 0x7777777777777777n;

/**
 * A kernel with a root job, a job in it, one process with a root VMAR, scratch memory and one running thread: calls
 * go through the same dispatch as a trap's. Blocking calls give 'blocked'; their result is read with `result`.
 */
export class Harness implements Decider {
  readonly k: Kernel;
  readonly events: KernelEvent[] = [];
  readonly job: number;
  readonly process: number;
  readonly rootVmar: number;
  readonly thread: number;
  readonly handles: { job: number; process: number; rootVmar: number; thread: number };
  private cursor = SCRATCH;

  constructor(config: Partial<MachineConfig> = {}, mode: 'owned' | 'immer' = 'owned', arch = FAKE_ARCH) {
    const full: MachineConfig = {
      cores: 1,
      entropySeed: 1,
      physicalPages: 65536,
      vintage: '2023',
      aslr: false,
      ...config,
    };
    this.k = new Kernel(emptyState(full, seedPrng(full.entropySeed, 'cprng')), full, arch, mode);
    const next = (): number => this.k.state.nextKoid;
    const root = next();
    this.emit({ type: 'job-created', koid: root, parent: 0, name: 'root', maxHeight: 32, signals: 0 });
    this.job = next();
    this.emit({ type: 'job-created', koid: this.job, parent: root, name: 'test', maxHeight: 31, signals: 0 });
    this.process = this.newProcess('test', true);
    this.rootVmar = this.k.get(this.process, 'process').rootVmar;
    const vmo = next();
    this.emit({
      type: 'vmo-created',
      koid: vmo,
      sizeBytes: SCRATCH_BYTES,
      contentSizeBytes: SCRATCH_BYTES,
      resizable: false,
      discardable: false,
      name: 'scratch',
      vdsoCodeOffset: 0,
      vdsoCodeSizeBytes: 0,
    });
    const permissions = VmOption.PERM_READ | VmOption.PERM_WRITE;
    this.emit({
      type: 'mapping-added',
      vmar: this.rootVmar,
      base: SCRATCH,
      sizeBytes: SCRATCH_BYTES,
      vmo,
      vmoOffset: 0,
      permissions,
      maxPermissions: permissions,
      endsWithStream: false,
    });
    this.thread = this.newThread(this.process, 'main');
    this.handles = {
      job: this.give(this.job, DEFAULT_RIGHTS.job),
      process: this.give(this.process, DEFAULT_RIGHTS.process),
      rootVmar: this.give(
        this.rootVmar,
        DEFAULT_RIGHTS.vmar | 0x1c, // READ, WRITE and EXECUTE, as process_create's
      ),
      thread: this.give(this.thread, DEFAULT_RIGHTS.thread),
    };
  }

  emit(event: KernelEvent): void {
    applyEvent(this.k, event);
    this.events.push(event);
  }

  /** A process with an empty address space, marked running. */
  newProcess(name: string, main = false): number {
    const rootVmar = this.k.state.nextKoid;
    const koid = rootVmar + 1;
    const { base, top } = ADDRESS_SPACES.riscv64;
    const flags =
      VmOption.CAN_MAP_SPECIFIC | VmOption.CAN_MAP_READ | VmOption.CAN_MAP_WRITE | VmOption.CAN_MAP_EXECUTE;
    this.emit({
      type: 'vmar-created',
      koid: rootVmar,
      process: koid,
      parent: 0,
      base,
      sizeBytes: top - base,
      flags,
    });
    const handleSecret = newHandleSecret(this.k.config.entropySeed, koid);
    this.emit({
      type: 'process-created',
      koid,
      name,
      job: this.job,
      rootVmar,
      restrictedVmar: 0,
      shared: koid,
      sharing: false,
      handleSecret,
      main,
    });
    this.emit({ type: 'process-life-changed', koid, life: 'running', returnCode: 0n });
    return koid;
  }

  /** A started thread. */
  newThread(process: number, name: string): number {
    const koid = this.k.state.nextKoid;
    this.emit({ type: 'thread-created', koid, process, name });
    suspendWithProcess(this, koid);
    this.emit({
      type: 'thread-started',
      koid,
      pc: 0n,
      sp: 0n,
      arg1: 0n,
      arg2: 0n,
      tp: 0n,
      abiReg: 0n,
      signals: 0,
    });
    return koid;
  }

  /** Puts a handle into the test process's table. */
  give(koid: number, rights: number, process = this.process): number {
    return addHandle(this, process, koid, rights);
  }

  /** Fresh scratch memory for out-arguments, 16-aligned, filled with the bytes given. */
  scratch(bytes: number | Uint8Array): number {
    const length = typeof bytes === 'number' ? bytes : bytes.length;
    const address = this.cursor;
    this.cursor = (this.cursor + length + 15) & ~15;
    if (typeof bytes !== 'number') this.poke(address, bytes);
    return address;
  }

  /** Makes a call as the main thread (or another): its result, or 'blocked', or 'gone' when the thread ended. */
  call(
    name: SyscallName,
    args: readonly (number | bigint)[],
    thread = this.thread,
  ): bigint | 'blocked' | 'gone' {
    // Only a trap leads out of restricted mode, and calls are made outside.
    const caller = this.k.find(thread);
    if (caller?.kind === 'thread' && caller.restricted !== null) leaveBySyscall(this, thread);
    if (this.k.state.registers.get(thread) !== undefined) {
      this.k.arch.setResult(this.k.registersForWrite(thread), PENDING);
    }
    decideSyscall(
      this,
      thread,
      0,
      syscallByName(name),
      argumentRegisters((i) => BigInt(args[i])),
    );
    return this.result(thread);
  }

  /** What the thread's last call gave. */
  result(thread = this.thread): bigint | 'blocked' | 'gone' {
    const object = this.k.find(thread);
    if (object?.kind !== 'thread' || object.life === 'dead') return 'gone';
    // Who is dying waits for its debugger.
    if (object.life === 'blocked' || object.life === 'dying') return 'blocked';
    return BigInt.asIntN(64, this.k.arch.syscallArgument(this.k.registers(thread), 0));
  }

  poke(address: number, bytes: Uint8Array, process = this.process): void {
    writeUser(this, process, this.thread, address, bytes);
  }

  peek(address: number, length: number, process = this.process): DataView {
    const bytes = readUser(this.k, process, address, length);
    if (bytes === null) throw new Error(`0x${address.toString(16)} is not readable`);
    return new DataView(bytes.buffer);
  }

  u32(address: number): number {
    return this.peek(address, 4).getUint32(0, true);
  }

  u64(address: number): bigint {
    return this.peek(address, 8).getBigUint64(0, true);
  }

  /** Lets virtual time pass with nothing running, without firing anything. */
  advance(ns: bigint): void {
    this.emit({ type: 'clock-advanced', byNs: ns });
  }

  hash(): string {
    return stateHash(this.k.snapshot());
  }
}
