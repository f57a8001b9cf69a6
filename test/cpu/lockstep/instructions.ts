import type { Prng } from '../../../src/base/prng.js';
import { COMPRESSED } from '../../../src/cpu/riscv64/compressed.js';
import { extract, FIELDS, type FieldName } from '../../../src/cpu/riscv64/fields.js';
import type { Compressed, Instruction } from '../../../src/cpu/riscv64/instruction.js';
import { encode, expand, findInstruction, INSTRUCTIONS } from '../../../src/cpu/riscv64/table.js';
import { assemble } from '../assemble.js';
import { pick, randomCompressed, randomOperands } from '../random-instruction.js';

/** Registers that a program keeps for itself; everything else is for random instructions. */
export interface Roles {
  /** Points between two pages of scratch memory, ±2048 bytes of which are used. */
  readonly anchor: number;
  /** Points between a page of constants (below) and a page of scratch and bookkeeping (from here on). */
  readonly pool: number;
  readonly stack: number;
  readonly link: number;
}

/** What a program has more of. */
export type Taste = 'even' | 'integer' | 'float' | 'memory';

const ROUNDING_MODES = 5;
const ATTEMPTS = 12;
/** Offsets from the pool register that random accesses may use; below stand bookkeeping, above the page's end. */
const POOL_SCRATCH = { first: 64, last: 2040 };
const POOL_CONSTANTS = { first: -2048, last: -8 };
/** From the stack register on, in every frame that random instructions run in. */
export const STACK_SCRATCH_BYTES = 64;

function isPlain({ effects: { control, loads, stores } }: Instruction): boolean {
  return control === 'next' && !loads && !stores;
}

function isMemory({ name, effects: { control, loads, stores } }: Instruction): boolean {
  return control === 'next' && (loads || stores) && !name.startsWith('lr.') && !name.startsWith('sc.');
}

const baseOf = new Map(INSTRUCTIONS.map((entry) => [entry.name, entry]));
const PLAIN = INSTRUCTIONS.filter(isPlain);
const PLAIN_INTEGER = PLAIN.filter(({ name }) => !name.startsWith('f') && !name.startsWith('csr'));
const PLAIN_FLOAT = PLAIN.filter(({ name }) => name.startsWith('f'));
const MEMORY = INSTRUCTIONS.filter(isMemory);
const ATOMIC = MEMORY.filter(({ name }) => name.startsWith('amo'));
const ACCESS = MEMORY.filter(({ name }) => !name.startsWith('amo'));
const COMPRESSED_PLAIN = COMPRESSED.filter(({ base }) => isPlain(baseOf.get(base)!));
const COMPRESSED_MEMORY = COMPRESSED.filter(({ base }) => isMemory(baseOf.get(base)!));
const WORD_ACCESS_BYTES: Record<string, number> = { b: 1, h: 2, w: 4, d: 8 };

function sizeOf({ name }: Instruction): number {
  return WORD_ACCESS_BYTES[name.replace(/^f?[ls]/, '')[0]] ?? 8;
}

/** Random instructions that fall through and leave alone the registers that are taken. */
export class Instructions {
  /** Registers in use besides the roles, innermost last. */
  readonly taken: number[] = [];
  taste: Taste = 'even';
  /** Whether there is scratch memory from the stack register on. */
  hasFrame = true;

  constructor(
    readonly prng: Prng,
    readonly roles: Roles,
    /** Whether results must not depend on virtual time, nor end up in traps. */
    private readonly tame: boolean,
  ) {}

  get reserved(): readonly number[] {
    const { anchor, pool, stack, link } = this.roles;
    return [anchor, pool, stack, link, ...this.taken];
  }

  /** A register to write: neither x0 nor in use. */
  free(...also: readonly number[]): number {
    for (;;) {
      const register = 1 + this.prng.below(31);
      if (!this.reserved.includes(register) && !also.includes(register)) return register;
    }
  }

  /** One of x8 to x15 to write, or null when all are in use. */
  freeShort(...also: readonly number[]): number | null {
    const all = [8, 9, 10, 11, 12, 13, 14, 15];
    const free = all.filter((x) => !this.reserved.includes(x) && !also.includes(x));
    return free.length === 0 ? null : pick(this.prng, free);
  }

  /** One random instruction, with what it needs around it. */
  any(): number[] {
    const memory = { even: 3, integer: 3, float: 4, memory: 6 }[this.taste];
    return this.prng.below(10) < memory ? this.access() : this.plain();
  }

  plain(): number[] {
    const { prng } = this;
    if (prng.below(3) === 0) return [this.compressedPlain()];
    const table =
      this.taste === 'integer' && prng.below(8) > 0
        ? PLAIN_INTEGER
        : this.taste === 'float' && prng.below(3) > 0
          ? PLAIN_FLOAT
          : PLAIN;
    const entry = pick(prng, table);
    const operands = this.operands(entry);
    return [encode(entry, operands), ...this.after(entry, operands)];
  }

  /** An instruction of four bytes that neither traps nor has anything around it. */
  full(): number {
    for (;;) {
      const entry = pick(this.prng, PLAIN);
      const operands = this.operands(entry);
      if (this.after(entry, operands).length === 0) return encode(entry, operands);
    }
  }

  /** A register of an entry's operands that is written is a free one, often. */
  private operands(entry: Instruction): Partial<Record<FieldName, number>> {
    const operands = randomOperands(entry, this.prng);
    return this.reserved.includes(operands.xd ?? 0) ? { ...operands, xd: this.free() } : operands;
  }

