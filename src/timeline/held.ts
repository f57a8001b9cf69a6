import { IntMap, IntMapNode } from '../base/int-map.js';
import type { KernelState } from '../kernel/objects/kernel.js';
import { LatePages } from '../memory/late-pages.js';
import { PAGE_SIZE, Page } from '../memory/page.js';

/** What some states hold together: what they share counts once. */
export interface Held {
  readonly states: number;
  readonly pages: number;
  readonly pagesSizeBytes: number;
  /** Nodes of persistent maps. */
  readonly nodes: number;
}

/** Counts everything that can be reached from the states. Takes as long as there is to count. */
export function held(states: readonly KernelState[]): Held {
  const seen = new Set<object>();
  const pending: unknown[] = [...states];
  let pages = 0;
  let nodes = 0;
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof Page) pages++;
    else if (value instanceof IntMap) pending.push(value.root);
    else if (value instanceof LatePages) {
      nodes++;
      // The others are nowhere.
      if (value.isMade) pending.push(...value.slots);
    } else if (value instanceof IntMapNode) {
      nodes++;
      pending.push(...value.slots);
    } else if (!(value instanceof Uint8Array) && !('bytes' in value && 'copy' in value)) {
      pending.push(...Object.values(value));
    }
  }
  return { states: states.length, pages, pagesSizeBytes: pages * PAGE_SIZE, nodes };
}
