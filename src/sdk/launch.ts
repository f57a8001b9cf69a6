import { ProcArg } from '../abi/processargs.js';
import { VmOption, VmoChildOption } from '../abi/vm.js';
import { type Elf, type LoadSegment, readElf } from '../loader/elf.js';
import { encodeProcessArgs, type HandleRole } from '../loader/processargs.js';
import { imageSpan, pageCeil, pageFloor } from '../loader/segments.js';
import { PAGE_SIZE } from '../memory/page.js';
import { Channel } from './channel.js';
import type { Handle } from './handle.js';
import type { Job } from './job.js';
import type { Task } from './operation.js';
import type { Process } from './process.js';
import type { Program } from './program.js';
import { Failed, must, type Result } from './result.js';
import type { Vmar } from './vmar.js';
import { Vmo } from './vmo.js';
import type { Zx } from './zx.js';

const { CAN_MAP_EXECUTE, CAN_MAP_READ, CAN_MAP_SPECIFIC, CAN_MAP_WRITE, SPECIFIC } = VmOption;
const { PERM_EXECUTE, PERM_READ, PERM_WRITE } = VmOption;
const STACK_BYTES = 256 * 1024;
/** What one zx_vmo_write takes from a program's stack. */
const CHUNK_BYTES = 65536;

/** What to launch and what to give it. */
export interface Launch {
  /** An ELF file, or a program in TypeScript that the run knows (`record(…, { programs })`). */
  readonly program: Uint8Array | Program;
  readonly name: string;
  /** argv; the name alone when left out. */
  readonly args?: readonly string[];
  readonly environ?: readonly string[];
  /** This process's own job when left out. */
  readonly job?: Job;
  /** Handles it starts with, by role; gone from here whatever happens. */
  readonly handles?: readonly (HandleRole & { readonly handle: Handle })[];
}

/**
 * Launches a program in a process of its own, as Zircon's launchers do: maps its segments, the vDSO and a stack, sends
 * the startup message, starts the first thread.
 * @returns the process, or the status of the call that failed
 * @throws ElfError when the file is none
 */
export function* launch(zx: Zx, what: Launch): Task<Result<{ process: Process }>> {
  const bytes = what.program instanceof Uint8Array ? what.program : what.program.image;
  const elf = readElf(bytes);
  const given = (what.handles ?? []).map(({ handle, type, arg }) => ({ type, arg, handle }));
  const launcher = new Launcher(zx, what, elf);
  try {
    const process = yield* launcher.run(given);
    return { status: 'ZX_OK', process };
  } catch (reason) {
    for (const { handle } of given) yield* handle.close();
    if (!(reason instanceof Failed)) throw reason;
    return { status: reason.status, process: null };
  } finally {
    yield* launcher.closeAll();
  }
}

class Launcher {
  private readonly open: Handle[] = [];

  constructor(
    private readonly zx: Zx,
    private readonly what: Launch,
    private readonly elf: Elf,
  ) {}

  /** Remembers a handle that is of no use after the launch. */
  private passing<H extends Handle>(handle: H): H {
    this.open.push(handle);
    return handle;
  }

  *closeAll(): Task<void> {
    for (const handle of this.open) yield* handle.close();
  }

  *run(given: readonly (HandleRole & { readonly handle: Handle })[]): Task<Process> {
    const { zx, elf } = this;
    const { name, job = zx.job } = this.what;
    const { process, vmar: root } = must(yield* job.createProcess(name));
    this.passing(root);
    try {
      const thread = this.passing(must(yield* process.createThread('initial-thread')).thread);
      const executable = this.passing(yield* this.executable());
      const bias = yield* this.mapImage(elf, executable, root);
      const vdso = yield* this.mapVdso(root);
      const stackTop = yield* this.mapStack(root);
      const own: [number, Handle][] = [
        [ProcArg.PROC_SELF, process],
        [ProcArg.THREAD_SELF, thread],
        [ProcArg.VMAR_ROOT, root],
        [ProcArg.JOB_DEFAULT, job],
        [ProcArg.VMO_EXECUTABLE, executable],
        [ProcArg.VMO_VDSO, zx.vdso],
      ];
      const copies: (HandleRole & { readonly handle: Handle })[] = [];
      for (const [type, handle] of own) {
        copies.push({ type, arg: 0, handle: this.passing(must(yield* handle.duplicate()).handle) });
      }
      const channel = yield* this.message([...copies, ...given]);
      const entry = BigInt(elf.entry) + bias;
      must(yield* process.start(thread, entry, stackTop, channel, vdso));
      return process;
    } catch (reason) {
      yield* process.close();
      throw reason;
    }
  }

