import { type ElfBytes, ElfError, hex } from './elf-bytes.js';
import { SHN, SYMBOL_SIZE } from './elf-constants.js';

export interface ElfSymbol {
  readonly name: string;
  /** st_value; infinity when it is past 2^53 (never an address). */
  readonly address: number;
  readonly sizeBytes: number;
  /** STT_*. */
  readonly type: number;
  /** STB_*. */
  readonly binding: number;
  /** SHN_* or the index of its section. */
  readonly section: number;
}

/** Where a symbol table lies, already checked against the file's end. */
export interface SymbolTableLocation {
  readonly where: string;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly entrySize: number;
  readonly names: { readonly start: number; readonly end: number };
  /** How many sections the file has. */
  readonly sections: number;
}

const MAX_SYMBOLS = 1 << 19;
/** Names are cut here: a table of many symbols that share one endless name must not fill memory. */
const MAX_NAME_BYTES = 1024;

/** A symbol table left in the file's bytes: symbols become objects one at a time, when asked for. */
export class ElfSymbolTable {
  static readonly empty = new ElfSymbolTable(null, 0, 0, { start: 0, end: 0 });

  private constructor(
    private readonly file: ElfBytes | null,
    private readonly offset: number,
    readonly count: number,
    private readonly names: { readonly start: number; readonly end: number },
  ) {}

  /** Checks every entry once. */
  static read(file: ElfBytes, at: SymbolTableLocation): ElfSymbolTable {
    const { where, offset, sizeBytes, entrySize, names, sections } = at;
    if (entrySize !== SYMBOL_SIZE || sizeBytes % SYMBOL_SIZE !== 0)
      throw new ElfError(
        `${where}: symbols of ${entrySize} bytes in ${hex(sizeBytes)}, not of ${SYMBOL_SIZE}`,
      );
    const count = sizeBytes / SYMBOL_SIZE;
    if (count > MAX_SYMBOLS)
      throw new ElfError(`${where}: ${count} symbols (limit ${MAX_SYMBOLS}); strip it`);
    for (let i = 0; i < count; i++) {
      const entry = offset + i * SYMBOL_SIZE;
      if (file.u32(entry) >= names.end - names.start)
        throw new ElfError(`symbol ${i} at ${hex(entry)}: name outside the symbol names`);
      const section = file.u16(entry + 6);
      if (section >= sections && section < SHN.LORESERVE)
        throw new ElfError(`symbol ${i} at ${hex(entry)}: section ${section} does not exist`);
    }
    return new ElfSymbolTable(file, offset, count, names);
  }

  /**
   * @param index below `count`
   * @param maxNameBytes where to cut the name
   */
  get(index: number, maxNameBytes = MAX_NAME_BYTES): ElfSymbol {
    const file = this.file!;
    const entry = this.offset + index * SYMBOL_SIZE;
    const info = file.u8(entry + 4);
    return {
      name: file.string(this.names.start + file.u32(entry), this.names.end, maxNameBytes),
      address: file.u64(entry + 8),
      sizeBytes: file.u64(entry + 16),
      type: info & 15,
      binding: info >>> 4,
      section: file.u16(entry + 6),
    };
  }

  /** The first defined symbol of that name. Reads the whole table. */
  find(name: string): ElfSymbol | undefined {
    for (let i = 0; i < this.count; i++) {
      const symbol = this.get(i);
      if (symbol.section !== SHN.UNDEF && symbol.name === name) return symbol;
    }
    return undefined;
  }
}
