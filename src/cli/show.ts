import { Argument, Command } from 'commander';
import type { Kernel } from '../kernel/objects/kernel.js';
import type { ProcessState } from '../kernel/objects/process.js';
import { stateHash } from '../kernel/objects/state-hash.js';
import { backtraceLines } from '../loader/crash-text.js';
import { formatPosition } from '../machine/position.js';
import { readChunks } from '../timeline/address-space.js';
import { haltText } from '../timeline/event-text.js';
import { hex64, hexBytes, timeText } from '../timeline/text.js';
import * as views from '../timeline/views.js';
import { UserError } from './errors.js';
import { Inspection, koid, printing } from './inspect.js';
import { wholeNumber } from './run-options.js';
import { hexDump, registerLines, table } from './tables.js';

const MAX_MEMORY_BYTES = 1 << 20;
const DEFAULT_MEMORY_BYTES = 64;
const WHAT = ['summary', 'threads', 'regs', 'handles', 'maps', 'objects', 'mem'] as const;

interface ShowOptions {
  readonly at: string;
  readonly thread?: number;
  readonly process?: number;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  jacinth show bank.jacinth --at 120:35
  jacinth show bank.jacinth --at end threads
  jacinth show bank.jacinth --at 50% mem balance 8`;

export function showCommand(): Command {
  return new Command('show')
    .description('The state of a recorded run at a position.')
    .argument('<recording>', 'a .jacinth file')
    .addArgument(new Argument('[what]', 'what of it').choices(WHAT).default('summary'))
    .argument('[address]', 'of mem: a number, or a symbol of the program with or without +OFFSET')
    .argument(
      '[length]',
      `of mem: bytes, else the symbol's size or ${DEFAULT_MEMORY_BYTES}`,
      wholeNumber(1, MAX_MEMORY_BYTES),
    )
    .requiredOption('--at <position>', 'seq:step, seq, start, end or NN%')
    .option('--thread <koid>', 'only this thread', koid)
    .option('--process <koid>', 'only this process; mem: instead of the first process', koid)
    .option('--json', 'print one JSON document')
    .addHelpText('after', EXAMPLES)
    .action((path: string, what: What, ...[address, length, options]: [string?, number?, ShowOptions?]) => {
      if (what !== 'mem' && address !== undefined)
        throw new UserError(`${what} has no address, ${address}, only mem has one`);
      const inspection = new Inspection(path);
      const { where, json, lines } = inspection.timeline.look(() => {
        const shown = new Show(inspection, options as ShowOptions);
        const { json, lines } = what === 'mem' ? shown.mem(address, length) : shown[what]();
        return { where: shown.where(), json, lines: options?.json ? [] : [...lines] };
      });
      printing((out) => {
        if (options?.json) out.json({ ...where, ...json });
        else for (const line of lines) out.line(line);
      });
    });
}

type What = (typeof WHAT)[number];

/** A part of a state in both forms. */
interface Shown {
  readonly json: object;
  readonly lines: Iterable<string>;
}

class Show {
  private readonly k: Kernel;

  constructor(
    private readonly inspection: Inspection,
    private readonly options: ShowOptions,
  ) {
    const { timeline } = inspection;
    this.k = timeline.seek(inspection.position(options.at)).k;
    if (options.process !== undefined) inspection.process(options.process);
    if (options.thread !== undefined && this.threadViews().length === 0)
      throw new UserError(
        `no thread ${options.thread} at this position, \`jacinth show … threads\` lists them`,
      );
  }

  where(): object {
    const { k } = this;
    const { seq, step, steps } = k.state;
    return { position: formatPosition({ seq, step }), steps, timeNs: k.nowNs.toString() };
  }

  private processes(): ProcessState[] {
    const { process } = this.options;
    return views.processes(this.k).filter(({ koid }) => process === undefined || process === koid);
  }

  private threadViews(): views.ThreadView[] {
    const { process, thread } = this.options;
    return views
      .threadViews(this.k, this.inspection.names)
      .filter((t) => (process ?? t.process) === t.process && (thread ?? t.koid) === t.koid);
  }

  summary(): Shown {
    const { k } = this;
    const { names } = this.inspection;
    const { seq, step, steps, cores, runQueue, halt } = k.state;
    const hash = stateHash(k.snapshot());
    const threads = this.threadViews();
    const lines = [
      `position ${formatPosition({ seq, step })}, ${steps} steps, ${timeText(k.nowNs)}, state ${hash}`,
      ...(halt === null ? [] : [`halted: ${haltText(halt)}`]),
      ...cores.map(({ thread }, i) => `core ${i}: ${thread === 0 ? 'idle' : names.task(thread)}`),
      `queue: ${runQueue.map((thread) => names.task(thread)).join(', ') || 'empty'}`,
    ];
    for (const { koid, life, returnCode } of this.processes()) {
      const own = threads.filter((thread) => thread.process === koid);
      lines.push(`process ${names.task(koid)} ${life}${life === 'dead' ? ` with ${returnCode}` : ''}`);
      for (const thread of own) {
        lines.push(`  thread ${names.task(thread.koid)} ${threadState(thread)}`);
        lines.push(...backtraceLines(names.backtrace(thread.koid), names.symbolizer(koid)));
      }
    }
    const json = {
      stateHash: hash,
      halt: halt === null ? null : haltText(halt),
      cores: cores.map(({ thread }) => thread || null),
      queue: runQueue,
      processes: this.processes().map(({ koid, life, returnCode }) => ({
        koid,
        name: names.nameOf(koid),
        life,
        returnCode: returnCode.toString(),
        threads: threads
          .filter((thread) => thread.process === koid)
          .map((thread) => ({ ...thread, backtrace: views.frameViews(names, thread.koid) })),
      })),
    };
    return { json, lines };
  }

