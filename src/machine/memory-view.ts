import { VmOption } from '../abi/vm.js';
import type { MemoryView } from '../cpu/arch.js';
import { type AddressMode, mappingAt } from '../kernel/objects/address-space.js';
import type { Kernel } from '../kernel/objects/kernel.js';
import {
  isThere,
  isWritable,
  type Place,
  pageForRead,
  pageForWrite,
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
    if (!isThere(this.k.state, vmo, page) || !isWritable(vmo, page)) return null;
    // With another mapping, or a VMO that shares its pages, the same page may be known by other numbers.
    this.replacedAlone = vmo.mappings === 1 && vmo.children.size === 0;
    // Out of memory: only pages that are there already can be written.
    if (this.k.state.committedPages >= this.k.config.physicalPages && !vmo.pages.has(page)) return null;
    const before = vmo.pages.get(page);
    const now = pageForWrite(this.k, vmo.koid, page);
    if (this.replacedAlone && before !== now && before?.exclusive === true) this.original = before;
    return now;
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
