import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { readElf } from '../../src/loader/elf.js';
import { segmentImages } from '../../src/loader/segments.js';
import { loadedModule, Symbolizer } from '../../src/loader/symbols.js';
import { unwind } from '../../src/loader/unwind.js';
import { RISCV64_FRAMES } from '../../src/loader/unwind-riscv64.js';
import { SteppedProgram } from './gdb-client.js';
import { fixturePath, run, testWith } from './support.js';

/** Memory of 8-byte words. */
function words(contents: Readonly<Record<number, bigint>>) {
  return (address: number, sizeBytes: number): Uint8Array | null => {
    const bytes = new Uint8Array(sizeBytes);
    for (let i = 0; i < sizeBytes; i++) {
      const word = contents[(address + i) & ~7];
      if (word === undefined) return null;
      bytes[i] = Number((word >> BigInt(8 * ((address + i) & 7))) & 0xffn);
    }
    return bytes;
  };
}

const nowhere = () => null;

function addresses(
  registers: Partial<Record<'pc' | 'sp' | 'framePointer' | 'returnAddress', bigint>>,
  read: ReturnType<typeof words>,
) {
  const all = { pc: 0x1000n, sp: 0x8000n, framePointer: 0n, returnAddress: 0n, ...registers };
  return unwind(RISCV64_FRAMES, all, { read, functionStart: nowhere }).map((f) => f.address);
}

test('frames are followed up to the first that is not there', (t) => {
  const read = words({ 36856: 0x2000n, 36848: 0x9100n, 37112: 0x3000n, 37104: 0x9200n });
  t.deepEqual(addresses({ framePointer: 0x9000n, returnAddress: 0x2000n }, read), [
    0x1000n,
    0x2000n,
    0x3000n,
  ]);
});

test('a return address of zero ends the chain', (t) => {
  const read = words({ 36856: 0x2000n, 36848: 0x9100n, 37112: 0n, 37104: 0x9200n });
  t.deepEqual(addresses({ framePointer: 0x9000n, returnAddress: 0x2000n }, read), [0x1000n, 0x2000n]);
});

test('a call through a bad pointer shows who made it', (t) => {
  const read = words({ 36856: 0x3000n, 36848: 0n });
  const frames = addresses({ pc: 0xdeadbeefdeadbeefn, framePointer: 0x9000n, returnAddress: 0x2000n }, read);
  t.deepEqual(frames, [0xdeadbeefdeadbeefn, 0x2000n, 0x3000n]);
});

test('loops, stacks that go down and odd frame pointers end', (t) => {
  const loop = words({ 36856: 0x2000n, 36848: 0x9000n });
  t.deepEqual(addresses({ framePointer: 0x9000n }, loop), [0x1000n, 0x2000n]);
  const down = words({ 36856: 0x2000n, 36848: 0x8f00n, 36600: 0x3000n, 36592: 0x9000n });
  t.deepEqual(addresses({ framePointer: 0x9000n }, down), [0x1000n, 0x2000n]);
  t.deepEqual(addresses({ framePointer: 0x9001n }, words({ 36856: 1n, 36864: 1n, 36848: 1n })), [0x1000n]);
  t.deepEqual(addresses({ framePointer: 0x7000n }, words({ 28664: 1n, 28656: 1n })), [0x1000n], 'below sp');
});

test('no more than 128 frames', (t) => {
  const read = (address: number, sizeBytes: number) => {
    const view = new DataView(new ArrayBuffer(sizeBytes));
    view.setBigUint64(0, BigInt(address) + 0x20n - BigInt(address % 16), true);
    return new Uint8Array(view.buffer);
  };
  t.is(addresses({ framePointer: 0x9000n }, read).length, 128);
});

test('any registers over any memory give a short list', (t) => {
  const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  const near = fc.bigInt({ min: 0n, max: 0x400n });
  const value = fc.oneof(u64, near);
  fc.assert(
    fc.property(
      value,
      value,
      value,
      value,
      fc.array(value, { maxLength: 128 }),
      (pc, sp, framePointer, returnAddress, memory) => {
        const read = words(Object.fromEntries(memory.map((word, i) => [8 * i, word])));
        const functionStart = (address: number) => (address < 0x400 ? address - (address % 64) : null);
        const frames = unwind(
          RISCV64_FRAMES,
          { pc, sp, framePointer, returnAddress },
          { read, functionStart },
        );
        return frames.length >= 1 && frames.length <= 128 && frames[0].address === pc;
      },
    ),
    { numRuns: 3000 },
  );
  t.pass();
});

