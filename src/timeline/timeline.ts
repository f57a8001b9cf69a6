import type { Trace } from '../cpu/arch.js';
import type { Checkpoint, Happened, Machine } from '../machine/machine.js';
import { comparePositions, formatPosition, type Position, START } from '../machine/position.js';
import type { Recording } from '../recording/format/reader.js';
import { Player } from '../recording/player.js';
import { ScheduleEnded } from '../recording/recorded-schedule.js';
import { Checkpoints } from './checkpoints.js';

/** Steps and kernel events between checkpoints, whichever come first. */
const CHECKPOINT_STEPS = 1 << 20;
const CHECKPOINT_EVENTS = 1 << 13;
/** How many events before its target a seek leaves a checkpoint, so that the next seek nearby is short. */
const NEAR_EVENTS = 32;

/** A position that the run does not have. */
export class NoSuchPosition extends Error {
  override name = 'NoSuchPosition';
}

/** A trace that knows where each effect stands. */
export interface PositionedTrace extends Trace {
  /** Called before `step`: the position that the instruction leads to. */
  at(position: Position, thread: number): void;
}

/**
 * A recorded run that can be looked at anywhere. Going back is going forward from a checkpoint: there is one way to
 * come to a position, so what is seen there never depends on where one came from.
 */
export class Timeline {
  private readonly player: Player;
  private readonly checkpoints = new Checkpoints();
  private recent: Checkpoint;
  /** The machine stands between two commands, so that it can go on from where it is. */
  private atBoundary = true;
  private endPosition: Position | null = null;

  /** @throws RecordingError, ElfError */
  constructor(readonly recording: Recording) {
    this.player = new Player(recording);
    this.recent = this.player.checkpoint();
    this.checkpoints.add(this.recent);
  }

  /** The machine at the position that was sought last: to be read only. */
  get machine(): Machine {
    return this.player.machine;
  }

  get position(): Position {
    return this.machine.position;
  }

  /**
   * The last position of the run: its halt, or how far a recording that was cut leads.
   * @throws Diverged
   */
  get end(): Position {
    if (this.endPosition === null) {
      const { end, complete } = this.recording;
      if (complete && end !== null) this.endPosition = { seq: end.events, step: 0 };
      else {
        this.approach({ seq: Number.MAX_SAFE_INTEGER, step: 0 });
        this.endPosition = this.position;
      }
    }
    return this.endPosition;
  }

  /**
   * Goes to a position.
   * @throws NoSuchPosition, Diverged
   */
  seek(target: Position): Machine {
    this.approach(target);
    this.finish(target);
    return this.machine;
  }

  /**
   * Tells what happened after `from`, up to `to`: kernel events, and spans cut to that stretch.
   * @param trace told of every instruction of the stretch
   * @throws NoSuchPosition, Diverged
   */
  events(from: Position, to: Position, onEvent: (happened: Happened) => void, trace?: PositionedTrace): void {
    this.approach(from);
    const { machine } = this;
    const subscription = machine.happened.subscribe((happened) => {
      const cut = cutSpan(happened, from);
      if (cut !== null) onEvent(cut);
    });
    try {
      this.finish(to, trace === undefined ? undefined : after(from, machine, trace));
    } finally {
      subscription.unsubscribe();
    }
    const open = machine.openSpan;
    if (open === null) return;
    const last = cutSpan({ seq: machine.position.seq, timeNs: machine.k.nowNs, event: { type: 'span', ...open } }, from);
    if (last !== null) onEvent(last);
  }

  /** Puts the machine at a boundary at or before the target, and not far from it. */
  private approach(target: Position): void {
    if (comparePositions(target, START) < 0) throw new NoSuchPosition('positions begin at 0:0');
    const { machine, player } = this;
    const nearest = this.before(target);
    const canGoOn = this.atBoundary && comparePositions(machine.position, target) <= 0;
    if (!canGoOn || comparePositions(nearest.state, machine.position) > 0) this.restore(nearest);
    while (!player.atEnd && machine.position.seq < target.seq - NEAR_EVENTS) {
      if (!player.command()) return;
      if (comparePositions(machine.position, target) > 0) {
        this.restore(this.before(target));
        return;
      }
      this.keepCheckpoint();
    }
    if (comparePositions(this.recent.state, machine.position) !== 0) this.recent = player.checkpoint();
  }

  private before(target: Position): Checkpoint {
    const kept = this.checkpoints.before(target)!;
    const recentFits = comparePositions(this.recent.state, target) <= 0;
    return recentFits && comparePositions(this.recent.state, kept.state) > 0 ? this.recent : kept;
  }

  private restore(checkpoint: Checkpoint): void {
    this.player.restore(checkpoint);
    this.atBoundary = true;
  }

  private keepCheckpoint(): void {
    const { state } = this.machine.k;
    const last = this.checkpoints.before(state)!.state;
    if (state.steps - last.steps >= CHECKPOINT_STEPS || state.seq - last.seq >= CHECKPOINT_EVENTS) {
      this.checkpoints.add(this.player.checkpoint());
    }
  }

  /** Goes the last stretch, which may end inside a command. */
  private finish(target: Position, trace?: Trace): void {
    const { machine } = this;
    if (comparePositions(machine.position, target) !== 0 || trace !== undefined) {
      this.atBoundary = false;
      try {
        machine.runTo(target, trace);
      } catch (reason) {
        if (!(reason instanceof ScheduleEnded)) throw reason;
      }
    }
    if (comparePositions(machine.position, target) !== 0) {
      const { position } = this;
      this.restore(this.before(target));
      throw new NoSuchPosition(
        `the run has no position ${formatPosition(target)}; the last one before it is ${formatPosition(position)}`,
      );
    }
  }
}

/** The part of what happened that comes after a position; null when none does. */
function cutSpan(happened: Happened, from: Position): Happened | null {
  const { event, seq } = happened;
  if (event.type !== 'span') return seq > from.seq ? happened : null;
  if (seq < from.seq) return null;
  const skipped = seq === from.seq ? from.step : 0;
  if (event.steps <= skipped) return null;
  return skipped === 0 ? happened : { ...happened, event: { ...event, steps: event.steps - skipped } };
}

/** Passes on the effects of instructions after a position, each with its own. */
function after(from: Position, machine: Machine, trace: PositionedTrace): Trace {
  let run = { seq: -1, step: -1 };
  let retired = 0;
  let told = false;
  return {
    step(pc, bits, length) {
      const { seq, step } = machine.k.state;
      if (seq !== run.seq || step !== run.step) {
        run = { seq, step };
        retired = 0;
      }
      retired++;
      const position = { seq, step: step + retired };
      told = comparePositions(position, from) > 0;
      if (!told) return;
      trace.at(position, machine.k.state.slice?.thread ?? 0);
      trace.step(pc, bits, length);
    },
    register: (number, value) => {
      if (told) trace.register(number, value);
    },
    load: (address, size, value) => {
      if (told) trace.load(address, size, value);
    },
    store: (address, size, value) => {
      if (told) trace.store(address, size, value);
    },
  };
}
