import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import fc from 'fast-check';
import { FloatEnv } from '../../src/cpu/softfloat.js';
import { OPERATIONS, type Operation, ROUNDING_MODES } from './operations.js';
import { operandsFor } from './patterns.js';

const SOURCE = fileURLToPath(new URL('../../../tools/softfloat-vectors.c', import.meta.url));
const COMPILER = 'riscv64-linux-gnu-gcc';
const EMULATOR = 'qemu-riscv64';

const missing = [COMPILER, EMULATOR].filter(
  (tool) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status !== 0,
);
const needsTools = missing.length === 0 ? test : test.skip;
const TITLE = `agrees with ${EMULATOR} on random vectors`;

interface Vector {
  readonly operation: Operation;
  readonly rounding: number;
  readonly operands: readonly [bigint, bigint, bigint];
}

/** The same number of vectors for each operation and rounding mode, about `count` together. */
function vectors(seed: number, count: number): Vector[] {
  const each = Math.ceil(count / (OPERATIONS.length * ROUNDING_MODES.length));
  return OPERATIONS.flatMap((operation, index) =>
    ROUNDING_MODES.flatMap((rounding) =>
      fc
        .sample(operandsFor(operation.operands), { seed: seed + index * 8 + rounding, numRuns: each })
        .map((operands) => ({ operation, rounding, operands })),
    ),
  );
}

function runOnProcessor(list: readonly Vector[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'softfloat-'));
  try {
    const program = join(folder, 'vectors');
    execFileSync(COMPILER, ['-O1', '-static', '-o', program, SOURCE]);
    const lines = list.map(({ operation, rounding, operands }) =>
      [operation.name, rounding, ...operands.map((o) => BigInt.asUintN(64, o).toString(16))].join(' '),
    );
    const input = `${lines.join('\n')}\n`;
    return execFileSync(EMULATOR, [program], { input, encoding: 'utf8', maxBuffer: 2 ** 30 }).split('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Bits of the result that count: a register holds a narrower value extended in one way or another. */
function resultBits(name: string): number {
  return /^f32(?!To)|To[FIU]32$/.test(name) ? 32 : 64;
}

needsTools(missing.length === 0 ? TITLE : `${TITLE} (not run: no ${missing.join(', ')})`, (t) => {
  const seed = Number(process.env.SOFTFLOAT_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const list = vectors(seed, Number(process.env.SOFTFLOAT_VECTORS ?? 20_000));
  t.log(`${list.length} vectors, SOFTFLOAT_SEED=${seed}`);
  const answers = runOnProcessor(list);
  t.is(answers.length, list.length + 1);
  list.forEach(({ operation, rounding, operands: [a, b, c] }, index) => {
    const env = Object.assign(new FloatEnv(), { rounding });
    const result = BigInt(operation.api(a, b, c, env));
    const bits = resultBits(operation.name);
    const [expected, flags] = answers[index]!.split(' ').map((hex) => BigInt(`0x${hex}`));
    if (BigInt.asUintN(bits, result) === BigInt.asUintN(bits, expected!) && BigInt(env.flags) === flags)
      return;
    t.fail(
      `${operation.name} rm ${rounding} ${[a, b, c].map((o) => BigInt.asUintN(64, o).toString(16)).join(' ')}: ` +
        `got ${result.toString(16)} flags ${env.flags}, processor ${expected!.toString(16)} flags ${flags}`,
    );
  });
});
