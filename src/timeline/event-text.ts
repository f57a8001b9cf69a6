import { TIME_INFINITE_NS } from '../abi/clocks.js';
import { signalNames } from '../abi/signals.js';
import { statusName } from '../abi/status.js';
import { syscallByNumber } from '../abi/syscalls.js';
import type { EventOf, KernelEvent } from '../kernel/objects/events.js';
import { handleValue } from '../kernel/objects/handle-value.js';
import type { Halt, Kernel } from '../kernel/objects/kernel.js';
import type { Happened, Machine } from '../machine/machine.js';
import { exceptionEventText } from './exception-text.js';
import type { Names } from './names.js';
import { clip, hex64, permissionsText, printable, valueText } from './text.js';
import { type Whose, whose } from './whose.js';

const MAX_BYTES_SHOWN = 16;
/** Numbers from here on are shown in hexadecimal. */
const LARGE = 65536;

/** What happened, on one line, without when and to whom. */
export function eventText(machine: Machine, happened: Happened, names: Names): string {
  const { k } = machine;
  const { event, by } = happened;
  switch (event.type) {
    case 'span': {
      const registers = k.state.registers.get(event.thread);
      const at = registers === undefined ? 0n : BigInt.asUintN(64, k.arch.pc(registers));
      const where = modeOf(k, event.thread) === 'normal' ? '' : ' in restricted mode';
      return `${event.steps} steps${where}, to ${names.address(names.processOf(event.thread), at)}`;
    }
    case 'slice-started':
      return `runs on core ${event.core} for up to ${event.steps} steps`;
    case 'thread-preempted':
      return `leaves core ${event.core}, to the end of the queue`;
    case 'clock-advanced':
      return `nothing can run: the clock advances by ${event.byNs} ns`;
    case 'machine-halted':
      return `halted: ${haltText(event.halt)}`;
    case 'syscall-entered':
      return `${event.name}(${argumentsText(event.number, event.args)})`;
    case 'syscall-returned':
      return `${syscallByNumber(event.number)?.name ?? event.number} = ${resultText(event.number, event.result)}`;
    case 'thread-blocked':
      return `waits ${names.wait(event.thread) ?? ''}${event.deadlineOrder === 0 ? '' : `, until ${event.deadlineNs} ns`}`;
    case 'thread-woken':
      return by === null || by.thread === event.thread ? 'wakes up' : `woken by ${names.task(by.thread)}`;
    case 'thread-started':
      return `starts at ${names.address(names.processOf(event.koid), event.pc)}`;
    case 'exception-raised':
      return exceptionText(event, names);
    case 'exception-unhandled':
      return `nobody handled ${exceptionText(event, names)}`;
    case 'restricted-entered':
      return `enters restricted mode, to come back at ${names.address(names.processOf(event.thread), event.vector)}`;
    case 'restricted-left':
      return `goes on in normal mode at ${names.address(names.processOf(event.thread), event.vector)}: ${event.reason}`;
    case 'restricted-kicked':
      return by === null ? 'kicked' : `kicked by ${names.task(by.thread)}`;
    case 'console-written':
      return `console ${JSON.stringify(printable(new TextDecoder().decode(event.bytes).replace(/\n$/, '')))}`;
    case 'user-memory-written':
      return `kernel writes ${names.address(event.process, event.address)} = ${bytesText(event.bytes)}`;
    case 'vmo-written':
      return `VMO ${names.task(event.vmo)} + ${hex64(event.offset)} = ${bytesText(event.bytes)}`;
    case 'signals-changed':
      return signalsText(machine, event.koid, event.signals);
    case 'handle-added':
    case 'handle-arrived':
    case 'handle-removed':
      return handleText(machine, event);
    case 'channel-message-queued':
      return `channel ${event.koid} gets ${event.bytes.length} bytes, ${event.handles.length} handles`;
    case 'mapping-added': {
      const what = `VMO ${names.task(event.vmo)} + ${hex64(event.vmoOffset)}`;
      return `maps ${what} at ${hex64(event.base)}, ${hex64(event.sizeBytes)} bytes ${permissionsText(event.permissions)}`;
    }
    case 'vmar-created':
      return `makes VMAR ${event.koid} at ${hex64(event.base)}, ${hex64(event.sizeBytes)} bytes`;
    case 'vmo-created':
      return `makes VMO ${names.task(event.koid)}, ${hex64(event.sizeBytes)} bytes`;
    case 'process-life-changed': {
      const end = event.life === 'dead' ? ` with ${event.returnCode}` : '';
      return `process ${names.task(event.koid)} is ${event.life}${end}`;
    }
    default:
      return exceptionEventText(event) ?? plainText(event, whose(happened, names));
  }
}

