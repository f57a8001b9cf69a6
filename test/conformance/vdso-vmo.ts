import type { Harness } from '../kernel/harness.js';
import { ALL_VMO_RIGHTS, PAGE } from '../kernel/vm-support.js';

/** A VMO of one page that is the code of a vDSO. */
export function vdsoVmo(h: Harness): number {
  const koid = h.k.state.nextKoid;
  h.emit({
    type: 'vmo-created',
    koid,
    sizeBytes: PAGE,
    contentSizeBytes: PAGE,
    resizable: false,
    discardable: false,
    name: 'vdso',
    vdsoCodeOffset: 0,
    vdsoCodeSizeBytes: PAGE,
  });
  return h.give(koid, ALL_VMO_RIGHTS);
}
