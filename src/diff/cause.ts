import { deadlockReport } from '../loader/crash-report.js';
import { comparePositions, formatPosition } from '../machine/position.js';
import { type Accesses, accessesOf, type Variable } from './accesses.js';
import { differentValue } from './different-value.js';
import { lostUpdate } from './lost-update.js';
import { isCut } from './outcomes.js';
import {
  type Both,
  type Cause,
  type DifferentValue,
  type FirstDivergence,
  type OutcomeDifference,
  type Parting,
  SIDES,
  type VariableDifference,
} from './report.js';
import type { Run } from './run.js';
import type { Suspect, ThreadsCompared } from './threads.js';
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
  const { suspects } = threads;
  const leads = [
    ...suspects.filter(({ parting }) => parting.kind === 'memory').map(loadLead),
    ...variables.map((variable) => variableLead(runs, variable)),
  ];
  let fallback: DifferentValue | null = null;
  for (const { variable, parting } of leads.filter(isNew).slice(0, MAX_VARIABLES)) {
    const accesses = accessesOfBoth(runs, variable);
    const lost = lostUpdate(runs, variable, accesses);
    if (lost !== null) return lost;
    if (parting !== null) fallback ??= differentValue(runs, parting, variable, accesses);
  }
  if (fallback !== null) return followBack(runs, suspects, fallback);
  return callCause(threads) ?? unknown(findings);
}

/** From a value to what made the thread that wrote it go another way, as far as that can be told. */
function followBack(runs: Both<Run>, suspects: readonly Suspect[], found: DifferentValue): Cause {
  for (const side of SIDES) {
    const writer = found.writer[side];
    const earlier = suspects.find(
      ({ threads, parting }) =>
        parting.kind === 'memory' &&
        parting.address !== found.address &&
        threads[side].koid === writer?.thread?.koid &&
        comparePositions(parting[side].position, writer.position) < 0,
    );
    if (earlier === undefined) continue;
    const { variable } = loadLead(earlier);
    const accesses = accessesOfBoth(runs, variable);
    const lost = lostUpdate(runs, variable, accesses);
    if (lost !== null) return lost;
    const value = differentValue(runs, earlier.parting, variable, accesses);
    const consequences = [found.summary, ...found.consequences];
    if (value !== null && consequences.length < MAX_CONSEQUENCES)
      return followBack(runs, suspects, { ...value, consequences });
  }
  return found;
}

/** A variable whose accesses may tell, and the load that leads to it, if one does. */
interface Lead {
  readonly variable: Variable;
  readonly parting: Parting | null;
}

function loadLead({ parting, threads: { a, b } }: Suspect): Lead {
  const { what, address, a: load } = parting;
  const processes = { a: a.process, b: b.process };
  return { variable: { name: what, processes, address: address ?? 0, sizeBytes: load.sizeBytes }, parting };
}

function variableLead({ a, b }: Both<Run>, { name, address, sizeBytes }: VariableDifference): Lead {
  const processes = { a: a.history.mainProcess, b: b.history.mainProcess };
  return { variable: { name, processes, address, sizeBytes }, parting: null };
}

function isNew({ variable }: Lead, i: number, all: readonly Lead[]): boolean {
  return all.findIndex((lead) => lead.variable.address === variable.address) === i;
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

function callCause({ suspects, list }: ThreadsCompared): Cause | null {
  const suspect = suspects.find(({ parting }) => parting.kind === 'syscall');
  const thread =
    suspect === undefined ? list[0] : list.find((item) => item.thread.a?.key === suspect.threads.a.key);
  const name = thread?.thread.a ?? thread?.thread.b ?? null;
  if (thread === undefined || name === null || (thread.calls.a === null && thread.calls.b === null))
    return null;
  const summary =
    suspect === undefined
      ? `${nameOf(name)} does not do the same in both runs; what made it differ was not found`
      : `${suspect.parting.what} answers ${nameOf(name)} otherwise`;
  return { kind: 'syscall', summary, thread: name, calls: thread.calls };
}

function unknown({ outcomes, byAddress }: Findings): Cause {
  const advice = byAddress ? '' : ': they have other addresses, record both with one entropy seed';
  return { kind: 'unknown', summary: `the runs differ in ${outcomes[0].what}; why was not found${advice}` };
}
