import { VmOption } from '../abi/vm.js';
import type { MemoryView } from '../cpu/arch.js';
import { type AddressMode, mappingAt } from '../kernel/objects/address-space.js';
import type { Kernel } from '../kernel/objects/kernel.js';
import {
  isThere,
  isWritable,
  type Place,
  pageForRead,
  pageOfVmoForWrite,
  placeBehind,
} from '../kernel/objects/vmo-pages.js';
import { PAGE_SIZE, type Page } from '../memory/page.js';

/** A process's address space as its instructions see it, in normal or in restricted mode. */
export class ProcessMemory implements MemoryView {
  replacedAlone = false;
  original: Page | null = null;

  constructor(
    private readonly k: Kernel,
    private readonly process: number,
    private readonly mode: AddressMode,
  ) {}

  get generation(): number {
    return this.k.memoryGeneration;
  }

  get epoch(): number {
    return this.k.epoch;
  }

  pageForLoad(pageNumber: number): Page | null {
    return this.page(pageNumber, VmOption.PERM_READ);
  }

  pageForFetch(pageNumber: number): Page | null {
    return this.page(pageNumber, VmOption.PERM_EXECUTE);
  }

  pageForStore(pageNumber: number): Page | null {
    this.original = null;
    const place = this.place(pageNumber, VmOption.PERM_WRITE);
    if (place === null) return null;
    const { vmo, offset } = place;
    const page = offset / PAGE_SIZE;
    // With another mapping, or a VMO that shares its pages, the same page may be known by other numbers.
    this.replacedAlone = vmo.mappings === 1 && vmo.children.size === 0;
    const before = vmo.pages.get(page);
    if (before === undefined || vmo.source !== null) {
      if (!isThere(this.k.state, vmo, page) || !isWritable(vmo, page)) return null;
      // Out of memory: only pages that are there already can be written.
      if (before === undefined && this.k.state.committedPages >= this.k.config.physicalPages) return null;
    }
    const now = pageOfVmoForWrite(this.k, vmo, page);
    if (this.replacedAlone && before !== now && before?.exclusive === true) this.original = before;
    return now;
  }

  canRenew(pageNumber: number): boolean {
    const place = this.place(pageNumber, VmOption.PERM_WRITE);
    if (place === null) return false;
    const { vmo, offset } = place;
    const page = vmo.pages.get(offset / PAGE_SIZE);
    const alone = vmo.source === null && vmo.mappings === 1 && vmo.children.size === 0;
    return alone && page?.exclusive === true && page.code === null && page.owner !== this.k.owner;
  }

  private page(pageNumber: number, permission: number): Page | null {
    const place = this.place(pageNumber, permission);
    if (place === null) return null;
    const { vmo, offset } = place;
    const page = offset / PAGE_SIZE;
    return isThere(this.k.state, vmo, page) ? pageForRead(this.k.state, vmo, page) : null;
  }

  private place(pageNumber: number, permission: number): Place | null {
    const owner = this.k.get(this.process, 'process');
    const mapping = mappingAt(this.k, owner, pageNumber * PAGE_SIZE, this.mode);
    if (mapping === undefined || (mapping.permissions & permission) === 0) return null;
    return placeBehind(this.k, mapping, pageNumber * PAGE_SIZE);
  }
}

/** What a thread sees in the mode that it is in. */
export function threadMemory(k: Kernel, thread: number): ProcessMemory {
  const { process, restricted } = k.get(thread, 'thread');
  return new ProcessMemory(k, process, restricted === null ? 'normal' : 'restricted');
}
