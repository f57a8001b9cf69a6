import { AssertionError } from '../base/assert.js';
import type { Trace } from '../cpu/arch.js';
import type { KernelState } from '../kernel/objects/kernel.js';
import type { RunSpec } from '../loader/launch.js';
import { type Actor, type Checkpoint, Happened, type Machine, type OpenSpan } from '../machine/machine.js';
import {
  AFTER_EVERYTHING,
  comparePositions,
  formatPosition,
  type Position,
  START,
} from '../machine/position.js';
import type { StoredCheckpoints } from '../recording/checkpoints/stored-checkpoints.js';
import type { Recording } from '../recording/format/reader.js';
import { RecordingError } from '../recording/format/recording-error.js';
import { Diverged, Player } from '../recording/player.js';
import { Checkpoints, WHOLE_RUN, worthIt } from './checkpoints.js';
import { type Held, held } from './held.js';

/** Those left on the last stretch to where one looked, so that the next look nearby is quick. */
const NEARBY_LIMITS = { count: 64, pages: 1 << 14 };
/**
 * The last stretch, in kernel events. The nearer to where one looks, the denser: one at so many events before, at half
 * of them and so on, so that going back by small steps never runs through more than a few events again.
 */
const NEARBY_EVENTS = 64;

/** Code is compiled once a run goes on for longer than this, steps: before, that takes longer than to interpret it. */
const SHORT_RUN_STEPS = 1 << 21;

/** A position that the run does not have. */
export class NoSuchPosition extends Error {
  override name = 'NoSuchPosition';
}

/** Thrown by whoever is being told of events or instructions and has heard enough: `events` ends there. */
export const ENOUGH: object = Object.freeze({ name: 'ENOUGH' });

/** A trace that knows where each effect stands. */
export interface PositionedTrace extends Trace {
  /** Called before `step`: the position that the instruction leads to, and whose it is. */
  at(position: Position, by: Actor): void;
}

/**
 * A recorded run that can be looked at anywhere. Going back is going forward from a checkpoint: there is one way to
 * come to a position, so what is seen there never depends on where one came from.
 */
export class Timeline {
  private readonly player: Player;
  private readonly kept = new Checkpoints(WHOLE_RUN.limits, WHOLE_RUN.every);
  private nearby = newNearby();
  /** The machine stands where it can go on. */
  private atBoundary = true;
  /** The checkpoint that the machine came by last, and its count of page changes there. */
  private last: KernelState;
  private generation = 0;
  /** Pages of that one that none in memory has. */
  private foreignPages = 0;
  /** Steps of the run where the machine was put last. */
  private startedAt = 0;
  private endPosition: Position | null = null;
  /** Something may be in memory that came from a stored checkpoint. */
  private fromStored = false;
  /** The stored checkpoint that the machine's state, and those nearby, have pages of. */
  private foreign: Checkpoint | null = null;

  /**
   * @param stored checkpoints of an earlier process: they save time and change nothing
   * @throws RecordingError, ElfError
   */
  constructor(
    readonly recording: Recording,
    private readonly stored: StoredCheckpoints | null = null,
  ) {
    this.player = new Player(recording, 'auto', stored?.sliceStarts);
    this.last = this.machine.k.state;
    this.machine.runBy('interpreter');
    this.keep(this.kept);
  }

  /** The machine at the position that was sought last: to be read only. */
  get machine(): Machine {
    return this.player.machine;
  }

  /** What was run. */
  get spec(): RunSpec {
    return this.player.spec;
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
        this.goTo(AFTER_EVERYTHING);
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
    this.reach(target);
    if (comparePositions(this.position, target) > 0) throw this.noPosition(target, 'the next one is');
    return this.machine;
  }

  /**
   * The state at a position, to be kept: all of it is there.
   * @throws NoSuchPosition, Diverged
   */
  stateAt(position: Position): KernelState {
    return this.look(() => {
      this.seek(position);
      this.checkPages();
      return this.machine.k.snapshot();
    });
  }

  /**
   * Goes to a position, or to the next one that the run has.
   * @throws NoSuchPosition where the run ends before, Diverged
   */
  reach(target: Position): void {
    this.goTo(target);
    if (comparePositions(this.position, target) < 0) throw this.noPosition(target, 'the run ends at');
  }

  private noPosition(target: Position, where: string): NoSuchPosition {
    const [asked, here] = [target, this.position].map(formatPosition);
    return new NoSuchPosition(`no position ${asked}, ${where} ${here}, look there`);
  }

