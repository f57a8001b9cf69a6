import { Hasher } from '../../../src/base/digest.js';
import { Prng, seedPrng } from '../../../src/base/prng.js';
import type { Engine, Registers, RunResult, Stop, Trace } from '../../../src/cpu/arch.js';
import { RISCV64 } from '../../../src/cpu/riscv64/arch.js';
import { PAGE_SIZE } from '../../../src/memory/page.js';
import { pick } from '../random-instruction.js';
import { type Program, randomProgram, randomTraits } from './random-program.js';
import { equal, Machine, type Snapshot, spoilt, World } from './world.js';

/**
 * The same programs on several engines, slice by slice, each engine with memory of its own; a small kernel answers
 * their traps and changes their memory. After every slice all of them must have the same steps, stop, registers
 * and memory. Everything is drawn from one seed.
 */

/** One side of the comparison: an engine, and what it has made of the programs so far. */
interface Side {
  readonly name: string;
  readonly machine: Machine;
  readonly processes: readonly Process[];
  snapshots: readonly Snapshot[];
}

interface Process {
  readonly engine: Engine;
  readonly world: World;
  readonly registers: Registers;
}

/** What becomes of a case's programs. */
type Plan = 'one' | 'two' | 'one twice' | 'one twice, an engine each';

export interface Contestant {
  readonly name: string;
  /** @param whole the case must not be run in parts: reservations would show it */
  make(prng: Prng, whole: boolean): Engine;
}

export interface Difference {
  readonly seed: number;
  readonly slice: number;
  readonly budget: number;
  readonly process: number;
  readonly names: readonly [string, string];
  readonly text: readonly string[];
}

export interface Outcome {
  readonly steps: number;
  readonly slices: number;
  readonly difference: Difference | null;
}

/** Where to leave a run: in a slice, after so many steps of it. */
interface Cut {
  readonly slice: number;
  readonly budget: number;
}

const START = { pc: 0n, sp: 0n, arg1: 0n, arg2: 0n, tp: 0n, abiReg: 0n };
const GRACE = [0, 0, 1, 32];
const PLANS: readonly Plan[] = ['one', 'one', 'one', 'one', 'two', 'one twice', 'one twice, an engine each'];
const STUCK = 6;
/** Longer slices are not traced. */
const TRACED_STEPS = 3000;
const KEPT_SNAPSHOTS = 2;
const FCSR_SLOT = 64;
const PC_SLOT = 65;
const LONGEST_SLICE = 300_000;
/** A program that does little but trap is not worth more. */
const MOST_SLICES = 3000;

function randomBudget(prng: Prng): number {
  const kind = prng.below(16);
  if (kind < 3) return kind;
  if (kind < 5) return prng.below(64);
  return Math.floor(2 ** (4 + (prng.u32() / 2 ** 32) * Math.log2(LONGEST_SLICE / 16)));
}

function describeStop(stop: Stop): string {
  return JSON.stringify(stop, (_, value) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value));
}

function register(registers: Registers, slot: number): bigint {
  return new DataView(registers.bytes.buffer, registers.bytes.byteOffset).getBigUint64(slot * 8, true);
}

/** Everything that a trace is told, in order. */
class TraceDigest implements Trace {
  private readonly hasher = new Hasher();

  private add(kind: number, a: bigint, b: number, c: bigint): void {
    this.hasher
      .number(kind)
      .number(Number(a & 0xffff_ffffn))
      .number(Number(a >> 32n))
      .number(b);
    this.hasher.number(Number(c & 0xffff_ffffn)).number(Number(c >> 32n));
  }
  step(pc: bigint, bits: number, length: number): void {
    this.add(1, pc, length, BigInt(bits));
  }
  register(number: number, value: bigint): void {
    this.add(2, value, number, 0n);
  }
  load(address: bigint, sizeBytes: number, value: bigint): void {
    this.add(3, address, sizeBytes, value);
  }
  store(address: bigint, sizeBytes: number, value: bigint): void {
    this.add(4, address, sizeBytes, value);
  }
  value(): string {
    return this.hasher.value();
  }
}

/** The difference in the shortest piece of its slice that shows one. */
export function narrow(found: Difference, contestants: readonly Contestant[]): Difference {
  // Spoilt snapshots are found long after they were spoilt.
  if (found.names[0] === found.names[1]) return found;
  const at = (budget: number): Difference | null =>
    new Case(found.seed, contestants).run(Number.POSITIVE_INFINITY, { slice: found.slice, budget })
      .difference;
  let shortest = at(found.budget) ?? found;
  let without = -1;
  while (shortest.slice === found.slice && shortest.budget - without > 1) {
    const middle = (shortest.budget + without) >> 1;
    const difference = at(middle);
    if (difference === null) without = middle;
    else shortest = difference;
  }
  return shortest;
}

/**
 * In every other case only two sides: fast engines of one process share their memory, so that another one coming in
 * between slices makes them drop or put away what they know.
 */
