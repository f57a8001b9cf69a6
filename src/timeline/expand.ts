import type { Kernel } from '../kernel/objects/kernel.js';
import type { Actor, Happened } from '../machine/machine.js';
import type { Position } from '../machine/position.js';
import { readMemory } from './address-space.js';
import { littleEndian } from './text.js';
import { ENOUGH, type PositionedTrace, type Timeline } from './timeline.js';
import { kernelWriter, StoreTrace, type Writer } from './writer.js';

/** Memory that an instruction read or wrote: raw bits, unsigned. */
export interface Access {
  readonly address: bigint;
  readonly sizeBytes: number;
  readonly value: bigint;
}

/** One instruction and what it did. */
export interface Step {
  /** Where it leads. */
  readonly position: Position;
  readonly thread: number;
  readonly process: number;
  readonly core: number;
  readonly mode: 'normal' | 'restricted';
  readonly pc: bigint;
  readonly bits: number;
  readonly sizeBytes: number;
  /** Those it wrote, by DWARF number. */
  readonly registers: readonly { readonly number: number; readonly value: bigint }[];
  readonly loads: readonly Access[];
  readonly stores: readonly Access[];
}

/** A write to memory, whoever did it. */
export interface Stored {
  readonly writer: Writer;
  /** As the writer's process sees it; null where the kernel wrote to a VMO. */
  readonly address: bigint | null;
  readonly vmo: { readonly koid: number; readonly offset: number } | null;
  /** What was there; null where it is not known. */
  readonly before: Uint8Array | null;
  readonly after: Uint8Array;
}

/**
 * Tells what happened after `from` up to `to`, instruction by instruction: steps come before the span they are in.
 * @param onEvent, onStep may throw ENOUGH
 * @throws Diverged
 */
export function expand(
  timeline: Timeline,
  from: Position,
  to: Position,
  onEvent: (happened: Happened) => void,
  onStep: (step: Step) => void,
): void {
  const trace = new StepTrace(timeline.machine.k, onStep);
  let enough = false;
  const told = (happened: Happened): void => {
    try {
      trace.flush();
      onEvent(happened);
    } catch (reason) {
      enough ||= reason === ENOUGH;
      throw reason;
    }
  };
  timeline.events(from, to, told, trace);
  if (enough || trace.stopped) return;
  try {
    trace.flush();
  } catch (reason) {
    if (reason !== ENOUGH) throw reason;
  }
}

/** Gathers an instruction's effects, and passes them on when the next one comes. */
class StepTrace implements PositionedTrace {
  /** What takes the steps has had enough. */
  stopped = false;
  private process = 0;
  private thread = 0;
  private position: Position = { seq: 0, step: 0 };
  private core = 0;
  private mode: Step['mode'] = 'normal';
  private open: (Step & { registers: Step['registers'][0][]; loads: Access[]; stores: Access[] }) | null =
    null;

  constructor(
    private readonly k: Kernel,
    private readonly onStep: (step: Step) => void,
  ) {}

  at(position: Position, { thread, core }: Actor): void {
    this.flush();
    const { process, restricted } = this.k.get(thread, 'thread');
    this.process = process;
    this.mode = restricted === null ? 'normal' : 'restricted';
    this.thread = thread;
    this.core = core;
    this.position = position;
  }

  step(pc: bigint, bits: number, sizeBytes: number): void {
    const { position, thread, process, core, mode } = this;
    this.open = {
      position,
      thread,
      process,
      core,
      mode,
      pc,
      bits,
      sizeBytes,
      registers: [],
      loads: [],
      stores: [],
    };
  }

  register(number: number, value: bigint): void {
    this.open?.registers.push({ number, value });
  }

  load(address: bigint, sizeBytes: number, value: bigint): void {
    this.open?.loads.push({ address, sizeBytes, value });
  }

  store(address: bigint, sizeBytes: number, value: bigint): void {
    this.open?.stores.push({ address, sizeBytes, value });
  }

  flush(): void {
    const step = this.open;
    if (step === null) return;
    this.open = null;
    this.stopped = true;
    this.onStep(step);
    this.stopped = false;
  }
}

/**
 * Tells of all writes to memory after `from` up to `to`, in order.
 * @param tell may throw ENOUGH
 * @throws Diverged
 */
export function eachStore(
  timeline: Timeline,
  from: Position,
  to: Position,
  tell: (stored: Stored) => void,
): void {
  const { k } = timeline.machine;
  const onEvent = (happened: Happened): void => {
    const { event } = happened;
    if (event.type !== 'vmo-written' && event.type !== 'user-memory-written') return;
    tell({
      writer: kernelWriter(k, happened),
      address: event.type === 'user-memory-written' ? BigInt(event.address) : null,
      vmo: { koid: event.vmo, offset: event.offset },
      before: null,
      after: event.bytes,
    });
  };
  const trace = new StoreTrace(k, ({ process, address, sizeBytes, value }) => {
    tell({
      writer: trace.writer(),
      address,
      vmo: null,
      before: readMemory(k, process, Number(address), sizeBytes),
      after: littleEndian(value, sizeBytes),
    });
  });
  timeline.events(from, to, onEvent, trace);
}
