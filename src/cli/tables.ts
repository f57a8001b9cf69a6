import type { NamedRegister } from '../cpu/arch.js';
import type { Chunk } from '../timeline/address-space.js';
import { hex64 } from '../timeline/text.js';

/** Rows under a heading, in columns as wide as they need to be; the last column is not padded. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [heading, ...rows];
  const widths = heading.map((_, i) => all.reduce((most, row) => Math.max(most, row[i].length), 0));
  return all.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd(),
  );
}

const REGISTERS_PER_LINE = 3;

/** `ra   0x1002d5c`: three on a line. */
export function registerLines(registers: readonly NamedRegister[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i < registers.length; i += REGISTERS_PER_LINE) {
    const cells = registers.slice(i, i + REGISTERS_PER_LINE);
    const texts = cells.map(([name, value]) => `${name.padEnd(4)} ${hex64(value).padStart(18)}`);
    lines.push(`  ${texts.join('  ')}`);
  }
  return lines;
}

const BYTES_PER_LINE = 16;

/** `0x1005008  90 01 00 00 …  |....|`: lines begin at multiples of 16, what is not mapped is left out. */
export function* hexDump(chunks: readonly Chunk[]): IterableIterator<string> {
  for (const { address, bytes } of chunks) {
    for (
      let line = address - (address % BYTES_PER_LINE);
      line < address + bytes.length;
      line += BYTES_PER_LINE
    ) {
      const cells = Array.from({ length: BYTES_PER_LINE }, (_, i) => bytes[line + i - address]);
      const digits = cells.map((byte) => byte?.toString(16).padStart(2, '0') ?? '  ');
      const texts = cells.map((byte) => {
        if (byte === undefined) return ' ';
        return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
      });
      yield `${hex64(line).padEnd(12)}  ${digits.join(' ')}  |${texts.join('')}|`;
    }
  }
}