function chosen(seed: number, contestants: readonly Contestant[]): readonly Contestant[] {
  const prng = new Prng(seedPrng(seed, 'sides'));
  const [first, ...others] = contestants;
  return others.length < 2 || prng.below(2) === 0 ? contestants : [first, pick(prng, others)];
}

/** One case: one or two programs that take turns on every engine. */
export class Case {
  private readonly prng: Prng;
  private readonly programs: readonly Program[];
  private readonly sides: Side[];
  private steps = 0;
  private slice = 0;
  private stuck = 0;
  /** Whether the code may become anything. */
  private readonly garbles: boolean;

  constructor(
    private readonly seed: number,
    contestants: readonly Contestant[],
  ) {
    this.prng = new Prng(seedPrng(seed, 'case'));
    const traits = randomTraits(this.prng);
    const plan = pick(this.prng, PLANS);
    const first = randomProgram(seed, traits, 2 ** 40);
    this.programs =
      plan === 'one'
        ? [first]
        : [first, plan === 'two' ? randomProgram(seed + 2 ** 44, traits, 2 ** 40) : first];
    this.garbles = traits.garbage || (traits.wild && traits.selfModifying);
    const whole = traits.reservations || this.garbles;
    this.sides = chosen(seed, contestants).map(({ name, make }, i) => {
      const machine = new Machine();
      const prng = new Prng(seedPrng(seed, `side ${i}`));
      const processes: Process[] = [];
      for (const program of this.programs) {
        const before = processes.at(0);
        const share = before !== undefined && program === first ? before.world : null;
        processes.push({
          engine:
            before !== undefined && plan !== 'one twice, an engine each' ? before.engine : make(prng, whole),
          world: new World(machine, program.regions, share),
          registers: RISCV64.initialRegisters({ ...START, pc: program.entry }),
        });
      }
      return { name, machine, processes, snapshots: [] };
    });
  }

  /** @param cut ends the run there, before the kernel acts on it */
  run(steps: number, cut: Cut | null = null, trace?: Trace): Outcome {
    while (this.steps < steps && this.slice < MOST_SLICES) {
      const process = this.prng.below(this.programs.length);
      const drawn = randomBudget(this.prng);
      const grace = pick(this.prng, GRACE);
      const last = cut?.slice === this.slice;
      const budget = last ? cut.budget : drawn;
      const traced = budget < TRACED_STEPS && this.prng.below(8) === 0;
      const digests: TraceDigest[] = [];
      const results = this.sides.map(({ processes }) => {
        const { engine, registers, world } = processes[process];
        const digest = traced ? new TraceDigest() : undefined;
        if (digest !== undefined) digests.push(digest);
        const told = last && trace !== undefined ? trace : digest;
        return engine.run(registers, world, budget, BigInt(this.steps), grace, told);
      });
      const text = this.differences(process, results, digests);
      if (text !== null) return this.outcome({ ...text, process, budget });
      if (last) break;
      this.steps += results[0].steps;
      this.slice++;
      this.afterSlice(process, results[0]);
      // What is spoilt stays so, and looking costs: before the oldest is let go, and at the end.
      if (
        this.sides[0].snapshots.length > KEPT_SNAPSHOTS ||
        this.steps >= steps ||
        this.slice >= MOST_SLICES
      ) {
        const spoiltText = this.spoiltSnapshots();
        if (spoiltText !== null) return this.outcome({ ...spoiltText, process, budget });
        for (const side of this.sides) side.snapshots = side.snapshots.slice(-KEPT_SNAPSHOTS);
      }
    }
    return this.outcome(null);
  }

  private outcome(found: Omit<Difference, 'seed' | 'slice'> | null): Outcome {
    const difference = found === null ? null : { ...found, seed: this.seed, slice: this.slice };
    return { steps: this.steps * this.sides.length, slices: this.slice, difference };
  }

  // Comparing

  private differences(
    process: number,
    results: readonly RunResult[],
    digests: readonly TraceDigest[],
  ): { names: [string, string]; text: string[] } | null {
    const [first, ...others] = this.sides;
    const { registers, world } = first.processes[process];
    for (const [i, side] of others.entries()) {
      const other = side.processes[process];
      const text: string[] = [];
      const [mine, its] = [results[0], results[i + 1]];
      if (mine.steps !== its.steps) text.push(`steps: ${mine.steps}, ${its.steps}`);
      const stops = [describeStop(mine.stop), describeStop(its.stop)];
      if (stops[0] !== stops[1]) text.push(`stop: ${stops.join(', ')}`);
      if (!equal(registers.bytes, other.registers.bytes))
        text.push(...this.differentRegisters(registers, other.registers));
      const page = world.differsFrom(other.world);
      if (page !== null) text.push(...differentBytes(page, world.bytesOf(page), other.world.bytesOf(page)));
      if (text.length === 0 && digests[0]?.value() !== digests[i + 1]?.value()) text.push('traces');
      if (text.length > 0) return { names: [first.name, side.name], text };
    }
    return null;
  }

