import type { Elf } from './elf.js';
import { hex } from './elf-bytes.js';
import { SHN, STB, STT } from './elf-constants.js';
import type { ElfSymbol } from './elf-symbols.js';
import { imageSpan, segmentAt } from './segments.js';

/** An ELF file as it stands in an address space. */
export interface Module {
  readonly name: string;
  /** Its first page. */
  readonly base: number;
  /** From the first to the last page. */
  readonly sizeBytes: number;
  readonly buildId: string | null;
  /** What to add to the file's addresses to get those in memory. */
  readonly bias: number;
  readonly elf: Elf;
}

export function loadedModule(name: string, elf: Elf, bias: number): Module {
  const { address, sizeBytes } = imageSpan(elf);
  return { name, base: address + bias, sizeBytes, buildId: elf.buildId, bias, elf };
}

/** An address in terms of a program: `offset` bytes into what `symbol` names. */
export interface Place {
  readonly module: Module;
  readonly symbol: string;
  /** Start of the symbol, in memory. */
  readonly start: number;
  readonly offset: number;
}

/**
 * Names addresses after the symbols of the modules given. Ranges of symbols are respected: an address behind the
 * end of a function has no name. Where symbols lie inside each other, the innermost names the address; labels
 * without a size (assembly code) reach up to the next symbol or the end of their executable segment.
 */
export class Symbolizer {
  private readonly indexes = new Map<Module, SymbolIndex>();

  constructor(readonly modules: readonly Module[]) {}

  moduleAt(address: number): Module | null {
    return this.modules.find((m) => address >= m.base && address < m.base + m.sizeBytes) ?? null;
  }

  resolve(address: number): Place | null {
    const module = this.moduleAt(address);
    if (module === null) return null;
    let index = this.indexes.get(module);
    if (index === undefined) {
      index = new SymbolIndex(module.elf);
      this.indexes.set(module, index);
    }
    const symbol = index.at(address - module.bias);
    if (symbol === null) return null;
    const start = symbol.address + module.bias;
    return { module, symbol: symbol.name, start, offset: address - start };
  }

  /** `function+0x12`, else `module+0x1234`, else `0x1234`. */
  describe(address: number): string {
    const place = this.resolve(address);
    if (place !== null) return `${place.symbol}+${hex(place.offset)}`;
    const module = this.moduleAt(address);
    return module === null ? hex(address) : `${module.name}+${hex(address - module.bias)}`;
  }
}

interface Range {
  readonly start: number;
  end: number;
  /** Has no size of its own: it ends where the next range starts, and counts for nothing inside another. */
  readonly label: boolean;
  /** Number of the symbol in the file's table. */
  readonly symbol: number;
  /** Of several names for a range the one of least rank is shown. */
  readonly rank: number;
}

/** Symbols as disjoint ranges in ascending order. Built once, O(n log n); looked up by binary search. */
class SymbolIndex {
  private readonly starts: number[] = [];
  /** The symbol whose range begins there, or -1 where only a range ends. */
  private readonly symbols: number[] = [];

  constructor(private readonly elf: Elf) {
    const open: Range[] = [];
    for (const range of sortedRanges(elf)) {
      this.closeUpTo(open, range.start);
      const outer = open[open.length - 1];
      if (outer !== undefined && range.label) continue;
      this.mark(range.start, range.symbol);
      // A range that would outlast the one around it is cut there, so that the stack ends from the top.
      open.push(outer === undefined ? range : { ...range, end: Math.min(range.end, outer.end) });
    }
    this.closeUpTo(open, Number.POSITIVE_INFINITY);
  }

  at(address: number): ElfSymbol | null {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.starts[middle] <= address) low = middle + 1;
      else high = middle;
    }
    const symbol = low === 0 ? -1 : this.symbols[low - 1];
    return symbol < 0 ? null : this.elf.symbols.get(symbol);
  }

  private closeUpTo(open: Range[], address: number): void {
    while (open.length > 0 && open[open.length - 1].end <= address) {
      const { end } = open.pop()!;
      this.mark(end, open.length === 0 ? -1 : open[open.length - 1].symbol);
    }
  }

  private mark(start: number, symbol: number): void {
    const last = this.starts.length - 1;
    if (last >= 0 && this.starts[last] === start) this.symbols[last] = symbol;
    else {
      this.starts.push(start);
      this.symbols.push(symbol);
    }
  }
}

/** By start, outer before inner; where several symbols share a start and an end, the one to show comes last. */
function sortedRanges(elf: Elf): Range[] {
  const found: Range[] = [];
  for (let symbol = 0; symbol < elf.symbols.count; symbol++) {
    const {
      name,
      address: start,
      sizeBytes,
      type,
      binding,
      section,
    } = elf.symbols.get(symbol, NAME_START_BYTES);
    const defined = section !== SHN.UNDEF && section < SHN.LORESERVE;
    if (!defined || !isName(name) || !NAMING_TYPES.includes(type)) continue;
    const segment = segmentAt(elf, start);
    const label = sizeBytes === 0;
    // Labels among data are marks of the linker (`_end`, `__bss_start`), not variables.
    if (segment === null || (label && !segment.executable)) continue;
    const segmentEnd = segment.vaddr + segment.memSizeBytes;
    const end = label ? segmentEnd : Math.min(start + sizeBytes, segmentEnd);
    // Plain names before `_`-names that a library exports beside them, global ones before local.
    const rank =
      leadingUnderscores(name) * 4 + (binding === STB.LOCAL ? 2 : 0) + (type === STT.NOTYPE ? 1 : 0);
    found.push({ start, end, label, symbol, rank });
  }
  found.sort((a, b) => a.start - b.start || b.end - a.end || b.rank - a.rank || b.symbol - a.symbol);
  return found.filter((range, i) => {
    const next = found[i + 1];
    if (!range.label || next === undefined) return true;
    range.end = Math.min(next.start, range.end);
    return next.start > range.start;
  });
}

/** As much of a name as its rank depends on. */
const NAME_START_BYTES = 8;

const NAMING_TYPES: readonly number[] = [STT.NOTYPE, STT.OBJECT, STT.FUNC, STT.GNU_IFUNC];

/** Neither empty, nor a mapping symbol (`$x`, `$d`: RISC-V psABI), nor a compiler's own label. */
function isName(name: string): boolean {
  return name !== '' && !name.startsWith('$') && !name.startsWith('.L');
}

function leadingUnderscores(name: string): number {
  return name.length - name.replace(/^_+/, '').length;
}