  /**
   * Tells what happened after `from`, up to `to`: kernel events, and spans cut to that stretch. Neither needs to be a
   * position that the run has. Where the machine stands afterwards is left open.
   * @param onEvent may throw ENOUGH
   * @param trace told of every instruction of the stretch; may throw ENOUGH
   * @throws Diverged
   */
  events(from: Position, to: Position, onEvent: (happened: Happened) => void, trace?: PositionedTrace): void {
    this.goToBoundary(from);
    const { machine } = this;
    let thrown: { readonly reason: unknown } | null = null;
    const tell = (happened: Happened): void => {
      const part = cut(happened, from, to);
      if (part === null || thrown !== null) return;
      // The machine must not see what an observer throws before it is done.
      try {
        onEvent(part);
      } catch (reason) {
        thrown = { reason };
      }
    };
    const subscription = machine.happened.subscribe(tell);
    try {
      const within = trace === undefined ? undefined : after(from, machine, trace);
      while (thrown === null && comparePositions(this.position, to) < 0 && this.advance(to, within));
      if (thrown === null && machine.openSpan !== null) tell(this.happenedSoFar(machine.openSpan));
      if (thrown !== null) throw (thrown as { readonly reason: unknown }).reason;
    } catch (reason) {
      if (reason !== ENOUGH) throw reason;
    } finally {
      subscription.unsubscribe();
    }
  }

  /**
   * Goes from `from`, or the last place before it where the machine can go on, to `to`, and tells of each end of a
   * command on the way.
   * @param mostSteps tells after so many steps of a command, too
   * @returns false when the machine came to where it cannot go on, as a reservation was held there
   * @throws Diverged
   */
  boundaries(from: Position, to: Position, visit: (machine: Machine) => void, mostSteps?: number): boolean {
    this.goToBoundary(from);
    do visit(this.machine);
    while (
      this.advance(to, undefined, mostSteps) &&
      this.atBoundary &&
      comparePositions(this.position, to) < 0
    );
    return this.atBoundary || comparePositions(this.position, to) >= 0 || this.player.atEnd;
  }

  /**
   * States of the run in order, the first one first and none behind a position, between which one can look for what
   * changed: what is the same object in two neighbours was not written in between. Their pages may be empty.
   */
  *statesUpTo(position: Position): IterableIterator<KernelState> {
    const { kept, stored } = this;
    const { config, arch } = this.machine.k;
    if (stored === null || stored.count === 0) for (const { state } of kept.upTo(position)) yield state;
    else {
      // The two kinds have no objects in common: one of them is told.
      yield kept.before(START)!.state;
      yield* stored.outlines(position, config, arch);
    }
  }

  /** What its checkpoints hold in memory. */
  held(): Held {
    const all = [...this.kept.upTo(AFTER_EVERYTHING), ...this.nearby.upTo(AFTER_EVERYTHING)];
    return held(all.map(({ state }) => state));
  }

  private happenedSoFar(span: OpenSpan): Happened {
    const { machine } = this;
    const { core, thread } = span;
    const event = { type: 'span', ...span } as const;
    const { seq, steps, idleNs } = machine.k.state;
    return new Happened(seq, event, { core, thread }, steps, idleNs);
  }

  /** Goes to a position, or past it, or to the end, by the shortest way that can be used. */
  private goTo(target: Position): void {
    this.look(() => this.goStraightTo(target));
  }

  /**
   * What is seen by going to positions and looking at memory there. Where a page of a stored checkpoint is damaged, it
   * begins anew without that one.
   */
  look<T>(view: () => T): T {
    for (;;) {
      try {
        return view();
      } catch (reason) {
        this.atBoundary = false;
        if (this.stored?.without(reason) !== true) throw reason;
        // What was kept on the way has the same pages.
        this.nearby = newNearby();
      }
    }
  }

  private goStraightTo(target: Position): void {
    const onTheWay = this.atBoundary && comparePositions(this.position, target) <= 0;
    if (!onTheWay || comparePositions(this.placeBefore(target), this.position) > 0)
      this.restore(this.before(target), target);
    while (comparePositions(this.position, target) < 0 && this.advance(target));
  }

  /** Goes to a boundary at or before a position: the last one, most often. */
  private goToBoundary(target: Position): void {
    this.look(() => {
      this.goStraightTo(target);
      if (!this.atBoundary) this.restore(this.before(target), target);
      // What will be told of the way from here cannot be taken back.
      this.checkPages();
    });
  }

  private checkPages(): void {
    if (this.foreign !== null) this.stored!.check(this.foreign);
  }

  /** One command, or its part up to the target or of so many steps. False when there is nothing left to run. */
  private advance(target: Position, trace?: Trace, mostSteps?: number): boolean {
    const { player } = this;
    if (player.atEnd) return false;
    const { state, memoryGeneration } = this.machine.k;
    if (state.steps - this.startedAt > SHORT_RUN_STEPS) this.machine.runBy('auto');
    if (worthIt(this.last, state, memoryGeneration - this.generation)) {
      // Where there are stored ones, those are near enough to each other.
      const isCovered = this.stored?.reaches(state) === true;
      if (!isCovered && this.foreign === null && this.kept.wants(state)) this.keep(this.kept);
      else if (nearness(target.seq - state.seq) > nearness(target.seq - this.last.seq))
        this.keep(this.nearby);
    }
    this.atBoundary = false;
    if (!this.command(target, trace, mostSteps)) return false;
    this.atBoundary = this.machine.goesOn;
    return true;
  }

