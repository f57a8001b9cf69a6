import type { InfoTopicName } from '../../abi/info.js';
import type { KernelObject } from '../objects/object.js';
import type { Call } from './call.js';

/** What a topic is asked about: the object, and the rights of the handle it was asked through. */
export interface Asked {
  readonly call: Call;
  readonly object: KernelObject;
  readonly rights: number;
}

/** Topics of one record: its bytes. */
export type Records = { readonly [T in InfoTopicName]?: (asked: Asked) => Uint8Array };

/** Topics of a list: how many records there are, and their bytes one by one. */
export type Lists = {
  readonly [T in InfoTopicName]?: (asked: Asked) => { avail: number; records: Iterable<Uint8Array> };
};

/** A record of a list of koids. */
export const KOID_BYTES = 8;

/** 64 bits, little-endian. */
export function u64Bytes(value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true);
  return bytes;
}
