import { syscallByNumber } from '../abi/syscalls.js';
import { type Digest, Hasher } from '../base/digest.js';
import type { Halt } from '../kernel/objects/kernel.js';
import type { Happened } from '../machine/machine.js';
import { type Position, START } from '../machine/position.js';
import { Diverged } from '../recording/player.js';
import type { Timeline } from '../timeline/timeline.js';
import { type Fact, FactReader, LEVELS, PATH } from './facts.js';
import { Lineage } from './lineage.js';
import { Marks } from './marks.js';

/** Bytes of the console's beginning that are kept to find the first line that differs. */
const CONSOLE_BYTES = 1 << 18;
const MAX_FUTEXES = 1 << 16;
/** Threads that are compared: later ones are not. */
const MAX_THREADS = 1 << 13;

/** One thread's own history: what it did, whatever others did in between. */
export class ThreadHistory {
  name = '';
  /** Instructions it retired. */
  steps = 0;
  /** The event that started it. */
  startedSeq = 0;
  /** One by level. */
  readonly marks: readonly Marks[] = LEVELS.map(() => new Marks());

  constructor(
    readonly koid: number,
    readonly key: string,
    readonly process: number,
    /** The event that made it. */
    readonly madeSeq: number,
  ) {}
}

/** What one pass over a whole run leaves. */
export interface History {
  readonly threads: ReadonlyMap<string, ThreadHistory>;
  readonly lineage: Lineage;
  /** What all processes wrote, in order: its beginning, a digest of what follows, and how much it is. */
  readonly console: { readonly head: Uint8Array; readonly rest: Digest; readonly sizeBytes: number };
  /** Null: the recording was cut. */
  readonly halt: Halt | null;
  /** Instructions of all threads. */
  readonly steps: number;
  readonly mainProcess: number;
  /** Addresses that were given to futex calls. */
  readonly futexes: ReadonlySet<number>;
  /** The last position at which the main process still had its memory. */
  readonly lastAlive: Position;
}

/**
 * Runs a recording through once and reads it thread by thread.
 * @throws Diverged
 */
export function readHistory(timeline: Timeline): History {
  return new HistoryReader(timeline).read();
}

class HistoryReader {
  private readonly threads = new Map<string, ThreadHistory>();
  private readonly byKoid = new Map<number, ThreadHistory>();
  private readonly lineage: Lineage;
  private readonly facts: FactReader;
  private readonly futexes = new Set<number>();
  private readonly console = { head: [] as number[], rest: new Hasher(), sizeBytes: 0 };
  private lastSpan = { seq: -1, steps: 0 };
  private lastAlive: Position | null = null;

  constructor(private readonly timeline: Timeline) {
    const { k } = timeline.seek(START);
    this.lineage = new Lineage(k.state);
    this.facts = new FactReader(k, this.lineage, (fact) => this.add(fact));
  }

  read(): History {
    const { timeline, threads, lineage, futexes } = this;
    const { end } = timeline;
    timeline.events(START, end, (happened) => this.note(happened));
    const machine = timeline.seek(end);
    const { halt, steps, mainProcess } = machine.k.state;
    this.checkEnd(machine.eventHash());
    if (halt?.kind === 'deadlock') this.facts.endWaits(end.seq);
    for (const history of threads.values()) this.noteThread(history);
    const { head, rest, sizeBytes } = this.console;
    const console = { head: Uint8Array.from(head), rest: rest.value(), sizeBytes };
    const lastAlive = this.lastAlive ?? end;
    return { threads, lineage, console, halt, steps, mainProcess, futexes, lastAlive };
  }

  /** What the recording says of its end; on the way the timeline checked its digests. */
  private checkEnd(eventHash: Digest): void {
    const { recording, position } = this.timeline;
    const recorded = recording.end?.eventHash ?? eventHash;
    if (recorded !== eventHash)
      throw new Diverged({ position, what: 'events', recorded, replayed: eventHash });
  }

  private note(happened: Happened): void {
    const { event, seq } = happened;
    const { k } = this.timeline.machine;
    if (event.type === 'span') {
      this.lastSpan = { seq, steps: event.steps };
      return;
    }
    this.lineage.note(happened, k.state);
    switch (event.type) {
      case 'thread-created': {
        const key = this.lineage.key(event.koid);
        if (this.threads.size >= MAX_THREADS || this.threads.has(key)) break;
        const history = new ThreadHistory(event.koid, key, event.process, seq);
        history.name = event.name;
        this.threads.set(key, history);
        this.byKoid.set(event.koid, history);
        break;
      }
      case 'thread-started': {
        const history = this.byKoid.get(event.koid);
        if (history !== undefined) history.startedSeq = seq;
        break;
      }
      case 'object-named': {
        const history = this.byKoid.get(event.koid);
        if (history !== undefined) history.name = event.name;
        break;
      }
      case 'console-written':
        this.noteConsole(event.bytes);
        break;
      case 'syscall-entered':
        this.noteFutexes(event.number, event.args);
        break;
      case 'thread-life-changed':
        if (event.life === 'dead') this.noteThread(this.byKoid.get(event.koid));
        break;
      case 'process-life-changed':
        if (event.koid === k.state.mainProcess && event.life === 'dying') {
          const { lastSpan } = this;
          this.lastAlive = { seq: seq - 1, step: lastSpan.seq === seq - 1 ? lastSpan.steps : 0 };
        }
    }
    this.facts.note(happened);
  }

  private add({ thread, level, digest, steps, seq }: Fact): void {
    const history = this.byKoid.get(thread);
    for (let l = 0; l <= level; l++) history?.marks[l].add(digest, l === PATH ? steps : 0, seq);
  }

  private noteThread(history: ThreadHistory | undefined): void {
    const object = history === undefined ? undefined : this.timeline.machine.k.find(history.koid);
    if (history !== undefined && object?.kind === 'thread') history.steps = object.ranSteps;
  }

  private noteConsole(bytes: Uint8Array): void {
    const { console } = this;
    const room = Math.min(bytes.length, CONSOLE_BYTES - console.head.length);
    for (const byte of bytes.subarray(0, room)) console.head.push(byte);
    if (room < bytes.length) console.rest.bytes(bytes.subarray(room));
    console.sizeBytes += bytes.length;
  }

  private noteFutexes(number: number, args: readonly (number | bigint)[]): void {
    const call = syscallByNumber(number);
    if (call?.category !== 'futex' || this.futexes.size >= MAX_FUTEXES) return;
    call.args.forEach(({ kind }, i) => {
      if (kind === 'pointer') this.futexes.add(Number(args[i]));
    });
  }
}
