import type { Prng } from '../../../src/base/prng.js';
import { assemble } from '../assemble.js';
import { pick } from '../random-instruction.js';
import {
  Assembly,
  branchForms,
  type Form,
  farForms,
  jumpForms,
  Label,
  type Pointer,
  shortBranchForms,
} from './assembly.js';
import type { Instructions } from './instructions.js';

/** What a program may do. */
export interface Traits {
  /** Does what ends in traps, uses half-known code, and whatever user-mode qemu sees otherwise. */
  readonly wild: boolean;
  readonly selfModifying: boolean;
  readonly reservations: boolean;
  /** Jumps to computed garbage. */
  readonly garbage: boolean;
  /** Steps that one round of the program takes, at most. */
  readonly steps: number;
}

/** Where the tables start, from the pool register on: behind the registers' first values. */
export const TABLES_AT = -2048 + 66 * 8;

const TABLE_BYTES = 8;
const BRANCHES = ['beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu'];

/** What all statements of a program are written with. Methods that write return the steps it takes at most. */
export abstract class CodeWriter {
  readonly asm = new Assembly();
  /** Words of the constants page that hold addresses, from TABLES_AT on. */
  readonly tables: Pointer[] = [];
  /** Instructions that the current function may still have. */
  protected codesLeft = 0;
  private readonly literals: { readonly label: Label; readonly value: bigint | Pointer }[] = [];

  constructor(
    protected readonly ins: Instructions,
    protected readonly traits: Traits,
    private readonly tableLimit: number,
    /** How far the second address of the code is behind the first; null when there is none. */
    protected readonly alias: { readonly distance: bigint; readonly executable: boolean } | null,
  ) {}

  protected get prng(): Prng {
    return this.ins.prng;
  }

  protected chance(n: number): boolean {
    return this.prng.below(n) === 0;
  }

  /** From 1 to `last`, each order of magnitude as often as the others. */
  protected spread(last: number): number {
    return Math.max(1, Math.min(last, Math.floor(2 ** ((this.prng.u32() / 2 ** 32) * Math.log2(last + 1)))));
  }

  protected code(...codes: readonly number[]): number {
    this.asm.code(...codes);
    this.codesLeft -= codes.length;
    return codes.length;
  }

  protected refer(label: Label, forms: readonly Form[]): number {
    this.asm.reference(label, forms);
    this.codesLeft -= 2;
    return 2;
  }

  protected straight(instructions: number): number {
    let cost = 0;
    for (let i = 0; i < instructions; i++) cost += this.code(...this.ins.any());
    return cost;
  }

  protected choose(options: readonly (readonly [weight: number, make: () => number])[]): number {
    let at = this.prng.below(options.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, make] of options) {
      if (at < weight) return make();
      at -= weight;
    }
    throw new Error('no option');
  }

  protected constant(register: number, value: number): number {
    const low = (value << 20) >> 20;
    if (value === low) return this.code(assemble('addi', { xd: register, i: value }));
    this.code(assemble('lui', { xd: register, u: (value - low) | 0 }));
    return 1 + this.code(assemble('addiw', { xd: register, x1: register, i: low }));
  }

  /** A branch that goes both ways, often. */
  protected branchSometimes(target: Label): number {
    const { ins, prng } = this;
    const name = pick(prng, BRANCHES);
    switch (prng.below(5)) {
      case 0:
        return this.refer(target, branchForms(name, prng.below(32), prng.below(32)));
      case 1: {
        const short = 8 + prng.below(8);
        return this.refer(target, shortBranchForms(this.chance(2) ? 'beq' : 'bne', short));
      }
      case 2: {
        const t = ins.free();
        const at = prng.below(4096) - 2048;
        this.code(assemble('lb', { xd: t, x1: ins.roles.anchor, i: at }));
        return 1 + this.refer(target, branchForms(name, t, this.chance(2) ? 0 : prng.below(32)));
      }
      default: {
        const t = ins.free();
        const bits = 2 ** (1 + prng.below(4)) - 1;
        this.code(assemble('andi', { xd: t, x1: ins.taken.at(-1) ?? prng.below(32), i: bits }));
        return 1 + this.refer(target, branchForms(this.chance(2) ? 'beq' : 'bne', t, 0));
      }
    }
  }

  /** In a loop, what is costly comes to its turn once in many rounds. */
  protected rarely(make: () => number): number {
    const counter = this.ins.taken.at(-1);
    if (counter === undefined || this.chance(40)) return make();
    const t = this.ins.free();
    const over = new Label();
    this.code(assemble('slli', { xd: t, x1: counter, sh6: 64 - (5 + this.prng.below(7)) }));
    this.refer(over, branchForms('bne', t, 0));
    const cost = 3 + make();
    this.asm.label(over);
    return cost;
  }

  /** To one of the labels, by the bits of some register. Some addresses are odd, which jumps do not mind. */
  protected jumpThroughTable(labels: readonly Label[], link = 0): number {
    const { ins, prng } = this;
    const size = labels.length >= 4 ? 4 : 2;
    if (this.tables.length + size > this.tableLimit) return this.refer(labels[0], jumpForms(link));
    const at = this.tables.length * TABLE_BYTES;
    const far = this.alias?.executable === true && this.chance(4) ? this.alias.distance : 0n;
    for (let i = 0; i < size; i++) {
      this.tables.push({ label: labels[i], plus: far + (this.chance(4) ? 1n : 0n) });
    }
    const t = ins.free();
    const from = this.chance(2) ? (ins.taken.at(-1) ?? prng.below(32)) : prng.below(32);
    return this.code(
      assemble('andi', { xd: t, x1: from, i: (size - 1) * TABLE_BYTES }),
      assemble('add', { xd: t, x1: t, x2: ins.roles.pool }),
      assemble('ld', { xd: t, x1: t, i: TABLES_AT + at }),
      this.jumpTo(t, link),
    );
  }

  /** The jump to a register, in its short form where there is one, now and then. */
  private jumpTo(register: number, link: number): number {
    if (link > 1 || this.chance(2)) return assemble('jalr', { xd: link, x1: register });
    return (link === 0 ? 0x8002 : 0x9002) | (register << 7);
  }

  protected literal(value: bigint | Pointer): Label {
    const label = new Label();
    this.literals.push({ label, value });
    return label;
  }

  protected loadLiteral(load: 'ld', register: number, value: bigint | Pointer): number {
    return this.refer(
      this.literal(value),
      farForms(register, (low) => assemble(load, { xd: register, x1: register, i: low })),
    );
  }

  /** A register gets a 64-bit value from behind the code. */
  setLiteral(register: number, value: bigint | Pointer): void {
    this.loadLiteral('ld', register, value);
  }

  /** Everything that code loads by its own address. Comes last. */
  writeLiterals(): void {
    this.asm.padding((offset) => new Uint8Array(-offset & 7));
    for (const { label, value } of this.literals) {
      this.asm.label(label);
      this.asm.value(value);
    }
  }
}
