import { PAGE_SIZE } from '../../../src/memory/page.js';
import { assemble } from '../assemble.js';
import { pick } from '../random-instruction.js';
import { branchForms, farForms, jumpForms, Label, shortBranchForms, shortJumpForms } from './assembly.js';
import { Hazards } from './hazards.js';
import { STACK_SCRATCH_BYTES } from './instructions.js';

/** A function that can be called, and what a call costs at most. */
interface Callee {
  readonly label: Label;
  readonly steps: number;
  /** Bytes of code behind a call that its return skips. */
  readonly skips: number;
}

/** A function that calls itself as often as its register says. */
interface Recursion extends Callee {
  readonly depth: number;
  readonly stepsEach: number;
  readonly unwinds: boolean;
}

/** Of a frame: scratch, the registers in use by loops, the return address. */
const SPILLS_AT = STACK_SCRATCH_BYTES;
const LINK_AT = SPILLS_AT + 8 * 8;
const FRAME_BYTES = LINK_AT + 16;
const SMALL_FRAME_BYTES = 32;
const DEEPEST = 2500;
/** Where the bookkeeping page keeps the stack and address of who wants to be returned to from far below. */
const UNWIND_STACK_AT = 0;
const UNWIND_TARGET_AT = 8;
const FUNCTION_CODES = 320;
const LOOP_DEPTH = 3;
/**
 * Writes code: loops, calls, tables and worse, around random instructions. Every statement has a limit of steps, so
 * that rounds end and hot code gets hot; a tame program ends for sure.
 */
export class ProgramMaker extends Hazards {
  private readonly callees: Callee[] = [];
  private readonly recursions: Recursion[] = [];
  private readonly loops: Label[] = [];
  private leaf = false;

  // Functions

  /** All functions, then the main part, which code that follows comes behind. */
  program(functions: number, stepsPerRound: number, main: Label): void {
    for (let i = 0; i < functions; i++) {
      this.gap();
      const steps = 20 + this.spread(stepsPerRound / 4);
      if (this.chance(3)) this.recursion(20 + this.prng.below(60));
      else this.plainFunction(steps);
    }
    this.gap();
    this.asm.label(main);
    this.codesLeft = FUNCTION_CODES * 2;
    this.leaf = false;
    this.code(assemble('addi', { xd: this.ins.roles.stack, x1: this.ins.roles.stack, i: -FRAME_BYTES }));
    this.body(stepsPerRound, 10);
    this.code(assemble('addi', { xd: this.ins.roles.stack, x1: this.ins.roles.stack, i: FRAME_BYTES }));
  }

  /** Space between functions, so that the next one may start at the end of a page. */
  private gap(): void {
    const kind = this.prng.below(2);
    const back = 2 * this.spread(400);
    const small = 2 * this.prng.below(6);
    const junk = this.prng.bytes(PAGE_SIZE);
    this.asm.padding((offset) => {
      const length = kind === 0 ? (2 * PAGE_SIZE - (offset % PAGE_SIZE) - back) % PAGE_SIZE : small;
      return junk.subarray(0, length);
    });
  }

  private plainFunction(steps: number): void {
    const { ins, prng } = this;
    const { stack, link } = ins.roles;
    const label = this.asm.label();
    this.codesLeft = FUNCTION_CODES;
    this.leaf = this.chance(4);
    let cost = 8;
    if (!this.leaf) {
      this.code(assemble('addi', { xd: stack, x1: stack, i: -FRAME_BYTES }));
      this.code(assemble('sd', { x1: stack, x2: link, s: LINK_AT }));
    }
    cost += this.body(steps, 2 + prng.below(5));
    if (!this.leaf) {
      this.code(assemble('ld', { xd: link, x1: stack, i: LINK_AT }));
      this.code(assemble('addi', { xd: stack, x1: stack, i: FRAME_BYTES }));
    }
    const follower = this.callees.find((callee) => callee.skips === 0 && callee.steps < steps);
    const skips = this.chance(6) ? 2 + 2 * prng.below(2) : 0;
    if (skips > 0) this.code(assemble('addi', { xd: link, x1: link, i: skips }));
    if (follower !== undefined && this.chance(4)) {
      cost += follower.steps + this.refer(follower.label, this.chance(2) ? shortJumpForms() : jumpForms(0));
    } else this.code(this.chance(2) ? 0x8002 | (link << 7) : assemble('jalr', { x1: link }));
    this.callees.push({ label, steps: cost, skips });
  }

