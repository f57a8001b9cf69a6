import { VmOption } from '../abi/vm.js';
import { assert } from '../base/assert.js';
import { lowestBit } from '../base/bits.js';
import { type IntMap, IntMapNode, LEAF_KEYS, type Leaf } from '../base/int-map.js';
import type { MemoryView, PageGroup, Renewal, RenewedPage, ZeroPages } from '../cpu/arch.js';
import { type AddressMode, mappingAt } from '../kernel/objects/address-space.js';
import type { Kernel } from '../kernel/objects/kernel.js';
import type { Mapping } from '../kernel/objects/vmar.js';
import type { VmoState } from '../kernel/objects/vmo.js';
import {
  isThere,
  isWritable,
  newPage,
  newPages,
  type Place,
  pageForRead,
  pageOfVmoForWrite,
  placeBehind,
  renewPages,
  replaceLeaves,
} from '../kernel/objects/vmo-pages.js';
import { LatePages } from '../memory/late-pages.js';
import { PAGE_SIZE, type Page } from '../memory/page.js';

/** Some of a mapping. */
interface Near {
  readonly permissions: number;
  readonly vmo: VmoState;
  /** What their numbers are more than those in the VMO. */
  readonly shift: number;
  readonly first: number;
  readonly end: number;
}

/** Which of LEAF_KEYS pages from one on are held, a bit each. */
function heldFrom(pages: IntMap<Page>, page: number): number {
  const offset = ((page % LEAF_KEYS) + LEAF_KEYS) % LEAF_KEYS;
  const held = pages.neighbours(page);
  return offset === 0
    ? held
    : (held >>> offset) | (pages.neighbours(page + LEAF_KEYS) << (LEAF_KEYS - offset));
}

/** With another mapping, or a VMO that shares its pages, the same page may be known by other numbers. */
function isShownOnce(vmo: VmoState): boolean {
  return vmo.mappings === 1 && vmo.children.size === 0;
}

/** Whether nobody else shows pages of this VMO, or has a say in them. */
function hasPagesAlone(vmo: VmoState): boolean {
  return vmo.source === null && isShownOnce(vmo);
}

/** Whether a mapping shows pages of a VMO as far as that and the mapping go. */
function isShownWhole(mapping: Mapping, vmo: VmoState): boolean {
  return !mapping.endsWithStream && mapping.vmo === vmo.koid;
}

