import { syscallByNumber } from '../abi/syscalls.js';
import type { EventType } from '../kernel/objects/events.js';
import type { Kernel } from '../kernel/objects/kernel.js';
import type { Actor, Happened } from '../machine/machine.js';
import type { Position } from '../machine/position.js';
import type { PositionedTrace } from './timeline.js';

/** Who wrote to memory, and when. */
export interface Writer {
  /** Where the write leads: there, the new value is in memory. */
  readonly position: Position;
  readonly timeNs: bigint;
  /** Koids; 0 when nobody's instruction or call did it. */
  readonly thread: number;
  readonly process: number;
  readonly core: number | null;
  /** Of the instruction that stored; null for the kernel. */
  readonly pc: bigint | null;
  /** The call in which the kernel wrote, and the event that says so; null for an instruction. */
  readonly syscall: string | null;
  readonly event: EventType | null;
}

/** Who the kernel wrote for: the thread whose memory it was, else the one in whose call it happened. */
export function kernelWriter(k: Kernel, { seq, timeNs, event, by }: Happened): Writer {
  const thread = event.type === 'user-memory-written' ? event.thread : (by?.thread ?? 0);
  const object = k.find(thread);
  const isThread = object?.kind === 'thread';
  return {
    position: { seq, step: 0 },
    timeNs,
    thread,
    process: isThread ? object.process : 0,
    core: by?.thread === thread ? by.core : null,
    pc: null,
    syscall: isThread ? (syscallByNumber(object.syscall)?.name ?? null) : null,
    event: event.type,
  };
}

/** A store of an instruction: raw bits. Until the trace is told, memory is as it was before. */
export interface Store {
  readonly process: number;
  readonly address: bigint;
  readonly sizeBytes: number;
  readonly value: bigint;
}

/** Hears of stores alone, and knows who stored. */
export class StoreTrace implements PositionedTrace {
  private position: Position = { seq: 0, step: 0 };
  private by: Actor = { thread: 0, core: 0 };
  private process = 0;
  private pc = 0n;

  constructor(
    private readonly k: Kernel,
    private readonly onStore: (store: Store, trace: StoreTrace) => void,
  ) {}

  at(position: Position, by: Actor): void {
    if (by.thread !== this.by.thread) this.process = this.k.get(by.thread, 'thread').process;
    this.position = position;
    this.by = by;
  }

  step(pc: bigint): void {
    this.pc = pc;
  }

  store(address: bigint, sizeBytes: number, value: bigint): void {
    this.onStore({ process: this.process, address, sizeBytes, value }, this);
  }

  /** Who does the store that is being told of. */
  writer(): Writer {
    const { position, process, pc, by } = this;
    const { steps, step, idleNs } = this.k.state;
    const timeNs = BigInt(steps + position.step - step) + idleNs;
    return { position, timeNs, thread: by.thread, core: by.core, process, pc, syscall: null, event: null };
  }

  register(): void {}
  load(): void {}
}
