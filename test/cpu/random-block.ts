import type { Prng } from '../../src/base/prng.js';
import { COMPRESSED } from '../../src/cpu/riscv64/compressed.js';
import { extract, FIELDS, type FieldName, fieldMask, insert } from '../../src/cpu/riscv64/fields.js';
import type { Compressed, Instruction } from '../../src/cpu/riscv64/instruction.js';
import {
  encode,
  expand,
  findInstruction,
  INSTRUCTIONS,
  instructionLength,
} from '../../src/cpu/riscv64/table.js';
import { assemble } from './assemble.js';
import { pick, randomCompressed, randomOperands } from './random-instruction.js';

/**
 * Random straight blocks of code that stay within their memory and end at their end: what lock-step runs and
 * properties of engines are fed with. One register, the anchor, always points into a scratch area.
 */

/** The scratch area reaches from this far before the anchor to this far behind it. */
export const SCRATCH_BEFORE_BYTES = 128;
export const SCRATCH_BEHIND_BYTES = 528;
const WIDEST_ACCESS_BYTES = 8;

/** A few instructions that belong together. The tail jumps to the start of the unit `skip` further on. */
export interface Unit {
  readonly codes: readonly number[];
  /** Instructions, of the same lengths for any distance from the first of them to the target. */
  readonly tail?: (displacement: number) => readonly number[];
  readonly skip?: number;
}

export interface Block {
  readonly anchor: number;
  readonly units: readonly Unit[];
}

function lengthBytes(codes: readonly number[]): number {
  return codes.reduce((sum, code) => sum + instructionLength(code & 0xffff), 0);
}

/** All instructions of the units, each jump resolved; those that lead behind the last unit lead to its end. */
export function layOut(units: readonly Unit[]): number[] {
  const starts = [0];
  for (const { codes, tail } of units) {
    starts.push(starts.at(-1)! + lengthBytes(codes) + lengthBytes(tail?.(0) ?? []));
  }
  return units.flatMap(({ codes, tail, skip = 0 }, i) => {
    if (tail === undefined) return codes;
    const target = starts[Math.min(i + 1 + skip, units.length)]!;
    return [...codes, ...tail(target - starts[i]! - lengthBytes(codes))];
  });
}

export function toBytes(codes: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  for (const code of codes) {
    for (let i = 0; i < lengthBytes([code]); i++) bytes.push((code >>> (8 * i)) & 0xff);
  }
  return Uint8Array.from(bytes);
}

/** A compressed instruction with one operand of its base instruction exchanged. */
function withOperand(entry: Compressed, half: number, name: FieldName, value: number): number {
  const [, field] = entry.operands.find(([operand]) => operand === name)!;
  if (typeof field === 'number') throw new Error(`${entry.name} has a fixed ${name}`);
  return (half & ~fieldMask(field)) | insert(field, value);
}

type Fixed = Partial<Record<FieldName, number>>;

function isDirectJump(entry: Instruction): boolean {
  return entry.fields.some((name) => FIELDS[name].kind === 'displacement');
}

/** An instruction that can stand anywhere: neither jumps nor stops nor uses memory. */
function isPlain(entry: Instruction): boolean {
  const { control, loads, stores } = entry.effects;
  return control === 'next' && !loads && !stores;
}

const PLAIN = INSTRUCTIONS.filter(isPlain);
const USABLE = INSTRUCTIONS.filter((entry) => entry.effects.control !== 'stop');
const ROUNDING_MODES = 5;

class UnitMaker {
  constructor(
    private readonly prng: Prng,
    private readonly anchor: number,
  ) {}

  /** A random instruction with what it needs around it, or a short loop. */
  unit(): Unit {
    const { prng } = this;
    if (prng.below(16) === 0) return this.loop();
    return prng.below(3) === 0 ? this.short(pick(prng, COMPRESSED)) : this.full(pick(prng, USABLE));
  }

  private full(entry: Instruction): Unit {
    const operands = this.operands(entry);
    if (entry.name.startsWith('lr.')) return this.reservation(entry);
    if (isPlain(entry)) return { codes: [encode(entry, operands), ...this.after(entry, operands)] };
    if (isDirectJump(entry)) return this.jump([], (d) => [encode(entry, { ...operands, b: d, j: d })]);
    if (entry.name === 'jalr') {
      const x1 = this.free();
      return this.jump([assemble('auipc', { xd: x1 })], (d) => [
        encode(entry, { ...operands, x1, i: d + 4 }),
      ]);
    }
    return this.access(entry, operands);
  }

  private short(entry: Compressed): Unit {
    const half = randomCompressed(entry, this.prng, this.baseOf(entry));
    const code = expand(half);
    const base = code === undefined ? undefined : findInstruction(code);
    // Reserved encodings and those of another entry: draw again.
    if (code === undefined || base === undefined || base.name !== entry.base) return this.unit();
    const { control, loads, stores } = base.effects;
    if (control === 'stop' || (base.fields.includes('xd') && extract(FIELDS.xd, code) === this.anchor)) {
      return this.unit();
    }
    if (isDirectJump(base))
      return this.jump([], (d) => [withOperand(entry, half, base.fields.includes('b') ? 'b' : 'j', d)]);
    if (control === 'jump') {
      const x1 = this.free();
      return this.jump([assemble('auipc', { xd: x1 })], (d) => [
        assemble('addi', { xd: x1, x1, i: d + 4 }),
        withOperand(entry, half, 'x1', x1),
      ]);
    }
    if ((loads || stores) && extract(FIELDS.x1, code) !== this.anchor) return this.unit();
    return { codes: [half] };
  }