  threads(): Shown {
    const threads = this.threadViews();
    const rows = threads.map((t) => [
      String(t.koid),
      t.name,
      String(t.process),
      threadState(t),
      t.symbol ?? t.pc ?? '',
    ]);
    return { json: { threads }, lines: table(['KOID', 'NAME', 'PROCESS', 'STATE', 'AT'], rows) };
  }

  regs(): Shown {
    const koids = this.threadViews().map((thread) => thread.koid);
    const threads = views.registerViews(this.k).filter(({ thread }) => koids.includes(thread));
    const lines = threads.flatMap(({ thread, general, float }) => [
      `thread ${this.inspection.names.task(thread)}`,
      ...registerLines(general),
      ...registerLines(float.filter(([, value]) => value !== 0n)),
    ]);
    if (lines.length === 0) lines.push('no thread has registers here');
    const json = threads.map(({ thread, name, general, float }) => {
      const registers = [...general, ...float].map(([register, value]) => [register, hex64(value)]);
      return { koid: thread, name, registers: Object.fromEntries(registers) };
    });
    return { json: { threads: json }, lines };
  }

  handles(): Shown {
    const { names } = this.inspection;
    const tables = this.processes().map((process) => ({
      koid: process.koid,
      name: names.nameOf(process.koid),
      handles: views.handleViews(this.k, process, names),
    }));
    const lines = tables.flatMap(({ koid, handles }) => [
      `process ${names.task(koid)}`,
      ...table(
        ['VALUE', 'KOID', 'TYPE', 'NAME', 'RIGHTS'],
        handles.map((h) => [h.value, String(h.koid), h.type, h.name, h.rights.join(' ')]),
      ),
    ]);
    return { json: { processes: tables }, lines };
  }

  maps(): Shown {
    const { names } = this.inspection;
    const spaces = this.processes().map((process) => ({
      koid: process.koid,
      name: names.nameOf(process.koid),
      regions: views.mapViews(this.k, process, names),
    }));
    const lines = spaces.flatMap(({ koid, regions }) => [
      `process ${names.task(koid)}`,
      ...table(
        ['ADDRESS', 'SIZE', 'PERM', 'WHAT'],
        regions.map((r) => [
          `${'  '.repeat(r.depth)}${r.address}`,
          hex64(r.sizeBytes),
          r.permissions ?? '',
          r.kind === 'vmar' ? `VMAR ${r.koid}` : `VMO ${r.vmo} + ${r.vmoOffset} ${r.vmoName}`,
        ]),
      ),
    ]);
    return { json: { processes: spaces }, lines };
  }

  objects(): Shown {
    const objects = views.objectViews(this.k, this.inspection.names);
    const rows = objects.map((o) => [
      String(o.koid),
      o.type,
      o.name,
      String(o.handles),
      o.signals.join(' '),
      o.detail,
    ]);
    return { json: { objects }, lines: table(['KOID', 'TYPE', 'NAME', 'HANDLES', 'SIGNALS', ''], rows) };
  }

  mem(where: string | undefined, length: number | undefined): Shown {
    if (where === undefined) throw new UserError('no address, mem needs one, give a number or a symbol');
    const { names } = this.inspection;
    const process = this.inspection.process(this.options.process);
    const { address, sizeBytes: own } = this.inspection.address(where, process);
    const asked = length ?? Math.min(own ?? DEFAULT_MEMORY_BYTES, MAX_MEMORY_BYTES);
    const chunks = readChunks(this.k, process, address, asked);
    if (chunks.length === 0) {
      const { position } = this.inspection.timeline;
      throw new UserError(
        `nothing mapped at ${hex64(address)}, in process ${names.task(process)} at ${formatPosition(position)}, ` +
          'look at an earlier position or at `maps`',
      );
    }
    const json = {
      process,
      address: hex64(address),
      size: asked,
      symbol: names.symbol(process, address),
      chunks: chunks.map((chunk) => ({ address: hex64(chunk.address), bytes: hexBytes(chunk.bytes) })),
    };
    return { json, lines: hexDump(chunks) };
  }
}

/** `ready, on core 1, in restricted mode`, `waits for futex …`. */
function threadState({ life, core, mode, waits, syscall }: views.ThreadView): string {
  const where = mode === 'normal' ? '' : ', in restricted mode';
  if (waits !== null) return `waits ${waits}${syscall === null ? '' : ` in ${syscall}`}${where}`;
  return `${life}${core === null ? '' : `, on core ${core}`}${where}`;
}
