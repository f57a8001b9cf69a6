import { Status } from '../../abi/status.js';
import { VmoOption } from '../../abi/vm.js';
import { MAX_VMO_BYTES } from '../objects/vmo.js';
import { pageCeil } from './address-search.js';
import type { Call } from './call.js';
import type { Decider } from './decider.js';
import { refuse, requireArgs } from './refusal.js';

/** A size that a VMO can have, rounded up to pages; refuses with OUT_OF_RANGE. */
export function requireSize(sizeBytes: bigint): number {
  const rounded = pageCeil(sizeBytes);
  if (rounded < sizeBytes || rounded > BigInt(MAX_VMO_BYTES)) refuse(Status.ERR_OUT_OF_RANGE);
  return Number(rounded);
}

/** What a new VMO is to be. */
export interface NewVmo {
  readonly sizeBytes: number;
  readonly contentSizeBytes: number;
  readonly resizable: boolean;
  readonly discardable: boolean;
}

// The size is looked at before unknown options are (object/vm_object_dispatcher, parse_create_syscall_flags).
export function parseCreateOptions(call: Call, options: number, size: bigint): NewVmo {
  const unbounded = (options & VmoOption.UNBOUNDED) !== 0;
  const resizable = (options & VmoOption.RESIZABLE) !== 0;
  requireArgs(!(unbounded && resizable));
  const sizeBytes = unbounded ? MAX_VMO_BYTES : requireSize(size);
  call.allowOptions(options, VmoOption.RESIZABLE | VmoOption.DISCARDABLE | VmoOption.UNBOUNDED);
  if (size > BigInt(sizeBytes)) refuse(Status.ERR_OUT_OF_RANGE);
  const discardable = (options & VmoOption.DISCARDABLE) !== 0;
  return { sizeBytes, contentSizeBytes: Number(size), resizable, discardable };
}

/** @returns koid */
export function createVmo(m: Decider, asked: NewVmo): number {
  const koid = m.k.state.nextKoid;
  m.emit({ type: 'vmo-created', koid, ...asked, name: '', vdsoCodeOffset: 0, vdsoCodeSizeBytes: 0 });
  return koid;
}
