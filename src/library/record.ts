import { type Observable, ReplaySubject, takeUntil } from 'rxjs';
import { DEFAULTS, RANGES, type RunSpec, STRATEGIES } from '../loader/launch.js';
import type { Happened } from '../machine/machine.js';
import type { RecordingEnd } from '../recording/format/header.js';
import type { RecordingSink } from '../recording/format/writer.js';
import { Recorder } from '../recording/recorder.js';
import type { Detail } from '../recording/run-header.js';
import type { Program } from '../sdk/program.js';
import { programSet } from '../sdk/runtime/host.js';

/** What a run depends on besides its program; every field has a default. */
export interface RecordOptions extends Partial<Omit<RunSpec, 'program' | 'programs'>> {
  /** Shown in crash texts; also argv[0]. */
  readonly name?: string;
  /** argv after argv[0]. */
  readonly args?: readonly string[];
  /** NAME=value each. */
  readonly environ?: readonly string[];
  readonly detail?: Detail;
  /** Programs in TypeScript that the recorded one may launch. */
  readonly programs?: readonly Program[];
  /** Where the recording goes; kept in memory when absent. */
  readonly sink?: RecordingSink;
}

/** A run that is about to be recorded. Subscribe first, then `finish`. */
export class Run {
  /**
   * Kernel events and spans as they happen, complete when the run is over. A subscriber that takes its time holds the
   * machine up; none is lost.
   */
  readonly events: Observable<Happened>;
  private readonly parts: Uint8Array[] = [];
  private readonly recorder: Recorder;
  private readonly over = new ReplaySubject<void>(1);

  /** @throws ElfError, ProcessArgsError, RangeError */
  constructor(program: Uint8Array | Program, options: RecordOptions) {
    requireRanges(options);
    const own = program instanceof Uint8Array ? null : program;
    const {
      name = own?.name ?? 'program',
      args = [],
      environ = [],
      detail = 'essential',
      ...others
    } = options;
    const { sink, programs = [], ...rest } = others;
    const all = own === null || programs.includes(own) ? programs : [own, ...programs];
    const spec: RunSpec = {
      ...DEFAULTS,
      ...rest,
      program: { name, bytes: own?.image ?? (program as Uint8Array), args: [name, ...args], environ },
      programs: all.length === 0 ? null : programSet(all),
    };
    const memory: RecordingSink = { write: (bytes) => this.parts.push(bytes) };
    this.recorder = new Recorder(spec, detail, () => sink ?? memory);
    this.events = this.recorder.machine.happened.pipe(takeUntil(this.over));
  }

  /** Runs to the end. `bytes` is the recording, empty when it went to a sink. */
  finish(): { readonly end: RecordingEnd; readonly bytes: Uint8Array } {
    const end = this.recorder.run();
    this.over.next();
    const bytes = new Uint8Array(this.parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return { end, bytes };
  }
}

function requireRanges(options: RecordOptions): void {
  for (const [name, { least, most }] of Object.entries(RANGES)) {
    const value = options[name as keyof typeof RANGES] ?? least;
    const unlimited = name === 'maxSteps' && value === Number.POSITIVE_INFINITY;
    if (!unlimited && !(Number.isSafeInteger(value) && value >= least && value <= most))
      throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
  }
  const { strategy = DEFAULTS.strategy } = options;
  if (!STRATEGIES.includes(strategy))
    throw new RangeError(`no strategy ${strategy}, only ${STRATEGIES.join(', ')}`);
}

/**
 * Records a run of a program.
 * @param program the bytes of a riscv64 ELF file, or a program in TypeScript
 * @throws ElfError, ProcessArgsError when it cannot be run; RangeError for two programs of one name, or a number that
 *   no run can have
 */
export function record(program: Uint8Array | Program, options: RecordOptions = {}): Run {
  return new Run(program, options);
}
