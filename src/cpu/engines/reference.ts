import type { Page } from '../../memory/page.js';
import type { Engine, MemoryView, Registers, RunResult, Stop, Trace } from '../arch.js';
import { CodeStore } from './code-store.js';
import { type Decoded, Evaluator, LEFT, PAGE_HALVES, type Plain } from './evaluator.js';
import { ILLEGAL } from './float-unit.js';
import { STOPPED, type Traffic } from './memory-port.js';

/** What the engine must know of an architecture. */
export interface InstructionSet {
  /** Slots of a register state; those of the float status (`mode << 5 | flags`) and of pc. */
  readonly stateSlots: number;
  readonly floatStatusSlot: number;
  readonly pcSlot: number;
  /** The slot that always reads 0, and the one that takes its writes; the number of all slots. */
  readonly zeroSlot: number;
  readonly sinkSlot: number;
  readonly allSlots: number;
  instructionLength(firstHalf: number): 2 | 4;
  /** Null when the bits are no instruction. */
  decode(bits: number, lengthBytes: 2 | 4): Decoded | null;
}

/** What LR reserved; no bytes when nothing is. */
export interface Reservation {
  address: bigint;
  sizeBytes: number;
}

/** A stretch of a run whose steps fit a small integer of V8. */
const STRETCH_STEPS = 2 ** 30;
const LAST_HALF = PAGE_HALVES - 1;
const CROSSING_LIMIT = 4096;
const BUDGET: Stop = { kind: 'budget' };
const FLAG_BITS = 5n;

/** Runs instructions one by one as the table describes them. */
export class ReferenceEngine implements Engine {
  private readonly cpu: Evaluator;
  private readonly state: Uint8Array;
  private readonly codes = new CodeStore();
  /** Instructions that cross a page belong to none: they are fetched every time, and found here by their bits. */
  private readonly crossing = new Map<number, Decoded>();
  /** The current page and what was decoded from it. */
  private page: Page | null = null;
  private decoded: (Decoded | null)[] = [];

  constructor(private readonly isa: InstructionSet) {
    this.cpu = new Evaluator(isa.allSlots);
    this.state = new Uint8Array(this.cpu.slots.buffer, 0, isa.stateSlots * 8);
  }

  run(
    registers: Registers,
    memory: MemoryView,
    budget: number,
    timeNs: bigint,
    grace: number,
    trace?: Trace,
  ): RunResult {
    const traffic: Traffic[] | null = trace === undefined ? null : [];
    const cpu = this.cpu;
    this.start(registers, memory, traffic);
    cpu.dropReservation();
    let steps = 0;
    let stop = BUDGET;
    while (stop === BUDGET && (steps < budget || (steps < budget + grace && cpu.holdsReservation))) {
      cpu.startNs = timeNs + BigInt(steps);
      cpu.steps = 0;
      const limit = Math.min(Math.max(1, budget - steps), STRETCH_STEPS);
      stop = trace === undefined ? this.stretch(limit) : this.tracedStretch(limit, trace, traffic!);
      steps += cpu.steps;
    }
    this.saveState(registers);
    return { steps, stop, reserved: cpu.holdsReservation };
  }

  /** Runs one instruction for another engine, whose reservation holds on. */
  step(registers: Registers, memory: MemoryView, timeNs: bigint, reservation: Reservation): RunResult {
    const { cpu } = this;
    this.start(registers, memory, null);
    cpu.reserved[0] = reservation.address;
    cpu.reservedBytes = reservation.sizeBytes;
    cpu.startNs = timeNs;
    cpu.steps = 0;
    const stop = this.stretch(1);
    reservation.sizeBytes = cpu.reservedBytes;
    reservation.address = cpu.reserved[0];
    this.saveState(registers);
    return { steps: cpu.steps, stop };
  }

  private start(registers: Registers, memory: MemoryView, traffic: Traffic[] | null): void {
    this.cpu.next = LEFT;
    this.cpu.attach(memory, traffic);
    this.loadState(registers);
  }

  /** Runs up to `limit` instructions. Afterwards pc is in `cpu.target`, the number of those retired in `cpu.steps`. */
  private stretch(limit: number): Stop {
    const cpu = this.cpu;
    try {
      while (cpu.steps < limit) {
        this.enterPage();
        const decoded = this.decoded;
        do {
          const d = decoded[cpu.index] ?? this.decodeHere();
          if (d === null) break;
          cpu.next = cpu.index + d.halves;
          d.semantics<Plain>(cpu, d);
          cpu.steps++;
          cpu.index = cpu.next;
        } while (cpu.index < PAGE_HALVES && cpu.steps < limit);
        cpu.quitPage();
      }
    } catch (thrown) {
      return this.stopOf(thrown);
    }
    return BUDGET;
  }