/** What an instruction does to the calls a thread is in. */
function callEffect(low: number, high: number): 'call' | 'return' | null {
  const RA = 1;
  if ((low & 3) !== 3) {
    if (low === 0x8082) return 'return';
    return (low & 0xf07f) === 0x9002 && (low & 0xf80) !== 0 ? 'call' : null;
  }
  const opcode = low & 0x7f;
  const target = (low >>> 7) & 31;
  if (opcode === 0x6f) return target === RA ? 'call' : null;
  if (opcode !== 0x67) return null;
  if (target === RA) return 'call';
  return ((((high << 16) | low) >>> 15) & 31) === RA && target === 0 ? 'return' : null;
}

const OPTIONS = ['-O0', '-O1', '-O2', '-Os', '-O2 -march=rv64g', '-Os -march=rv64g'];

for (const options of OPTIONS) {
  testWith(
    ['riscv64-linux-gnu-gcc', 'qemu-riscv64'],
    `right at every instruction of a program built with ${options}`,
    async (t) => {
      t.timeout(60_000);
      const folder = mkdtempSync(join(tmpdir(), 'unwind-'));
      const program = join(folder, 'frames.elf');
      const flags = '-static -nostdlib -ffreestanding -fno-omit-frame-pointer -fno-stack-protector'.split(
        ' ',
      );
      run('riscv64-linux-gnu-gcc', ...flags, ...options.split(' '), '-o', program, fixturePath('frames.c'));
      const elf = readElf(new Uint8Array(readFileSync(program)));
      const code = [...segmentImages(elf)].find((s) => s.segment.executable)!;
      const symbolizer = new Symbolizer([loadedModule('frames', elf, 0)]);
      const functionStart = (address: number) => symbolizer.resolve(address)?.start ?? null;
      const stack = elf.symbols.find('stack')!;
      const finished = BigInt(elf.symbols.find('finished')!.address);
      const half = (address: number) =>
        code.bytes[address - code.address] | (code.bytes[address - code.address + 1] << 8);
      const stepped = await SteppedProgram.start(program, join(folder, 'gdb'));
      try {
        const calls: bigint[] = [];
        const wrong = new Map<string, string>();
        let steps = 0;
        for (let r = await stepped.registers(); r[32] !== finished; r = await stepped.registers()) {
          const pc = Number(r[32]);
          if (calls.length > 0) {
            const sp = Number(r[2]);
            const top = stack.address + stack.sizeBytes;
            const bottom = Math.max(stack.address, sp - 4096);
            const memory = await stepped.memory(bottom, top - bottom);
            const read = (address: number, sizeBytes: number) => {
              const [from, bytes] = address >= bottom ? [bottom, memory] : [code.address, code.bytes];
              if (address < from || address + sizeBytes > from + bytes.length) return null;
              return bytes.subarray(address - from, address - from + sizeBytes);
            };
            const registers = { pc: r[32], sp: r[2], framePointer: r[8], returnAddress: r[1] };
            const found = unwind(RISCV64_FRAMES, registers, { read, functionStart }).map((f) => f.address);
            const wanted = [r[32], ...calls.toReversed()];
            if (found.join() !== wanted.join()) {
              const text = (list: bigint[]) => list.map((a) => symbolizer.describe(Number(a))).join(' ');
              wrong.set(text([r[32]]), `${text(found)} instead of ${text(wanted)}`);
            }
          }
          const effect = callEffect(half(pc), half(pc + 2));
          if (effect === 'call') calls.push(r[32] + ((half(pc) & 3) === 3 ? 4n : 2n));
          else if (effect === 'return') calls.pop();
          await stepped.step();
          steps++;
        }
        t.deepEqual([...wrong.values()], []);
        t.deepEqual(calls, []);
        t.true(steps > 300, `${steps} steps`);
      } finally {
        stepped.stop();
        rmSync(folder, { recursive: true });
      }
    },
  );
}
