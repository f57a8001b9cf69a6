import { prepared } from '../../base/prepared.js';
import type { Page } from '../../memory/page.js';
import type { Engine, EngineKind, MemoryView, Registers, RunResult, Stop, Trace } from '../arch.js';
import { hasFusedMultiplyAdd } from '../wasm/fused-multiply-add.js';
import { instantiate } from '../wasm/web-assembly.js';
import { type DecodedPage, decodedPages, Fetches } from './code-pages.js';
import { exitOf, NO_EXIT } from './exit-stubs.js';
import {
  bytes,
  CONTROL,
  memory as hostMemory,
  newModule,
  OFFSET_MASK,
  offsetOf,
  PAGE_MASK,
  pageNumberIn,
  pageNumberOf,
  STATUS,
  STOPPED_BIT,
  table,
  view,
  words,
} from './host-memory.js';
import { addInterpreter, REGION_SIGNATURE } from './interpreter-code.js';
import { atomicSize, registerAddress } from './lowering.js';
import { type InstructionSet, ReferenceEngine } from './reference.js';
import { RegionMaker, type RegionMakerSet } from './regions.js';
import { RunCode } from './run-code.js';
import { SlotCodes } from './slot-codes.js';
import { createSlowFloat } from './slow-float.js';
import { TouchCode } from './touch-code.js';
import { Translations } from './translations.js';

/** What fast engines must know of an architecture, besides what the reference engine does. */
export interface FastInstructionSet extends InstructionSet, RegionMakerSet {
  /** The table, in the order that `Decoded.entry` counts. */
  readonly entries: RegionMakerSet['entries'];
}

/** Steps that one call of generated code makes at most: V8 replaces a function by a better one only between calls. */
const CALL_STEPS = 2 ** 20;
const BUDGET: Stop = { kind: 'budget' };
const SYSCALL: Stop = { kind: 'syscall' };
const BREAKPOINT: Stop = { kind: 'breakpoint' };

/** The engine whose registers and translations are in the host memory. */
let active: FastEngine | null = null;

type Run = (budget: number) => number;
let fuses: boolean | null = null;

function hostFuses(): boolean {
  fuses ??= hasFusedMultiplyAdd();
  return fuses;
}

/** The code of an interpreter. */
interface Interpreter {
  readonly codes: SlotCodes;
  readonly hasFloats: boolean;
  readonly run: Run;
}

function makeInterpreter(isa: FastInstructionSet, codes: SlotCodes, hasFloats: boolean): Interpreter {
  const layout = {
    statusAddress: registerAddress(isa.floatStatusSlot),
    scratchAddress: CONTROL.scratch,
  };
  const fuses = hostFuses();
  const name = `interpreter of ${isa.name}${hasFloats ? ' with floats' : ''}${fuses ? ', fused' : ''}`;
  const code = prepared(name, () => {
    const module = newModule();
    module.importTable();
    const interpreter = addInterpreter(module, isa, codes, hasFloats, { layout, fuses });
    const touch = module.add(new TouchCode(isa, codes).write());
    const run = new RunCode(isa, interpreter, touch, module.type(REGION_SIGNATURE));
    module.export('run', module.add(run.write()));
    return module.result();
  });
  const slowFloat = createSlowFloat(hostMemory, layout);
  const { exports } = instantiate(code, { env: { memory: hostMemory, table, slowFloat } });
  return { codes, hasFloats, run: exports.run as Run };
}

/** The best so far of each instruction set, for all its engines: with floating point only when some program has it. */
const interpreters = new Map<FastInstructionSet, Interpreter>();

function interpreterOf(isa: FastInstructionSet, hasFloats: boolean): Interpreter {
  let interpreter = interpreters.get(isa);
  if (interpreter === undefined || (hasFloats && !interpreter.hasFloats)) {
    interpreter = makeInterpreter(isa, interpreter?.codes ?? new SlotCodes(isa), hasFloats);
    interpreters.set(isa, interpreter);
  }
  return interpreter;
}

/** Runs generated code: the same results as the reference engine, sooner. */
export class FastEngine implements Engine {
  private readonly reference: ReferenceEngine;
  private interpreter: Interpreter;
  private madeState: Registers;
  private readonly fetches = new Fetches();
  private readonly translations = new Translations((pageNumber) => this.fetches.dependsOn(pageNumber));
  private maker: RegionMaker | null = null;
  private codeVersion = -1;
  private drops = 0;
  private memory: MemoryView | null = null;
  /** Virtual time at the start of the run, also as two words, the lower one first, and steps since. */
  private readonly timeNs = new BigInt64Array(1);
  private readonly timeWords = new Int32Array(this.timeNs.buffer);
  private steps = 0;
  private readonly pcWord: number;
  private readonly zeroWord: number;

  constructor(
    private readonly isa: FastInstructionSet,
    kind: EngineKind,
  ) {
    this.become(kind);
    this.reference = new ReferenceEngine(isa);
    this.interpreter = interpreterOf(isa, false);
    this.madeState = this.makeState();
    this.pcWord = registerAddress(isa.pcSlot) >> 2;
    this.zeroWord = registerAddress(isa.zeroSlot) >> 2;
  }