  /** The same, instruction by instruction. The port holds back every store until its turn in the report. */
  private tracedStretch(limit: number, trace: Trace, traffic: Traffic[]): Stop {
    const cpu = this.cpu;
    try {
      while (cpu.steps < limit) {
        this.enterPage();
        const d = this.decoded[cpu.index] ?? this.decodeHere();
        if (d !== null) {
          const status = this.floatStatus();
          traffic.length = 0;
          cpu.next = cpu.index + d.halves;
          d.semantics<Plain>(cpu, d);
          trace.step(BigInt.asUintN(64, cpu.pc()), d.bits, d.lengthBytes);
          this.report(d, status, trace, traffic);
          cpu.steps++;
          cpu.index = cpu.next;
        }
        cpu.quitPage();
      }
    } catch (thrown) {
      return this.stopOf(thrown);
    }
    return BUDGET;
  }

  private report(d: Decoded, statusBefore: bigint, trace: Trace, traffic: readonly Traffic[]): void {
    for (const { store, address, sizeBytes, value } of traffic) {
      if (store) {
        trace.store(address, sizeBytes, value);
        this.cpu.commit();
      } else {
        trace.load(address, sizeBytes, value);
      }
    }
    for (const name of d.effects.writes) {
      const slot = d[name] as number;
      if (slot !== this.isa.sinkSlot) trace.register(slot, BigInt.asUintN(64, this.cpu.get(slot)));
    }
    const status = this.floatStatus();
    if (status !== statusBefore) trace.register(this.isa.floatStatusSlot, status);
  }

  private enterPage(): void {
    this.page = this.cpu.enterPage();
    this.decoded = this.codes.of(this.page);
  }

  /** Decodes the current instruction. Null: the page must be entered again first. */
  private decodeHere(): Decoded | null {
    const { cpu, isa } = this;
    const view = this.page!.view;
    const first = view.getUint16(cpu.index * 2, true);
    const length = isa.instructionLength(first);
    if (length === 4 && cpu.index === LAST_HALF) return this.decodeCrossing(first);
    const bits = length === 2 ? first : view.getUint32(cpu.index * 2, true);
    const d = isa.decode(bits, length) ?? this.illegal(bits);
    this.decoded[cpu.index] = d;
    this.codes.countInstruction();
    return d;
  }

  private decodeCrossing(first: number): Decoded | null {
    const { cpu } = this;
    const second = cpu.pageBehind();
    if (cpu.next === LEFT) return null;
    const bits = (first | (second.view.getUint16(0, true) << 16)) >>> 0;
    const known = this.crossing.get(bits);
    if (known !== undefined) return known;
    const d = this.isa.decode(bits, 4) ?? this.illegal(bits);
    if (this.crossing.size >= CROSSING_LIMIT) this.crossing.clear();
    this.crossing.set(bits, d);
    return d;
  }

  private illegal(bits: number): never {
    this.cpu.stop = { kind: 'illegal-instruction', bits };
    throw STOPPED;
  }

  /** What ended a stretch. The instruction at `cpu.index` has had no effect. */
  private stopOf(thrown: unknown): Stop {
    const { cpu } = this;
    if (thrown !== STOPPED && thrown !== ILLEGAL) throw thrown;
    cpu.target[0] = cpu.pc();
    if (thrown === STOPPED) return cpu.stop;
    return { kind: 'illegal-instruction', bits: (this.decoded[cpu.index] ?? this.decodeHere()!).bits };
  }

  private loadState(registers: Registers): void {
    const { cpu, isa } = this;
    this.state.set(registers.bytes);
    cpu.slots[isa.zeroSlot] = 0n;
    // Like the hardware's exception pc, a program counter has no odd values.
    cpu.target[0] = cpu.slots[isa.pcSlot]! & -2n;
    const status = cpu.slots[isa.floatStatusSlot]!;
    cpu.setFloatFlags(status);
    cpu.setFloatRounding(status >> FLAG_BITS);
  }

  private saveState(registers: Registers): void {
    const { cpu, isa } = this;
    cpu.slots[isa.floatStatusSlot] = this.floatStatus();
    cpu.slots[isa.pcSlot] = cpu.target[0]!;
    registers.bytes.set(this.state);
  }

  private floatStatus(): bigint {
    return (this.cpu.floatRounding() << FLAG_BITS) | this.cpu.floatFlags();
  }
}
