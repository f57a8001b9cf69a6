import { assert } from '../../base/assert.js';
import { Hasher } from '../../base/digest.js';
import type { MemoryView, Registers } from '../../cpu/arch.js';
import type { Kernel } from '../../kernel/objects/kernel.js';
import { isUserWritable } from '../../kernel/syscalls/user-memory.js';
import {
  type ProgramEngine,
  type ProgramHost,
  ProgramNotDeterministic,
  type ProgramSet,
} from '../../machine/program-host.js';
import { PAGE_SIZE } from '../../memory/page.js';
import { codePrefix, Place, startsWith } from '../image.js';
import { type Argument, blocksOf, NO_BYTES, type Operation, type Reply } from '../operation.js';
import type { Program } from '../program.js';
import { type Entry, InputLog } from './input-log.js';
import { Instance } from './instance.js';
import { type Teller, ThreadEngine } from './thread-engine.js';
import type { ThreadRun } from './thread-run.js';

/**
 * Programs by name, for a run that may meet them.
 * @throws RangeError when two have one name
 */
export function programSet(programs: readonly Program[]): ProgramSet {
  const byName = new Map(programs.map((program) => [program.name, program]));
  if (byName.size !== new Set(programs).size) throw new RangeError('two programs have the same name');
  return { names: [...byName.keys()], host: (k) => new Host(k, byName) };
}

/**
 * The programs of one machine. Going back means to begin all programs again and to tell them what they were told, up
 * to there; that is done when the next thread of a program runs, so that looking at a position costs nothing.
 */
class Host implements ProgramHost, Teller {
  private readonly log = new InputLog();
  /** How much of the log the programs were told. */
  private told = 0;
  /** How much they have to be told before one goes on; null when they were. */
  private due: number | null = null;
  /** Whether the log is kept: from the first mark on. */
  private remembers = false;
  private readonly engines = new Map<number, ThreadEngine>();
  private readonly runs = new Map<number, ThreadRun>();
  /** By process. */
  private readonly instances = new Map<number, Instance>();

  private readonly prefixes: readonly { readonly name: string; readonly prefix: Uint8Array }[];

  constructor(
    private readonly k: Kernel,
    private readonly programs: ReadonlyMap<string, Program>,
  ) {
    this.prefixes = [...programs.keys()].map((name) => ({ name, prefix: codePrefix(name) }));
  }

  engineFor(thread: number, memory: MemoryView): ProgramEngine | null {
    const name = this.programAt(this.k.registers(thread), memory);
    if (name === null) return null;
    this.catchUp();
    let engine = this.engines.get(thread);
    if (engine?.program !== name) {
      engine = new ThreadEngine(this.k.arch, thread, name, this);
      this.engines.set(thread, engine);
    }
    return engine;
  }

  programAt(registers: Registers, memory: MemoryView): string | null {
    const pc = BigInt.asUintN(64, this.k.arch.pc(registers));
    const page = memory.pageForFetch(Number(pc / BigInt(PAGE_SIZE)));
    if (page === null) return null;
    return this.prefixes.find(({ prefix }) => startsWith(page.bytes, prefix))?.name ?? null;
  }

  ended(koid: number): void {
    this.engines.delete(koid);
    // What was told says where the programs are: who may go back keeps the dead, for they may be alive there.
    if (this.remembers) return;
    this.runs.delete(koid);
    this.instances.delete(koid);
  }

  mark(): number {
    assert(this.remembers || this.told === 0, 'the first mark comes before the first program runs');
    this.remembers = true;
    return this.due ?? this.told;
  }

  restore(mark: number): void {
    this.due = mark;
    this.engines.clear();
  }

  runOf(thread: number): ThreadRun | null {
    return this.runs.get(thread) ?? null;
  }

  ranSteps(thread: number): number {
    return this.k.get(thread, 'thread').ranSteps;
  }

  isWritable(thread: number, address: number, sizeBytes: number): boolean {
    return isUserWritable(this.k, this.k.get(thread, 'thread').process, address, sizeBytes);
  }

  canBegin(thread: number, place: number, argument: bigint): boolean {
    const instance = this.instances.get(this.k.get(thread, 'thread').process);
    if (this.runs.has(thread)) return false;
    return place === Place.main ? instance === undefined : instance?.hasFunction(argument) === true;
  }

