import { Prng, seedPrng } from '../../../src/base/prng.js';
import { PAGE_SIZE } from '../../../src/memory/page.js';
import { assemble } from '../assemble.js';
import { randomFloat, randomInteger } from '../block-program.js';
import { pick } from '../random-instruction.js';
import { branchForms, bytesOfValue, jumpForms, Label, resolve } from './assembly.js';
import { TABLES_AT, type Traits } from './code-writer.js';
import { FAR_BASE_AT, FAR_BITS, Instructions, type Roles, SECOND_ANCHOR_AT } from './instructions.js';
import { ProgramMaker } from './program-maker.js';
import { PAGE_COUNT, type Region } from './world.js';

/** A program in memory, ready to run from `entry` with any registers. */
export interface Program {
  readonly regions: readonly Region[];
  readonly entry: bigint;
  /** From here it goes on from any state. */
  readonly landing: bigint;
  /** Register that calls put their return address in. */
  readonly link: number;
  /** Regions that it may have changed by its end, where a tame one makes its first system call. */
  readonly results: readonly number[];
}

const FCSR_SLOT = 64;
const FIRST_VALUES_AT = -2048;
const FAR_PAGES = 2 ** FAR_BITS / PAGE_SIZE + 2;
const STACK_PAGES = 26;
const ROUNDS_AT = 16;
const TABLE_LIMIT = (SECOND_ANCHOR_AT - TABLES_AT) / 8;
const CODE_PAGES_LIMIT = 64;

interface Layout {
  readonly code: number;
  readonly alias: number;
  readonly constants: number;
  readonly scratch: number;
  readonly far: number;
  readonly stack: number;
  readonly secondScratch: number;
}

function addressOf(page: number): bigint {
  return BigInt(page % PAGE_COUNT) << 12n;
}

/** First pages of the parts: near each other or far, often the same as far as small tables can tell. */
function randomLayout(prng: Prng, wild: boolean): Layout {
  const spacing = wild
    ? pick(prng, [0x400, 0x400, 0x1000, 0x8000, 2 ** 20, 2 ** 22, 2 ** 34, 2 ** 48])
    : 0x1000;
  const same = prng.below(0x300);
  const alike = prng.below(2) === 0;
  const place = (index: number): number => (1 + index) * spacing + (alike ? same : prng.below(0x300));
  const around = wild && prng.below(12) === 0;
  const scratch = around ? PAGE_COUNT - 1 : place(3);
  return {
    ...{ code: place(0), alias: place(1), constants: place(2), far: place(4), stack: place(5) },
    ...{ scratch, secondScratch: wild ? place(6) : scratch },
  };
}

function randomRoles(prng: Prng): Roles {
  const stack = prng.below(4) > 0 ? 2 : 3 + prng.below(2);
  const link = prng.below(4) > 0 ? 1 : 5;
  const anchor = 8 + prng.below(8);
  for (;;) {
    const pool = prng.below(2) === 0 ? 8 + prng.below(8) : 1 + prng.below(31);
    if (![stack, link, anchor].includes(pool)) return { anchor, pool, stack, link };
  }
}

/** First values of all registers, then tables, then the base of the far pages: what lies before the pool register. */
function constantsPage(prng: Prng, maker: ProgramMaker, layout: Layout): Uint8Array {
  const page = prng.bytes(PAGE_SIZE);
  const put = (offset: number, value: bigint): void => page.set(bytesOfValue(value), PAGE_SIZE + offset);
  for (let slot = 0; slot < FCSR_SLOT; slot++) {
    put(FIRST_VALUES_AT + slot * 8, slot < 32 ? randomInteger(prng) : randomFloat(prng));
  }
  put(FIRST_VALUES_AT + FCSR_SLOT * 8, BigInt((prng.below(5) << 5) | prng.below(32)));
  for (const [i, pointer] of maker.tables.entries())
    put(TABLES_AT + i * 8, resolve(pointer, addressOf(layout.code)));
  put(FAR_BASE_AT, addressOf(layout.far + 1));
  put(SECOND_ANCHOR_AT, addressOf(layout.secondScratch + 1));
  return page;
}