  private differentRegisters(a: Registers, b: Registers): string[] {
    const text: string[] = [];
    for (let slot = 0; slot <= PC_SLOT; slot++) {
      const [x, y] = [register(a, slot), register(b, slot)];
      const name = slot === PC_SLOT ? 'pc' : RISCV64.registerName(slot);
      if (x !== y) text.push(`${name}: 0x${x.toString(16)}, 0x${y.toString(16)}`);
    }
    return text;
  }

  /** The last instructions that the first side's engine runs in a slice cut short, as lines. */
  static lastInstructions(difference: Difference, contestant: Contestant, count: number): string[] {
    const lines: string[] = [];
    const trace: Trace = {
      step(pc, bits) {
        lines.push(`${pc.toString(16)}: ${RISCV64.disassemble(pc, bits)}`);
        if (lines.length > count) lines.shift();
      },
      register() {},
      load() {},
      store() {},
    };
    new Case(difference.seed, [contestant]).run(Number.POSITIVE_INFINITY, difference, trace);
    return lines;
  }

  private spoiltSnapshots(): { names: [string, string]; text: string[] } | null {
    for (const { name, snapshots } of this.sides) {
      const count = snapshots.reduce((sum, snapshot) => sum + spoilt(snapshot), 0);
      if (count > 0) return { names: [name, name], text: [`${count} pages of snapshots were written`] };
    }
    return null;
  }

  // The kernel

  private eachWorld(process: number, act: (world: World) => void): void {
    for (const { processes } of this.sides) act(processes[process].world);
  }

  private setPc(process: number, pc: bigint): void {
    for (const { processes } of this.sides) RISCV64.setPc(processes[process].registers, pc);
  }

  private afterSlice(process: number, { steps, stop }: RunResult): void {
    const { prng } = this;
    this.stuck = steps === 0 ? this.stuck + 1 : 0;
    if (this.stuck > STUCK || (stop.kind === 'budget' ? prng.below(48) : prng.below(8)) === 0) {
      this.setPc(process, this.programs[process].landing);
      this.stuck = 0;
    } else if (stop.kind !== 'budget') this.answer(process, stop);
    if (prng.below(4) === 0) this.changeMemory(process);
  }

  /** Gives back what was taken, returns from a jump into nothing, or leaves the instruction out. */
  private answer(process: number, stop: Exclude<Stop, { kind: 'budget' }>): void {
    const { prng } = this;
    const { registers, world } = this.sides[0].processes[process];
    const pc = RISCV64.pc(registers);
    if (stop.kind === 'page-fault') {
      const page = Number(stop.address >> 12n);
      let given = false;
      this.eachWorld(process, (w) => {
        given = w.giveBack(page, stop.access);
      });
      if (given) return;
    }
    if (stop.kind === 'illegal-instruction' && prng.below(2) === 0) {
      // Perhaps the rounding mode was none: one trap for it is enough, most times.
      const fcsr = register(registers, FCSR_SLOT) & 0x1fn;
      for (const { processes } of this.sides)
        RISCV64.setRegister(processes[process].registers, FCSR_SLOT, fcsr);
    }
    const first = world.halfAt(pc);
    const fetched = !(stop.kind === 'page-fault' && stop.access === 'fetch') && first !== null;
    if (fetched) this.setPc(process, BigInt.asUintN(64, pc + BigInt(RISCV64.instructionLength(first))));
    else this.setPc(process, register(registers, this.programs[process].link));
  }

  private changeMemory(process: number): void {
    const { prng } = this;
    const { world } = this.sides[0].processes[process];
    const page = pick(prng, world.pageNumbers);
    switch (prng.below(8)) {
      case 0:
      case 1:
      case 2:
        for (const side of this.sides) side.snapshots = [...side.snapshots, side.machine.snapshot()];
        return;
      case 3: {
        const kept = { load: prng.below(3) > 0, store: prng.below(2) > 0, fetch: prng.below(2) > 0 };
        this.eachWorld(process, (w) => w.takeAway(page, kept));
        return;
      }
      case 4:
        this.eachWorld(process, (w) => w.exchange(page));
        return;
      case 5:
      case 6: {
        // What is there, moved a little: code stays code, mostly.
        if (world.pageForFetch(page) !== null && !this.garbles) return;
        const at = prng.below(PAGE_SIZE / 4) * 4;
        const bytes = world.bytesOf(page).slice(at, at + 4 * (1 + prng.below(3)));
        const to = Math.max(0, at + 4 * (prng.below(3) - 1));
        this.eachWorld(process, (w) => w.write(page, to, bytes));
        return;
      }
      default:
        if (prng.below(4) > 0) return;
        for (const { machine, snapshots } of this.sides) {
          if (snapshots.length > 0) machine.restore(snapshots[0]);
        }
    }
  }
}

function differentBytes(page: number, a: Uint8Array, b: Uint8Array): string[] {
  const places = [...a.keys()].filter((i) => a[i] !== b[i]);
  const at = (BigInt(page) << 12n) + BigInt(places[0]);
  return [
    `memory at 0x${at.toString(16)}: ${a[places[0]]}, ${b[places[0]]}; ${places.length} bytes in this page`,
  ];
}
