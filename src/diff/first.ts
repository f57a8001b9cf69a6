import { Hasher } from '../base/digest.js';
import type { KernelEvent } from '../kernel/objects/events.js';
import { hashEvent } from '../kernel/objects/state-hash.js';
import { comparePositions, type Position } from '../machine/position.js';
import type { Recording } from '../recording/format/reader.js';
import { describeEvent } from '../recording/player.js';
import type { Timeline } from '../timeline/timeline.js';
import type { Both, DifferenceKind, FirstDivergence } from './report.js';
import type { Run } from './run.js';

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
  readonly seq: number;
  readonly event: KernelEvent;
  readonly digest: string;
}

/** Compares event by event. */
function walk(a: Run, b: Run, low: number, high: number): FirstDivergence | null {
  const left = itemsBetween(a.timeline, low, high);
  const right = itemsBetween(b.timeline, low, high);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    if (left[i]?.digest === right[i]?.digest) continue;
    return divergence(a, b, left[i], right[i]);
  }
  return null;
}

function itemsBetween(timeline: Timeline, low: number, high: number): Item[] {
  const items: Item[] = [];
  timeline.events({ seq: low, step: 0 }, { seq: high, step: 0 }, ({ seq, event }) => {
    const hasher = new Hasher();
    hashEvent(hasher, event);
    items.push({ seq, event, digest: hasher.value() });
  });
  return items;
}

function divergence(a: Run, b: Run, left: Item | undefined, right: Item | undefined): FirstDivergence {
  const events = [left?.event, right?.event];
  const spans = events.flatMap((event) => (event?.type === 'span' ? [event.steps] : []));
  const seq = left?.seq ?? right?.seq ?? 0;
  const position: Position =
    spans.length === 0
      ? { seq, step: 0 }
      : {
          seq: Math.min(left?.seq ?? seq, right?.seq ?? seq),
          step: spans.length === 2 ? Math.min(...spans) : 0,
        };
  const kind = kindOf(events);
  return { kind, position, a: itemText(a, left), b: itemText(b, right) };
}

const SCHEDULE: readonly string[] = ['slice-started', 'thread-preempted', 'span', 'clock-advanced'];
const INPUT: readonly string[] = ['entropy-drawn', 'process-created', 'vmo-written', 'machine-halted'];

function kindOf(events: readonly (KernelEvent | undefined)[]): DifferenceKind {
  const types = events.map((event) => event?.type ?? '');
  if (types.some((type) => INPUT.includes(type))) return 'input';
  if (types.some((type) => SCHEDULE.includes(type))) return 'schedule';
  return types.some((type) => type.startsWith('syscall')) ? 'syscall' : 'input';
}

function itemText(run: Run, item: Item | undefined): string {
  if (item === undefined) return 'nothing: the run ends there';
  const { event } = item;
  const name = (koid: number): string => run.threadName(koid)?.name || `thread ${koid}`;
  switch (event.type) {
    case 'slice-started':
      return `core ${event.core} runs ${name(event.thread)} for ${event.steps} steps`;
    case 'thread-preempted':
      return `core ${event.core} puts ${name(event.thread)} back into the queue`;
    case 'span':
      return `core ${event.core} ran ${name(event.thread)} for ${event.steps} steps`;
    default:
      return `${event.type} ${describeEvent({ ...event, type: undefined })}`;
  }
}
