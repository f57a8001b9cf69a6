import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Prng, seedPrng } from '../../src/base/prng.js';
import { disassemble } from '../../src/cpu/riscv64/disassemble.js';
import { extract, FIELDS } from '../../src/cpu/riscv64/fields.js';
import { encode, expand, INSTRUCTIONS } from '../../src/cpu/riscv64/table.js';
import { randomOperands } from './random-instruction.js';

/** Binutils as the other opinion. Without it these tests show as skipped. */
const OBJDUMP = 'riscv64-linux-gnu-objdump';
const found = spawnSync(OBJDUMP, ['--version']).status === 0;
const withObjdump = found ? test : test.skip;

/** The text of each instruction, each in a place of 4 bytes; those of 2 bytes are followed by a c.nop. */
function dump(codes: readonly number[], options: readonly string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'objdump-'));
  try {
    const file = join(directory, 'code.bin');
    writeFileSync(file, new Uint8Array(Uint32Array.from(codes).buffer));
    const args = ['-D', '-b', 'binary', '-m', 'riscv:rv64', ...options, file];
    const text = execFileSync(OBJDUMP, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
    const lines = new Map<number, string>();
    for (const line of text.split('\n')) {
      const match = /^ *([0-9a-f]+):\t[0-9a-f]+ +\t(.*)$/.exec(line);
      if (match !== null) lines.set(Number.parseInt(match[1]!, 16), match[2]!.trim());
    }
    return codes.map((_, i) => normal(lines.get(i * 4) ?? 'nothing'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Without comments and labels, one space between mnemonic and operands; an empty set of a fence is 0. */
function normal(text: string): string {
  return text
    .replace(/ *[#<].*$/, '')
    .replace(/\t/g, ' ')
    .replaceAll('unknown', '0')
    .trim();
}

const C_NOP = 0x0001;
/** c.addi16sp with constant 0: reserved (unprivileged manual, "C.ADDI16SP"), but binutils shows it. */
const RESERVED = 0x6101;

/** Where binutils writes the same instruction differently if it is compressed. */
function sameMeaning(text: string): string {
  return text
    .replace(/^(?:addi|add) (\w+),zero,(-?\w+)$/, 'li $1,$2')
    .replace(/^li (\w+),([a-z]\w*)$/, 'mv $1,$2')
    .replace(/^addi? (\w+),(\w+),0$/, 'mv $1,$2');
}

/** Binutils names encodings without effect (to x0, by a distance of 0) on their own: `c.nop 5`, `c.slli64 a0`. */
const HINT = /^c\.|^nop$/;

function isHint(half: number): boolean {
  const full = expand(half)!;
  return (
    extract(FIELDS.xd, full) === 0 ||
    (extract(FIELDS.sh6, full) === 0 && /^s[lr]/.test(disassemble(0n, full)))
  );
}

withObjdump('compressed instructions mean what they expand to, all 65536', (t) => {
  const halves = Array.from({ length: 0x10000 }, (_, i) => i).filter((h) => (h & 3) !== 3 && h !== RESERVED);
  const short = dump(
    halves.map((half) => (C_NOP << 16) | half),
    [],
  );
  const long = dump(
    halves.map((half) => expand(half) ?? 0),
    [],
  );
  const different: string[] = [];
  for (const [i, half] of halves.entries()) {
    const legal = expand(half) !== undefined;
    const known = !/^\.|^unimp$|^nothing$/.test(short[i]!);
    const hint = HINT.test(short[i]!) && isHint(half);
    if (legal !== known || (legal && !hint && sameMeaning(short[i]!) !== sameMeaning(long[i]!))) {
      different.push(`${half.toString(16)}: ${short[i]} / ${legal ? long[i] : 'illegal'}`);
    }
  }
  t.deepEqual(different.slice(0, 20), []);
  t.is(expand(RESERVED), undefined);
});

withObjdump('32-bit instructions read as binutils reads them', (t) => {
  const prng = new Prng(seedPrng(3, 'objdump'));
  // Binutils takes neither operands in the reserved fields of fences, nor a mode where it does not matter.
  const plain = { any: 0, all: 0, rx: 0 };
  const codes = INSTRUCTIONS.flatMap((entry) =>
    Array.from({ length: 40 }, () => encode(entry, { ...randomOperands(entry, prng), ...plain })),
  );
  const theirs = dump(codes, ['-M', 'no-aliases']);
  const different: string[] = [];
  for (const [i, code] of codes.entries()) {
    const ours = disassemble(BigInt(i * 4), code);
    if (ours !== theirs[i]) different.push(`${code.toString(16)}: ${theirs[i]} / ${ours}`);
  }
  t.deepEqual(different.slice(0, 20), []);
});