  /** f(d): while d is not 0 calls itself, or its twin, with d - 1. */
  private recursion(stepsEach: number): void {
    const { ins, prng } = this;
    const { stack, link, pool } = ins.roles;
    const depth = ins.free();
    const unwinds = this.chance(2);
    const twins = this.chance(2) ? [new Label(), new Label()] : [new Label()];
    ins.taken.push(depth);
    ins.hasFrame = false;
    this.leaf = true;
    let each = 0;
    for (const [i, twin] of twins.entries()) {
      this.gap();
      this.asm.label(twin);
      this.codesLeft = FUNCTION_CODES / 2;
      const end = new Label();
      let cost = 12;
      this.code(assemble('addi', { xd: stack, x1: stack, i: -SMALL_FRAME_BYTES }));
      this.code(
        assemble('sd', { x1: stack, x2: link, s: 0 }),
        assemble('sd', { x1: stack, x2: depth, s: 8 }),
      );
      this.refer(end, branchForms('beq', depth, 0));
      cost += this.smallBody(stepsEach / 2, 1 + prng.below(2));
      this.code(assemble('addi', { xd: depth, x1: depth, i: -1 }));
      this.refer(twins[(i + 1) % twins.length], jumpForms(link));
      this.code(assemble('ld', { xd: depth, x1: stack, i: 8 }));
      cost += this.smallBody(stepsEach / 2, 1 + prng.below(2));
      this.asm.label(end);
      if (unwinds) cost += this.unwind(depth, stack, pool);
      this.code(assemble('ld', { xd: link, x1: stack }));
      this.code(assemble('addi', { xd: stack, x1: stack, i: SMALL_FRAME_BYTES }), 0x8002 | (link << 7));
      each = Math.max(each, cost);
    }
    ins.taken.pop();
    ins.hasFrame = true;
    this.recursions.push({ label: twins[0], steps: each, skips: 0, depth, stepsEach: each, unwinds });
  }

  /** At the bottom, sometimes: leaves all frames at once for where the caller wants it. */
  private unwind(depth: number, stack: number, pool: number): number {
    const stay = new Label();
    const t = this.ins.free();
    this.refer(stay, branchForms('bne', depth, 0));
    this.branchSometimes(stay);
    this.code(assemble('ld', { xd: t, x1: pool, i: UNWIND_TARGET_AT }));
    this.code(assemble('ld', { xd: stack, x1: pool, i: UNWIND_STACK_AT }), assemble('jalr', { x1: t }));
    this.asm.label(stay);
    return 10;
  }

  /** Without the scratch area of a frame. */
  private smallBody(steps: number, statements: number): number {
    let cost = 0;
    for (let i = 0; i < statements; i++)
      cost += this.choose([
        [3, () => this.straight(3)],
        [1, () => this.choice(steps)],
      ]);
    return cost;
  }

  // Statements: each returns the steps it takes at most

  private body(steps: number, statements: number): number {
    let cost = 0;
    for (let left = statements; left > 0; left--) {
      if (this.codesLeft <= 0) return cost + this.straight(1);
      const share = Math.max(0, steps - cost) / (this.chance(2) ? 1.5 : left);
      cost += this.statement(share);
    }
    return cost;
  }

  private statement(steps: number): number {
    const { traits } = this;
    if (steps < 40) return this.straight(1 + this.prng.below(4));
    const deep = this.loops.length >= LOOP_DEPTH;
    const wild = traits.wild ? 1 : 0;
    return this.choose([
      [4, () => this.straight(1 + this.prng.below(6))],
      [3, () => this.choice(steps)],
      [deep ? 0 : 8, () => this.loop(steps)],
      [deep ? 0 : 2, () => this.manyEntries(steps)],
      [deep ? 0 : 2, () => this.walk(steps)],
      [this.leaf ? 0 : 3, () => this.call(steps)],
      [this.leaf ? 0 : 2, () => this.recursiveCall(steps)],
      [1, () => this.computedJump()],
      [1, () => this.halfOfInstruction()],
      [1, () => this.pageEdge()],
      [traits.reservations ? 1 : 0, () => this.reservation()],
      [traits.selfModifying ? 6 : 0, () => this.modify()],
      [wild, () => this.rarely(() => this.trap())],
      [traits.garbage ? wild : 0, () => this.rarely(() => this.garbageJump())],
    ]);
  }