/** A process's address space as its instructions see it, in normal or in restricted mode. */
export class ProcessMemory implements MemoryView {
  replacedAlone = false;
  original: Page | null = null;
  isLoadable = false;
  isRenewable = false;
  /** The mapping that was found last, while mappings are what they were. */
  private last: Mapping | null = null;
  private lastGeneration = -1;

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
    const mapping = this.mapping(pageNumber, VmOption.PERM_WRITE);
    const place = this.placeIn(mapping, pageNumber);
    if (place === null) return null;
    this.isLoadable = (mapping!.permissions & VmOption.PERM_READ) !== 0;
    const { vmo, offset } = place;
    const page = offset / PAGE_SIZE;
    this.replacedAlone = isShownOnce(vmo);
    const before = vmo.pages.get(page);
    const now = this.writable(vmo, page, before);
    if (now === null) return null;
    if (this.replacedAlone && before !== now && before?.exclusive === true) this.original = before;
    this.isRenewable = hasPagesAlone(vmo) && now.exclusive && isShownWhole(mapping!, vmo);
    return now;
  }

  private writable(vmo: VmoState, page: number, before: Page | undefined): Page | null {
    if (before === undefined || vmo.source !== null) {
      if (!isThere(this.k.state, vmo, page) || !isWritable(vmo, page)) return null;
      // Out of memory: only pages that are there already can be written.
      if (before === undefined && this.k.state.committedPages >= this.k.config.physicalPages) return null;
      if (vmo.source === null && page * PAGE_SIZE >= vmo.lenderBytes) return newPage(this.k, vmo, page);
    }
    return pageOfVmoForWrite(this.k, vmo, page);
  }

  renew(pageNumbers: readonly number[], rooms: readonly number[]): Renewal {
    const originals: Page[] = [];
    const copies: Page[] = [];
    for (let i = 0; i < pageNumbers.length; ) {
      const { vmo, shift, end } = this.near(pageNumbers[i]!, VmOption.PERM_WRITE)!;
      const pages: number[] = [];
      const from = i;
      do {
        const page = pageNumbers[i]! - shift;
        const original = vmo.pages.get(page)!;
        assert(this.canBeRenewed(vmo, original), 'a page was copied that others have');
        pages.push(page);
        originals.push(original);
        copies.push(original.leaveFor(rooms[i]!, this.k.owner));
        i++;
      } while (i < pageNumbers.length && pageNumbers[i]! > pageNumbers[i - 1]! && pageNumbers[i]! < end);
      renewPages(this.k, vmo, pages, originals.slice(from), copies.slice(from));
    }
    return { originals, copies };
  }

  zerosNear(pageNumber: number, groups: number): ZeroPages | null {
    const near = this.near(pageNumber, VmOption.PERM_READ);
    // What else there is comes from a VMO that lends it.
    if (near === null || near.vmo.lenderBytes > 0) return null;
    const { permissions, vmo, shift, first, end } = near;
    const around = Math.floor(pageNumber / LEAF_KEYS / groups) * groups;
    const firstGroup = Math.max(around, Math.floor(first / LEAF_KEYS));
    const endGroup = Math.min(around + groups, Math.ceil(end / LEAF_KEYS));
    const zeros: number[] = [];
    for (let group = firstGroup; group < endGroup; group++) {
      const start = group * LEAF_KEYS;
      let left = ~heldFrom(vmo.pages, start - shift);
      if (first > start) left &= -1 << (first - start);
      if (end < start + LEAF_KEYS) left &= ~(-1 << (end - start));
      zeros.push(left);
    }
    const isStorable =
      (permissions & (VmOption.PERM_WRITE | VmOption.PERM_EXECUTE)) === VmOption.PERM_WRITE &&
      isShownOnce(vmo);
    return { firstGroup, groups: zeros, isStorable };
  }

  get pagesLeft(): number {
    return Math.max(0, this.k.config.physicalPages - this.k.state.committedPages);
  }

  commitZeros(groups: readonly PageGroup[]): Page[] {
    const made: Page[] = [];
    let near: Near | null = null;
    let numbers: number[] = [];
    const commit = (): void => {
      if (near !== null) for (const page of newPages(this.k, near.vmo, numbers)) made.push(page);
      numbers = [];
    };
    for (const { group, pages } of groups) {
      const start = group * LEAF_KEYS;
      const first = start + lowestBit(pages);
      if (near === null || first < near.first || first >= near.end) {
        commit();
        near = this.near(first, VmOption.PERM_WRITE)!;
      }
      for (let bits = pages; bits !== 0; bits &= bits - 1) numbers.push(start + lowestBit(bits) - near.shift);
    }
    commit();
    return made;
  }

  renewAwaited(pageNumber: number, reach: number): RenewedPage[] {
    const renewed: RenewedPage[] = [];
    const near = this.near(pageNumber, VmOption.PERM_READ | VmOption.PERM_WRITE);
    // Asked at each page of such a VMO, all those near it would be looked at for nothing.
    if (near === null || !hasPagesAlone(near.vmo)) return renewed;
    const { vmo, shift } = near;
    const start = pageNumber - ((pageNumber - shift) % reach);
    const end = Math.min(start + reach, near.end);
    const first = Math.max(start, near.first) - shift;
    const pages: number[] = [];
    const originals: Page[] = [];
    const copies: Page[] = [];
    const late: Leaf[] = [];
    for (const [key, leaf] of vmo.pages.leaves()) {
      if (key + LEAF_KEYS <= first || key >= end - shift) continue;
      if (leaf instanceof LatePages && key >= first && key + LEAF_KEYS <= end - shift) {
        const all = leaf.renewed(this.k.owner);
        if (all !== null) {
          late.push([key, new IntMapNode(0, leaf.bitmap, all, this.k.owner)]);
          continue;
        }
      }
      let bits = leaf.bitmap;
      for (const slot of leaf.slots) {
        const page = key + lowestBit(bits);
        bits &= bits - 1;
        const original = slot as Page;
        if (page < first || page >= end - shift) continue;
        if (!this.canBeRenewed(vmo, original) || !original.awaitsStore) continue;
        const copy = original.copy(this.k.owner);
        pages.push(page);
        originals.push(original);
        copies.push(copy);
        renewed.push({ pageNumber: page + shift, original, page: copy });
      }
    }
    if (pages.length > 0) renewPages(this.k, vmo, pages, originals, copies);
    this.renewLate(vmo, late, shift, renewed);
    return renewed;
  }

  /** Nodes of copies take the places of those of which nobody asked for a page. */
  private renewLate(vmo: VmoState, leaves: readonly Leaf[], shift: number, renewed: RenewedPage[]): void {
    if (leaves.length === 0) return;
    replaceLeaves(this.k, vmo, leaves);
    for (const [key, leaf] of leaves) {
      let bits = leaf.bitmap;
      for (const page of leaf.slots as Page[]) {
        renewed.push({ pageNumber: key + lowestBit(bits) + shift, original: null, page });
        bits &= bits - 1;
      }
    }
  }

  /** Whether a copy of a page is seen by nobody, and known by one number. */
  private canBeRenewed(vmo: VmoState, page: Page): boolean {
    return hasPagesAlone(vmo) && page.exclusive && page.code === null && page.owner !== this.k.owner;
  }

  /** Numbers around one that show pages of the same VMO, which has no pager. */
  private near(pageNumber: number, permissions: number): Near | null {
    const mapping = this.mapping(pageNumber, permissions);
    const place = this.placeIn(mapping, pageNumber);
    if (place === null) return null;
    const { vmo, offset } = place;
    if (vmo.source !== null || !isShownWhole(mapping!, vmo)) return null;
    const shift = pageNumber - offset / PAGE_SIZE;
    const first = mapping!.base / PAGE_SIZE;
    const end = Math.min(first + mapping!.sizeBytes / PAGE_SIZE, shift + vmo.sizeBytes / PAGE_SIZE);
    return { permissions: mapping!.permissions, vmo, shift, first, end };
  }

  private page(pageNumber: number, permission: number): Page | null {
    const place = this.place(pageNumber, permission);
    if (place === null) return null;
    const { vmo, offset } = place;
    const page = offset / PAGE_SIZE;
    return isThere(this.k.state, vmo, page) ? pageForRead(this.k.state, vmo, page) : null;
  }

  private place(pageNumber: number, permission: number): Place | null {
    return this.placeIn(this.mapping(pageNumber, permission), pageNumber);
  }

  private placeIn(mapping: Mapping | null, pageNumber: number): Place | null {
    return mapping === null ? null : placeBehind(this.k, mapping, pageNumber * PAGE_SIZE);
  }

  private mapping(pageNumber: number, permission: number): Mapping | null {
    const address = pageNumber * PAGE_SIZE;
    const { k, last } = this;
    let mapping: Mapping | undefined;
    if (
      last !== null &&
      this.lastGeneration === k.mappingGeneration &&
      address >= last.base &&
      address < last.base + last.sizeBytes
    )
      mapping = last;
    else {
      mapping = mappingAt(k, k.get(this.process, 'process'), address, this.mode);
      if (mapping === undefined) return null;
      this.last = mapping;
      this.lastGeneration = k.mappingGeneration;
    }
    return (mapping.permissions & permission) !== permission ? null : mapping;
  }
}

/** What a thread sees in the mode that it is in. */
export function threadMemory(k: Kernel, thread: number): ProcessMemory {
  const { process, restricted } = k.get(thread, 'thread');
  return new ProcessMemory(k, process, restricted === null ? 'normal' : 'restricted');
}
