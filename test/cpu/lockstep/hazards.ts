import { PAGE_SIZE } from '../../../src/memory/page.js';
import { assemble } from '../assemble.js';
import { pick } from '../random-instruction.js';
import { branchForms, farForms, Label } from './assembly.js';
import { CodeWriter } from './code-writer.js';

/** Where an instruction may be written over, and the registers that the others there must leave alone. */
interface Site {
  readonly label: Label;
  readonly taken: readonly number[];
}

const NOP_HALF = Uint8Array.of(1, 0);
/** Nothing that decodes, or is valid: opcodes, rounding modes, status registers, the privileged part. */
const ILLEGAL = [
  0, 0xffff_ffff, 0x0000_707f, 0x0200_d053, 0x0200_e0d3, 0x7ff0_2073, 0xc000_1073, 0x3020_0073,
];

/** Statements that engines stumble over: jumps into the middle of things, code that changes, traps. */
export abstract class Hazards extends CodeWriter {
  private readonly sites: Site[] = [];

  /** Into a row of instructions, by a computed distance. */
  protected computedJump(): number {
    const { ins, prng } = this;
    const t = ins.free();
    const u = ins.free(t);
    const count = pick(prng, [2, 4, 8]);
    this.code(
      assemble('andi', { xd: t, x1: ins.taken.at(-1) ?? prng.below(32), i: (count - 1) * 4 }),
      assemble('auipc', { xd: u }),
      assemble('add', { xd: u, x1: u, x2: t }),
      assemble('jalr', { xd: this.chance(4) ? t : 0, x1: u, i: 12 + prng.below(2) }),
    );
    for (let i = 0; i < count; i++) this.code(ins.full());
    return 4 + count;
  }

  /** An instruction of four bytes of which the second half is another one, that some paths jump to. */
  protected halfOfInstruction(): number {
    const { ins } = this;
    const middle = new Label();
    const cost = this.branchSometimes(middle);
    const hidden = ins.compressedPlain();
    const whole = new Uint8Array(4);
    new DataView(whole.buffer).setUint32(
      0,
      (assemble('lui', { xd: ins.free() }) & 0xffff) | (hidden << 16),
      true,
    );
    this.asm.bytes(whole.subarray(0, 2));
    this.asm.label(middle);
    this.asm.bytes(whole.subarray(2));
    this.codesLeft--;
    return cost + 1 + this.straight(1);
  }

  /** When a page ends nearby: an instruction of four bytes across its end. */
  protected pageEdge(): number {
    const reach = 2 * this.prng.below(40);
    this.asm.padding((offset) => {
      const left = (2 * PAGE_SIZE - 2 - (offset % PAGE_SIZE)) % PAGE_SIZE;
      const count = left <= reach ? left / 2 : 0;
      return Uint8Array.from({ length: count * 2 }, (_, i) => NOP_HALF[i % 2]);
    });
    const cost = reach / 2 + this.code(this.ins.full());
    return this.chance(2) ? cost : cost + this.code(...this.ins.access());
  }

  protected reservation(): number {
    const { ins, prng } = this;
    const wild = this.traits.wild && this.chance(2);
    const address = ins.free();
    const loaded = ins.free(address);
    const result = ins.free(address, loaded);
    const width = pick(prng, ['w', 'd']);
    const at = (prng.below(4080) - 2040) & -8;
    let cost = this.code(assemble('addi', { xd: address, x1: ins.roles.anchor, i: at }));
    ins.taken.push(address, loaded, result);
    const again = this.asm.label();
    const order = { aqrl: prng.below(4) };
    this.code(assemble(`lr.${width}`, { xd: loaded, x1: address, ...order }));
    if (wild) cost += this.straight(prng.below(4));
    else for (let i = prng.below(4); i > 0; i--) this.code(ins.compressedPlain());
    const loop = !wild && this.chance(2);
    const widthThen = wild && this.chance(3) ? 'w' : width;
    if (wild && this.chance(3)) this.code(assemble('addi', { xd: address, x1: address, i: 8 }));
    this.code(assemble(`sc.${widthThen}`, { xd: result, x2: prng.below(32), x1: address, ...order }));
    if (loop) this.refer(again, branchForms('bne', result, 0));
    if (wild && this.chance(2)) this.code(assemble(`sc.${width}`, { xd: result, x2: 0, x1: address }));
    ins.taken.splice(-3);
    return cost + 24;
  }

