import test from 'ava';
import { ENGINE_KINDS } from '../../src/cpu/arch.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { threadMemory } from '../../src/machine/memory-view.js';
import { Harness } from '../kernel/harness.js';
import { fill, map, newVmo, PAGE, R, RW, vmoOf, X } from '../kernel/vm-support.js';
import { assemble as asm } from './assemble.js';

const [T0, A0, A1, A2] = [5, 10, 11, 12];
const START = { sp: 0n, arg1: 0n, arg2: 0n, tp: 0n, abiReg: 0n };

/** Runs a load, by which it is known that nothing was written nearby, and an instruction at an address there. */
function run(kind: (typeof ENGINE_KINDS)[number], instruction: number, offset: number) {
  const h = new Harness();
  const vmo = newVmo(h, 8 * PAGE);
  const base = map(h, RW, 0, vmo, 0, 8 * PAGE);
  const codeVmo = newVmo(h, PAGE);
  const code = [asm('ld', { xd: T0, x1: A2, i: 0 }), instruction, asm('ecall')];
  fill(h, codeVmo, 0, [...new Uint8Array(Uint32Array.from(code).buffer)]);
  const executable = h.scratch(4);
  h.call('zx_vmo_replace_as_executable', [codeVmo, 0, executable]);
  const pc = map(h, R | X, 0, h.u32(executable), 0, PAGE);
  const registers = RISCV64.initialRegisters({ ...START, pc: BigInt(pc) });
  RISCV64.setRegister(registers, A0, BigInt(base + 5 * PAGE + offset));
  RISCV64.setRegister(registers, A2, BigInt(base));
  const { steps, stop } = RISCV64.createEngine(kind).run(registers, threadMemory(h.k, h.thread), 100, 0n, 0);
  return { steps, stop, pages: vmoOf(h, vmo).pages.size, hash: stateHash(h.k.snapshot()) };
}

for (const name of ['amoadd.w', 'amoadd.d', 'sc.w', 'sc.d'])
  test(`a misaligned ${name} commits no page`, (t) => {
    const instruction = asm(name, { xd: T0, x1: A0, x2: A1 });
    for (const offset of [1, 2, name.endsWith('.d') ? 4 : 6, PAGE - 1]) {
      const should = run('reference', instruction, offset);
      t.is(should.stop.kind, 'misaligned');
      t.is(should.pages, 0);
      for (const kind of ENGINE_KINDS) t.deepEqual(run(kind, instruction, offset), should);
    }
  });

test('an aligned one commits its page, but not an sc without a reservation', (t) => {
  for (const [name, pages] of [
    ['amoadd.d', 1],
    ['sc.d', 0],
  ] as const) {
    const instruction = asm(name, { xd: T0, x1: A0, x2: A1 });
    const should = run('reference', instruction, 8);
    t.is(should.pages, pages);
    for (const kind of ENGINE_KINDS) t.deepEqual(run(kind, instruction, 8), should);
  }
});