  /** The file as a VMO that can be run. */
  private *executable(): Task<Vmo> {
    const { bytes } = this.elf;
    const { vmo } = must(yield* Vmo.create(this.zx, bytes.length));
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      must(yield* vmo.write(bytes.subarray(at, at + CHUNK_BYTES), at));
    }
    return must(yield* vmo.replaceAsExecutable()).vmo;
  }

  /** Maps a file into a region of its own; gives what is added to its addresses. */
  private *mapImage(elf: Elf, file: Vmo, root: Vmar): Task<bigint> {
    const span = imageSpan(elf);
    let options = CAN_MAP_SPECIFIC | CAN_MAP_READ | CAN_MAP_WRITE | CAN_MAP_EXECUTE;
    let offset = 0n;
    if (!elf.isPie) {
      const { info } = must(yield* root.info('VMAR', 'zx_info_vmar_t'));
      options |= SPECIFIC;
      offset = BigInt(span.address) - info.base;
    }
    const { vmar, address } = must(yield* root.allocate(options, offset, span.sizeBytes));
    this.passing(vmar);
    for (const segment of elf.loadSegments) yield* this.mapSegment(segment, file, vmar, span.address);
    return address - BigInt(span.address);
  }

  /** Pages that can be written are copies, with zeros behind what comes from the file. */
  private *mapSegment(segment: LoadSegment, file: Vmo, vmar: Vmar, low: number): Task<void> {
    const { vaddr, memSizeBytes, fileOffset, fileSizeBytes, writable } = segment;
    const access =
      (segment.readable ? PERM_READ : 0) |
      (writable ? PERM_WRITE : 0) |
      (segment.executable ? PERM_EXECUTE : 0);
    const at = pageFloor(vaddr) - low;
    const offset = pageFloor(fileOffset);
    const end = fileOffset - offset + fileSizeBytes;
    const fileBytes = fileSizeBytes === 0 ? 0 : pageCeil(end);
    const allBytes = pageCeil(fileOffset - offset + memSizeBytes);
    if (fileBytes > 0 && !writable) must(yield* vmar.map(access | SPECIFIC, at, file, offset, fileBytes));
    if (fileBytes > 0 && writable) {
      const kind = VmoChildOption.SNAPSHOT_AT_LEAST_ON_WRITE;
      const copy = this.passing(must(yield* file.createChild(kind, offset, fileBytes)).vmo);
      must(yield* copy.write(new Uint8Array(fileBytes - end), end));
      must(yield* vmar.map(access | SPECIFIC, at, copy, 0, fileBytes));
    }
    if (allBytes === fileBytes) return;
    const zeros = this.passing(must(yield* Vmo.create(this.zx, allBytes - fileBytes)).vmo);
    must(yield* vmar.map(access | SPECIFIC, at + fileBytes, zeros, 0, allBytes - fileBytes));
  }

  /** Gives where the vDSO begins. */
  private *mapVdso(root: Vmar): Task<bigint> {
    const { vdso } = this.zx;
    const { size } = must(yield* vdso.size());
    const { bytes } = must(yield* vdso.read(0, Number(size)));
    return yield* this.mapImage(readElf(bytes), vdso, root);
  }

  /** Gives the stack's top. The page below it stays unmapped: an overflow must fault. */
  private *mapStack(root: Vmar): Task<bigint> {
    const stack = this.passing(must(yield* Vmo.create(this.zx, STACK_BYTES)).vmo);
    const may = CAN_MAP_SPECIFIC | CAN_MAP_READ | CAN_MAP_WRITE;
    const { vmar, address } = must(yield* root.allocate(may, 0, PAGE_SIZE + STACK_BYTES));
    this.passing(vmar);
    must(yield* vmar.map(PERM_READ | PERM_WRITE | SPECIFIC, PAGE_SIZE, stack, 0, STACK_BYTES));
    return address + BigInt(PAGE_SIZE + STACK_BYTES);
  }

  /** The end of a channel that holds the startup message. */
  private *message(handles: readonly (HandleRole & { readonly handle: Handle })[]): Task<Channel> {
    const { name, args = [name], environ = [] } = this.what;
    const bytes = encodeProcessArgs({ roles: handles, args, environ, names: [] });
    const { first, second } = must(yield* Channel.create(this.zx));
    this.passing(first);
    this.passing(second);
    must(
      yield* first.write(
        bytes,
        handles.map(({ handle }) => handle),
      ),
    );
    return second;
  }
}
