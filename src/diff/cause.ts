import { deadlockReport } from '../loader/crash-report.js';
import { formatPosition } from '../machine/position.js';
import { type Accesses, accessesOf, type Variable } from './accesses.js';
import { differentAnswer } from './answers.js';
import { differentValue } from './different-value.js';
import type { JudgedPaths, Suspect } from './judge.js';
import { lostUpdate } from './lost-update.js';
import { isCut } from './outcomes.js';
import {
  type Both,
  type Cause,
  type DifferentAnswer,
  type DifferentValue,
  type FirstDivergence,
  type LostUpdate,
  type OutcomeDifference,
  SIDES,
  type VariableDifference,
} from './report.js';
import type { Run } from './run.js';
import type { ThreadsCompared } from './threads.js';
import { nameOf } from './words.js';

/** Variables whose accesses are looked through, at most: each costs another pass over both runs. */
const MAX_VARIABLES = 3;

/** Steps back from a value to an earlier one. */
const MAX_CONSEQUENCES = 4;

interface Findings {
  readonly first: FirstDivergence;
  readonly outcomes: readonly OutcomeDifference[];
  readonly variables: readonly VariableDifference[];
  readonly threads: ThreadsCompared;
  readonly byAddress: boolean;
}

/**
 * Why two runs that differ end unlike: a deadlock; else, going back from what the world sees, the values that led there
 * and how they came about.
 * @throws Diverged
 */
export function findCause(runs: Both<Run>, findings: Findings): Cause {
  const { first, outcomes, variables, threads } = findings;
  if (outcomes.length === 0) return alikeInTheEnd(runs, first);
  const given = limitCause(runs) ?? deadlockCause(runs);
  if (given !== null) return given;
  const { suspects, contended, followed } = threads;
  let found: Reason | null = null;
  const looked = new Set<number>();
  const isNew = (address: number): boolean => looked.size < MAX_VARIABLES && !looked.has(address);
  for (const suspect of suspects) {
    const { kind, address } = suspect.parting;
    if (kind === 'memory' && !isNew(address ?? 0)) continue;
    if (kind === 'memory') looked.add(address ?? 0);
    const reason = reasonOf(runs, suspect);
    if (reason?.kind === 'lost-update') return reason;
    found ??= reason;
  }
  for (const { address, name, sizeBytes } of variables) {
    if (!isNew(address)) continue;
    looked.add(address);
    const processes = { a: runs.a.history.mainProcess, b: runs.b.history.mainProcess };
    const variable = { name, processes, address, sizeBytes };
    const lost = lostUpdate(runs, variable, accessesOfBoth(runs, variable), false);
    if (lost !== null) return lost;
  }
  found ??= contended === null ? null : answerReason(runs, contended);
  if (found !== null) return followBack(runs, followed, found);
  return callCause(threads) ?? unknown(findings);
}

/** What a thread got otherwise, from memory or from a call. */
type Reason = DifferentValue | DifferentAnswer;

/** What is behind a place where a thread parts; null when that explains nothing. */
function reasonOf(runs: Both<Run>, suspect: Suspect): LostUpdate | Reason | null {
  const { parting, threads } = suspect;
  if (parting.kind !== 'memory') return answerReason(runs, suspect);
  const { what: name, address, a } = parting;
  const processes = { a: threads.a.process, b: threads.b.process };
  const variable = { name, processes, address: address ?? 0, sizeBytes: a.sizeBytes };
  const accesses = accessesOfBoth(runs, variable);
  return lostUpdate(runs, variable, accesses, true) ?? differentValue(runs, parting, variable, accesses);
}

function answerReason(runs: Both<Run>, suspect: Suspect): DifferentAnswer | null {
  const { parting, got } = suspect;
  return parting.kind !== 'syscall' || got === null ? null : differentAnswer(runs, suspect, got);
}

/** From a reason to what made the thread behind it go another way, as far as that can be told. */
function followBack(runs: Both<Run>, followed: readonly JudgedPaths[], found: Reason): Cause {
  const consequences = [found.summary, ...found.consequences];
  if (consequences.length >= MAX_CONSEQUENCES) return found;
  for (const side of SIDES) {
    const origin = found.kind === 'value' ? found.writer[side] : found.answers[side].from;
    const paths = followed.find(({ threads }) => threads[side].koid === origin?.thread?.koid);
    if (origin === null || paths === undefined) continue;
    const earlier = paths.leadTo(side, origin.position, found.kind === 'value' ? found.address : null);
    const reason = earlier === null ? null : reasonOf(runs, paths.tell(earlier));
    if (reason?.kind === 'lost-update') return reason;
    if (reason !== null) return followBack(runs, followed, { ...reason, consequences });
  }
  return found;
}

function accessesOfBoth({ a, b }: Both<Run>, { processes, address, sizeBytes }: Variable): Both<Accesses> {
  return {
    a: accessesOf(a, processes.a, address, sizeBytes),
    b: accessesOf(b, processes.b, address, sizeBytes),
  };
}

function alikeInTheEnd({ a, b }: Both<Run>, { kind, position }: FirstDivergence): Cause {
  const what = kind === 'schedule' ? 'the schedule' : 'what the machine was given';
  const end = isCut(a) || isCut(b) ? 'how they end is not recorded' : 'both runs end alike';
  const summary = `${what} differs from ${formatPosition(position)} on, but ${end}`;
  return { kind: kind === 'schedule' ? 'schedule' : 'input', summary };
}

function limitCause(runs: Both<Run>): Cause | null {
  const limited = SIDES.filter((side) => runs[side].history.halt?.kind === 'step-limit');
  if (limited.length !== 1) return null;
  const [side] = limited;
  const { steps } = runs[side].history;
  return {
    kind: 'input',
    summary: `${side.toUpperCase()} was ended by its step limit, after ${steps} steps`,
  };
}

function deadlockCause(runs: Both<Run>): Cause | null {
  const stuck = SIDES.filter((side) => runs[side].history.halt?.kind === 'deadlock');
  if (stuck.length !== 1) return null;
  const [side] = stuck;
  const run = runs[side];
  const { k } = run.timeline.seek(run.timeline.end);
  const waits = deadlockReport(k, run.names.symbolizer(0))
    .split('\n')
    .filter((line) => /^ {3}thread /.test(line))
    .map((line) => line.trim());
  const summary = `deadlock in ${side.toUpperCase()}: ${waits.length} threads wait and none can ever go on`;
  return { kind: 'deadlock', summary, side, waits };
}

function callCause({ list: [thread] }: ThreadsCompared): Cause | null {
  const name = thread?.thread.a ?? thread?.thread.b ?? null;
  if (name === null || (thread.calls.a === null && thread.calls.b === null)) return null;
  const summary = `${nameOf(name)} does not do the same in both runs; what made it differ was not found`;
  return { kind: 'syscall', summary, thread: name, calls: thread.calls };
}

function unknown({ outcomes, byAddress }: Findings): Cause {
  const advice = byAddress ? '' : ': they have other addresses, record both with one entropy seed';
  return { kind: 'unknown', summary: `the runs differ in ${outcomes[0].what}; why was not found${advice}` };
}
