import type { IntMap, IntMapNode, Owner } from '../../base/int-map.js';
import type { Prng } from '../../base/prng.js';
import { PAGE_SIZE } from '../../memory/page.js';
import type { Region } from '../objects/vmar.js';

/** What the regions of one node of a VMAR's map leave free: addresses, and the widest gap between two of them. */
interface Spread {
  readonly start: number;
  readonly end: number;
  readonly widestGapBytes: number;
}

// Of nodes that will not change any more, by identity: a search then costs about the logarithm of the regions.
const spreads = new WeakMap<IntMapNode, Spread>();

function spreadOf(node: IntMapNode, owner: Owner): Spread {
  const known = node.owner === owner ? undefined : spreads.get(node);
  if (known !== undefined) return known;
  let start = -1;
  let end = -1;
  let widestGapBytes = 0;
  for (const slot of node.slots) {
    if (node.level === 0) {
      const { base, sizeBytes } = slot as Region;
      if (start < 0) start = base;
      else widestGapBytes = Math.max(widestGapBytes, base - end);
      end = base + sizeBytes;
    } else {
      const part = spreadOf(slot as IntMapNode, owner);
      widestGapBytes = Math.max(widestGapBytes, part.widestGapBytes);
      if (start < 0) start = part.start;
      else widestGapBytes = Math.max(widestGapBytes, part.start - end);
      end = part.end;
    }
  }
  const spread = { start, end, widestGapBytes };
  if (node.owner !== owner) spreads.set(node, spread);
  return spread;
}

/**
 * The lowest aligned address at or above `start` that has so many bytes free before the next region. Whether they
 * end in time is the caller's business.
 * @param owner who may still change the map's nodes
 */
export function lowestGap(
  regions: IntMap<Region>,
  owner: Owner,
  start: number,
  sizeBytes: number,
  alignment: number,
): number {
  const alignUp = (address: number): number => Math.ceil(address / alignment) * alignment;
  let spot = alignUp(start);
  // What lies before `start` does not lead back to it.
  const behind = (end: number): number => Math.max(spot, alignUp(end));
  const visit = (node: IntMapNode): boolean => {
    const spread = spreadOf(node, owner);
    if (spot + sizeBytes <= spread.start) return true;
    if (spread.widestGapBytes < sizeBytes) {
      spot = behind(spread.end);
      return false;
    }
    for (const slot of node.slots) {
      if (node.level > 0) {
        if (visit(slot as IntMapNode)) return true;
      } else {
        const { base, sizeBytes: taken } = slot as Region;
        if (spot + sizeBytes <= base) return true;
        spot = behind(base + taken);
      }
    }
    return false;
  };
  if (regions.root !== null) visit(regions.root);
  return spot;
}

/** Where something may go: aligned places in an address range that nothing else takes. */
export interface Search {
  readonly regions: IntMap<Region>;
  /** Who may still change the map's nodes. */
  readonly owner: Owner;
  readonly start: number;
  readonly end: number;
  /** Whole pages. */
  readonly sizeBytes: number;
  /** A page or more. */
  readonly alignment: number;
}

/** Aligned places that follow each other. */
interface Run {
  readonly first: number;
  readonly count: number;
}

/** Guesses before all free places are counted. */
const GUESSES = 32;

/**
 * One of the lowest `limit` places, each as likely as any other; null when there is none. Where most of the range is
 * free a guess hits soon, whatever else is mapped; else the gaps are gone through.
 */
export function randomGap(search: Search, limit: number, random: Prng): number | null {
  const { regions, start, end, sizeBytes, alignment } = search;
  const whole = placesIn(start, end, search);
  if (whole.count <= limit) {
    for (let guess = 0; guess < GUESSES && whole.count > 0; guess++) {
      const place = whole.first + alignment * random.below(whole.count);
      const before = regions.floor((place + sizeBytes) / PAGE_SIZE - 1)?.[1];
      if (before === undefined || before.base + before.sizeBytes <= place) return place;
    }
  }
  let places = 0;
  for (const { count } of runs(search)) {
    places += count;
    if (places >= limit) break;
  }
  if (places === 0) return null;
  let index = random.below(Math.min(places, limit));
  for (const { first, count } of runs(search)) {
    if (index < count) return first + alignment * index;
    index -= count;
  }
  return null;
}

function placesIn(start: number, end: number, { sizeBytes, alignment }: Search): Run {
  const first = Math.ceil(start / alignment) * alignment;
  return { first, count: Math.max(0, Math.floor((end - sizeBytes - first) / alignment) + 1) };
}

/** All places by address, gap by gap; gaps that are too small cost nothing. */
function* runs(search: Search): Iterable<Run> {
  const { regions, owner, end, sizeBytes, alignment } = search;
  for (let from = search.start; from < end; ) {
    const first = lowestGap(regions, owner, from, sizeBytes, alignment);
    if (first + sizeBytes > end) return;
    const next = regions.ceiling(first / PAGE_SIZE)?.[1];
    yield placesIn(first, Math.min(end, next?.base ?? end), search);
    from = next === undefined ? end : next.base + next.sizeBytes;
  }
}
