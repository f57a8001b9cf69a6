import { readFileSync } from 'node:fs';
import { fc, testProp } from '@fast-check/ava';
import test, { type ExecutionContext } from 'ava';
import { DEFAULT_VINTAGE } from '../../src/abi/vintage.js';
import { ADDRESS_SPACES } from '../../src/abi/vm.js';
import { record } from '../../src/library/record.js';
import { replay } from '../../src/library/replay.js';
import { checkProgram, theVdso } from '../../src/loader/bootstrap.js';
import { layoutOf, MAX_STACK_BYTES } from '../../src/loader/layout.js';
import { imageSpan } from '../../src/loader/segments.js';
import { PAGE_SIZE } from '../../src/memory/page.js';

/** The tests run from the compiler's output; guests stay beside the sources. */
const GUESTS = new URL('../../../test/guests/', import.meta.url);
const guest = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`${name}.elf`, GUESTS)));

const { base, top } = ADDRESS_SPACES.riscv64;

testProp(
  'programs, stacks and vDSOs have places of their own, whatever the seed',
  [fc.constantFrom('hello-pie', 'hello'), fc.boolean(), fc.integer()],
  (t: ExecutionContext, name, aslr, entropySeed) => {
    const elf = checkProgram(guest(name));
    const { bias, vdsoAddress, stackTop } = layoutOf(elf, { aslr, entropySeed });
    const { address, sizeBytes } = imageSpan(elf);
    const spans = [
      { start: address + bias, end: address + bias + sizeBytes },
      { start: stackTop - MAX_STACK_BYTES, end: stackTop },
      { start: vdsoAddress, end: vdsoAddress + theVdso(DEFAULT_VINTAGE).image.length },
    ];
    if (name === 'hello') t.is(bias, 0);
    t.is(bias % elf.alignmentBytes, 0);
    for (const { start, end } of spans) t.true(start >= base && end <= top && start % PAGE_SIZE === 0);
    spans.sort((a, b) => a.start - b.start);
    t.true(spans[0].end <= spans[1].start && spans[1].end <= spans[2].start);
  },
);

test('a run with random addresses ends as one without, elsewhere; it replays, and its seed decides', (t) => {
  const run = (options: { aslr?: boolean; entropySeed?: number }) =>
    record(guest('hello-pie'), { name: 'hello-pie', ...options }).finish();
  const fixed = run({});
  const [a, again, other] = [1, 1, 2].map((entropySeed) => run({ aslr: true, entropySeed }));
  t.is(a.end.exitCode, fixed.end.exitCode);
  t.is(a.end.stateHash, again.end.stateHash);
  t.not(a.end.eventHash, other.end.eventHash);
  t.is(replay(a.bytes).divergence, null);
  t.is(replay(other.bytes).exitCode, other.end.exitCode);
});