  tell(thread: number, ranSteps: number, reply: Reply): void {
    const { log, told } = this;
    const { process } = this.k.get(thread, 'thread');
    if (!this.remembers) {
      this.goOn(process, thread, ranSteps, reply);
      this.told++;
      return;
    }
    const known = told < log.length && log.matches(told, thread, ranSteps, reply);
    const operation = digestOf(this.goOn(process, thread, ranSteps, reply).operation);
    if (known) this.requireSame(log.at(told), operation);
    else {
      log.cut(told);
      log.append({ process, thread, ranSteps, operation }, reply);
    }
    this.told++;
  }

  /** Tells the programs what they were told before. */
  private catchUp(): void {
    if (this.due === null) return;
    if (this.told > this.due) {
      this.instances.clear();
      this.runs.clear();
      this.told = 0;
    }
    // Until it is done, nobody knows where the programs are.
    let told = this.told;
    this.told = Number.POSITIVE_INFINITY;
    for (; told < this.due; told++) {
      const entry = this.log.at(told);
      const process = this.k.find(entry.process);
      if (process?.kind !== 'process' || process.life === 'dead') continue;
      const before = this.runs.get(entry.thread)?.operation ?? null;
      const run = this.goOn(entry.process, entry.thread, entry.ranSteps, replyOf(entry, before));
      this.requireSame(entry, digestOf(run.operation));
    }
    this.told = told;
    this.due = null;
  }

  private goOn(process: number, thread: number, ranSteps: number, reply: Reply): ThreadRun {
    const known = this.runs.get(thread);
    const run = known ?? this.begin(process, reply);
    if (known === undefined) this.runs.set(thread, run);
    run.goOn(known === undefined ? null : reply);
    run.sinceSteps = ranSteps;
    return run;
  }

  /** The first thread of a process begins its program, the others are parts of it. */
  private begin(process: number, { values, blocks }: Reply): ThreadRun {
    const stackTop = Number(BigInt.asUintN(64, values[2]));
    const known = this.instances.get(process);
    if (known !== undefined) return known.thread(values[0], stackTop);
    const program = this.programs.get(new TextDecoder().decode(blocks[0]));
    assert(program !== undefined, 'a program of the set');
    const instance = new Instance(program);
    this.instances.set(process, instance);
    return instance.main(values[0], Number(values[1]), stackTop);
  }

  private requireSame({ process, thread, operation: before }: Entry, now: Digest): void {
    if (before[0] === now[0] && before[1] === now[1]) return;
    // It was told something and did another thing: from here on nobody knows where it is.
    this.told = Number.POSITIVE_INFINITY;
    const program = this.instances.get(process)?.program.name ?? '';
    throw new ProgramNotDeterministic(program, thread, describe(this.runs.get(thread)?.operation));
  }
}

type Digest = readonly [number, number];

/** Says what an operation is, all of it. */
function digestOf(operation: Operation): Digest {
  const h = new Hasher().string(operation.kind);
  switch (operation.kind) {
    case 'call':
      h.string(operation.name);
      for (const arg of operation.args) hashArgument(h, arg);
      for (const block of blocksOf(operation.args)) {
        h.number(block.sizeBytes).bytes(block.bytes ?? NO_BYTES);
      }
      break;
    case 'load':
      h.number(operation.address).number(operation.sizeBytes);
      break;
    case 'store':
      h.number(operation.address).bytes(operation.bytes);
      break;
    case 'compare-exchange':
      h.number(operation.address).number(operation.expected).number(operation.desired);
      break;
    case 'work':
      h.number(operation.steps);
      break;
    case 'abort':
  }
  const text = h.value();
  return [Number.parseInt(text.slice(0, 8), 16), Number.parseInt(text.slice(8, 16), 16)];
}

function hashArgument(h: Hasher, arg: Argument): void {
  if (typeof arg === 'number') h.number(arg);
  else if (typeof arg === 'bigint') h.bigint(arg);
}

/** The answer that an entry was, to the operation before it; null: to none. */
function replyOf({ values, bytes }: Entry, operation: Operation | null): Reply {
  if (operation?.kind !== 'call') return { values, blocks: [bytes] };
  const blocks: Uint8Array[] = [];
  let at = 0;
  for (const { wanted, sizeBytes } of blocksOf(operation.args)) {
    if (!wanted) continue;
    blocks.push(bytes.slice(at, at + sizeBytes));
    at += sizeBytes;
  }
  return { values, blocks };
}

function describe(operation: Operation | undefined): string {
  return operation?.kind === 'call' ? `calls ${operation.name}` : (operation?.kind ?? 'nothing');
}
