import { VmOption } from '../abi/vm.js';
import type { MemoryView } from '../cpu/arch.js';
import type { Kernel } from '../kernel/objects/kernel.js';
import { findMapping } from '../kernel/objects/vmar.js';
import { pageForRead, pageForWrite } from '../kernel/objects/vmo.js';
import { PAGE_SIZE, type Page } from '../memory/page.js';

/** A process's address space as its instructions see it. */
export class ProcessMemory implements MemoryView {
  constructor(
    private readonly k: Kernel,
    private readonly process: number,
  ) {}

  get generation(): number {
    return this.k.memoryGeneration;
  }

  pageForLoad(pageNumber: number): Page | null {
    return this.page(pageNumber, VmOption.PERM_READ);
  }

  pageForFetch(pageNumber: number): Page | null {
    return this.page(pageNumber, VmOption.PERM_EXECUTE);
  }

  pageForStore(pageNumber: number): Page | null {
    const place = this.place(pageNumber, VmOption.PERM_WRITE);
    if (place === null) return null;
    if (this.k.state.committedPages >= this.k.config.physicalPages) {
      // Out of memory: only pages that are there already can be written.
      if (this.k.get(place.vmo, 'vmo').pages.get(place.page) === undefined) return null;
    }
    return pageForWrite(this.k, place.vmo, place.page);
  }

  private page(pageNumber: number, permission: number): Page | null {
    const place = this.place(pageNumber, permission);
    return place === null ? null : pageForRead(this.k.get(place.vmo, 'vmo'), place.page);
  }

  private place(pageNumber: number, permission: number): { vmo: number; page: number } | null {
    const { rootVmar } = this.k.get(this.process, 'process');
    const mapping = findMapping(this.k, rootVmar, pageNumber * PAGE_SIZE);
    if (mapping === undefined || (mapping.permissions & permission) === 0) return null;
    const offset = mapping.vmoOffset + (pageNumber * PAGE_SIZE - mapping.base);
    if (offset >= this.k.get(mapping.vmo, 'vmo').sizeBytes) return null;
    return { vmo: mapping.vmo, page: offset / PAGE_SIZE };
  }
}
