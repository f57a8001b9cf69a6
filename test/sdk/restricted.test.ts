import test from 'ava';
import { RestrictedReason } from '../../src/abi/restricted.js';
import { decodeStruct, encodeStruct, sizeOf } from '../../src/abi/structs.js';
import { VmOption } from '../../src/abi/vm.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { open } from '../../src/library/open.js';
import { replay } from '../../src/library/replay.js';
import { type Program, program } from '../../src/sdk/program.js';
import { must } from '../../src/sdk/result.js';
import { Vmo } from '../../src/sdk/vmo.js';
import { run } from './support.js';

const PAGE = 4096;
const STATE = 'zx_riscv64_restricted_state_t';
/** addi a0, a0, 1; ecall; j -8; then an illegal instruction. */
const CODE = [0x00150513, 0x00000073, 0xff9ff06f, 0x00000000];

/** Hosts machine code in restricted mode: answers its calls by adding 10, then lets it run into what is no instruction. */
const supervisor: Program = program('supervisor', function* (zx) {
  const { vmo } = must(yield* Vmo.create(zx, PAGE));
  must(yield* vmo.write(new Uint8Array(Uint32Array.from(CODE).buffer), 0));
  const { vmo: code } = must(yield* vmo.replaceAsExecutable());
  const access = VmOption.PERM_READ | VmOption.PERM_EXECUTE;
  const { address } = must(yield* zx.rootVmar.map(access, 0, code, 0, PAGE));
  const state = new Vmo(zx, must(yield* zx.restrictedBindState(0)).out);
  must(yield* state.write(encodeStruct(STATE, { pc: address, a0: 5n }), 0));
  const seen: string[] = [];
  for (let i = 0; i < 3; i++) {
    const left = must(yield* zx.enterRestricted(0x1234n));
    const { bytes } = must(yield* state.read(0, sizeOf(STATE)));
    const registers = decodeStruct(STATE, bytes);
    seen.push(`${left.reason === BigInt(RestrictedReason.SYSCALL) ? 'call' : left.reason} ${registers.a0}`);
    if (left.context !== 0x1234n) return 1;
    must(yield* state.write(encodeStruct(STATE, { ...registers, a0: registers.a0 + 10n }), 0));
  }
  const { bytes } = must(yield* state.read(0, sizeOf(STATE)));
  must(yield* state.write(encodeStruct(STATE, { ...decodeStruct(STATE, bytes), pc: address + 12n }), 0));
  const { reason } = must(yield* zx.enterRestricted(7));
  seen.push(reason === BigInt(RestrictedReason.EXCEPTION) ? 'exception' : String(reason));
  yield* zx.print(`${seen.join(', ')}\n`);
  must(yield* zx.restrictedUnbindState(0));
  return (yield* zx.enterRestricted(0)).status === 'ZX_ERR_BAD_STATE' ? 0 : 2;
});

test('a program in TypeScript hosts machine code in restricted mode; recorded, replayed, sought', (t) => {
  const { console, end, bytes } = run(supervisor, { quantumSteps: 3 });
  t.is(console, 'call 6, call 17, call 28, exception\n');
  t.is(end.exitCode, 0);
  t.is(replay(bytes, { programs: [supervisor] }).divergence, null);
  const { timeline } = open(bytes, { programs: [supervisor] });
  const forward: string[] = [];
  for (let seq = 0; seq <= end.events; seq++) {
    forward.push(stateHash(timeline.seek({ seq, step: 0 }).k.snapshot()));
  }
  for (let seq = end.events; seq >= 0; seq -= 5) {
    t.is(stateHash(timeline.seek({ seq, step: 0 }).k.snapshot()), forward[seq]);
  }
  t.is(forward[end.events], end.stateHash);
});
