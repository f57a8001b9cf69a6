import { syscallByNumber } from '../abi/syscalls.js';
import type { Happened } from '../machine/machine.js';
import type { Position } from '../machine/position.js';
import { PAGE_SIZE } from '../memory/page.js';
import type { Access as MemoryAccess } from '../timeline/expand.js';
import { integerOf } from '../timeline/text.js';
import { ENOUGH } from '../timeline/timeline.js';
import type { Watch } from '../timeline/watch.js';
import { findWatch } from '../timeline/writes.js';
import { type Observer, observe } from './observe.js';
import type { AccessMoment, Both } from './report.js';
import type { Run } from './run.js';
import type { SliceStep } from './slices.js';

/** What looking at one run may cost: slices that are run again, instructions traced, accesses kept. */
const MAX_SLICES = 1 << 15;
const MAX_TRACED_STEPS = 1 << 21;
const MAX_ACCESSES = 1 << 17;
/** Checkpointed stretches that are looked at before one in which something was written: a load may be that old. */
const EARLIER_STRETCHES = 1;

/** One access to watched bytes, by an instruction or by the kernel. */
export interface Access {
  readonly kind: 'load' | 'store';
  /** Where it leads. */
  readonly position: Position;
  readonly thread: number;
  /** Null: the kernel, in the call named, if in any. */
  readonly pc: number | null;
  readonly call: string | null;
  readonly value: bigint;
  readonly sizeBytes: number;
}

/** Some bytes of a process that is in both runs. */
export interface Variable {
  readonly name: string;
  readonly processes: Both<number>;
  readonly address: number;
  readonly sizeBytes: number;
}

export interface Accesses {
  readonly list: readonly Access[];
  /** They are all of the run's, but for loads far from any store. */
  readonly complete: boolean;
}

/**
 * Loads and stores, in order, that overlap some bytes of a process. Stretches between checkpoints in which nobody wrote
 * there are left out. When there is too much to look at, it is the last part of the run.
 * @throws Diverged
 */
export function accessesOf(run: Run, process: number, address: number, sizeBytes: number): Accesses {
  const { timeline, history } = run;
  const watch = findWatch(timeline, process, address, sizeBytes, history.lastAlive);
  if (watch === null) return { list: [], complete: true };
  const collector = new Collector(run, process, watch);
  const { stretches, complete } = stretchesToRead(run, watch);
  const all = stretches.every(({ from, to }) => observe(timeline, from, to, collector));
  return { list: collector.list, complete: complete && all };
}

interface Stretch {
  readonly from: Position;
  readonly to: Position;
}

/** The stretches between checkpoints in which something watched was written, the last ones first to be taken. */
function stretchesToRead(
  { timeline, history }: Run,
  watch: Watch,
): { stretches: Stretch[]; complete: boolean } {
  const last = timeline.seek(history.lastAlive).k.snapshot();
  const states = [...timeline.statesUpTo(history.lastAlive), last];
  const samples = states.map((state) => watch.sample(state));
  const changed = states.map((_, i) => i > 0 && samples[i].some((page, j) => page !== samples[i - 1][j]));
  const taken: Stretch[] = [];
  let slices = 0;
  for (let i = states.length - 1; i > 0; i--) {
    if (!changed.slice(i, i + EARLIER_STRETCHES + 1).some(Boolean)) continue;
    // A slice takes two events or more: a choice, and what it ends at.
    slices += Math.ceil((states[i].seq - states[i - 1].seq) / 2);
    if (slices > MAX_SLICES && taken.length > 0) return { stretches: taken.reverse(), complete: false };
    taken.push({ from: states[i - 1], to: states[i] });
  }
  return { stretches: taken.reverse(), complete: true };
}

class Collector implements Observer {
  readonly list: Access[] = [];
  readonly pages = new Set<number>();
  private steps = 0;

  constructor(
    private readonly run: Run,
    private readonly process: number,
    private readonly watch: Watch,
  ) {
    const { address, sizeBytes } = watch;
    for (let at = address - (address % PAGE_SIZE); at < address + sizeBytes; at += PAGE_SIZE) {
      this.pages.add(at / PAGE_SIZE);
    }
  }

  wants(_: number, process: number): boolean {
    return process === this.process;
  }

  step({ position, thread, pc, loads, stores }: SliceStep): void {
    const { address: start, sizeBytes: length } = this.watch;
    const note = (kind: Access['kind'], { address, sizeBytes, value }: MemoryAccess): void => {
      if (Number(address) >= start + length || Number(address) + sizeBytes <= start) return;
      this.list.push({ kind, position, thread, pc: Number(pc), call: null, value, sizeBytes });
    };
    for (const access of loads) note('load', access);
    for (const access of stores) note('store', access);
    if (++this.steps > MAX_TRACED_STEPS || this.list.length > MAX_ACCESSES) throw ENOUGH;
  }

  event({ seq, event, by }: Happened): (() => void) | null {
    const { k } = this.run;
    if (this.watch.byEvent(k, event).length === 0) return null;
    const thread = event.type === 'user-memory-written' ? event.thread : (by?.thread ?? 0);
    const object = k.find(thread);
    const call = object?.kind === 'thread' ? (syscallByNumber(object.syscall)?.name ?? null) : null;
    const { sizeBytes } = this.watch;
    const value = integerOf(this.watch.read(k).subarray(0, Math.min(8, sizeBytes)));
    const position = { seq, step: 0 };
    return () => this.list.push({ kind: 'store', position, thread, pc: null, call, value, sizeBytes });
  }
}

/** Where what happened before any thread ran is said to have happened. */
export const LOADER = 'the loader';

/** An access as it is told, with its stack. */
export function accessMoment(run: Run, access: Access): AccessMoment {
  const { position, thread, pc, call, value, sizeBytes } = access;
  const moment =
    pc === null
      ? run.event(position, thread, call ?? (thread === 0 ? LOADER : 'the kernel'))
      : run.instruction(position, thread, pc);
  return { ...moment, value, sizeBytes };
}
