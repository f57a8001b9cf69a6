import type { Digest } from '../base/digest.js';
import { Hasher } from '../base/digest.js';
import type { Trace } from '../cpu/arch.js';
import type { KernelEvent } from '../kernel/objects/events.js';
import { hashEvent, stateHash } from '../kernel/objects/state-hash.js';
import { usableCores } from '../kernel/scheduler/oracle.js';
import { launch, type RunSpec } from '../loader/launch.js';
import type { Checkpoint, Machine } from '../machine/machine.js';
import { comparePositions, type Position } from '../machine/position.js';
import type { Recording } from './format/reader.js';
import {
  RecordedSchedule,
  type ScheduleColumns,
  ScheduleEnded,
  ScheduleImpossible,
} from './recorded-schedule.js';
import { specOf } from './run-header.js';

/** Where a replay left its recording, and both sides of it. */
export interface Divergence {
  readonly position: Position;
  readonly what: 'schedule' | 'event' | 'state' | 'events' | 'end';
  readonly recorded: string;
  readonly replayed: string;
}

/** Thrown by a player at the first difference from its recording. */
export class Diverged extends Error {
  override name = 'Diverged';
  constructor(readonly divergence: Divergence) {
    super(`diverged at ${divergence.position.seq}:${divergence.position.step}: ${divergence.what}`);
  }
}

interface DigestRow {
  readonly position: Position;
  readonly state: Digest;
  readonly events: Digest;
}

/**
 * Runs a recorded run again, its choices taken from the recording, and compares: digests wherever the recording has
 * one, kernel events one by one where it has them.
 */
export class Player {
  readonly machine: Machine;
  readonly spec: RunSpec;
  readonly digests: readonly DigestRow[];
  private readonly schedule: RecordedSchedule;
  private nextDigest = 0;
  private recordedEvents: Iterator<unknown> | null;
  private broken: Divergence | null = null;

  /** @throws RecordingError, ElfError */
  constructor(private readonly recording: Recording) {
    this.spec = specOf(recording);
    this.schedule = new RecordedSchedule(readSchedule(recording));
    this.digests = [...recording.rows('digests')].map(({ seq, step, state, events }) => {
      return { position: { seq, step }, state, events };
    });
    this.recordedEvents =
      recording.header.machine.detail === 'full'
        ? recording.records('kernel-events')[Symbol.iterator]()
        : null;
    this.machine = launch(this.spec, this.schedule);
    this.machine.happened.subscribe(({ seq, event }) => this.compareEvent(seq, event));
  }

  /** The machine halted, as the recorded one did. */
  get atEnd(): boolean {
    return this.machine.halted;
  }

  checkpoint(): Checkpoint {
    return this.machine.checkpoint();
  }

  /** Goes back or forth to a checkpoint of this run. Events are compared no more: their place is lost. */
  restore(checkpoint: Checkpoint): void {
    this.machine.restore(checkpoint);
    this.schedule.next = checkpoint.slices;
    this.recordedEvents = null;
    const { seq, step } = this.machine.position;
    const next = this.digests.findIndex((d) => comparePositions(d.position, { seq, step }) > 0);
    this.nextDigest = next < 0 ? this.digests.length : next;
  }

  /**
   * One command of the machine, checked. False when the recording ends here because it was cut.
   * @throws Diverged
   */
  command(trace?: Trace): boolean {
    if (!this.checked(() => this.machine.command(Number.POSITIVE_INFINITY, trace))) return false;
    this.compareDigests();
    if (this.machine.halted) this.compareEnd();
    return true;
  }

  /**
   * The same, cut short as `Machine.commandTo` does it. What is cut is not compared with digests.
   * @throws Diverged
   */
  commandTo(target: Position, trace?: Trace): boolean {
    if (!this.checked(() => this.machine.commandTo(target, trace))) return false;
    if (comparePositions(this.machine.position, target) >= 0) return true;
    this.compareDigests();
    if (this.machine.halted) this.compareEnd();
    return true;
  }

