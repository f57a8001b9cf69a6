import type { MemoryView } from '../../src/cpu/arch.js';
import { PAGE_SIZE, Page } from '../../src/memory/page.js';

export interface Permissions {
  readonly load?: boolean;
  readonly store?: boolean;
  readonly fetch?: boolean;
}

interface Mapping extends Required<Permissions> {
  page: Page;
}

const ALL: Permissions = { load: true, store: true, fetch: true };

/** Pages by number, for tests. A page may be mapped twice. */
export class FlatMemory implements MemoryView {
  generation = 0;
  epoch = 0;
  private readonly mappings = new Map<number, Mapping>();

  map(address: number, permissions: Permissions = ALL, page: Page = Page.zeroed(null)): Page {
    const { load = false, store = false, fetch = false } = permissions;
    this.mappings.set(address / PAGE_SIZE, { page, load, store, fetch });
    this.generation++;
    return page;
  }

  unmap(address: number): void {
    this.mappings.delete(address / PAGE_SIZE);
    this.generation++;
  }

  pageForLoad(pageNumber: number): Page | null {
    const mapping = this.mappings.get(pageNumber);
    return mapping?.load === true ? mapping.page : null;
  }

  readonly replacedAlone = false;
  readonly original = null;

  pageForStore(pageNumber: number): Page | null {
    const mapping = this.mappings.get(pageNumber);
    return mapping?.store === true ? mapping.page : null;
  }

  pageForFetch(pageNumber: number): Page | null {
    const mapping = this.mappings.get(pageNumber);
    return mapping?.fetch === true ? mapping.page : null;
  }

  /** Writes as a kernel does: around the permissions, and dropping decoded code. */
  write(address: number, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      const at = address + i;
      const { page } = this.mappings.get(Math.floor(at / PAGE_SIZE))!;
      page.code = null;
      page.bytes[at % PAGE_SIZE] = bytes[i]!;
    }
  }

  /** 32-bit words, as code is written down. */
  writeWords(address: number, words: readonly number[]): void {
    this.write(address, new Uint8Array(Uint32Array.from(words).buffer));
  }

  read(address: number, length: number): Uint8Array {
    return Uint8Array.from({ length }, (_, i) => {
      const at = address + i;
      return this.mappings.get(Math.floor(at / PAGE_SIZE))!.page.bytes[at % PAGE_SIZE]!;
    });
  }
}
