import { syscallByNumber } from '../abi/syscalls.js';
import type { Kernel } from '../kernel/objects/kernel.js';
import type { Position } from '../machine/position.js';
import type { Recording } from '../recording/format/reader.js';
import { argumentsText, resultText } from '../timeline/event-text.js';
import { Names } from '../timeline/names.js';
import { printable } from '../timeline/text.js';
import { Timeline } from '../timeline/timeline.js';
import type { Fact } from './facts.js';
import { type History, readHistory, type ThreadHistory } from './history.js';
import type { CallMoment, Moment, ThreadName } from './report.js';

/** Frames of a stack that are told. */
const MAX_FRAMES = 8;

/** One of the two runs: its recording, its timeline, and what one pass over it found. */
export class Run {
  readonly timeline: Timeline;
  readonly names: Names;
  readonly history: History;
  private readonly byKoid: ReadonlyMap<number, ThreadHistory>;

  /** @throws RecordingError, ElfError, Diverged */
  constructor(readonly recording: Recording) {
    this.timeline = new Timeline(recording);
    this.names = new Names(this.k, this.timeline.spec.program);
    this.history = readHistory(this.timeline);
    this.byKoid = new Map([...this.history.threads.values()].map((thread) => [thread.koid, thread]));
  }

  /** The kernel at the position that was sought last. */
  get k(): Kernel {
    return this.timeline.machine.k;
  }

  thread(koid: number): ThreadHistory | undefined {
    return this.byKoid.get(koid);
  }

  threadName(koid: number): ThreadName | null {
    if (koid === 0) return null;
    const thread = this.thread(koid);
    return { name: printable(thread?.name ?? ''), koid, key: this.history.lineage.key(koid) };
  }

  /** An instruction of a thread that leads to a position. */
  instruction(position: Position, koid: number, pc: number): Moment {
    this.timeline.seek({ seq: position.seq, step: position.step - 1 });
    const where = this.names.address(this.thread(koid)?.process ?? 0, pc);
    return { position, thread: this.threadName(koid), where, stack: this.stack(koid) };
  }

  /** What happened at an event, in a system call of a thread or without any. */
  event(position: Position, koid: number, where: string): Moment {
    this.timeline.seek(position);
    return { position, thread: this.threadName(koid), where, stack: this.stack(koid) };
  }

  /** A fact about a thread; one that is dead by then has no stack. */
  call(fact: Fact): CallMoment {
    const name = syscallByNumber(fact.call)?.name ?? fact.exception ?? '';
    return { ...this.event({ seq: fact.seq, step: 0 }, fact.thread, name), text: factText(fact) };
  }

  /** The calls a thread is in here, innermost first. */
  private stack(koid: number): string[] {
    const process = this.thread(koid)?.process ?? 0;
    return this.names
      .backtrace(koid)
      .slice(0, MAX_FRAMES)
      .map(({ address, kind }) => this.names.address(process, kind === 'ra' ? address - 1n : address));
  }
}

/** `zx_debug_write(0x1000, 25) = ZX_OK: "text"`. */
function factText({ call, args, result, console, exception }: Fact): string {
  if (exception !== null) return exception;
  const name = syscallByNumber(call)?.name ?? '';
  const answer = result === null ? ', which does not return' : ` = ${resultText(call, result)}`;
  const text =
    console === null ? '' : `: ${JSON.stringify(printable(new TextDecoder().decode(console).trimEnd()))}`;
  return `${name}(${argumentsText(call, args)})${answer}${text}`;
}
