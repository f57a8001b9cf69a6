import { ExceptionType, exceptionName } from '../abi/exceptions.js';
import { PolicyExceptionCode } from '../abi/policy.js';
import { Status, statusName } from '../abi/status.js';
import type { Access, NamedRegister } from '../cpu/arch.js';
import { hex } from './elf-bytes.js';
import { pageCeil, pageFloor } from './segments.js';
import type { Module, Symbolizer } from './symbols.js';
import type { Frame } from './unwind.js';

export interface CrashReport {
  readonly process: { readonly name: string; readonly koid: number };
  readonly thread: { readonly name: string; readonly koid: number };
  readonly exception: CrashException;
  readonly archName: string;
  readonly pc: bigint;
  /** In the platform's order; four stand on a line. */
  readonly registers: readonly NamedRegister[];
  /** The architecture's own words on the exception, after the registers: riscv64 has `cause` and `tval`. */
  readonly exceptionRegisters: readonly NamedRegister[];
  readonly frames: readonly Frame[];
}

export interface CrashException {
  /** `ZX_EXCP_*`. */
  readonly type: number;
  /** Page fault: the `zx_status_t`. Policy error: `ZX_EXCP_POLICY_CODE_*`. */
  readonly synthCode: number;
  /** Policy error BAD_SYSCALL: the number of the call. */
  readonly synthData: number;
  /** What a page fault or unaligned access was about. */
  readonly access?: Access;
  readonly address?: bigint;
}

/** No line is longer than this, in characters. */
const MAX_COLUMNS = 110;
const REGISTERS_PER_LINE = 4;

/**
 * What Fuchsia writes about a thread that died of an exception: who, why, registers, and the backtrace in symbolizer
 * markup (LLVM's "Symbolizer Markup Format"; texts and layout as Fuchsia's `inspector` prints them for riscv64). After
 * that the same backtrace named from the modules' own symbols, for readers without a symbolizer. Names come from
 * guests and files: whatever could disturb a terminal or the markup in them is replaced.
 */
export function crashText(report: CrashReport, symbolizer: Symbolizer): string {
  const { process, thread, archName, frames } = report;
  const who = (task: { name: string; koid: number }) => `${printable(task.name)}[${task.koid}]`;
  const lines = [
    `<== CRASH: process ${who(process)} thread ${who(thread)}`,
    `<== ${exceptionText(report.exception)}, PC at ${hex(report.pc)}`,
    ...registerLines(report.registers),
    ...registerLines(report.exceptionRegisters),
    `exception: ${exceptionName(report.exception.type)}`,
    `arch: ${archName}`,
    '{{{reset}}}',
    ...symbolizer.modules.flatMap(moduleMarkup),
    ...frames.map((frame, i) => `{{{bt:${i}:${hex(frame.address)}:${frame.kind}}}}`),
    '{{{reset}}}',
    ...backtraceLines(frames, symbolizer),
  ];
  return lines.map((line) => `${clip(line, MAX_COLUMNS)}\n`).join('');
}

/** `#0  0x200158 in crash+0x10 (crash-null)`, one line a frame. */
export function backtraceLines(frames: readonly Frame[], symbolizer: Symbolizer): string[] {
  const width = Math.max(0, ...frames.map((f) => hex(f.address).length));
  return frames.map(({ address, kind }, i) => {
    const bare = `   #${String(i).padEnd(3)} ${hex(address)}`;
    if (address >= 2n ** 47n) return bare;
    const at = Number(address);
    // A call that never returns may be the last instruction of its function: look where the call itself is.
    const place = symbolizer.resolve(kind === 'ra' ? at - 1 : at);
    const module = place?.module ?? symbolizer.moduleAt(at);
    if (module === null) return bare;
    const start = bare + ' '.repeat(width - hex(address).length);
    const where = ` (${printable(module.name)}+${hex(at - module.bias)})`;
    if (place === null) return start + where;
    const end = `+${hex(at - place.start)}${where}`;
    return `${start} in ${clip(printable(place.symbol), MAX_COLUMNS - start.length - 4 - end.length)}${end}`;
  });
}

const ACCESS_TEXT: Readonly<Record<Access, string>> = { load: 'read', store: 'write', fetch: 'execute' };

function exceptionText({ type, synthCode, synthData, access, address }: CrashException): string {
  const verb = access === undefined ? 'unknown' : ACCESS_TEXT[access];
  switch (type) {
    case ExceptionType.FATAL_PAGE_FAULT: {
      const status = synthCode | 0;
      const violation = status === Status.ERR_NOT_FOUND ? 'not-present' : 'protection';
      const known = status === Status.ERR_NOT_FOUND || status === Status.ERR_ACCESS_DENIED;
      const error = `${known ? violation : 'unknown'} page fault (error ${statusName(status)})`;
      return `${verb} ${error} at ${hex(address ?? 0)}`;
    }
    case ExceptionType.POLICY_ERROR: {
      const name = POLICY_NAMES.get(synthCode) ?? '<unknown policy code>';
      const call = synthCode === PolicyExceptionCode.BAD_SYSCALL ? `, syscall ${synthData}` : '';
      return `policy error: ${name} (${synthCode}${call})`;
    }
    case ExceptionType.UNALIGNED_ACCESS:
      return `alignment fault, ${verb} at ${hex(address ?? 0)}`;
    default:
      return EXCEPTION_TEXT.get(type) ?? `exception ${exceptionName(type)}`;
  }
}

const EXCEPTION_TEXT: ReadonlyMap<number, string> = new Map([
  [ExceptionType.GENERAL, 'general fault'],
  [ExceptionType.UNDEFINED_INSTRUCTION, 'undefined instruction'],
  [ExceptionType.SW_BREAKPOINT, 'sw breakpoint'],
  [ExceptionType.HW_BREAKPOINT, 'hw breakpoint'],
]);

const POLICY_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(PolicyExceptionCode).map(([name, code]) => [code, name]),
);

/** ` pc            0x200158 ra            0x20019a …`: cells of equal width, the value to the right. */
function registerLines(registers: readonly NamedRegister[]): string[] {
  const cells = registers.map(
    ([name, value]) => ` ${name.padEnd(3)} ${hex(value).padStart(21 - Math.max(3, name.length))}`,
  );
  const lines: string[] = [];
  for (let i = 0; i < cells.length; i += REGISTERS_PER_LINE)
    lines.push(cells.slice(i, i + REGISTERS_PER_LINE).join(''));
  return lines;
}

function moduleMarkup(module: Module, index: number): string[] {
  const ends = [`{{{module:${index}:`, `:elf:${module.buildId ?? ''}}}}`];
  const name = printable(module.name).replace(/[:}]/g, '?');
  const room = MAX_COLUMNS - ends[0].length - ends[1].length;
  const maps = module.elf.loadSegments.map((s) => {
    const start = pageFloor(s.vaddr);
    const size = pageCeil(s.vaddr + s.memSizeBytes) - start;
    const access = `${s.readable ? 'r' : ''}${s.writable ? 'w' : ''}${s.executable ? 'x' : ''}`;
    return `{{{mmap:${hex(start + module.bias)}:${hex(size)}:load:${index}:${access}:${hex(start)}}}}`;
  });
  return [`${ends[0]}${clip(name, room)}${ends[1]}`, ...maps];
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

function clip(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 3))}...`;
}