  protected modify(): number {
    if (this.sites.length === 0 || this.chance(2)) return this.site();
    return this.rarely(() => this.patch(pick(this.prng, this.sites.slice(-6))));
  }

  /** An instruction that may be written over, now and then by the one right before it. */
  protected site(): number {
    const label = new Label();
    let cost = 1;
    if (this.chance(2)) cost += this.rarely(() => this.patch({ label, taken: [] }));
    // Aligned to nothing: the site may well lie across two pages.
    this.asm.label(label);
    this.code(this.ins.full());
    this.sites.push({ label, taken: [...this.ins.taken] });
    return cost;
  }

  /** Stores one of two instructions at a site: by its own address or by the other one of the page. */
  protected patch(site: Site): number {
    const { ins, prng } = this;
    ins.taken.push(...site.taken);
    const [first, second] = [ins.full(), ins.full()];
    ins.taken.splice(ins.taken.length - site.taken.length);
    const word = ins.free();
    const address = ins.free(word);
    let cost =
      4 +
      this.refer(
        this.literal(BigInt(first) | (BigInt(second) << 32n)),
        farForms(word, (low) => assemble('addi', { xd: word, x1: word, i: low })),
      );
    this.code(assemble('andi', { xd: address, x1: ins.taken.at(-1) ?? prng.below(32), i: 4 }));
    this.code(assemble('add', { xd: word, x1: word, x2: address }), assemble('lw', { xd: word, x1: word }));
    if (this.alias !== null && this.chance(2))
      cost += this.loadLiteral('ld', address, { label: site.label, plus: this.alias.distance });
    else
      cost += this.refer(
        site.label,
        farForms(address, (low) => assemble('addi', { xd: address, x1: address, i: low })),
      );
    this.code(
      assemble(this.chance(4) && this.traits.wild ? pick(prng, ['sh', 'sb']) : 'sw', {
        x1: address,
        x2: word,
      }),
    );
    if (!this.traits.wild || this.chance(2)) this.code(assemble('fence.i'));
    return cost + 6;
  }

  protected trap(): number {
    const { ins, prng } = this;
    const x1 = prng.below(32);
    switch (prng.below(8)) {
      case 0:
        return this.code(assemble('ecall'));
      case 1:
        return this.code(this.chance(2) ? assemble('ebreak') : 0x9002);
      case 2:
        return this.code(this.chance(2) ? pick(prng, ILLEGAL) : 0);
      case 3:
        return this.code(assemble('sw', { x1: ins.roles.pool, x2: x1, s: -4 - 4 * prng.below(500) }));
      case 4:
        return this.code(assemble('sd', { x1: ins.roles.pool, x2: x1, s: -1 - prng.below(7) }));
      case 5:
        return this.code(
          assemble('jalr', { xd: ins.roles.link, x1: ins.roles.anchor, i: prng.below(4096) - 2048 }),
        );
      case 6:
        return this.code(
          assemble(pick(prng, ['ld', 'lb', 'lw']), { xd: ins.free(), x1, i: prng.below(4096) - 2048 }),
        );
      default:
        return this.code(
          assemble(pick(prng, ['sd', 'sb', 'fsd']), { x1: ins.free(), x2: x1, s: prng.below(4096) - 2048 }),
        );
    }
  }

  /** To the value of a register, or to any half-word of the code around. */
  protected garbageJump(): number {
    const { ins, prng } = this;
    const { link } = ins.roles;
    if (this.chance(2))
      return this.code(assemble('jalr', { xd: link, x1: prng.below(32), i: prng.below(64) }));
    const t = ins.free();
    const u = ins.free(t);
    return this.code(
      assemble('andi', { xd: t, x1: prng.below(32), i: 0x7fe }),
      assemble('auipc', { xd: u, u: pick(prng, [0, 0, -4096]) }),
      assemble('add', { xd: u, x1: u, x2: t }),
      assemble('jalr', { xd: link, x1: u }),
    );
  }
}
