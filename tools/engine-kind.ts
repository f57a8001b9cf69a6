import { ENGINE_KINDS, type EngineKind } from '../src/cpu/arch.js';
import { Trouble } from './trouble.js';

export function engineKind(name: string): EngineKind {
  const kind = ENGINE_KINDS.find((known) => known === name);
  if (kind === undefined) throw new Trouble(`no engine ${name}, there are ${ENGINE_KINDS.join(', ')}`);
  return kind;
}
