import { ElfError } from '../loader/elf.js';
import type { Recording } from '../recording/format/reader.js';
import { RecordingError } from '../recording/format/recording-error.js';
import { Diverged } from '../recording/player.js';
import { printable } from '../timeline/text.js';
import { findCause } from './cause.js';
import { firstDivergence } from './first.js';
import { compareOutcomes, endText, isCut } from './outcomes.js';
import {
  type Both,
  type Cause,
  type DifferenceKind,
  type DiffReport,
  type SetupDifference,
  SIDES,
  type SideName,
  type SideSummary,
} from './report.js';
import { Run } from './run.js';
import { compareSetups, sameAddresses } from './setup.js';
import { compareThreads } from './threads.js';
import { differingVariables } from './variables.js';

/** One of the two recordings cannot be run again as it was recorded. */
export class NotReplayable extends Error {
  override name = 'NotReplayable';
  constructor(
    readonly side: SideName,
    reason: Error,
  ) {
    super(reason instanceof Diverged ? `${reason.message}; \`jacinth replay\` says more` : reason.message);
  }
}

/**
 * Compares two runs of one program: where they part, thread by thread as well as in the total order, and what made them
 * end unlike. Recordings that were cut are compared as far as both go.
 * @throws NotReplayable
 */
export function diffRecordings(a: Recording, b: Recording): DiffReport {
  const { differences: setup, unlike } = compareSetups(a.header, b.header);
  if (unlike.length > 0) return unlikeReport({ a, b }, setup, unlike);
  const runs = { a: replayable('a', () => new Run(a)), b: replayable('b', () => new Run(b)) };
  const sides = { a: summaryOf(runs.a), b: summaryOf(runs.b) };
  const first = firstDivergence(runs);
  if (first === null) {
    const partly = SIDES.filter((side) => isCut(runs[side]));
    const summary =
      partly.length === 0 ? 'none: both are the same run' : 'none, as far as both recordings go';
    return { ...NOTHING, same: true, cause: { kind: 'none', summary }, sides, setup };
  }
  const outcomes = compareOutcomes(runs);
  const byAddress = sameAddresses(a.header, b.header);
  const comparable = byAddress && !SIDES.some((side) => isCut(runs[side]));
  const memory = comparable ? differingVariables(runs) : NOTHING.memory;
  const threads = compareThreads(runs, byAddress);
  const cause = findCause(runs, { first, outcomes, variables: memory.variables, threads, byAddress });
  const report = {
    same: false,
    cause,
    sides,
    setup,
    first,
    outcomes,
    memory,
    threads: threads.list,
    threadCounts: threads.counts,
  };
  return { ...report, kinds: kindsOf(report) };
}

const NOTHING = {
  kinds: [],
  first: null,
  outcomes: [],
  memory: { variables: [], more: 0 },
  threads: [],
  threadCounts: { same: 0, differ: 0 },
} as const;

function replayable<T>(side: SideName, make: () => T): T {
  try {
    return make();
  } catch (reason) {
    const expected =
      reason instanceof Diverged || reason instanceof RecordingError || reason instanceof ElfError;
    throw expected ? new NotReplayable(side, reason) : reason;
  }
}

function summaryOf(run: Run): SideSummary {
  const { header, complete } = run.recording;
  const { end } = run.timeline;
  return {
    program: printable(header.images[0]?.name ?? ''),
    seed: header.machine.seed,
    cores: header.machine.cores,
    mainProcess: run.history.mainProcess,
    steps: run.history.steps,
    events: end.seq,
    ended: endText(run),
    end,
    complete,
  };
}

/** Of runs of unlike things: nothing is run, what their headers and ends say is told. */
function unlikeReport(
  recordings: Both<Recording>,
  setup: readonly SetupDifference[],
  unlike: readonly SetupDifference[],
): DiffReport {
  const what = unlike.map((difference) => unlikeText(difference, recordings)).join(', ');
  const cause: Cause = { kind: 'setup', summary: `the recordings are of unlike runs: ${what}` };
  const summary = ({ header, end, complete }: Recording): SideSummary => ({
    program: printable(header.images[0]?.name ?? ''),
    seed: header.machine.seed,
    cores: header.machine.cores,
    mainProcess: 0,
    steps: end?.steps ?? 0,
    events: end?.events ?? 0,
    ended: end === null ? 'cut' : end.cause === 'exited' ? `exit ${end.exitCode}` : printable(end.cause),
    end: { seq: end?.events ?? 0, step: 0 },
    complete,
  });
  const sides = { a: summary(recordings.a), b: summary(recordings.b) };
  return { ...NOTHING, same: false, cause, sides, setup, kinds: ['setup'] };
}

/** Who builds a program anew has two of one name. */
function unlikeText({ what }: SetupDifference, { a, b }: Both<Recording>): string {
  const [name, other] = [a, b].map(({ header }) => header.images[0]?.name ?? '');
  return what === 'program' && name === other ? `other builds of ${printable(name)}` : `other ${what}`;
}

const KINDS: readonly DifferenceKind[] = [
  'setup',
  'schedule',
  'input',
  'syscall',
  'memory',
  'control flow',
  'console',
  'exit',
];

function kindsOf({ setup, first, outcomes, memory, threads }: Omit<DiffReport, 'kinds'>): DifferenceKind[] {
  const found = new Set<DifferenceKind>(outcomes.map(({ kind }) => kind));
  if (setup.length > 0) found.add('setup');
  if (first !== null) found.add(first.kind);
  if (memory.variables.length > 0) found.add('memory');
  for (const { level, parting } of threads) {
    if (level !== 'path') found.add('syscall');
    found.add(parting?.kind ?? 'control flow');
  }
  return KINDS.filter((kind) => found.has(kind));
}