/** Random bytes, and values at the limits of formats. */
function randomMemory(prng: Prng, pages: number): Uint8Array {
  const bytes = prng.bytes(pages * PAGE_SIZE);
  for (let at = 0; at < bytes.length; at += 8) {
    const kind = prng.below(4);
    if (kind < 2) bytes.set(bytesOfValue(kind === 0 ? randomInteger(prng) : randomFloat(prng)), at);
  }
  return bytes;
}

/** The code around what the maker makes: sets registers, runs a round, and starts over or ends. */
class Frame {
  readonly entry = new Label();
  readonly landing = new Label();

  constructor(
    private readonly maker: ProgramMaker,
    private readonly roles: Roles,
    private readonly layout: Layout,
  ) {}

  setRoles(): void {
    const { maker, roles, layout } = this;
    maker.setLiteral(roles.anchor, addressOf(layout.scratch + 1));
    maker.setLiteral(roles.pool, addressOf(layout.constants + 1));
    maker.setLiteral(roles.stack, addressOf(layout.stack + STACK_PAGES - 1));
  }

  start(main: Label): void {
    const { maker, roles } = this;
    const { asm } = maker;
    const { anchor, pool, stack } = roles;
    asm.label(this.landing);
    this.setRoles();
    asm.code(assemble('csrrwi', { z: 0 }, 'frm'));
    asm.reference(main, jumpForms(0));
    asm.label(this.entry);
    this.setRoles();
    asm.code(assemble('ld', { xd: roles.link, x1: pool, i: FIRST_VALUES_AT + FCSR_SLOT * 8 }));
    asm.code(assemble('csrrw', { x1: roles.link }, 'fcsr'));
    for (let x = 1; x < 32; x++) {
      if (![anchor, pool, stack].includes(x))
        asm.code(assemble('ld', { xd: x, x1: pool, i: FIRST_VALUES_AT + x * 8 }));
    }
    for (let f = 0; f < 32; f++) {
      asm.code(assemble('fld', { fd: f, x1: pool, i: FIRST_VALUES_AT + (32 + f) * 8 }));
    }
    asm.reference(main, jumpForms(0));
  }

  /** After a round: from the start again, as often as the bookkeeping page says. */
  again(tame: boolean): void {
    const { asm } = this.maker;
    const { link, pool } = this.roles;
    if (tame) {
      const out = new Label();
      asm.code(
        assemble('ld', { xd: link, x1: pool, i: ROUNDS_AT }),
        assemble('addi', { xd: link, x1: link, i: -1 }),
      );
      asm.code(assemble('sd', { x2: link, x1: pool, s: ROUNDS_AT }));
      asm.reference(out, branchForms('beq', link, 0));
      asm.reference(this.entry, jumpForms(0));
      asm.label(out);
    } else asm.reference(this.entry, jumpForms(0));
  }

  /** All registers into the page behind the stack, then Linux calls: write(1, every result), exit(0). */
  end(results: readonly { readonly address: bigint; readonly sizeBytes: number }[]): void {
    const { maker, roles } = this;
    const { asm } = maker;
    const { stack } = roles;
    const [a0, a1, a2, a7] = [10, 11, 12, 17];
    for (let x = 1; x < 32; x++) asm.code(assemble('sd', { x2: x, x1: stack, s: x * 8 }));
    for (let f = 0; f < 32; f++) asm.code(assemble('fsd', { f2: f, x1: stack, s: (32 + f) * 8 }));
    asm.code(assemble('csrrs', { xd: a0 }, 'fcsr'), assemble('sd', { x2: a0, x1: stack, s: FCSR_SLOT * 8 }));
    for (const { address, sizeBytes } of results) {
      maker.setLiteral(a1, address);
      maker.setLiteral(a2, BigInt(sizeBytes));
      const top = asm.label();
      asm.code(assemble('addi', { xd: a7, i: 64 }), assemble('addi', { xd: a0, i: 1 }), assemble('ecall'));
      asm.code(assemble('add', { xd: a1, x1: a1, x2: a0 }), assemble('sub', { xd: a2, x1: a2, x2: a0 }));
      asm.reference(top, branchForms('bne', a2, 0));
    }
    asm.code(assemble('addi', { xd: a7, i: 93 }), assemble('addi', { xd: a0 }), assemble('ecall'));
  }
}