  /** Keeps the rounding mode valid (nearly always), and time out of results where it must not show. */
  private after(entry: Instruction, operands: Partial<Record<FieldName, number>>): number[] {
    const operations = entry.operations.map(({ op }) => op);
    if (operations.includes('setFloatRounding') && (this.tame || this.prng.below(32) > 0)) {
      return [assemble('csrrwi', { z: this.prng.below(ROUNDING_MODES) }, 'frm')];
    }
    if (this.tame && operations.includes('time')) return [assemble('addi', { xd: operands.xd ?? 0 })];
    return [];
  }

  compressedPlain(): number {
    for (let i = 0; i < ATTEMPTS; i++) {
      const half = this.compressed(pick(this.prng, COMPRESSED_PLAIN), {});
      if (half !== null) return half;
    }
    return 1;
  }

  /** Null when it comes out as another instruction, or writes what it must not. */
  private compressed(entry: Compressed, fixed: Partial<Record<FieldName, number>>): number | null {
    const half = randomCompressed(entry, this.prng, fixed);
    const full = expand(half);
    const base = full === undefined ? undefined : findInstruction(full);
    if (full === undefined || base?.name !== entry.base) return null;
    if (base.fields.includes('xd') && this.reserved.includes(extract(FIELDS.xd, full))) return null;
    return half;
  }

  /** A load, store or read-modify-write of memory that is there. */
  access(): number[] {
    const { prng } = this;
    switch (prng.below(8)) {
      case 0:
        return this.atomic();
      case 1:
      case 2:
        return this.compressedAccess();
      case 3:
        return this.farAccess();
      default:
        return this.nearAccess();
    }
  }

  private place(first: number, last: number, sizeBytes: number): number {
    const at = first + this.prng.below(last - first + 1);
    return this.prng.below(3) === 0 ? at : at & -sizeBytes;
  }

  private nearAccess(): number[] {
    const { prng, roles } = this;
    const entry = pick(prng, ACCESS);
    const operands = this.operands(entry);
    const size = sizeOf(entry);
    switch (prng.below(8) + (this.hasFrame ? 0 : 1)) {
      case 0:
        return [this.to(entry, operands, roles.stack, this.place(0, STACK_SCRATCH_BYTES - size, size))];
      case 1:
      case 2: {
        const { first, last } = entry.effects.stores || prng.below(2) === 0 ? POOL_SCRATCH : POOL_CONSTANTS;
        return [this.to(entry, operands, roles.pool, this.place(first, last, size))];
      }
      case 3: {
        const x1 = this.free();
        const at = this.place(-2048, 2047, size);
        return [
          assemble('ld', { xd: x1, x1: roles.pool, i: SECOND_ANCHOR_AT }),
          this.to(entry, operands, x1, at),
        ];
      }
      default:
        return [this.to(entry, operands, roles.anchor, this.place(-2048, 2047, size))];
    }
  }

  private to(
    entry: Instruction,
    operands: Partial<Record<FieldName, number>>,
    x1: number,
    at: number,
  ): number {
    return encode(entry, { ...operands, x1, i: at, s: at });
  }

  private atomic(): number[] {
    const { prng } = this;
    const entry = pick(prng, ATOMIC);
    const x1 = this.free();
    const wrong = !this.tame && prng.below(100) === 0 ? 1 + prng.below(7) : 0;
    const at = (this.place(-2048, 2040, 8) & -8) + wrong;
    return [
      assemble('addi', { xd: x1, x1: this.roles.anchor, i: at }),
      encode(entry, { ...this.operands(entry), x1 }),
    ];
  }

  private compressedAccess(): number[] {
    const { prng, roles } = this;
    const entry = pick(prng, COMPRESSED_MEMORY);
    if (entry.operands.some(([name, source]) => name === 'x1' && source === 2)) {
      if (roles.stack !== 2 || !this.hasFrame) return this.nearAccess();
      for (let i = 0; i < ATTEMPTS; i++) {
        const half = this.compressed(entry, {});
        const offset = half === null ? 0 : offsetOf(expand(half)!);
        if (half !== null && offset <= STACK_SCRATCH_BYTES - 8) return [half];
      }
      return this.nearAccess();
    }
    const x1 = this.freeShort();
    if (x1 === null) return this.nearAccess();
    const half = this.compressed(entry, { x1 });
    if (half === null) return this.nearAccess();
    return [assemble('addi', { xd: x1, x1: roles.anchor, i: this.place(-1024, 1024, 8) }), half];
  }

  /** Anywhere in the far pages, by the bits of a register. */
  private farAccess(): number[] {
    const { prng } = this;
    const entry = pick(prng, prng.below(4) === 0 ? ATOMIC : ACCESS);
    const from = prng.below(32);
    const base = this.free();
    const x1 = this.free(base);
    const size = sizeOf(entry);
    const align = entry.name.startsWith('amo') || prng.below(2) === 0 ? 3 : 0;
    const at = align === 3 ? (prng.below(64) - 32) * size : prng.below(64) - 32;
    return [
      assemble('mul', { xd: x1, x1: from, x2: this.roles.pool }),
      assemble('srli', { xd: x1, x1, sh6: 64 - FAR_BITS + align }),
      ...(align === 0 ? [] : [assemble('slli', { xd: x1, x1, sh6: align })]),
      assemble('ld', { xd: base, x1: this.roles.pool, i: FAR_BASE_AT }),
      assemble('add', { xd: x1, x1, x2: base }),
      this.to(entry, this.operands(entry), x1, at),
    ];
  }
}

/** Far accesses reach 2^17 bytes from the base, and a page beyond on either side. */
export const FAR_BITS = 17;
/** Where the page of constants has the base of the far pages, and a second address of what the anchor points to. */
export const FAR_BASE_AT = -8;
export const SECOND_ANCHOR_AT = -16;

function offsetOf(full: number): number {
  const entry = findInstruction(full)!;
  return extract(entry.fields.includes('s') ? FIELDS.s : FIELDS.i, full);
}