  private jump(codes: readonly number[], tail: (displacement: number) => readonly number[]): Unit {
    return { codes, tail, skip: this.prng.below(4) };
  }

  /** A load, store or read-modify-write somewhere in the scratch area. */
  private access(entry: Instruction, operands: Fixed): Unit {
    const { prng, anchor } = this;
    const place =
      prng.below(SCRATCH_BEFORE_BYTES + SCRATCH_BEHIND_BYTES - WIDEST_ACCESS_BYTES) - SCRATCH_BEFORE_BYTES;
    const hasOffset = entry.fields.includes('i') || entry.fields.includes('s');
    if (!hasOffset) {
      const x1 = this.free();
      return {
        codes: [assemble('addi', { xd: x1, x1: anchor, i: place & -8 }), encode(entry, { ...operands, x1 })],
      };
    }
    if (prng.below(2) === 0)
      return { codes: [encode(entry, { ...operands, x1: anchor, i: place, s: place })] };
    const x1 = this.free();
    const offset = prng.below(3000) - 1500;
    return {
      codes: [
        assemble('addi', { xd: x1, x1: anchor, i: place - offset }),
        encode(entry, { ...operands, x1, i: offset, s: offset }),
      ],
    };
  }

  /**
   * lr and the sc that ends its reservation, to the same bytes or to others. Nothing stands between that stores or
   * has another size: there, the manual lets implementations differ.
   */
  private reservation(entry: Instruction): Unit {
    const { prng, anchor } = this;
    const same = this.free();
    const other = this.free(same);
    const place = prng.below(32) * 8;
    const width = entry.name.includes('.w') ? 'w' : 'd';
    return {
      codes: [
        assemble('addi', { xd: same, x1: anchor, i: place }),
        assemble('addi', { xd: other, x1: anchor, i: place + 8 }),
        encode(entry, { xd: this.free(same, other), x1: same, aqrl: prng.below(4) }),
        assemble(`sc.${width}`, {
          xd: this.free(),
          x2: prng.below(32),
          x1: prng.below(4) === 0 ? other : same,
          aqrl: prng.below(4),
        }),
      ],
    };
  }

  private loop(): Unit {
    const { prng } = this;
    const counter = this.free();
    const body: number[] = [];
    for (let n = 1 + prng.below(3); n > 0; n--) {
      const entry = pick(prng, PLAIN);
      const operands = this.operands(entry, counter);
      body.push(encode(entry, operands), ...this.after(entry, operands));
    }
    body.push(assemble('addi', { xd: counter, x1: counter, i: -1 }));
    return {
      codes: [
        assemble('addi', { xd: counter, x1: 0, i: 1 + prng.below(4) }),
        ...body,
        assemble('bne', { x1: counter, x2: 0, b: -lengthBytes(body) }),
      ],
    };
  }

  /** What must follow so that later instructions are defined: a valid rounding mode, no host-dependent time. */
  private after(entry: Instruction, operands: Fixed): number[] {
    const operations = entry.operations.map(({ op }) => op);
    if (operations.includes('setFloatRounding')) {
      return [assemble('csrrwi', { z: this.prng.below(ROUNDING_MODES) }, 'frm')];
    }
    return operations.includes('time') ? [assemble('addi', { xd: operands.xd ?? 0 })] : [];
  }

  private operands(entry: Instruction, ...taken: number[]): Fixed {
    const operands = randomOperands(entry, this.prng);
    const { xd } = operands;
    return xd === this.anchor || taken.includes(xd ?? 0)
      ? { ...operands, xd: this.free(...taken) }
      : operands;
  }

  /** Compressed loads and stores can reach the scratch area if the anchor is one of their registers. */
  private baseOf(entry: Compressed): Fixed {
    const base = INSTRUCTIONS.find((candidate) => candidate.name === entry.base)!;
    const { loads, stores } = base.effects;
    return (loads || stores) && this.anchor >= 8 && this.anchor < 16 ? { x1: this.anchor } : {};
  }

  /** A register to write, neither x0, nor the anchor, nor one of those given. */
  private free(...taken: number[]): number {
    for (;;) {
      const register = 1 + this.prng.below(31);
      if (register !== this.anchor && !taken.includes(register)) return register;
    }
  }
}

/** Anchors that compressed instructions can use are drawn more often. */
const FAVOURED_ANCHORS = [2, 2, 8, 9, 10, 11, 12, 13, 14, 15];

export function randomBlock(prng: Prng, unitCount: number): Block {
  const anchor = prng.below(2) === 0 ? pick(prng, FAVOURED_ANCHORS) : 1 + prng.below(31);
  const maker = new UnitMaker(prng, anchor);
  return { anchor, units: Array.from({ length: unitCount }, () => maker.unit()) };
}