  /** The registers in the host memory. */
  private get state(): Registers {
    // A memory that grew leaves views of it empty.
    if (this.madeState.bytes.length === 0) this.madeState = this.makeState();
    return this.madeState;
  }

  private makeState(): Registers {
    const state = bytes.subarray(registerAddress(0), registerAddress(this.isa.stateSlots));
    const registers: Registers = { bytes: state, copy: () => registers };
    return registers;
  }

  run(
    registers: Registers,
    memory: MemoryView,
    budget: number,
    timeNs: bigint,
    grace: number,
    trace?: Trace,
  ): RunResult {
    if (trace !== undefined) return this.reference.run(registers, memory, budget, timeNs, grace, trace);
    this.attach(memory);
    this.state.bytes.set(registers.bytes);
    words[this.zeroWord] = 0;
    words[this.zeroWord + 1] = 0;
    words[this.pcWord]! &= ~1;
    words[CONTROL.reservedBytes >> 2] = 0;
    this.timeNs[0] = timeNs;
    this.steps = 0;
    let stop = BUDGET;
    while (stop === BUDGET && this.steps < budget) {
      stop = this.stretch(Math.min(CALL_STEPS, budget - this.steps));
    }
    while (stop === BUDGET && this.steps < budget + grace && words[CONTROL.reservedBytes >> 2] !== 0) {
      stop = this.stretch(1);
    }
    registers.bytes.set(this.state.bytes);
    return { steps: this.steps, stop, reserved: words[CONTROL.reservedBytes >> 2] !== 0 };
  }

  become(kind: EngineKind): boolean {
    if (kind === 'reference') return false;
    if (kind === 'interpreter') this.maker = null;
    else this.maker ??= new RegionMaker(this.isa, hostFuses());
    return true;
  }

  private get pc(): bigint {
    return view.getBigUint64(this.pcWord << 2, true);
  }

  /** Makes the host memory this engine's, and drops what it knows that is not so any more. */
  private attach(memory: MemoryView): void {
    if (active !== this) {
      active?.putAway();
      active = this;
      this.translations.takeOut(memory);
      this.fetches.takeOut();
    }
    this.memory = memory;
    this.translations.attach(memory);
    this.checkCode();
  }

  private putAway(): void {
    this.translations.putAway();
    this.fetches.putAway();
  }

  private checkCode(): void {
    if (this.codeVersion === this.translations.codeVersion && this.drops === decodedPages.drops) return;
    this.fetches.clear();
    this.codeVersion = this.translations.codeVersion;
    this.drops = decodedPages.drops;
  }

  /** Runs at most `budget` steps of generated code, until there is something to look at. */
  private stretch(budget: number): Stop {
    const end = (this.timeWords[0]! >>> 0) + this.steps + budget;
    words[CONTROL.endTime >> 2] = end;
    words[(CONTROL.endTime >> 2) + 1] = this.timeWords[1]! + Math.floor(end / 2 ** 32);
    this.translations.makeRoom();
    const back = this.call(budget);
    const left = back & ~STOPPED_BIT;
    this.steps += budget - left;
    if (words[CONTROL.unnoted >> 2] !== 0) this.noteInexact();
    if (back >= 0) return BUDGET;
    switch (words[CONTROL.status >> 2]) {
      case STATUS.fetch:
        return this.fetch();
      case STATUS.decode:
        return this.decode();
      case STATUS.slow:
        this.atExit(words[CONTROL.exit >> 2]!);
        return this.slow();
      // A region tells of one right behind it though the budget ended there: others stop before they look at it.
      case STATUS.syscall:
        return left > 0 ? SYSCALL : BUDGET;
      case STATUS.breakpoint:
        return left > 0 ? BREAKPOINT : BUDGET;
      case STATUS.hot:
        this.makeRegion();
        return BUDGET;
      default:
        return BUDGET;
    }
  }

  /** Where the host's stack is too small, which is the caller's to know, other engines must find its pages all the same. */
  private call(budget: number): number {
    try {
      return this.interpreter.run(budget);
    } finally {
      this.translations.settle();
    }
  }

  private makeRegion(): void {
    if (this.maker === null) return;
    this.maker.hot(this.pc, this.memory!);
    this.codeMade();
  }

  /** A region would have been run if it could raise NX. */
  private noteInexact(): void {
    const address = BigInt.asUintN(64, view.getBigInt64(CONTROL.unnoted, true) - 1n);
    view.setBigInt64(CONTROL.unnoted, 0n, true);
    this.maker?.unnoted(address, this.memory!);
    this.codeMade();
  }

  private codeMade(): void {
    this.translations.codeMade();
    this.checkCode();
  }

