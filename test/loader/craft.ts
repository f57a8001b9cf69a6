import { type Elf, readElf } from '../../src/loader/elf.js';

export interface CraftedSymbol {
  readonly name: string;
  readonly address: number;
  readonly sizeBytes: number;
}

/** An ELF file of one executable segment (a page at address 0), with these global functions for symbols. */
export function withSymbols(symbols: readonly CraftedSymbol[]): Elf {
  const names = new TextEncoder().encode(`\0${symbols.map((s) => `${s.name}\0`).join('')}`);
  const symbolsAt = 0x1000;
  const symbolsSize = 24 * symbols.length;
  const namesAt = symbolsAt + symbolsSize;
  const sectionsAt = Math.ceil((namesAt + names.length) / 8) * 8;
  const bytes = new Uint8Array(sectionsAt + 3 * 64);
  const view = new DataView(bytes.buffer);
  const quads = (at: number, ...values: number[]): void => {
    values.forEach((value, i) => {
      view.setBigUint64(at + 8 * i, BigInt(value), true);
    });
  };
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 3, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  quads(24, 0x100, 64, sectionsAt);
  [64, 56, 1, 64, 3, 0].forEach((value, i) => {
    view.setUint16(52 + 2 * i, value, true);
  });
  view.setUint32(64, 1, true);
  view.setUint32(68, 5, true);
  quads(72, 0, 0, 0, 0x1000, 0x1000, 0x1000);
  let nameAt = 1;
  symbols.forEach(({ name, address, sizeBytes }, i) => {
    const at = symbolsAt + 24 * i;
    view.setUint32(at, nameAt, true);
    bytes[at + 4] = 0x12;
    view.setUint16(at + 6, 1, true);
    quads(at + 8, address, sizeBytes);
    nameAt += name.length + 1;
  });
  bytes.set(names, namesAt);
  view.setUint32(sectionsAt + 64 + 4, 2, true);
  quads(sectionsAt + 64 + 24, symbolsAt, symbolsSize);
  view.setUint32(sectionsAt + 64 + 40, 2, true);
  quads(sectionsAt + 64 + 56, 24);
  view.setUint32(sectionsAt + 128 + 4, 3, true);
  quads(sectionsAt + 128 + 24, namesAt, names.length);
  return readElf(bytes);
}