/** The mode of a thread, or the last one of a thread that is no more. */
export function modeOf(k: Kernel, thread: number): 'normal' | 'restricted' {
  const object = k.find(thread);
  return object?.kind === 'thread' && object.restricted !== null ? 'restricted' : 'normal';
}

function handleText(
  { k }: Machine,
  event: EventOf<'handle-added'> | EventOf<'handle-arrived'> | EventOf<'handle-removed'>,
): string {
  const value = hex64(handleValue(event.slot, k.sharedBy(event.process).handleSecret));
  const object = `${k.find(event.koid)?.kind ?? 'object'} ${event.koid}`;
  const rights = event.type === 'handle-removed' ? '' : `, rights ${hex64(event.rights)}`;
  return `handle ${value} ${event.type.replace('handle-', '')}: ${object}${rights}`;
}

export function haltText(halt: Halt): string {
  switch (halt.kind) {
    case 'exited':
      return `main process ended with ${halt.returnCode}`;
    case 'deadlock':
      return 'deadlock';
    case 'step-limit':
      return 'step limit';
  }
}

function exceptionText(
  event: EventOf<'exception-raised'> | EventOf<'exception-unhandled'>,
  names: Names,
): string {
  const access = event.access === 'none' ? '' : `, ${event.access} at ${hex64(event.address)}`;
  return `exception ${event.exception}${access}, in ${names.address(event.process, event.pc)}`;
}

function signalsText({ k }: Machine, koid: number, signals: number): string {
  const kind = k.find(koid)?.kind;
  const asserted = kind === undefined ? hex64(signals) : signalNames(kind, signals).join(' ') || 'none';
  return `signals of ${kind ?? 'object'} ${koid}: ${asserted}`;
}

export function argumentsText(number: number, args: readonly (number | bigint)[]): string {
  const call = syscallByNumber(number);
  return args
    .map((value, i) => {
      const kind = call?.args[i]?.kind;
      return kind === 'handle' || kind === 'pointer'
        ? Number(value) === 0
          ? '0'
          : hex64(value)
        : numberText(value);
    })
    .join(', ');
}

function numberText(value: number | bigint): string {
  if (value === TIME_INFINITE_NS) return 'INFINITE';
  return value > -LARGE && value < LARGE ? String(value) : hex64(value);
}

/** The name of a status; other results as numbers. */
export function resultText(number: number, result: bigint): string {
  const returns = syscallByNumber(number)?.returns;
  if (returns === 'void') return 'done';
  return returns === 'zx_status_t' ? statusName(Number(BigInt.asIntN(32, result))) : numberText(result);
}

function bytesText(bytes: Uint8Array): string {
  return bytes.length <= MAX_BYTES_SHOWN ? valueText(bytes) : `${bytes.length} bytes`;
}

const HEXADECIMAL = /^(?:address|newAddress|base|codeAddress|rights|flags|options|signals|mask)$/;
const PERMISSIONS = /^(?:permissions|maxPermissions)$/;

/**
 * `object destroyed: koid 1057`: for events that speak for themselves. What the line says anyway is left out, and
 * what is not so.
 */
function plainText(event: KernelEvent, known: Whose): string {
  const { type, ...fields } = event;
  const parts = Object.entries(fields)
    .filter(([name, value]) => value !== false && known[name as keyof Whose] !== value)
    .filter(([name, value]) => name !== 'koid' || value !== known.thread)
    .map(([name, value]) => (value === true ? name : `${name} ${fieldText(name, value)}`));
  return `${type.replaceAll('-', ' ')}: ${parts.join(', ')}`;
}

function fieldText(name: string, value: unknown): string {
  if (value instanceof Uint8Array) return bytesText(value);
  if (typeof value === 'number') {
    if (PERMISSIONS.test(name)) return permissionsText(value);
    return HEXADECIMAL.test(name) ? hex64(value) : numberText(value);
  }
  if (typeof value === 'bigint') return numberText(value);
  if (typeof value === 'string') return `"${printable(value)}"`;
  if (Array.isArray(value)) return `[${value.map((item) => fieldText('', item)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const parts = Object.entries(value).map(([key, field]) => `${key} ${fieldText(key, field)}`);
  return clip(`{${parts.join(', ')}}`, 200);
}
