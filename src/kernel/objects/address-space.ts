import { ADDRESS_SPACES } from '../../abi/vm.js';
import type { Kernel } from './kernel.js';
import type { ProcessState } from './process.js';
import { findMapping, type Mapping } from './vmar.js';

/**
 * Whose view of a process: that of its threads in normal or in restricted mode, or `any`, that of a debugger, who
 * finds the part that an address lies in.
 */
export type AddressMode = 'normal' | 'restricted' | 'any';

/**
 * The root VMAR that an address is looked up in; it need not hold the address. A process that shares nothing has one
 * for everything. Normal mode sees the shared part alone (restricted_enter, "Shared process"), and both parts in
 * kernels of today (object/process_dispatcher, the unified address space).
 */
export function rootVmarAt(k: Kernel, process: ProcessState, address: number, mode: AddressMode): number {
  const { rootVmar, restrictedVmar } = process;
  if (restrictedVmar === 0) return rootVmar;
  if (mode === 'restricted') return restrictedVmar;
  const both = mode === 'any' || k.config.vintage === 'head';
  return both && address < ADDRESS_SPACES[k.arch.name].restrictedTop ? restrictedVmar : rootVmar;
}

/** The root VMARs of all parts, by address. */
export function rootVmarsOf({ rootVmar, restrictedVmar }: ProcessState): readonly number[] {
  return restrictedVmar === 0 ? [rootVmar] : [restrictedVmar, rootVmar];
}

/** What is mapped at an address; undefined where nothing is. */
export function mappingAt(
  k: Kernel,
  process: ProcessState,
  address: number,
  mode: AddressMode,
): Mapping | undefined {
  return findMapping(k, rootVmarAt(k, process, address, mode), address);
}
