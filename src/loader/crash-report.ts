import { ExceptionType } from '../abi/exceptions.js';
import type { Vintage } from '../abi/vintage.js';
import type { EventOf } from '../kernel/objects/events.js';
import type { Kernel } from '../kernel/objects/kernel.js';
import { readUser } from '../kernel/syscalls/user-memory.js';
import { checkProgram, type Program, theVdso } from './bootstrap.js';
import { backtraceLines, crashText } from './crash-text.js';
import { readElf } from './elf.js';
import { type LayoutChoice, layoutOf } from './layout.js';
import { loadedModule, Symbolizer } from './symbols.js';
import { type Frame, unwind } from './unwind.js';
import { RISCV64_FRAMES } from './unwind-riscv64.js';

/** Names addresses of a run: after the program's symbols and the vDSO's. */
export function symbolizerFor(
  program: Program,
  choice: LayoutChoice & { readonly vintage: Vintage },
): Symbolizer {
  const elf = checkProgram(program.bytes);
  const { bias, vdsoAddress } = layoutOf(elf, choice);
  return new Symbolizer([
    loadedModule(program.name, elf, bias),
    loadedModule('libzircon.so', readElf(theVdso(choice.vintage).image), vdsoAddress),
  ]);
}

/** The calls a thread is in, innermost first; empty when it never ran. */
export function backtrace(k: Kernel, thread: number, symbolizer: Symbolizer): Frame[] {
  const object = k.find(thread);
  const registers = k.state.registers.get(thread);
  if (object?.kind !== 'thread' || registers === undefined) return [];
  const { arch } = k;
  return unwind(
    RISCV64_FRAMES,
    {
      pc: BigInt.asUintN(64, arch.pc(registers)),
      sp: BigInt.asUintN(64, arch.sp(registers)),
      framePointer: BigInt.asUintN(64, arch.framePointer(registers)),
      returnAddress: BigInt.asUintN(64, arch.returnAddress(registers)),
    },
    {
      read: (address, sizeBytes) => readUser(k, object.process, address, sizeBytes, 'any'),
      functionStart: (address) => symbolizer.resolve(address)?.start ?? null,
    },
  );
}

const TYPES = {
  'page-fault': ExceptionType.FATAL_PAGE_FAULT,
  'undefined-instruction': ExceptionType.UNDEFINED_INSTRUCTION,
  breakpoint: ExceptionType.SW_BREAKPOINT,
  misaligned: ExceptionType.UNALIGNED_ACCESS,
  policy: ExceptionType.POLICY_ERROR,
} as const;

/** What Fuchsia's logs would say of a thread that is about to die of this exception. */
export function crashReport(
  k: Kernel,
  event: EventOf<'exception-unhandled'>,
  symbolizer: Symbolizer,
): string {
  const process = k.find(event.process);
  const thread = k.find(event.thread);
  const registers = k.registers(event.thread);
  const named = (object: typeof process, koid: number): { name: string; koid: number } => {
    return { name: object !== undefined && 'name' in object ? object.name : '', koid };
  };
  return crashText(
    {
      process: named(process, event.process),
      thread: named(thread, event.thread),
      exception: {
        type: TYPES[event.exception],
        synthCode: event.code,
        synthData: event.data,
        ...(event.access === 'none' ? {} : { access: event.access, address: event.address }),
      },
      archName: k.arch.name,
      pc: BigInt.asUintN(64, event.pc),
      registers: k.arch.namedRegisters(registers),
      exceptionRegisters: k.arch.exceptionRegisters(
        event.exception,
        event.access,
        event.exception === 'undefined-instruction' ? BigInt(event.data) : event.address,
      ),
      frames: backtrace(k, event.thread, symbolizer),
    },
    symbolizer,
  );
}

/** Deeper calls say nothing about a deadlock. */
const MAX_DEADLOCK_FRAMES = 8;

/** Who waits for what, when nothing can ever run again: one line a thread. */
export function deadlockReport(k: Kernel, symbolizer: Symbolizer): string {
  const lines = ['<== DEADLOCK: no thread can ever run again'];
  for (const [koid, thread] of k.state.objects) {
    if (thread.kind !== 'thread' || thread.wait === null) continue;
    lines.push(
      `   thread ${thread.name}[${koid}] waits ${describeWait(k, thread.process, thread.wait, symbolizer)}`,
    );
    lines.push(...backtraceLines(backtrace(k, koid, symbolizer).slice(0, MAX_DEADLOCK_FRAMES), symbolizer));
  }
  return lines.map((line) => `${line}\n`).join('');
}

type Wait = NonNullable<Extract<ReturnType<Kernel['find']>, { kind: 'thread' }>['wait']>;

/** What a blocked thread waits for: goes on from "it waits". */
export function describeWait(k: Kernel, process: number, wait: Wait, symbolizer: Symbolizer): string {
  const objectName = (koid: number): string => `${k.find(koid)?.kind ?? 'object'} ${koid}`;
  switch (wait.kind) {
    case 'sleep':
      return 'for the time to pass';
    case 'futex': {
      const isProcess = k.find(process)?.kind === 'process';
      const holder = isProcess
        ? k.sharedBy(process).futexes.get(wait.address)?.owner || undefined
        : undefined;
      const name = holder === undefined ? undefined : k.find(holder);
      const held = name?.kind === 'thread' ? `, owned by thread ${name.name}[${holder}]` : '';
      return `for futex ${symbolizer.describe(wait.address)}${held}`;
    }
    case 'exception':
      return `for the handler of ${objectName(wait.exception)}`;
    case 'page':
      return `for pages of ${objectName(wait.vmo)}`;
    case 'port':
      return `for a packet of ${objectName(wait.port)}`;
    case 'channel-call':
      return `for a reply on ${objectName(wait.channel)}`;
    case 'wait-one':
      return `for signals of ${objectName(wait.object)}`;
    case 'wait-many':
      return `for signals of ${wait.items.map((item) => objectName(item.object)).join(', ')}`;
  }
}
