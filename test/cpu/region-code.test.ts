import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { RegionCode } from '../../src/cpu/engines/region-code.js';
import { Templates } from '../../src/cpu/engines/template.js';
import { INSTRUCTION_SET } from '../../src/cpu/riscv64/arch.js';
import { assemble as asm } from './assemble.js';
import { listing, regionOf } from './region-fixture.js';
import { watOf } from './wat.js';

/** Code of a few regions as it was when it was last looked at, so that a change of it is seen in review. */
const FOLDER = 'test/cpu/regions';
const [ZERO, RA, S0, A0, A1, A2, A3] = [0, 1, 8, 10, 11, 12, 13];
const FA0 = 10;

/** Instructions are 4 bytes each; displacements are in bytes. */
const PROGRAMS: Readonly<Record<string, readonly number[]>> = {
  'copy-words': [
    asm('lw', { xd: A3, x1: A0, i: 0 }),
    asm('sw', { x2: A3, x1: A1, s: 4 }),
    asm('addi', { xd: A0, x1: A0, i: 4 }),
    asm('addi', { xd: A1, x1: A1, i: 4 }),
    asm('addi', { xd: A2, x1: A2, i: -1 }),
    asm('bne', { x1: A2, x2: ZERO, b: -20 }),
    asm('jalr', { x1: RA }),
  ],
  'long-rounds': [
    asm('lw', { xd: A3, x1: A0, i: 0 }),
    ...[A1, A2].flatMap((x) => [
      asm('srliw', { xd: 5, x1: x, sh5: 7 }),
      asm('slliw', { xd: 6, x1: x, sh5: 25 }),
      asm('or', { xd: 5, x1: 5, x2: 6 }),
      asm('xor', { xd: A3, x1: A3, x2: 5 }),
      asm('srliw', { xd: 7, x1: x, sh5: 3 }),
      asm('addw', { xd: A3, x1: A3, x2: 7 }),
    ]),
    asm('addi', { xd: A2, x1: A1 }),
    asm('addi', { xd: A1, x1: A3 }),
    asm('addi', { xd: A0, x1: A0, i: 4 }),
    asm('addi', { xd: 28, x1: 28, i: 4 }),
    asm('bne', { x1: A0, x2: S0, b: -68 }),
    asm('jalr', { x1: RA }),
  ],
  'diamond-and-call': [
    asm('bge', { x1: A0, x2: ZERO, b: 12 }),
    asm('sub', { xd: A0, x1: ZERO, x2: A0 }),
    asm('jal', { j: 8 }),
    asm('slli', { xd: A0, x1: A0, sh6: 1 }),
    asm('addi', { xd: S0, x1: RA }),
    asm('jal', { xd: RA, j: 0x100 }),
    asm('xor', { xd: A0, x1: A0, x2: S0 }),
    asm('jalr', { x1: S0 }),
  ],
  'jump-table': [
    asm('slli', { xd: A0, x1: A0, sh6: 3 }),
    asm('add', { xd: A0, x1: A0, x2: A1 }),
    asm('ld', { xd: A0, x1: A0 }),
    asm('jalr', { x1: A0 }),
  ],
  'dot-product': [
    asm('fld', { fd: FA0 + 1, x1: A0, i: 0 }),
    asm('fld', { fd: FA0 + 2, x1: A1, i: 0 }),
    asm('fmul.d', { fd: FA0 + 1, f1: FA0 + 1, f2: FA0 + 2 }),
    asm('fadd.d', { fd: FA0, f1: FA0, f2: FA0 + 1 }),
    asm('fsd', { f2: FA0, x1: A1, s: 0 }),
    asm('addi', { xd: A0, x1: A0, i: 8 }),
    asm('bne', { x1: A0, x2: A2, b: -24 }),
    asm('jalr', { x1: RA }),
  ],
  'fetch-and-add': [
    asm('addi', { xd: A1, x1: ZERO, i: 1 }),
    asm('amoadd.w', { xd: A0, x1: A0, x2: A1 }),
    asm('jalr', { x1: RA }),
  ],
  'two-exits': [
    asm('beq', { x1: A0, x2: A1, b: 20 }),
    asm('andi', { xd: A3, x1: A0, i: 1 }),
    asm('bne', { x1: A3, x2: ZERO, b: 16 }),
    asm('addi', { xd: A0, x1: A0, i: 2 }),
    asm('jal', { j: -16 }),
  ],
  // Two groups, the second at what the first has loaded.
  neighbours: [
    asm('addi', { xd: A0, x1: A0, i: 8 }),
    asm('ld', { xd: A3, x1: A0, i: 0 }),
    asm('addi', { xd: A1, x1: A0, i: 16 }),
    asm('lw', { xd: A2, x1: A1, i: 8 }),
    asm('lbu', { xd: A1, x1: A1, i: -4 }),
    asm('sd', { x1: A3, x2: A2, s: 8 }),
    asm('sd', { x1: A3, x2: A1, s: 0 }),
    asm('jalr', { x1: RA }),
  ],
  rotate: [
    asm('slliw', { xd: A1, x1: A0, sh5: 7 }),
    asm('srliw', { xd: A0, x1: A0, sh5: 25 }),
    asm('or', { xd: A0, x1: A0, x2: A1 }),
    asm('addw', { xd: A0, x1: A0, x2: A2 }),
    asm('addiw', { xd: A0, x1: A0 }),
    asm('jalr', { x1: RA }),
  ],
  // Handlers at 20 and 32, the latter with a jump back.
  dispatch: [
    asm('lbu', { xd: A3, x1: A0 }),
    asm('slli', { xd: A3, x1: A3, sh6: 3 }),
    asm('add', { xd: A3, x1: A3, x2: A1 }),
    asm('ld', { xd: A3, x1: A3 }),
    asm('jalr', { x1: A3 }),
    asm('add', { xd: A2, x1: A2, x2: A0 }),
    asm('addi', { xd: A0, x1: A0, i: 1 }),
    asm('jal', { j: -28 }),
    asm('addi', { xd: A0, x1: A0, i: 2 }),
    asm('jal', { j: -36 }),
  ],
  'system-call': [
    asm('addi', { xd: 5, x1: ZERO, i: 7 }),
    asm('addi', { xd: A0, x1: A1, i: 1 }),
    asm('ecall'),
  ],
};

