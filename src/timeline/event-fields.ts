import { syscallByNumber } from '../abi/syscalls.js';
import type { KernelEvent } from '../kernel/objects/events.js';
import type { Happened, Machine } from '../machine/machine.js';
import { formatPosition } from '../machine/position.js';
import { modeOf, resultText } from './event-text.js';
import type { Names } from './names.js';
import { hex64, hexBytes } from './text.js';
import { whose } from './whose.js';

/** Fields that are addresses or bit patterns, whatever their JavaScript type. */
const HEXADECIMAL = /^(?:pc|sp|tp|arg1|arg2|abiReg|key|base|value|address|\w+Address)$/;

/**
 * A value as JSON can hold it without loss: 64-bit numbers become texts, `0x…` for addresses and bit patterns, else
 * decimal; bytes become hexadecimal digits in the order they stand in memory.
 */
function plain(value: unknown, name = ''): unknown {
  if (value instanceof Uint8Array) return hexBytes(value);
  if (typeof value === 'bigint') return HEXADECIMAL.test(name) ? hex64(value) : value.toString();
  if (typeof value === 'number') return HEXADECIMAL.test(name) ? hex64(value) : value;
  if (Array.isArray(value)) return value.map((item) => plain(item, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field, key)]));
}

/**
 * An event as one object, to be asked for while it is told: where it leads (`position`), `type`, whose it is, when,
 * and what it holds; a call's arguments by name and its result's name besides.
 */
export function eventFields(machine: Machine, happened: Happened, names: Names): Record<string, unknown> {
  const { seq, timeNs, event } = happened;
  const { type, ...fields } = event;
  const position = type === 'span' ? machine.position : { seq, step: 0 };
  return {
    position: formatPosition(position),
    type,
    ...whose(happened, names),
    timeNs: timeNs.toString(),
    ...(plain(fields) as object),
    ...callFields(event),
    ...(type === 'span' ? { mode: modeOf(machine.k, event.thread) } : {}),
  };
}

function callFields(event: KernelEvent): Record<string, unknown> {
  if (event.type === 'syscall-entered') {
    const args = syscallByNumber(event.number)?.args ?? [];
    const values = event.args.map((value, i) => {
      const name = args[i]?.name ?? String(i);
      return [name, args[i]?.kind === 'pointer' ? hex64(value) : plain(value)];
    });
    return { args: Object.fromEntries(values) };
  }
  if (event.type === 'syscall-returned') {
    const call = syscallByNumber(event.number);
    return { name: call?.name ?? '', returned: resultText(event.number, event.result) };
  }
  return {};
}
