import { assert } from '../base/assert.js';
import { Hasher } from '../base/digest.js';
import { seedPrng } from '../base/prng.js';
import { countSteps } from '../kernel/objects/core.js';
import { applyEvent, type KernelEvent } from '../kernel/objects/events.js';
import { emptyState, Kernel, type KernelState } from '../kernel/objects/kernel.js';
import { hashEvent, stateHash } from '../kernel/objects/state-hash.js';
import { MAX_OBJECTS } from '../kernel/syscalls/handles.js';
import { MAX_MESSAGE_BYTES } from '../kernel/syscalls/quota.js';
import { ARCH, machineConfig } from '../loader/launch.js';
import { type ProcessMemory, threadMemory } from '../machine/memory-view.js';
import { comparePositions, type Position } from '../machine/position.js';
import { PAGE_SIZE } from '../memory/page.js';
import { EFFECTS } from './format/kinds.js';
import type { Recording } from './format/reader.js';
import { RecordingError } from './format/recording-error.js';
import { Diverged } from './player.js';
import { specOf } from './run-header.js';
import { storedEvent } from './stored-event.js';

interface Effect {
  readonly effect: number;
  readonly size: number;
  readonly address: bigint;
  readonly value: bigint;
}

/**
 * Applies the stored events of a `full` recording by reducers alone: no program is run and nothing is decided. The
 * states are those of the run, at every position.
 */
export class Fold {
  readonly k: Kernel;
  private readonly events: Iterator<unknown>;
  private readonly spans: Iterator<{ seq: number; core: number; thread: number; steps: number; pc: bigint }>;
  private readonly effects: Iterator<Effect>;
  private readonly hasher = new Hasher();
  private span: { core: number; thread: number; steps: number; pc: bigint; seq: number } | undefined;
  private effect: Effect | undefined;
  private stepsOfSpan = 0;

  /** @throws RecordingError */
  constructor(
    private readonly recording: Recording,
    draft: 'owned' | 'immer' = 'owned',
  ) {
    if (recording.header.machine.detail !== 'full') {
      throw new RecordingError('version', 'the recording keeps no events', null, 'record with --detail full');
    }
    const spec = specOf(recording);
    const config = machineConfig(spec);
    this.k = new Kernel(emptyState(config, seedPrng(spec.entropySeed, 'cprng')), config, ARCH, draft);
    this.events = recording.records('kernel-events')[Symbol.iterator]();
    this.spans = recording.rows('spans')[Symbol.iterator]();
    this.effects = recording.rows('steps')[Symbol.iterator]();
    this.span = this.spans.next().value;
    this.effect = this.effects.next().value;
  }

  get position(): Position {
    return { seq: this.k.state.seq, step: this.k.state.step };
  }

  get state(): KernelState {
    return this.k.snapshot();
  }

  eventHash(): string {
    return this.hasher.value();
  }

  /** Applies events up to a position; false when the recording ends before it. */
  foldTo(target: Position): boolean {
    while (comparePositions(this.position, target) < 0) if (!this.next(target)) return false;
    return true;
  }

  /**
   * Folds the whole recording and compares with what its end says.
   * @throws Diverged
   */
  run(): void {
    this.foldTo({ seq: Number.MAX_SAFE_INTEGER, step: 0 });
    const { end } = this.recording;
    if (end === null) return;
    const state = stateHash(this.state);
    if (state !== end.stateHash) this.diverge('state', end.stateHash, state);
    if (this.eventHash() !== end.eventHash) this.diverge('events', end.eventHash, this.eventHash());
  }

  private diverge(what: 'state' | 'events', recorded: string, replayed: string): never {
    throw new Diverged({ position: this.position, what, recorded, replayed });
  }

  /**
   * One step of the open span, or the next kernel event.
   * @throws RecordingError for what cannot be applied: the file may be a stranger's
   */
  private next(target: Position): boolean {
    try {
      return this.apply(target);
    } catch (reason) {
      if (reason instanceof RecordingError) throw reason;
      const { seq, step } = this.position;
      const what = `what is recorded after ${seq}:${step} cannot be applied`;
      throw new RecordingError('damaged', what, null, 'record again');
    }
  }

  private apply(target: Position): boolean {
    const { span } = this;
    // Of a recording that was cut, the chunk of events may be there and that of the spans among them not.
    if (span === undefined && !this.recording.complete) return false;
    if (span !== undefined && span.seq === this.k.state.seq) {
      if (this.stepsOfSpan < span.steps) {
        if (this.effect === undefined && !this.recording.complete) return false;
        this.step(span);
        return true;
      }
      const { core, thread, steps } = span;
      hashEvent(this.hasher, { type: 'span', core, thread, steps });
      this.span = this.spans.next().value;
      this.stepsOfSpan = 0;
    }
    if (target.seq <= this.k.state.seq) return false;
    const record = this.events.next();
    if (record.done) return false;
    const event = storedEvent(record.value);
    this.checkRoom(event);
    applyEvent(this.k, event);
    hashEvent(this.hasher, event);
    return true;
  }

  /** The bounds that deciders keep to. */
  private checkRoom(event: KernelEvent): void {
    const { committedPages, objects, messageBytes } = this.k.state;
    const more = event.type === 'vmo-pages-committed' ? event.count : 0;
    const fits =
      committedPages + more <= this.k.config.physicalPages && messageBytes <= 2 * MAX_MESSAGE_BYTES;
    assert(fits && objects.size <= 2 * MAX_OBJECTS, 'more than a machine can hold');
  }

  /** Applies one instruction's effects: registers, memory, and where the next one is. */
  private step(span: { core: number; thread: number; steps: number; pc: bigint }): void {
    const { k } = this;
    const registers = k.registersForWrite(span.thread);
    const memory = threadMemory(k, span.thread);
    assert(this.effect !== undefined, 'the steps of a span are missing');
    this.effect = this.effects.next().value;
    while (this.effect !== undefined && this.effect.effect !== EFFECTS.step) {
      const { effect, size, address, value } = this.effect;
      if (effect === EFFECTS.register) k.arch.setRegister(registers, size, value);
      else if (effect === EFFECTS.store) store(memory, address, size, value);
      this.effect = this.effects.next().value;
    }
    this.stepsOfSpan++;
    const last = this.stepsOfSpan === span.steps;
    k.arch.setPc(registers, last ? span.pc : (this.effect?.address ?? span.pc));
    countSteps(k, span, 1);
  }
}

function store(memory: ProcessMemory, address: bigint, sizeBytes: number, value: bigint): void {
  for (let i = 0; i < sizeBytes; i++) {
    const at = Number(address) + i;
    const page = memory.pageForStore(Math.floor(at / PAGE_SIZE));
    if (page === null) return;
    page.bytes[at % PAGE_SIZE] = Number((value >> BigInt(8 * i)) & 0xffn);
    page.code = null;
  }
}
