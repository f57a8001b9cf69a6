import { checkProgram } from '../loader/bootstrap.js';
import { layoutOf } from '../loader/layout.js';
import { PAGE_SIZE } from '../memory/page.js';
import { readMemory } from '../timeline/address-space.js';
import { integerOf } from '../timeline/text.js';
import type { Both, SideName, VariableDifference } from './report.js';
import type { Run } from './run.js';

/** How much of a program's data is compared. */
const MAX_BYTES = 16 << 20;
const MAX_LISTED = 16;
/** As much of a larger variable is told. */
const WORD_BYTES = 8;

/**
 * Variables of the main program that differ when its process is about to end.
 * @throws Diverged
 */
export function differingVariables({ a, b }: Both<Run>): { variables: VariableDifference[]; more: number } {
  const kernels = {
    a: a.timeline.seek(a.history.lastAlive).k,
    b: b.timeline.seek(b.history.lastAlive).k,
  };
  const read = (side: SideName, address: number, sizeBytes: number): Uint8Array | null =>
    readMemory(kernels[side], { a, b }[side].history.mainProcess, address, sizeBytes);
  const variables: VariableDifference[] = [];
  let more = 0;
  let next = 0;
  for (const page of dataPages(a)) {
    const left = read('a', page, PAGE_SIZE);
    const right = read('b', page, PAGE_SIZE);
    if (left === null || right === null) continue;
    for (let i = Math.max(0, next - page); i < PAGE_SIZE; i = Math.max(i + 1, next - page)) {
      if (left[i] === right[i]) continue;
      const { address, sizeBytes, end } = wordAt(a, page + i);
      next = end;
      const values = { a: read('a', address, sizeBytes), b: read('b', address, sizeBytes) };
      if (variables.length >= MAX_LISTED || values.a === null || values.b === null) more++;
      else {
        const name = a.names.address(a.history.mainProcess, address);
        variables.push({ name, address, sizeBytes, a: integerOf(values.a), b: integerOf(values.b) });
      }
    }
  }
  return { variables, more };
}

/** What to tell of the variable that a byte is in, and where that variable ends. */
function wordAt({ names }: Run, byte: number): { address: number; sizeBytes: number; end: number } {
  const place = names.symbolizer(0).resolve(byte);
  const symbol = place === null ? null : names.find(0, place.symbol);
  const end = symbol === null ? 0 : symbol.address + symbol.sizeBytes;
  if (symbol !== null && end > byte && [1, 2, 4, 8].includes(symbol.sizeBytes)) return { ...symbol, end };
  const word = byte - (byte % WORD_BYTES);
  return { address: word, sizeBytes: WORD_BYTES, end: Math.max(end, word + WORD_BYTES) };
}

/** Pages of the program's writable segments. */
function* dataPages({ timeline }: Run): Generator<number> {
  const elf = checkProgram(timeline.spec.program.bytes);
  const { bias } = layoutOf(elf, timeline.spec);
  let left = MAX_BYTES;
  for (const { vaddr, memSizeBytes, writable } of elf.loadSegments) {
    const start = vaddr + bias;
    const end = start + memSizeBytes;
    if (!writable) continue;
    for (
      let page = start - (start % PAGE_SIZE);
      page < end && left > 0;
      page += PAGE_SIZE, left -= PAGE_SIZE
    ) {
      yield page;
    }
  }
}
