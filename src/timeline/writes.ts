import type { KernelState } from '../kernel/objects/kernel.js';
import type { Machine } from '../machine/machine.js';
import { comparePositions, type Position } from '../machine/position.js';
import { littleEndian } from './text.js';
import type { Timeline } from './timeline.js';
import { type Touched, type Watch, watchAt } from './watch.js';
import { kernelWriter, StoreTrace, type Writer } from './writer.js';

/** How far samples are apart where something was written. */
const FINE_STEPS = 1 << 12;
const FINE_EVENTS = 64;
/** The parts of a slice that are looked at: what one is traced in, or all of them are sampled. */
const PART_STEPS = 1 << 14;

/** One write to watched bytes. */
export interface MemoryWrite extends Writer {
  /** First watched byte that was written, as an address of the process asked about. */
  readonly address: number;
  /** Those bytes before and after: equal where the value written was there already. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** A stretch of the run in which watched bytes may have been written. */
interface Stretch {
  readonly from: Position;
  readonly to: Position;
}

/**
 * Who wrote last to some bytes of a process, before a position. What is watched is the memory behind the address
 * there, or, where nothing is mapped any more, behind it when it was mapped last.
 * @param sizeBytes bounded by the caller
 * @throws NoSuchPosition, Diverged
 */
export function lastWriter(
  timeline: Timeline,
  process: number,
  address: number,
  sizeBytes: number,
  before: Position,
): MemoryWrite | null {
  const watch = findWatch(timeline, process, address, sizeBytes, before);
  if (watch === null) return null;
  for (const stretch of stretches(timeline, watch, before).reverse()) {
    for (const fine of refined(timeline, watch, stretch).reverse()) {
      for (const part of fromTheEnd(inParts(timeline, watch, fine))) {
        let last: MemoryWrite | null = null;
        traceWrites(timeline, watch, part, (write) => {
          if (comparePositions(write.position, before) < 0) last = write;
        });
        if (last !== null) return last;
      }
    }
  }
  return null;
}

/**
 * Everybody who wrote there before a position, in order.
 * @param tell may throw ENOUGH
 * @throws NoSuchPosition, Diverged
 */
export function eachWriter(
  timeline: Timeline,
  process: number,
  address: number,
  sizeBytes: number,
  before: Position,
  tell: (write: MemoryWrite) => void,
): void {
  const watch = findWatch(timeline, process, address, sizeBytes, before);
  if (watch === null) return;
  let enough = false;
  for (const stretch of stretches(timeline, watch, before)) {
    for (const fine of refined(timeline, watch, stretch)) {
      for (const part of joined(inParts(timeline, watch, fine))) {
        traceWrites(timeline, watch, part, (write) => {
          if (comparePositions(write.position, before) >= 0) return;
          try {
            tell(write);
          } catch (reason) {
            enough = true;
            throw reason;
          }
        });
        if (enough) return;
      }
    }
  }
}

/** Watches what is behind the address at a position, or was the last time before it that something was. */
export function findWatch(
  timeline: Timeline,
  process: number,
  address: number,
  sizeBytes: number,
  before: Position,
): Watch | null {
  const now = watchAt(timeline.seek(before).k, process, address, sizeBytes);
  if (now !== null) return now;
  const states = [...timeline.statesUpTo(before)].map(({ seq, step }) => ({ seq, step }));
  for (let i = states.length - 1, to = before; i >= 0; to = states[i], i--) {
    let found: Watch | null = null;
    const look = (machine: Machine): void => {
      found = watchAt(machine.k, process, address, sizeBytes) ?? found;
    };
    look(timeline.seek(states[i]));
    timeline.events(states[i], to, ({ event }) => {
      if (event.type !== 'mapping-added') return;
      if (event.base < address + sizeBytes && event.base + event.sizeBytes > address) look(timeline.machine);
    });
    if (found !== null) return found;
  }
  return null;
}

/** Stretches between checkpoints that changed something watched. */
function stretches(timeline: Timeline, watch: Watch, before: Position): Stretch[] {
  const here = timeline.seek(before).k.snapshot();
  const samples: { readonly position: Position; readonly ids: readonly number[] }[] = [];
  const add = (state: KernelState): void => {
    samples.push({ position: { seq: state.seq, step: state.step }, ids: watch.sample(state) });
  };
  // One by one: together they may be large.
  for (const state of timeline.statesUpTo(before)) add(state);
  add(here);
  return samples.slice(1).flatMap(({ position, ids }, i) => {
    return equal(ids, samples[i].ids) ? [] : [{ from: samples[i].position, to: position }];
  });
}

/** As `refined`, inside of a slice. */
function inParts(timeline: Timeline, watch: Watch, stretch: Stretch): Stretch[] {
  const { from, to } = stretch;
  const isShort = from.seq === to.seq && to.step - from.step <= PART_STEPS;
  return isShort ? [stretch] : refined(timeline, watch, stretch, PART_STEPS);
}

/** Joins those that meet. */
function joined(stretches: readonly Stretch[]): Stretch[] {
  const out: Stretch[] = [];
  for (const stretch of stretches) {
    const last = out[out.length - 1];
    if (last !== undefined && comparePositions(last.to, stretch.from) === 0)
      out[out.length - 1] = { from: last.from, to: stretch.to };
    else out.push(stretch);
  }
  return out;
}

/**
 * From the last one back, and each time twice as many at once: to come to where one starts takes as long as to trace
 * some, and where others write to the same page all the time there may be many.
 */
function* fromTheEnd(stretches: readonly Stretch[]): IterableIterator<Stretch> {
  let end = stretches.length;
  for (let count = 1; end > 0; count *= 2) {
    const start = Math.max(0, end - count);
    yield* joined(stretches.slice(start, end)).reverse();
    end = start;
  }
}

/** Short stretches of one that changed something watched; together they hold all that do. */
function refined(timeline: Timeline, watch: Watch, stretch: Stretch, mostSteps?: number): Stretch[] {
  const { from, to } = stretch;
  const samples: { readonly position: Position; readonly steps: number; readonly ids: readonly number[] }[] =
    [];
  const sample = ({ k }: Machine, position: Position): void => {
    const state = k.snapshot();
    samples.push({ position, steps: state.steps, ids: watch.sample(state) });
  };
  const look = (machine: Machine): void => {
    const { seq, steps } = machine.k.state;
    const last = samples[samples.length - 1];
    // It may have to come from further back.
    if (comparePositions(machine.position, from) < 0) return;
    if (last !== undefined && steps - last.steps < FINE_STEPS && seq - last.position.seq < FINE_EVENTS)
      return;
    sample(machine, machine.position);
  };
  const isThrough = timeline.boundaries(from, to, look, mostSteps);
  if (!isThrough || samples.length === 0 || comparePositions(samples[0].position, from) > 0) return [stretch];
  sample(timeline.machine, to);
  return samples.slice(1).flatMap(({ position, ids }, i) => {
    return equal(ids, samples[i].ids) ? [] : [{ from: samples[i].position, to: position }];
  });
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  return a.every((value, i) => value === b[i]);
}

/** Runs a stretch instruction by instruction and tells of every write to watched bytes. */
function traceWrites(
  timeline: Timeline,
  watch: Watch,
  { from, to }: Stretch,
  tell: (write: MemoryWrite) => void,
): void {
  const { k } = timeline.seek(from);
  const bytes = watch.read(k);
  const note = (writer: Writer, { offset, sizeBytes }: Touched, after: Uint8Array): void => {
    const old = bytes.slice(offset, offset + sizeBytes);
    bytes.set(after, offset);
    tell({ ...writer, address: watch.address + offset, before: old, after });
  };
  timeline.events(
    from,
    to,
    (happened) => {
      for (const touched of watch.byEvent(k, happened.event)) {
        const { offset, sizeBytes } = touched;
        note(kernelWriter(k, happened), touched, watch.read(k).slice(offset, offset + sizeBytes));
      }
    },
    new StoreTrace(k, ({ process, address, sizeBytes, value }, trace) => {
      for (const touched of watch.byStore(k, process, Number(address), sizeBytes)) {
        const { skipped } = touched;
        const stored = littleEndian(value, sizeBytes).slice(skipped, skipped + touched.sizeBytes);
        note(trace.writer(), touched, stored);
      }
    }),
  );
}