  private keep(where: Checkpoints): void {
    const { player, machine } = this;
    const checkpoint = player.checkpoint();
    where.add(checkpoint, machine.k.memoryGeneration - this.generation + this.foreignPages);
    this.came(checkpoint, 0);
  }

  private came({ state }: Checkpoint, foreignPages: number): void {
    this.last = state;
    this.generation = this.machine.k.memoryGeneration;
    this.foreignPages = foreignPages;
  }

  /**
   * Whoever made a stored checkpoint up knows more ways for a machine to fail than the machine.
   * @throws RecordingError, Diverged
   */
  private command(target: Position, trace?: Trace, mostSteps?: number): boolean {
    try {
      return this.player.commandTo(target, trace, mostSteps);
    } catch (reason) {
      const misled = [Diverged, AssertionError, TypeError, RangeError].some((kind) => reason instanceof kind);
      if (!this.fromStored || !misled) throw reason;
      const what = 'a stored checkpoint is not of this run';
      throw new RecordingError('damaged', what, null, 'remove the file of checkpoints');
    }
  }

  /** Where the nearest checkpoint is. */
  private placeBefore(target: Position): Position {
    const inMemory = this.inMemory(target).state;
    const stored = this.stored?.positionBefore(target) ?? null;
    return stored !== null && comparePositions(stored, inMemory) > 0 ? stored : inMemory;
  }

  private before(target: Position): Checkpoint {
    const inMemory = this.inMemory(target);
    if (this.placeBefore(target) === inMemory.state) return inMemory;
    const { config, arch } = this.machine.k;
    const stored = this.stored?.before(target, config, arch) ?? null;
    return stored !== null && comparePositions(stored.state, inMemory.state) > 0 ? stored : inMemory;
  }

  private inMemory(target: Position): Checkpoint {
    const kept = this.kept.before(target)!;
    const near = this.nearby.before(target);
    return near !== null && comparePositions(near.state, kept.state) > 0 ? near : kept;
  }

  /** @param target where the run goes on to */
  private restore(checkpoint: Checkpoint, target: Position): void {
    const { kept, nearby } = this;
    const wasNear = nearby.before(checkpoint.state) === checkpoint;
    const isStored = !wasNear && kept.before(checkpoint.state) !== checkpoint;
    if (!wasNear) {
      this.nearby = newNearby();
      this.foreign = isStored ? checkpoint : null;
    }
    this.player.restore(checkpoint);
    const isFar = isStored && this.stored!.stepsTo(target) > SHORT_RUN_STEPS;
    this.machine.runBy(isFar ? 'auto' : 'interpreter');
    this.startedAt = checkpoint.state.steps;
    // A stored one shares nothing with those in memory: whoever keeps what follows keeps all of it.
    this.came(checkpoint, isStored ? checkpoint.state.committedPages : 0);
    this.fromStored ||= isStored;
    this.atBoundary = true;
  }
}

/** 0 from NEARBY_EVENTS on, and one more each time that half as many are left. */
function nearness(events: number): number {
  return Math.clz32(Math.min(events, 2 * NEARBY_EVENTS - 1)) - Math.clz32(2 * NEARBY_EVENTS - 1);
}

function newNearby(): Checkpoints {
  return new Checkpoints(NEARBY_LIMITS, { steps: 0, events: 0 });
}

/** The part of what happened that lies between two positions; null when none does. */
function cut(happened: Happened, from: Position, to: Position): Happened | null {
  const { event, seq } = happened;
  if (event.type !== 'span') return seq > from.seq && seq <= to.seq ? happened : null;
  if (seq < from.seq || seq > to.seq) return null;
  const first = seq === from.seq ? from.step : 0;
  const last = seq === to.seq ? Math.min(to.step, event.steps) : event.steps;
  if (last <= first) return null;
  return happened.with({ ...event, steps: last - first });
}

/** Passes on the effects of instructions after a position, each with its own. */
function after(from: Position, machine: Machine, trace: PositionedTrace): Trace {
  let run = { seq: -1, step: -1 };
  let retired = 0;
  let told = false;
  return {
    step(pc, bits, length) {
      const { seq, step, slice } = machine.k.state;
      if (seq !== run.seq || step !== run.step) {
        run = { seq, step };
        retired = 0;
      }
      retired++;
      const position = { seq, step: step + retired };
      told = comparePositions(position, from) > 0;
      if (!told) return;
      trace.at(position, slice!);
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