/** Traits of program number `index` of a seed, for engines alone. */
export function randomTraits(prng: Prng): Traits {
  const wild = prng.below(4) > 0;
  return {
    wild,
    selfModifying: prng.below(3) === 0,
    reservations: prng.below(2) === 0,
    garbage: wild && prng.below(3) === 0,
    steps: 2 ** (11 + prng.below(8)),
  };
}

/** All but the code. Constants are filled in when the code is known. */
function dataRegions(prng: Prng, layout: Layout, rounds: number): Region[] {
  const data: Region[] = [
    { firstPage: layout.constants, pages: 1, access: { load: true } },
    {
      firstPage: layout.constants + 1,
      pages: 1,
      access: { load: true, store: true },
      bytes: randomMemory(prng, 1),
    },
    {
      firstPage: layout.scratch,
      pages: 2,
      access: { load: true, store: true },
      bytes: randomMemory(prng, 2),
      shared: true,
    },
    {
      firstPage: layout.far,
      pages: FAR_PAGES,
      access: { load: true, store: true },
      bytes: randomMemory(prng, FAR_PAGES),
    },
    { firstPage: layout.stack, pages: STACK_PAGES, access: { load: true, store: true } },
  ];
  data[1].bytes!.set(bytesOfValue(BigInt(rounds)), ROUNDS_AT);
  return data;
}

/** @param rounds how often a tame program does its round before it ends; wild ones never end */
export function randomProgram(seed: number, traits: Traits, rounds: number): Program {
  const prng = new Prng(seedPrng(seed, 'program'));
  const { wild, selfModifying } = traits;
  const roles = randomRoles(prng);
  const layout = randomLayout(prng, wild);
  const ins = new Instructions(prng, roles, !wild);
  ins.taste = pick(prng, ['even', 'integer', 'float', 'memory'] as const);
  const executable = prng.below(2) === 0;
  const distance = addressOf(layout.alias) - addressOf(layout.code);
  const maker = new ProgramMaker(ins, traits, TABLE_LIMIT, wild ? { distance, executable } : null);
  const frame = new Frame(maker, roles, layout);
  const main = new Label();
  frame.start(main);
  maker.program(2 + prng.below(7), traits.steps, main);
  frame.again(!wild);
  const data = dataRegions(prng, layout, rounds);
  if (!wild) {
    frame.end(
      data
        .slice(1)
        .map(({ firstPage, pages }) => ({ address: addressOf(firstPage), sizeBytes: pages * PAGE_SIZE })),
    );
  }
  maker.writeLiterals();
  const codeAddress = addressOf(layout.code);
  const code = maker.asm.finish(codeAddress);
  const codePages = Math.ceil(code.length / PAGE_SIZE);
  if (codePages > CODE_PAGES_LIMIT) throw new Error(`program ${seed} is too long`);
  const constants = constantsPage(prng, maker, layout);
  const store = selfModifying;
  const regions: Region[] = [
    {
      firstPage: layout.code,
      pages: codePages,
      access: { load: true, store, fetch: true },
      bytes: code,
      shared: true,
    },
    { ...data[0], bytes: constants },
    ...data.slice(1),
  ];
  if (wild) {
    const access = { load: true, store: selfModifying, fetch: executable };
    regions.push({ firstPage: layout.alias, pages: codePages, access, sameAs: 0 });
    regions.push({
      firstPage: layout.secondScratch,
      pages: 2,
      access: { load: true, store: true },
      sameAs: 3,
    });
  }
  return {
    regions,
    entry: resolve({ label: frame.entry, plus: 0n }, codeAddress),
    landing: resolve({ label: frame.landing, plus: 0n }, codeAddress),
    link: roles.link,
    results: [2, 3, 4, 5],
  };
}
