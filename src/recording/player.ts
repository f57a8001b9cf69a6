import type { EngineKind, Trace } from '../cpu/arch.js';
import type { KernelEvent } from '../kernel/objects/events.js';
import { stateHash } from '../kernel/objects/state-hash.js';
import { usableCores } from '../kernel/scheduler/oracle.js';
import { ElfError } from '../loader/elf.js';
import { launch, type RunSpec } from '../loader/launch.js';
import { ProcessArgsError } from '../loader/processargs.js';
import type { Checkpoint, Machine } from '../machine/machine.js';
import { comparePositions, type Position } from '../machine/position.js';
import { ProgramNotDeterministic } from '../machine/program-host.js';
import { type DigestRow, digestRows } from './digest-rows.js';
import type { Recording } from './format/reader.js';
import { RecordingError } from './format/recording-error.js';
import { RecordedSchedule, ScheduleEnded, ScheduleImpossible } from './recorded-schedule.js';
import { requirePrograms, specOf } from './run-header.js';
import { eventIn, sameEvent } from './stored-event.js';

/** Where a replay left its recording, and both sides of it. */
export interface Divergence {
  readonly position: Position;
  /** `program`: one in TypeScript did not do again what it did before. */
  readonly what: 'schedule' | 'event' | 'state' | 'events' | 'end' | 'program';
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
  private broken: Diverged | RecordingError | null = null;

  /**
   * @param sliceStarts as RecordedSchedule takes them
   * @throws RecordingError
   */
  constructor(
    private readonly recording: Recording,
    engine: EngineKind = 'auto',
    sliceStarts?: readonly number[],
  ) {
    requirePrograms(recording);
    this.spec = { ...specOf(recording), engine };
    this.schedule = new RecordedSchedule(recording, sliceStarts);
    this.digests = digestRows(recording);
    this.recordedEvents =
      recording.header.machine.detail === 'full'
        ? recording.records('kernel-events')[Symbol.iterator]()
        : null;
    this.machine = launchRecorded(this.spec, this.schedule);
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
    else this.compareLength();
    return true;
  }

  /**
   * The same, cut short as `Machine.commandTo` does it. What does not go on is not compared with digests.
   * @throws Diverged
   */
  commandTo(target: Position, trace?: Trace, mostSteps?: number): boolean {
    if (!this.checked(() => this.machine.commandTo(target, trace, mostSteps))) return false;
    if (!this.machine.goesOn) return true;
    this.compareDigests();
    if (this.machine.halted) this.compareEnd();
    else this.compareLength();
    return true;
  }

  private checked(run: () => void): boolean {
    try {
      run();
    } catch (reason) {
      if (reason instanceof ScheduleEnded) return false;
      if (reason instanceof ProgramNotDeterministic)
        this.diverge('program', 'a deterministic program', reason.message);
      if (!(reason instanceof ScheduleImpossible)) throw reason;
      this.diverge('schedule', describeChoice(reason.choice), `could run: ${describeRunnable(this.machine)}`);
    }
    this.raise();
    return true;
  }

  private diverge(what: Divergence['what'], recorded: string, replayed: string): never {
    throw new Diverged({ position: this.machine.position, what, recorded, replayed });
  }

  /** What was found inside the machine's own emit waits until it is done: observers do not throw. */
  private raise(): void {
    if (this.broken !== null) throw this.broken;
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

  /** A run that goes on behind its recorded end will not come to it any more. */
  private compareLength(): void {
    const { end } = this.recording;
    const { steps, seq } = this.machine.k.state;
    if (end === null || (steps <= end.steps && seq <= end.events)) return;
    this.diverge(
      'end',
      `${end.events} events, ${end.steps} steps`,
      `${seq} events, ${steps} steps, and more`,
    );
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
    let next: IteratorResult<unknown>;
    try {
      next = this.recordedEvents.next();
    } catch (reason) {
      if (!(reason instanceof RecordingError)) throw reason;
      this.broken = reason;
      return;
    }
    if (next.done && !this.recording.complete) {
      this.recordedEvents = null;
      return;
    }
    const recorded = next.done ? undefined : eventIn(next.value);
    if (sameEvent(recorded, event)) return;
    this.broken = new Diverged({
      position: { seq, step: 0 },
      what: 'event',
      recorded: describeEvent(recorded),
      replayed: describeEvent(event),
    });
  }
}

/**
 * The machine of a recorded run.
 * @throws RecordingError also for what `launch` refuses: no run of it can have been recorded
 */
function launchRecorded(spec: RunSpec, schedule: RecordedSchedule): Machine {
  try {
    return launch(spec, schedule);
  } catch (reason) {
    if (!(reason instanceof ElfError || reason instanceof ProcessArgsError)) throw reason;
    throw new RecordingError(
      'damaged',
      `the recorded program cannot run: ${reason.message}`,
      null,
      'record again',
    );
  }
}

const DESCRIPTION_LENGTH = 1000;

/** An event on one line, for people; not all of one that is very long. */
export function describeEvent(event: unknown): string {
  const text = JSON.stringify(event ?? 'nothing', (_, value: unknown) => {
    if (typeof value === 'bigint') return `0x${BigInt.asUintN(64, value).toString(16)}`;
    return value instanceof Uint8Array ? `${value.length} bytes` : value;
  });
  return text.length > DESCRIPTION_LENGTH ? `${text.slice(0, DESCRIPTION_LENGTH)}…` : text;
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
