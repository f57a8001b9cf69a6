import { Command } from 'commander';
import { backtraceLines } from '../loader/crash-text.js';
import { formatPosition } from '../machine/position.js';
import { hex64, valueText } from '../timeline/text.js';
import { type FrameView, frameViews } from '../timeline/views.js';
import { eachWriter, lastWriter, type MemoryWrite } from '../timeline/writes.js';
import { Inspection, koid, printing } from './inspect.js';
import { wholeNumber } from './run-options.js';

const DEFAULT_BYTES = 8;
const MAX_BYTES = 1 << 20;
const NONE = 1;

interface WritesOptions {
  readonly addr: string;
  readonly size?: number;
  readonly before: string;
  readonly last?: true;
  readonly process?: number;
  readonly json?: true;
}

const DETAILS = `
All writes to the memory behind the address are found, through whatever
mapping, process or system call. Values are those of the bytes asked about.
Exit status: 0 found, 1 none.

Example:
  jacinth writes bank.jacinth --addr balance --last`;

export function writesCommand(): Command {
  return new Command('writes')
    .description('Who wrote to an address, and what.')
    .argument('<recording>', 'a .jacinth file')
    .requiredOption('--addr <address>', 'a number, or a symbol of the program with or without +OFFSET')
    .option(
      '--size <bytes>',
      `how many bytes from there, else the symbol's size or ${DEFAULT_BYTES}`,
      wholeNumber(1, MAX_BYTES),
    )
    .option('--before <position>', 'only writes before it: seq:step, seq, start, end or NN%', 'end')
    .option('--last', 'only the last one, and how its thread came there')
    .option('--process <koid>', 'whose address it is, else that of the first process', koid)
    .option('--json', 'print one JSON document')
    .addHelpText('after', DETAILS)
    .action((path: string, options: WritesOptions) => {
      process.exitCode = writes(new Inspection(path), options) ? 0 : NONE;
    });
}

/** Whether there was one. */
function writes(inspection: Inspection, options: WritesOptions): boolean {
  const { timeline } = inspection;
  const before = inspection.position(options.before);
  timeline.seek(before);
  const owner = options.process ?? timeline.machine.k.state.mainProcess;
  const { address, sizeBytes: own } = inspection.address(options.addr, owner);
  const size = options.size ?? Math.min(own ?? DEFAULT_BYTES, MAX_BYTES);
  const query = { process: owner, address: hex64(address), size, before: formatPosition(before) };
  let found = 0;
  printing((out) => {
    const tell = (write: MemoryWrite): void => {
      const origin = options.last ? originOf(write, inspection) : null;
      if (options.json)
        out.text(`${found === 0 ? '' : ','}${JSON.stringify(fields(write, origin, inspection))}`);
      else for (const line of lines(write, origin, inspection)) out.line(line);
      found++;
    };
    // A list may be long: it is printed as it is found, and is one document all the same.
    if (options.json) out.text(`${JSON.stringify(query).slice(0, -1)},"writes":[`);
    if (options.last) {
      const last = lastWriter(timeline, owner, address, size, before);
      if (last !== null) tell(last);
    } else eachWriter(timeline, owner, address, size, before, tell);
    if (options.json) out.line(']}');
    else if (found === 0) out.line(`nobody wrote to ${query.address} before ${query.before}`);
  });
  return found > 0;
}

/** How a thread came to its write. */
interface Origin {
  readonly frames: readonly FrameView[];
  readonly lines: readonly string[];
}

function originOf(
  { position: { seq, step }, pc, thread, process }: MemoryWrite,
  inspection: Inspection,
): Origin {
  const { timeline, names } = inspection;
  return timeline.look(() => {
    // Before the instruction, where the thread is still at it.
    timeline.seek(pc === null ? { seq, step } : { seq, step: step - 1 });
    return {
      frames: frameViews(names, thread),
      lines: backtraceLines(names.backtrace(thread), names.symbolizer(process)),
    };
  });
}

function fields(write: MemoryWrite, origin: Origin | null, { names }: Inspection): object {
  const { position, timeNs, thread, process, core, pc, syscall, event, address, before, after } = write;
  return {
    position: formatPosition(position),
    by: pc === null ? 'kernel' : 'instruction',
    thread: thread || null,
    threadName: thread === 0 ? null : names.nameOf(thread),
    process: process || null,
    core,
    timeNs: timeNs.toString(),
    ...(pc === null ? { syscall, event } : { pc: hex64(pc), symbol: names.address(process, pc) }),
    address: hex64(address),
    size: after.length,
    old: valueText(before),
    new: valueText(after),
    ...(origin === null ? {} : { backtrace: origin.frames }),
  };
}

function lines(write: MemoryWrite, origin: Origin | null, { names }: Inspection): string[] {
  const { position, thread, process, pc, syscall, event, address, before, after } = write;
  const who = thread === 0 ? '' : names.task(thread);
  const where = pc === null ? (syscall ?? event ?? 'kernel') : names.address(process, pc);
  const told = (bytes: Uint8Array): string => names.value(process, bytes);
  const what = `${names.address(process, address)} ${told(before)} -> ${told(after)}`;
  const line = `${formatPosition(position).padEnd(11)} ${who.padEnd(16)} ${where.padEnd(20)} ${what}`;
  return [line, ...(origin?.lines ?? [])];
}