  private checked(run: () => void): boolean {
    try {
      run();
    } catch (reason) {
      if (reason instanceof ScheduleEnded) return false;
      if (!(reason instanceof ScheduleImpossible)) throw reason;
      this.diverge('schedule', describeChoice(reason.choice), `could run: ${describeRunnable(this.machine)}`);
    }
    this.raise();
    return true;
  }

  private diverge(what: Divergence['what'], recorded: string, replayed: string): never {
    throw new Diverged({ position: this.machine.position, what, recorded, replayed });
  }

  /** Divergences found inside the machine's own emit wait until it is done: observers do not throw. */
  private raise(): void {
    if (this.broken !== null) throw new Diverged(this.broken);
  }

  private compareDigests(): void {
    const due = this.digests[this.nextDigest];
    if (due === undefined) return;
    const order = comparePositions(this.machine.position, due.position);
    if (order < 0) return;
    this.nextDigest++;
    if (order > 0)
      this.diverge('state', `digest at ${due.position.seq}:${due.position.step}`, 'never was there');
    if (this.machine.eventHash() !== due.events) this.diverge('events', due.events, this.machine.eventHash());
    const state = stateHash(this.machine.k.snapshot());
    if (state !== due.state) this.diverge('state', due.state, state);
  }

  private compareEnd(): void {
    const { end } = this.recording;
    const { machine } = this;
    if (end === null) return;
    if (machine.k.state.seq !== end.events || machine.k.state.steps !== end.steps) {
      this.diverge(
        'end',
        `${end.events} events, ${end.steps} steps`,
        `${machine.k.state.seq} events, ${machine.k.state.steps} steps`,
      );
    }
    if (machine.eventHash() !== end.eventHash) this.diverge('events', end.eventHash, machine.eventHash());
    const state = stateHash(machine.k.snapshot());
    if (state !== end.stateHash) this.diverge('state', end.stateHash, state);
  }

  private compareEvent(seq: number, event: KernelEvent): void {
    if (this.recordedEvents === null || event.type === 'span' || this.broken !== null) return;
    const next = this.recordedEvents.next();
    if (next.done) {
      this.recordedEvents = null;
      return;
    }
    const recorded = (next.value as { event?: KernelEvent }).event;
    if (recorded !== undefined && digestOfEvent(recorded) === digestOfEvent(event)) return;
    this.broken = {
      position: { seq, step: 0 },
      what: 'event',
      recorded: describeEvent(recorded),
      replayed: describeEvent(event),
    };
  }
}

function digestOfEvent(event: KernelEvent): Digest {
  const h = new Hasher();
  hashEvent(h, event);
  return h.value();
}

/** An event on one line, for people. */
export function describeEvent(event: unknown): string {
  return JSON.stringify(event, (_, value: unknown) => {
    if (typeof value === 'bigint') return `0x${BigInt.asUintN(64, value).toString(16)}`;
    return value instanceof Uint8Array ? `${value.length} bytes` : value;
  });
}

function describeChoice({ core, thread, steps }: { core: number; thread: number; steps: number }): string {
  return `core ${core} runs thread ${thread} for ${steps} steps`;
}

function describeRunnable(machine: Machine): string {
  const { state } = machine.k;
  const held = usableCores(state).map(
    (core) => `${state.cores[core].thread || 'any queued'} on core ${core}`,
  );
  return `${held.join(', ')}; queued: ${state.runQueue.join(', ') || 'none'}`;
}

function readSchedule(recording: Recording): ScheduleColumns {
  const parts = [...recording.tables('schedule')].map(({ columns, rowCount }) => ({ columns, rowCount }));
  const total = parts.reduce((sum, part) => sum + part.rowCount, 0);
  const out = {
    core: new Uint8Array(total),
    thread: new Float64Array(total),
    steps: new Float64Array(total),
  };
  let at = 0;
  for (const { columns, rowCount } of parts) {
    out.core.set(columns.core, at);
    out.thread.set(columns.thread, at);
    out.steps.set(columns.steps, at);
    at += rowCount;
  }
  return out;
}
