import type { IntMap, IntMapNode, Owner } from '../../base/int-map.js';
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
  const visit = (node: IntMapNode): boolean => {
    const spread = spreadOf(node, owner);
    if (spot + sizeBytes <= spread.start) return true;
    if (spread.widestGapBytes < sizeBytes) {
      spot = alignUp(spread.end);
      return false;
    }
    for (const slot of node.slots) {
      if (node.level > 0) {
        if (visit(slot as IntMapNode)) return true;
      } else {
        const { base, sizeBytes: taken } = slot as Region;
        if (spot + sizeBytes <= base) return true;
        spot = alignUp(base + taken);
      }
    }
    return false;
  };
  if (regions.root !== null) visit(regions.root);
  return spot;
}