  /** if, or if and else. */
  private choice(steps: number): number {
    const other = new Label();
    const end = new Label();
    let cost = 3 + this.branchSometimes(other);
    const inner = (): number =>
      this.leaf || this.chance(2) ? this.straight(1 + this.prng.below(3)) : this.body(steps / 2, 2);
    cost += inner();
    const hasOther = this.chance(2);
    if (hasOther) this.refer(end, this.chance(2) ? shortJumpForms() : jumpForms(0));
    this.asm.label(other);
    if (hasOther) cost += inner();
    this.asm.label(end);
    return cost;
  }

  private iterations(steps: number): number {
    return this.spread(Math.max(2, Math.min(steps / 25, 2 ** 19)));
  }

  /** A loop that counts down or up, tested at its start or end, with ways out in between. */
  private loop(steps: number): number {
    const { ins, prng } = this;
    const n = this.iterations(steps);
    const counter = ins.freeShort() ?? ins.free();
    const exit = new Label();
    const up = this.chance(3);
    const atStart = this.chance(3);
    const setUp = this.constant(counter, up ? 0 : n);
    ins.taken.push(counter);
    let bound = 0;
    if (up) {
      bound = ins.free();
      this.constant(bound, n);
      ins.taken.splice(-1, 0, bound);
    }
    this.loops.push(exit);
    const top = this.asm.label();
    if (atStart) this.refer(exit, branchForms('beq', counter, bound));
    let each = 8 + this.body(steps / n - 8, 1 + prng.below(4));
    if (this.chance(2)) each += this.breakOut();
    if (this.chance(2)) each += this.body(steps / n - each, 1 + prng.below(2));
    this.code(assemble('addi', { xd: counter, x1: counter, i: up ? 1 : -1 }));
    if (atStart) this.refer(top, shortJumpForms());
    else if (up || counter < 8 || counter > 15) this.refer(top, branchForms('bne', counter, bound));
    else this.refer(top, shortBranchForms('bne', counter));
    this.asm.label(exit);
    this.loops.pop();
    ins.taken.splice(up ? -2 : -1);
    return setUp + 4 + n * each;
  }

  /** Out of this loop or of one around it, in some round. */
  private breakOut(): number {
    const { ins, prng } = this;
    const t = ins.free();
    this.code(assemble('lw', { xd: t, x1: ins.roles.anchor, i: prng.below(4096) - 2048 }));
    this.code(assemble('slli', { xd: t, x1: t, sh6: 64 - (4 + prng.below(8)) }));
    return 2 + this.refer(pick(prng, this.loops), branchForms(this.chance(8) ? 'bne' : 'beq', t, 0));
  }

  /** A loop with several entries, and several places that its end goes back to. */
  private manyEntries(steps: number): number {
    const { ins, prng } = this;
    const n = this.iterations(steps);
    const counter = ins.free();
    const exit = new Label();
    const entries = Array.from({ length: 2 + prng.below(3) }, () => new Label());
    let cost = this.constant(counter, n) + 8;
    ins.taken.push(counter);
    cost += this.chance(2) ? this.branchSometimes(entries[1]) : this.jumpThroughTable(entries);
    this.loops.push(exit);
    let each = 8;
    for (const entry of entries) {
      this.asm.label(entry);
      each += this.chance(2) ? this.straight(1 + prng.below(4)) : this.choice(steps / n / 4);
      if (this.chance(4)) {
        this.code(assemble('addi', { xd: counter, x1: counter, i: -1 }));
        this.refer(exit, branchForms('bge', 0, counter));
        each += 3 + this.branchSometimes(pick(prng, entries));
      }
    }
    this.code(assemble('addi', { xd: counter, x1: counter, i: -1 }));
    this.refer(exit, branchForms('bge', 0, counter));
    each += this.branchSometimes(pick(prng, entries));
    this.refer(entries[0], shortJumpForms());
    this.asm.label(exit);
    this.loops.pop();
    ins.taken.pop();
    return cost + n * each;
  }

