import { Hasher } from '../base/digest.js';
import type { KernelEvent } from '../kernel/objects/events.js';
import { hashEvent } from '../kernel/objects/state-hash.js';
import type { Happened } from '../machine/machine.js';
import { comparePositions } from '../machine/position.js';
import type { Recording } from '../recording/format/reader.js';
import { eventText } from '../timeline/event-text.js';
import type { Timeline } from '../timeline/timeline.js';
import type { Both, DifferenceKind, FirstDivergence } from './report.js';
import type { Run } from './run.js';
import { nameOf } from './words.js';

/** A stretch of so many events is walked through; longer ones are halved. */
const WALK_EVENTS = 256;

/**
 * The first place at which two runs of one program differ in the total order. Recorded digests bracket it, halving the
 * bracket by seeks narrows it: a digest of all events up to a place is equal exactly as long as nothing has differed.
 * @throws Diverged
 */
export function firstDivergence({ a, b }: Both<Run>): FirstDivergence | null {
  const ends = { a: a.timeline.end, b: b.timeline.end };
  const common = Math.min(ends.a.seq, ends.b.seq);
  const alike = (seq: number): boolean => hashAt(a.timeline, seq) === hashAt(b.timeline, seq);
  const bracket = recordedBracket(a.recording, b.recording);
  let low = Math.min(bracket.low, common);
  let high = Math.min(bracket.high, common);
  if (alike(high)) {
    low = high;
    high = common;
    if (alike(high)) return null;
  }
  while (high - low > WALK_EVENTS) {
    const middle = Math.floor((low + high) / 2);
    if (alike(middle)) low = middle;
    else high = middle;
  }
  return walk(a, b, low, high);
}

function hashAt(timeline: Timeline, seq: number): string {
  return timeline.seek({ seq, step: 0 }).eventHash();
}

/** Numbers of events between which the digests in the recordings say the first difference is. */
function recordedBracket(a: Recording, b: Recording): { low: number; high: number } {
  const rows = { a: [...a.rows('digests')], b: [...b.rows('digests')] };
  let low = 0;
  let high = Math.min(rows.a.length, rows.b.length);
  const alike = (i: number): boolean =>
    rows.a[i].events === rows.b[i].events && comparePositions(rows.a[i], rows.b[i]) === 0;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (alike(middle)) low = middle + 1;
    else high = middle;
  }
  const above = [rows.a[low], rows.b[low]].map((row) =>
    row === undefined ? Number.MAX_SAFE_INTEGER : row.seq + 1,
  );
  return { low: low === 0 ? 0 : rows.a[low - 1].seq, high: Math.min(...above) };
}

interface Item {
  readonly happened: Happened;
  readonly digest: string;
}

/** Compares event by event; both have all events up to the upper end, so neither list ends before they differ. */
function walk(a: Run, b: Run, low: number, high: number): FirstDivergence | null {
  const left = itemsBetween(a.timeline, low, high);
  const right = itemsBetween(b.timeline, low, high);
  const i = left.findIndex(({ digest }, n) => digest !== right[n].digest);
  return i < 0 ? null : divergence({ a, b }, { a: left[i].happened, b: right[i].happened });
}

function itemsBetween(timeline: Timeline, low: number, high: number): Item[] {
  const items: Item[] = [];
  timeline.events({ seq: low, step: 0 }, { seq: high, step: 0 }, (happened) => {
    const hasher = new Hasher();
    hashEvent(hasher, happened.event);
    items.push({ happened, digest: hasher.value() });
  });
  return items;
}

function divergence(runs: Both<Run>, { a, b }: Both<Happened>): FirstDivergence {
  // A span is of instructions behind the event whose number it has.
  const steps = [a, b].map(({ event }) => (event.type === 'span' ? event.steps : 0));
  const spans = [a, b].some(({ event }) => event.type === 'span');
  const position = spans
    ? { seq: Math.min(a.seq, b.seq), step: Math.min(...steps) }
    : { seq: a.seq, step: 0 };
  return { kind: kindOf(a.event, b.event), position, a: itemText(runs.a, a), b: itemText(runs.b, b) };
}

const SCHEDULE: readonly string[] = ['slice-started', 'thread-preempted', 'clock-advanced'];

function kindOf(...events: readonly KernelEvent[]): DifferenceKind {
  if (events.every(({ type }) => SCHEDULE.includes(type))) return 'schedule';
  // All was alike: one slice can be longer than the other only because the machine was told to stop.
  return events.some(({ type }) => type.startsWith('syscall')) ? 'syscall' : 'input';
}

function itemText(run: Run, happened: Happened): string {
  const { event } = happened;
  const name = (koid: number): string => nameOf(run.threadName(koid));
  switch (event.type) {
    case 'slice-started':
      return `core ${event.core} runs ${name(event.thread)} for ${event.steps} of ${event.quantumSteps} steps`;
    case 'thread-preempted':
      return `core ${event.core} puts ${name(event.thread)} back into the queue`;
    case 'span':
      return `core ${event.core} ran ${name(event.thread)} for ${event.steps} steps`;
    default:
      return eventText(run.timeline.machine, happened, run.names);
  }
}
