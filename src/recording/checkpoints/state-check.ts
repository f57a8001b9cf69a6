import { IntMap } from '../../base/int-map.js';
import { emptyState, type KernelState, type MachineConfig } from '../../kernel/objects/kernel.js';
import type { KernelObject } from '../../kernel/objects/object.js';
import { PayloadError } from '../format/recording-error.js';

/**
 * Looks whether a value can be a state of a machine: what it is made of, and that no object stands above itself, so
 * that whoever follows parents comes to an end. What else is wrong with a state that somebody made up shows when it
 * is used.
 * @throws PayloadError
 */
export function stateIn(value: unknown, config: MachineConfig): KernelState {
  const model = emptyState(config, [0, 0, 0, 0]) as unknown as Readonly<Record<string, unknown>>;
  if (!isRecord(value) || Object.keys(value).sort().join() !== Object.keys(model).sort().join())
    throw new PayloadError('a state has other fields than this Jacinth knows');
  for (const [key, like] of Object.entries(model)) {
    const fits = key === 'slice' || key === 'halt' ? typeof value[key] === 'object' : alike(value[key], like);
    if (!fits) throw new PayloadError(`a state has no ${key}`);
  }
  const state = value as unknown as KernelState;
  if (state.cores.length !== config.cores) throw new PayloadError('a state is of a machine with other cores');
  for (const [koid, object] of state.objects) checkObject(koid, object, state);
  for (const registers of state.registers.values())
    if (!isRecord(registers) || !('copy' in registers)) throw new PayloadError('a thread has no registers');
  for (const shared of state.shared.values())
    if (!isRecord(shared) || !(shared.handles instanceof IntMap))
      throw new PayloadError('a handle table is none');
  return state;
}

function checkObject(koid: number, object: unknown, { nextKoid }: KernelState): void {
  const known =
    isRecord(object) && object.koid === koid && koid < nextKoid && typeof object.kind === 'string';
  if (!known || !(object.observers instanceof IntMap))
    throw new PayloadError(`what is said to be object ${koid} is none`);
  const { parent = 0, lender = 0 } = object as Partial<Extract<KernelObject, { kind: 'vmo' }>>;
  if (!(parent < koid) || !(lender < koid)) throw new PayloadError(`object ${koid} stands above itself`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function alike(value: unknown, like: unknown): boolean {
  if (like instanceof IntMap) return value instanceof IntMap;
  if (Array.isArray(like)) return Array.isArray(value);
  if (isRecord(like)) return isRecord(value);
  return typeof value === typeof like;
}