  /** A loop over far memory, by a pointer. */
  private walk(steps: number): number {
    const { ins, prng } = this;
    const pointer = ins.freeShort() ?? ins.free();
    ins.taken.push(pointer);
    const counter = ins.free();
    ins.taken.push(counter);
    const stride = pick(prng, [1, 2, 4, 8, 8, 16, 60, 64, 512]);
    const n = Math.min(this.iterations(steps), Math.floor(2 ** 17 / stride));
    this.code(assemble('ld', { xd: pointer, x1: ins.roles.pool, i: -8 }));
    this.constant(counter, n);
    const top = this.asm.label();
    let each = 4;
    const load = pick(prng, ['lb', 'lbu', 'lh', 'lhu', 'lw', 'lwu', 'ld']);
    const store = pick(prng, ['sb', 'sh', 'sw', 'sd']);
    if (this.chance(2)) each += this.code(assemble(load, { xd: ins.free(), x1: pointer, i: prng.below(64) }));
    if (this.chance(2))
      each += this.code(assemble('fld', { fd: prng.below(32), x1: pointer, i: prng.below(64) }));
    each += this.straight(prng.below(3));
    each += this.code(assemble(store, { x2: prng.below(32), x1: pointer, s: prng.below(64) }));
    this.code(assemble('addi', { xd: pointer, x1: pointer, i: stride }));
    this.code(assemble('addi', { xd: counter, x1: counter, i: -1 }));
    this.refer(top, branchForms('bne', counter, 0));
    ins.taken.splice(-2);
    return 4 + n * each;
  }

  // Calls

  /** Keeps the registers in use over something that may change all others. */
  private around(make: () => number): number {
    const { ins } = this;
    const { stack } = ins.roles;
    const kept = ins.taken.slice(-8);
    kept.forEach((x2, i) => void this.code(assemble('sd', { x1: stack, x2, s: SPILLS_AT + 8 * i })));
    const cost = make();
    kept.forEach((xd, i) => void this.code(assemble('ld', { xd, x1: stack, i: SPILLS_AT + 8 * i })));
    return cost + 2 * kept.length;
  }

  private call(steps: number): number {
    const { prng } = this;
    const affordable = this.callees.filter((callee) => callee.steps < steps);
    if (affordable.length === 0) return this.straight(2);
    const callee = pick(prng, affordable);
    const others = affordable.filter(({ skips }) => skips === callee.skips);
    return this.around(() => {
      const cost = this.chance(3) ? this.callThroughTable(others) : this.directCall(callee);
      if (callee.skips === 2) this.code(this.ins.compressedPlain());
      if (callee.skips === 4) this.code(this.ins.full());
      return cost + Math.max(...others.map((other) => other.steps)) + 1;
    });
  }

  private directCall({ label }: Callee): number {
    const { link } = this.ins.roles;
    switch (this.prng.below(4)) {
      case 0:
        return this.refer(
          label,
          farForms(link, (low) => assemble('jalr', { xd: link, x1: link, i: low })),
        );
      case 1: {
        if (this.alias?.executable !== true) return this.refer(label, jumpForms(link));
        const t = this.ins.free();
        const cost = this.loadLiteral('ld', t, { label, plus: this.alias.distance });
        return cost + this.code(assemble('jalr', { xd: link, x1: t }));
      }
      default:
        return this.refer(label, jumpForms(link));
    }
  }

  private callThroughTable(callees: readonly Callee[]): number {
    const entries = Array.from({ length: 4 }, () => pick(this.prng, callees).label);
    return this.jumpThroughTable(entries, this.ins.roles.link);
  }

  private recursiveCall(steps: number): number {
    const { ins } = this;
    const { link, stack, pool } = ins.roles;
    const affordable = this.recursions.filter((r) => r.stepsEach * 4 < steps && !ins.taken.includes(r.depth));
    if (affordable.length === 0) return this.straight(2);
    const { label, depth, stepsEach, unwinds } = pick(this.prng, affordable);
    const n = this.spread(Math.min(DEEPEST, steps / stepsEach));
    return this.around(() => {
      const back = new Label();
      if (unwinds) {
        this.refer(
          back,
          farForms(link, (low) => assemble('addi', { xd: link, x1: link, i: low })),
        );
        this.code(assemble('sd', { x1: pool, x2: link, s: UNWIND_TARGET_AT }));
        this.code(assemble('sd', { x1: pool, x2: stack, s: UNWIND_STACK_AT }));
      }
      this.constant(depth, n);
      this.refer(label, jumpForms(link));
      this.asm.label(back);
      return 10 + (n + 1) * stepsEach;
    });
  }
}
