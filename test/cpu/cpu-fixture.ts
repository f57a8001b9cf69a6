import type { Engine, Registers, RunResult, Trace } from '../../src/cpu/arch.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import { FlatMemory } from './flat-memory.js';
import { toBytes } from './random-block.js';

export const CODE = 0x10000;
export const DATA = 0x20000;
const ZERO_START = { sp: 0n, arg1: 0n, arg2: 0n, tp: 0n, abiReg: 0n };

/** A core with code and a few pages of data; `x` sets and reads registers by slot. */
export class Machine {
  readonly memory = new FlatMemory();
  readonly registers: Registers = RISCV64.initialRegisters({ ...ZERO_START, pc: BigInt(CODE) });
  readonly engine: Engine = RISCV64.createEngine();

  /** @param codes 16- and 32-bit instructions, laid out from CODE on */
  constructor(codes: readonly number[] = []) {
    for (const at of [CODE, CODE + 0x1000]) this.memory.map(at, { load: true, fetch: true });
    for (const at of [DATA, DATA + 0x1000]) this.memory.map(at, { load: true, store: true });
    this.memory.write(CODE, toBytes(codes));
  }

  set(slot: number, value: bigint): this {
    RISCV64.setRegister(this.registers, slot, value);
    return this;
  }

  get(slot: number): bigint {
    return new DataView(this.registers.bytes.buffer, this.registers.bytes.byteOffset).getBigUint64(
      slot * 8,
      true,
    );
  }

  get pc(): number {
    return Number(RISCV64.pc(this.registers));
  }

  run(budget: number, timeNs = 0n, trace?: Trace): RunResult {
    return this.engine.run(this.registers, this.memory, budget, timeNs, 0, trace);
  }

  /** All that a stopped instruction must leave alone. */
  snapshot(): string {
    const parts = [this.registers.bytes, this.memory.read(CODE, 0x2000), this.memory.read(DATA, 0x2000)];
    return parts.map((bytes) => Buffer.from(bytes).toString('hex')).join('|');
  }
}

/** Collects a trace as readable lines. */
export class Lines implements Trace {
  readonly lines: string[] = [];

  step(pc: bigint, bits: number, length: number): void {
    this.lines.push(`step ${pc.toString(16)} ${bits.toString(16)} ${length}`);
  }

  register(number: number, value: bigint): void {
    this.lines.push(`${RISCV64.registerName(number)} = ${value.toString(16)}`);
  }

  load(address: bigint, sizeBytes: number, value: bigint): void {
    this.lines.push(`load ${address.toString(16)} ${sizeBytes} ${value.toString(16)}`);
  }

  store(address: bigint, sizeBytes: number, value: bigint): void {
    this.lines.push(`store ${address.toString(16)} ${sizeBytes} ${value.toString(16)}`);
  }
}