  /** One instruction by the reference engine, or what stops it. */
  private byReference(): Stop {
    const reservation = {
      address: view.getBigInt64(CONTROL.reserved, true),
      sizeBytes: view.getInt32(CONTROL.reservedBytes, true),
    };
    const now = this.timeNs[0]! + BigInt(this.steps);
    const { steps, stop } = this.reference.step(this.state, this.memory!, now, reservation);
    view.setBigInt64(CONTROL.reserved, reservation.address, true);
    view.setInt32(CONTROL.reservedBytes, reservation.sizeBytes, true);
    this.steps += steps;
    this.translations.check();
    this.checkCode();
    return stop.kind === 'budget' ? BUDGET : stop;
  }

  // Code

  private fetch(): Stop {
    const { pc } = this;
    const page = this.pageForFetch(pc);
    if (page === null) return this.byReference();
    const changes = page.code === null;
    const decoded = decodedPages.of(page, pc & PAGE_MASK);
    if (changes) this.translations.codeMade();
    decoded.checkRegions(this.memory!);
    this.translations.check();
    this.checkCode();
    this.fetches.bind(pageNumberOf(pc), decoded);
    return BUDGET;
  }

  private pageForFetch(address: bigint): Page | null {
    const page = this.memory!.pageForFetch(pageNumberOf(address));
    this.translations.check();
    this.checkCode();
    return page;
  }

  private decodedPage(pc: bigint): DecodedPage | null {
    return this.fetches.atPage(pageNumberOf(pc));
  }

  private decodedAt(pc: bigint): boolean {
    const page = this.decodedPage(pc);
    return page !== null && page.codeAt(offsetOf(pc)) !== 0;
  }

  /** For an instruction that is not decoded, or that this interpreter has no code for. */
  private decode(): Stop {
    const { pc, isa } = this;
    this.decodeFrom(pc);
    if (!this.decodedAt(pc)) return this.byReference();
    const { codes, hasFloats } = this.interpreter;
    const code = codes.at(this.decodedPage(pc)!.codeAt(offsetOf(pc)));
    if (code?.isFloat === true && !hasFloats) this.interpreter = interpreterOf(isa, true);
    return BUDGET;
  }

  /** Decodes instructions from an address on, to where control leaves them or the page ends. */
  private decodeFrom(pc: bigint): void {
    const decoded = this.decodedPage(pc)!;
    const { isa } = this;
    const source = decoded.page.view;
    for (let offset = offsetOf(pc); offset <= OFFSET_MASK; ) {
      if (decoded.codeAt(offset) !== 0) return;
      const first = source.getUint16(offset, true);
      const length = isa.instructionLength(first);
      if (offset + length > OFFSET_MASK + 1) {
        decoded.writeCrossing(offset);
        return;
      }
      const d = isa.decode(length === 2 ? first : source.getUint32(offset, true), length);
      if (d === null) return;
      decoded.write(offset, d, this.interpreter.codes);
      if (d.effects.control === 'jump' || d.effects.control === 'stop') return;
      offset += length;
    }
  }

  // Instructions that generated code could not do

  /** Where a region was left; the pc is at its start. */
  private atExit(number: number): void {
    if (number === NO_EXIT) return;
    const { at, unretired } = exitOf(number);
    const pc = this.pcWord;
    const low = (words[pc]! >>> 0) + at;
    words[pc] = low;
    words[pc + 1]! += Math.floor(low / 2 ** 32);
    this.steps -= unretired;
  }

  private slow(): Stop {
    const code = this.codeToRun() ?? this.codeDecoded();
    const entry = this.interpreter.codes.at(code)?.entry;
    if (entry === undefined) return this.byReference();
    const { effects, operations } = this.isa.entries[entry]!;
    if (!(effects.loads || effects.stores) || isMisaligned(operations)) return this.byReference();
    const pageNumber = pageNumberIn(CONTROL.address);
    const { translations } = this;
    let better = false;
    if (effects.loads && !translations.hasLoad(pageNumber)) {
      if (!translations.addLoad(pageNumber)) return this.byReference();
      better = true;
    }
    if (effects.stores && !translations.hasStore(pageNumber)) {
      if (!translations.addStore(pageNumber)) return this.byReference();
      better = true;
    }
    this.checkCode();
    return better ? BUDGET : this.byReference();
  }

  /** The code of the instruction at pc; null when it is not decoded. No BigInts: this is asked for every page missed. */
  private codeToRun(): number | null {
    const pc = this.pcWord;
    const code = this.fetches.atPage(pageNumberIn(pc << 2))?.codeAt(words[pc]! & OFFSET_MASK) ?? 0;
    return code === 0 ? null : code;
  }

  private codeDecoded(): number {
    const { pc } = this;
    if (this.decodedPage(pc) === null) this.fetch();
    if (!this.decodedAt(pc)) this.decodeFrom(pc);
    return this.decodedPage(pc)!.codeAt(offsetOf(pc));
  }
}

/** Whether that is what stops at the address that was missed: no page is committed then. */
function isMisaligned(operations: Parameters<typeof atomicSize>[0]): boolean {
  const sizeBytes = atomicSize(operations);
  return sizeBytes > 0 && (words[CONTROL.address >> 2]! & (sizeBytes - 1)) !== 0;
}
