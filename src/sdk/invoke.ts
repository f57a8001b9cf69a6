import {
  decodeStruct,
  type EncodeValues,
  encodeStruct,
  type StructName,
  type StructValues,
  sizeOf,
} from '../abi/structs.js';
import type { SyscallName } from '../abi/syscalls.js';
import { type Argument, blocksOf, type Memory, type Reply, type Task } from './operation.js';
import { nulls, statusText } from './result.js';

/** A 64-bit argument. */
export type Wide = number | bigint;

/** What a call left in memory. */
export class Returned {
  private readonly wanted: readonly Memory[];

  constructor(
    args: readonly Argument[],
    private readonly reply: Reply,
  ) {
    this.wanted = blocksOf(args).filter((block) => block.wanted);
  }

  bytes(block: Memory): Uint8Array {
    return this.reply.blocks[this.wanted.indexOf(block)];
  }

  private view(block: Memory): DataView {
    const { buffer, byteOffset, byteLength } = this.bytes(block);
    return new DataView(buffer, byteOffset, byteLength);
  }

  u32(block: Memory): number {
    const bytes = this.bytes(block);
    return (bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24)) >>> 0;
  }

  u64(block: Memory): bigint {
    return this.view(block).getBigUint64(0, true);
  }

  i64(block: Memory): bigint {
    return this.view(block).getBigInt64(0, true);
  }

  u32s(block: Memory): number[] {
    const view = this.view(block);
    return Array.from({ length: view.byteLength >>> 2 }, (_, i) => view.getUint32(4 * i, true));
  }

  struct<N extends StructName>(name: N, block: Memory): StructValues[N] {
    return decodeStruct(name, this.bytes(block));
  }

  structs<N extends StructName>(name: N, block: Memory): StructValues[N][] {
    const bytes = this.bytes(block);
    const size = sizeOf(name);
    return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) =>
      decodeStruct(name, bytes.subarray(i * size)),
    );
  }
}

/** Makes a call that gives a status. `also`: statuses besides OK with which the out-values are there. */
export function* invoke<R>(
  name: SyscallName,
  args: readonly Argument[],
  outs: readonly string[] = [],
  read: (returned: Returned) => Readonly<Record<string, unknown>> = () => ({}),
  also: readonly string[] = [],
): Task<R> {
  const reply = yield { kind: 'call', name, args };
  const status = statusText(Number(BigInt.asIntN(32, reply.values[0])));
  const values = status === 'ZX_OK' || also.includes(status) ? read(new Returned(args, reply)) : nulls(outs);
  return { status, ...values } as R;
}

/** Makes a call whose result is a value. */
export function* ask(name: SyscallName, args: readonly Argument[]): Task<bigint> {
  const reply = yield { kind: 'call', name, args };
  return reply.values[0];
}

/** Makes a call that fills a block and cannot fail. */
export function* filled(name: SyscallName, args: readonly Argument[], block: Memory): Task<Uint8Array> {
  const reply = yield { kind: 'call', name, args };
  return new Returned(args, reply).bytes(block);
}

/** Makes a call that does not come back. */
export function* leave(name: SyscallName, args: readonly Argument[]): Task<never> {
  yield { kind: 'call', name, args };
  throw new Error(`${name} came back`);
}

export function words(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setUint32(4 * i, value >>> 0, true);
  });
  return bytes;
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export function structs<N extends StructName>(name: N, values: readonly EncodeValues<N>[]): Uint8Array {
  const size = sizeOf(name);
  const bytes = new Uint8Array(size * values.length);
  values.forEach((value, i) => {
    bytes.set(encodeStruct(name, value), i * size);
  });
  return bytes;
}
