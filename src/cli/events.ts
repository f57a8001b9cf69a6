import { Command, Option } from 'commander';
import type { Happened } from '../machine/machine.js';
import { formatPosition, type Position } from '../machine/position.js';
import { eventFields } from '../timeline/event-fields.js';
import { eventText } from '../timeline/event-text.js';
import { eachStore, expand, type Step, type Stored } from '../timeline/expand.js';
import { accessFields, Disassembler } from '../timeline/step-text.js';
import { clip, hex64, valueText } from '../timeline/text.js';
import { whose } from '../timeline/whose.js';
import { Inspection, koid, type Output, printing } from './inspect.js';

interface EventsOptions {
  readonly from: string;
  readonly to: string;
  readonly detail: 'kernel' | 'step' | 'write';
  readonly thread?: number;
  readonly json?: true;
}

export function eventsCommand(): Command {
  return new Command('events')
    .description(
      'What happened in a recorded run, in order: each line says where it leads, who did it and what.',
    )
    .argument('<recording>', 'a .jacinth file')
    .option('--from <position>', 'begin behind it: seq:step, seq, start, end or NN%', 'start')
    .option('--to <position>', 'end with it', 'end')
    .addOption(
      new Option('--detail <how>', 'kernel events and spans; each instruction too; or writes to memory alone')
        .choices(['kernel', 'step', 'write'])
        .default('kernel'),
    )
    .option('--thread <koid>', 'only what one thread did, or what was done to it', koid)
    .option('--json', 'print a JSON object a line')
    .addHelpText('after', '\nExample:\n  jacinth events bank.jacinth --from 120 --to 140 --detail step')
    .action((path: string, options: EventsOptions) => {
      const inspection = new Inspection(path);
      const from = inspection.position(options.from);
      const to = inspection.position(options.to);
      // As `show` has it: nothing would look like a run in which nothing happened.
      inspection.timeline.reach(from);
      printing((out) => new EventPrinter(inspection, out, options).print(from, to));
    });
}

const POSITION_COLUMNS = 11;
const TASK_COLUMNS = 16;
const SYMBOL_COLUMNS = 20;
const TEXT_COLUMNS = 28;
const VALUE_COLUMNS = 40;

class EventPrinter {
  private readonly disassembler: Disassembler;

  constructor(
    private readonly inspection: Inspection,
    private readonly out: Output,
    private readonly options: EventsOptions,
  ) {
    this.disassembler = new Disassembler(inspection.timeline.machine.k.arch, inspection.names);
  }

  print(from: Position, to: Position): void {
    const { timeline } = this.inspection;
    const onEvent = (happened: Happened): void => this.event(happened);
    if (this.options.detail === 'write') eachStore(timeline, from, to, (stored) => this.stored(stored));
    else if (this.options.detail === 'step') expand(timeline, from, to, onEvent, (step) => this.step(step));
    else timeline.events(from, to, onEvent);
  }

  private isAbout(...threads: (number | undefined)[]): boolean {
    return this.options.thread === undefined || threads.includes(this.options.thread);
  }

  private event(happened: Happened): void {
    const { timeline, names } = this.inspection;
    const { machine } = timeline;
    names.note(happened.event);
    const { thread, by } = whose(happened, names);
    if (!this.isAbout(thread, by)) return;
    if (this.options.json) {
      this.out.json(eventFields(machine, happened, names));
      return;
    }
    const position = happened.event.type === 'span' ? machine.position : { seq: happened.seq, step: 0 };
    this.line(position, thread ?? 0, eventText(machine, happened, names));
  }

  private step(step: Step): void {
    if (!this.isAbout(step.thread)) return;
    const { position, thread, process, core, mode, pc, bits, loads, stores } = step;
    const { symbol, text } = this.disassembler.at(step);
    const registers = this.disassembler.registers(step);
    if (this.options.json) {
      this.out.json({
        position: formatPosition(position),
        type: 'step',
        process,
        thread,
        core,
        mode,
        pc: hex64(pc),
        symbol,
        bits: hex64(bits),
        instruction: text,
        registers: Object.fromEntries(registers),
        loads: loads.map(accessFields),
        stores: stores.map(accessFields),
      });
      return;
    }
    const effects = [
      ...registers.map(([name, value]) => `${name}=${value}`),
      ...stores.map(
        ({ address, value }) => `[${this.inspection.names.address(process, address)}]=${hex64(value)}`,
      ),
    ];
    const named = mode === 'normal' ? symbol : `restricted ${symbol}`;
    const place = clip(named, SYMBOL_COLUMNS).padEnd(SYMBOL_COLUMNS);
    this.line(position, thread, `${place} ${text.padEnd(TEXT_COLUMNS)} ${effects.join(' ')}`.trimEnd());
  }

  private stored({ writer, address, vmo, before, after }: Stored): void {
    const { position, thread, process, core, pc, syscall } = writer;
    if (!this.isAbout(thread)) return;
    const { names } = this.inspection;
    const symbol = address === null ? null : names.symbol(process, address);
    const place = pc === null ? null : names.address(process, pc);
    if (this.options.json) {
      this.out.json({
        position: formatPosition(position),
        type: 'write',
        ...(process === 0 ? {} : { process }),
        ...(thread === 0 ? {} : { thread }),
        ...(core === null ? {} : { core }),
        by: pc === null ? 'kernel' : 'instruction',
        ...(pc === null ? { event: writer.event, syscall } : { pc: hex64(pc), at: place }),
        ...(address === null ? {} : { address: hex64(address) }),
        ...(vmo === null ? {} : { vmo: vmo.koid, offset: hex64(vmo.offset) }),
        size: after.length,
        symbol,
        ...(before === null ? {} : { old: valueText(before) }),
        new: valueText(after),
      });
      return;
    }
    const target =
      address === null
        ? `VMO ${names.task(vmo?.koid ?? 0)} + ${hex64(vmo?.offset ?? 0)}`
        : (symbol ?? hex64(address));
    const who = place ?? syscall ?? 'kernel';
    const told = (bytes: Uint8Array): string => clip(names.value(process, bytes), VALUE_COLUMNS);
    const change = before === null ? `= ${told(after)}` : `= ${told(before)} -> ${told(after)}`;
    this.line(position, thread, `${clip(who, SYMBOL_COLUMNS).padEnd(SYMBOL_COLUMNS)} ${target} ${change}`);
  }

  private line(position: Position, thread: number, text: string): void {
    const who = thread === 0 ? '' : this.inspection.names.task(thread);
    this.out.line(`${formatPosition(position).padEnd(POSITION_COLUMNS)} ${who.padEnd(TASK_COLUMNS)} ${text}`);
  }
}
