import type { KernelEvent } from '../../src/kernel/objects/events.js';
import { type RecordOptions, record } from '../../src/library/record.js';
import type { RecordingEnd } from '../../src/recording/format/header.js';
import { type Main, type Program, program } from '../../src/sdk/program.js';

export const FOREVER = 0x7fffffffffffffffn;

export interface Finished {
  readonly program: Program;
  readonly console: string;
  readonly end: RecordingEnd;
  readonly bytes: Uint8Array;
  readonly events: readonly KernelEvent[];
}

/** Records a run of a program. */
export function run(main: Main | Program, options: RecordOptions = {}): Finished {
  const what = typeof main === 'function' ? program('test', main) : main;
  const recorded = record(what, options);
  const events: KernelEvent[] = [];
  const text: Uint8Array[] = [];
  recorded.events.subscribe(({ event }) => {
    events.push(event);
    if (event.type === 'console-written') text.push(event.bytes);
  });
  const { end, bytes } = recorded.finish();
  return { program: what, console: Buffer.concat(text).toString(), end, bytes, events };
}

/** The system calls of a run, in order: `name → status`, without the start and end of the process. */
export function callsOf({ events }: Finished): string[] {
  const calls: string[] = [];
  const open = new Map<number, string>();
  for (const event of events) {
    if (event.type === 'syscall-entered') open.set(event.thread, event.name);
    if (event.type === 'syscall-returned') calls.push(`${open.get(event.thread)} ${event.result}`);
  }
  // Reading the startup message and closing its channel.
  return calls.slice(2);
}
