import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAGE_SIZE } from '../src/memory/page.js';
import { Trouble } from './trouble.js';

/** Static riscv64 executables for Linux, run by qemu-riscv64. */

const QEMU = 'qemu-riscv64';
const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;
const TIMEOUT_MS = 120_000;

export interface Segment {
  /** Of a page. */
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly write?: boolean;
  readonly execute?: boolean;
}

function elf(entry: bigint, segments: readonly Segment[]): Uint8Array {
  const offsets: number[] = [];
  let end = Math.ceil((HEADER_BYTES + SEGMENT_BYTES * segments.length) / PAGE_SIZE) * PAGE_SIZE;
  for (const { bytes } of segments) {
    offsets.push(end);
    end += Math.ceil(bytes.length / PAGE_SIZE) * PAGE_SIZE;
  }
  const image = new Uint8Array(end);
  const view = new DataView(image.buffer);
  // ELF64, little-endian, version 1, then: ET_EXEC, EM_RISCV.
  image.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, entry, true);
  view.setBigUint64(32, BigInt(HEADER_BYTES), true);
  // Double-float calling convention, compressed instructions.
  view.setUint32(48, 5, true);
  view.setUint16(52, HEADER_BYTES, true);
  view.setUint16(54, SEGMENT_BYTES, true);
  view.setUint16(56, segments.length, true);
  for (const [index, { address, bytes, write, execute }] of segments.entries()) {
    const at = HEADER_BYTES + index * SEGMENT_BYTES;
    const size = BigInt(bytes.length);
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, 4 + (write === true ? 2 : 0) + (execute === true ? 1 : 0), true);
    for (const [i, value] of [
      BigInt(offsets[index]),
      address,
      address,
      size,
      size,
      BigInt(PAGE_SIZE),
    ].entries()) {
      view.setBigUint64(at + 8 + i * 8, value, true);
    }
    image.set(bytes, offsets[index]);
  }
  return image;
}

/** What the program writes before it exits with 0, or what ended it otherwise. */
export function runOnQemu(
  entry: bigint,
  segments: readonly Segment[],
  outputBytes: number,
  directory: string,
): Uint8Array | string {
  const file = join(directory, 'program.elf');
  writeFileSync(file, elf(entry, segments), { mode: 0o755 });
  const { stdout, status, signal, error } = spawnSync(QEMU, [file], {
    maxBuffer: 2 ** 30,
    timeout: TIMEOUT_MS,
  });
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') {
    throw new Trouble(`${QEMU} not found: install qemu-user`);
  }
  if (error !== undefined) throw new Trouble(String(error));
  return status === 0 && stdout.length === outputBytes ? stdout : `ended by ${signal ?? `status ${status}`}`;
}