const TARGETS: Readonly<Record<string, readonly number[]>> = { dispatch: [5, 8] };

/** What the module around the region would know: one callee. */
function textOf(codes: readonly number[], targets: readonly number[]): string {
  const context = { dispatch: 0, functionOf: () => 1 };
  const templates = new Templates(INSTRUCTION_SET, false, false);
  const region = regionOf(codes, 0, targets);
  return listing(codes) + watOf(new RegionCode(INSTRUCTION_SET, region, context, templates).write());
}

for (const [name, codes] of Object.entries(PROGRAMS)) {
  test(`the region ${name} has the code it had`, (t) => {
    const path = join(FOLDER, `${name}.wat`);
    const text = textOf(codes, TARGETS[name] ?? []);
    if (process.env.REWRITE_GOLDEN !== undefined) writeFileSync(path, text);
    const kept = existsSync(path) ? readFileSync(path, 'utf8') : '';
    t.is(
      text,
      kept,
      `${path} differs: if it is meant to, run again with REWRITE_GOLDEN=1 and look at the change`,
    );
  });
}

test('every text that is kept is one of a region', (t) => {
  t.deepEqual(
    readdirSync(FOLDER).sort(),
    Object.keys(PROGRAMS)
      .map((name) => `${name}.wat`)
      .sort(),
  );
});

test('a region of a thousand blocks in a row is written where the stack is small', (t) => {
  const program = fileURLToPath(new URL('deep-region.js', import.meta.url));
  // The host's own is 984 KB; hosts in browsers have less.
  const out = execFileSync(process.execPath, ['--stack-size=400', program], { encoding: 'utf8' });
  t.is(out, '991 true\n');
});
