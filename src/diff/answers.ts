import { Status } from '../abi/status.js';
import { syscallByNumber } from '../abi/syscalls.js';
import { handleSlot } from '../kernel/objects/handle-value.js';
import type { Happened } from '../machine/machine.js';
import { type Position, START } from '../machine/position.js';
import { resultText } from '../timeline/event-text.js';
import { amountText } from '../timeline/text.js';
import { handleTable } from './facts.js';
import type { ThreadHistory } from './history.js';
import type { Suspect } from './judge.js';
import type { Got } from './lockstep.js';
import { type Answer, type Both, type DifferentAnswer, type Moment, SIDES } from './report.js';
import type { Run } from './run.js';
import { nameOf } from './words.js';

/** What a call gave: its status, or what of it differs, as text where all of it is text. */
export function answerText({ kind, call, value, address, sizeBytes, given }: Got): string {
  if (given === null) return kind === 'result' ? resultText(call, value) : amountText(value, sizeBytes);
  const text = new TextDecoder().decode(given.bytes).replace(/\0+$/, '');
  if (given.bytes.length === given.sizeBytes && /^[\x20-\x7e]{2,}$/.test(text)) return JSON.stringify(text);
  const offset = address - given.address;
  return `${amountText(value, sizeBytes)}${offset === 0 ? '' : ` at byte ${offset}`}`;
}

/** Number of the call that gave it; 0 when it was none. */
export function callOf({ call, given }: Got): number {
  return given?.call ?? call;
}

/**
 * A call that gave a thread something else than in the other run, with who made it so.
 * @throws Diverged
 */
export function differentAnswer(
  runs: Both<Run>,
  { threads, parting }: Suspect,
  got: Both<Got>,
): DifferentAnswer {
  const answers = {
    a: answerOf(runs.a, threads.a, got.a),
    b: answerOf(runs.b, threads.b, got.b),
  };
  const [first, second] = SIDES.map(
    (side) => `${answers[side].text}${because(answers[side].from)} in ${side.toUpperCase()}`,
  );
  const who = nameOf(parting.a.thread);
  const summary = `${parting.what} gave ${who} ${first}, but ${second}`;
  return { kind: 'answer', summary, what: parting.what, answers, consequences: [] };
}

function because(from: Moment | null): string {
  return from === null ? '' : `, because of ${from.thread === null ? from.where : nameOf(from.thread)},`;
}

function answerOf(run: Run, thread: ThreadHistory, got: Got): Answer {
  const position = got.given?.position ?? got.position;
  const source = sourceOf(run, thread, got, position);
  const from = source === null ? null : momentOf(run, source);
  const name = syscallByNumber(callOf(got))?.name ?? 'a call';
  return { ...run.event(position, thread.koid, name), text: answerText(got), from };
}

/** An event that somebody caused. */
interface Source {
  readonly position: Position;
  /** 0: the machine itself. */
  readonly thread: number;
}

function momentOf(run: Run, { position, thread }: Source): Moment {
  const { k } = run.timeline.seek(position);
  const object = k.find(thread);
  const call = object?.kind === 'thread' ? syscallByNumber(object.syscall)?.name : undefined;
  return run.event(position, thread, thread === 0 ? 'a deadline' : (call ?? 'the kernel'));
}

/** Who sent the message or the packet that a call got, ended the wait it was in, or closed the handle it was given. */
function sourceOf(run: Run, thread: ThreadHistory, got: Got, position: Position): Source | null {
  const reader = new SourceReader(run, thread, got.given === null && got.value === BAD_HANDLE);
  run.timeline.events(START, position, (happened) => reader.note(happened));
  return reader.source;
}

const BAD_HANDLE = BigInt(Status.ERR_BAD_HANDLE);
/** Closed handles that are remembered. */
const MAX_CLOSED = 1 << 16;

/** Messages and packets that wait to be read, each with who sent it. */
class SourceReader {
  source: Source | null = null;
  private readonly messages = new Map<number, Source[]>();
  private readonly packets = new Map<string, Source>();
  private readonly packetsSent = new Map<number, number>();
  /** Who closed the handle of each slot last; read only for calls that were given a bad one. */
  private readonly closed = new Map<string, Source>();

  constructor(
    private readonly run: Run,
    private readonly thread: ThreadHistory,
    private readonly badHandle: boolean,
  ) {}

  note({ seq, event, by }: Happened): void {
    const source = { position: { seq, step: 0 }, thread: by?.thread ?? 0 };
    const own = source.thread === this.thread.koid;
    switch (event.type) {
      case 'syscall-entered':
        if (event.thread !== this.thread.koid) return;
        this.source = this.badHandle ? this.closerOf(event.number, event.args) : null;
        return;
      case 'channel-message-queued': {
        const queue = this.messages.get(event.koid);
        if (queue === undefined) this.messages.set(event.koid, [source]);
        else queue.push(source);
        return;
      }
      case 'channel-message-taken': {
        const first = this.messages.get(event.koid)?.shift() ?? null;
        if (own) this.source = first;
        return;
      }
      case 'port-packet-queued': {
        const number = this.packetsSent.get(event.koid) ?? 0;
        this.packetsSent.set(event.koid, number + 1);
        this.packets.set(`${event.koid} ${number}`, source);
        return;
      }
      case 'port-packet-removed': {
        const key = `${event.koid} ${event.number}`;
        if (own) this.source = this.packets.get(key) ?? null;
        this.packets.delete(key);
        return;
      }
      case 'thread-woken':
      case 'user-memory-written':
        // Somebody else's doing ended the wait, or gave what it was for.
        if (event.thread === this.thread.koid && !own) this.source = source;
        return;
      case 'handle-removed':
        if (this.badHandle) this.noteClosed(event.process, event.slot, source);
    }
  }

  private noteClosed(process: number, slot: number, source: Source): void {
    const { closed } = this;
    closed.set(this.keyOf(process, slot), source);
    if (closed.size > MAX_CLOSED) closed.delete(closed.keys().next().value!);
  }

  /** Of a slot of the table that a process uses. */
  private keyOf(process: number, slot: number): string {
    const object = this.run.k.find(process);
    return `${object?.kind === 'process' ? object.shared : process} ${slot}`;
  }

  /** Of the first handle that a call was given and that is not in the table. */
  private closerOf(number: number, args: readonly (number | bigint)[]): Source | null {
    const { k } = this.run;
    const table = handleTable(k, this.thread.process);
    if (table === null) return null;
    for (const [i, { kind }] of (syscallByNumber(number)?.args ?? []).entries()) {
      if (kind !== 'handle') continue;
      const slot = handleSlot(Number(args[i]), table.handleSecret);
      if (!table.handles.has(slot)) return this.closed.get(this.keyOf(this.thread.process, slot)) ?? null;
    }
    return null;
  }
}
