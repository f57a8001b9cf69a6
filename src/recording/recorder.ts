import type { Trace } from '../cpu/arch.js';
import { stateHash } from '../kernel/objects/state-hash.js';
import type { Choice } from '../kernel/scheduler/oracle.js';
import { launch, oracleFor, type RunSpec } from '../loader/launch.js';
import { exitStatus } from '../machine/exit-status.js';
import type { Happened, Machine } from '../machine/machine.js';
import { DigestCadence } from './digest-cadence.js';
import type { RecordingEnd } from './format/header.js';
import { EFFECTS } from './format/kinds.js';
import { type RecordingSink, RecordingWriter } from './format/writer.js';
import { type Detail, headerOf } from './run-header.js';

/** Commands and steps between looks of the caller, whichever come first. */
const LOOK_COMMANDS = 1024;
const LOOK_STEPS = 1 << 20;
/** Choices that are held until the writer is told: one by one it took most of what recording costs. */
const MOST_CHOICES = 1024;

/**
 * Runs a program and writes down what is needed to run it again (`essential`: the schedule, and digests to check
 * by), or everything that happened (`full`: kernel events, spans, and each instruction's effects).
 */
export class Recorder {
  readonly machine: Machine;
  private readonly writer: RecordingWriter;
  private readonly cadence = new DigestCadence();
  private readonly trace: Trace | undefined;
  /** The scheduler's choices since the writer was told, and where the first of them was. */
  private readonly choices = {
    core: new Int32Array(MOST_CHOICES),
    thread: new Float64Array(MOST_CHOICES),
    steps: new Float64Array(MOST_CHOICES),
  };
  private chosen = 0;
  private chosenSeq = 0;

  /**
   * @param openSink called once the program is known to be one, so that no file is made for what cannot run
   * @throws ElfError, RecordingError
   */
  constructor(spec: RunSpec, detail: Detail, openSink: () => RecordingSink) {
    const oracle = oracleFor(spec);
    const machine = launch(spec, { choose: (state) => this.noteChoice(state.seq, oracle.choose(state)) });
    this.machine = machine;
    this.writer = new RecordingWriter(openSink(), headerOf(spec, detail));
    this.writer.blob('images', spec.program.bytes);
    this.writer.flush();
    if (detail === 'full') {
      this.trace = this.tracer();
      machine.happened.subscribe((happened) => this.note(happened));
    }
  }

  /**
   * Runs to the end; what the recording's last chunk says of it.
   * @param look called now and then between two commands
   */
  run(look: () => void = () => {}): RecordingEnd {
    const { machine, writer } = this;
    let lookedSteps = 0;
    for (let i = 0; !machine.halted; i++) {
      machine.command(Number.POSITIVE_INFINITY, this.trace);
      const { seq, steps, committedPages } = machine.k.state;
      if (this.cadence.due(steps, seq, committedPages)) this.digest();
      if (i % LOOK_COMMANDS !== 0 && steps - lookedSteps < LOOK_STEPS) continue;
      lookedSteps = steps;
      look();
      // Of floats that only exact helpers can compute, 2^20 steps take more than a second.
      if (i % LOOK_COMMANDS !== 0 && !writer.isDue) continue;
      this.writeChoices();
      writer.poll();
    }
    this.writeChoices();
    const { halt } = machine.k.state;
    const end = {
      exitCode: halt === null ? 0 : exitStatus(halt),
      cause: halt?.kind ?? '',
      steps: machine.k.state.steps,
      events: machine.k.state.seq,
      timeNs: String(machine.k.nowNs),
      stateHash: stateHash(machine.k.snapshot()),
      eventHash: machine.eventHash(),
    };
    writer.end(end);
    return end;
  }

  /** The schedule is taken where it is made: telling every event to an observer would cost more than the recording. */
  private noteChoice(seq: number, choice: Choice | null): Choice | null {
    if (choice === null) return null;
    const { choices } = this;
    const i = this.chosen++;
    if (i === 0) this.chosenSeq = seq;
    choices.core[i] = choice.core;
    choices.thread[i] = choice.thread;
    choices.steps[i] = choice.steps;
    // What else is recorded may be written at any time, and not before it.
    if (i === MOST_CHOICES - 1 || this.trace !== undefined) this.writeChoices();
    return choice;
  }

  private writeChoices(): void {
    if (this.chosen > 0) this.writer.appendRows('schedule', this.chosenSeq, this.choices, this.chosen);
    this.chosen = 0;
  }

  private note({ seq, event }: Happened): void {
    if (event.type === 'span') {
      const { core, thread, steps } = event;
      const { k } = this.machine;
      const pc = BigInt.asUintN(64, k.arch.pc(k.registers(thread)));
      this.writer.append('spans', seq, { seq, core, thread, steps, pc });
    } else this.writer.append('kernel-events', seq, { seq, event });
  }

  private digest(): void {
    this.writeChoices();
    const { seq, step } = this.machine.position;
    const state = stateHash(this.machine.k.snapshot());
    this.writer.append('digests', seq, { seq, step, state, events: this.machine.eventHash() });
  }

  private tracer(): Trace {
    const { machine, writer } = this;
    const row = (effect: number, size: number, address: bigint, value: bigint): void =>
      writer.append('steps', machine.k.state.seq, {
        effect,
        size,
        address,
        value: BigInt.asUintN(64, value),
      });
    return {
      step: (pc, bits, length) => row(EFFECTS.step, length, pc, BigInt(bits >>> 0)),
      register: (number, value) => row(EFFECTS.register, number, 0n, value),
      load: (address, size, value) => row(EFFECTS.load, size, address, value),
      store: (address, size, value) => row(EFFECTS.store, size, address, value),
    };
  }
}
