import test from 'ava';
import { encodeStruct } from '../../src/abi/structs.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { open } from '../../src/library/open.js';
import { replay } from '../../src/library/replay.js';
import { Fold } from '../../src/recording/fold.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { Recording } from '../../src/recording/format/reader.js';
import { Place } from '../../src/sdk/image.js';
import {
  must,
  Pager,
  PagerCommand,
  PagerOp,
  Port,
  pageRequestOf,
  program,
  Signal,
  VmOption,
  Vmo,
  VmoOption,
} from '../../src/sdk/index.js';
import { FOREVER, run } from './support.js';

const PAGE = 4096;
const RW = VmOption.PERM_READ | VmOption.PERM_WRITE;

/** A pager that numbers its pages, and a thread that reads, writes and looks at what was written. */
const paged = program('paged', function* (zx) {
  const { port } = must(yield* Port.create(zx));
  const { pager } = must(yield* Pager.create(zx));
  const { vmo } = must(yield* pager.createVmo(VmoOption.TRAP_DIRTY, port, 1, 4 * PAGE));
  const { thread } = must(
    yield* zx.spawn(function* () {
      for (;;) {
        const { command, offset, length } = pageRequestOf(must(yield* port.wait(FOREVER)).packet);
        if (command === PagerCommand.COMPLETE) return;
        if (command === PagerCommand.DIRTY) must(yield* pager.opRange(PagerOp.DIRTY, vmo, offset, length));
        else {
          const { vmo: pages } = must(yield* Vmo.create(zx, length));
          must(yield* pages.write(Uint8Array.of(10 + Number(offset) / PAGE), 0));
          must(yield* pager.supplyPages(vmo, offset, length, pages, 0));
          must(yield* pages.close());
        }
      }
    }),
  );
  const { address } = must(yield* zx.rootVmar.map(RW, 0, vmo, 0, 4 * PAGE));
  const at = (page: number): bigint => address + BigInt(page * PAGE);
  const [first] = yield* zx.load(at(2), 1);
  yield* zx.store(at(3), Uint8Array.of(99));
  const { bytes } = must(yield* vmo.read(PAGE, 1));
  const { ranges } = must(yield* pager.dirtyRanges(vmo, 0, 4 * PAGE));
  const { modified } = must(yield* pager.vmoStats(vmo));
  must(yield* pager.detachVmo(vmo));
  must(yield* thread.waitOne(Signal.TASK_TERMINATED, FOREVER));
  const dirty = ranges.map(({ offset, length }) => `${offset}+${length}`).join();
  yield* zx.print(`${first} ${bytes[0]} dirty ${dirty} modified ${modified}\n`);
});

/** A thread that is told its core: by a restartable sequence without any instruction. */
const told = program('told', function* (zx) {
  const { vmo } = must(yield* Vmo.create(zx, PAGE));
  const { address } = must(yield* zx.rootVmar.map(RW, 0, vmo, 0, PAGE));
  const watch = (offset: number) =>
    function* () {
      must(yield* zx.threadSetRseq(vmo.raw, offset, 32));
      const cores = new Set<number>();
      for (let i = 0; i < 40; i++) {
        cores.add(yield* zx.loadInt32(address + BigInt(offset)));
        yield* zx.work(3);
      }
      must(yield* zx.threadSetRseq(0, 0, 0));
      if ([...cores].some((core) => core < 0 || core > 1)) throw new Error([...cores].join());
    };
  const threads = [];
  for (const offset of [0, 32, 64]) threads.push(must(yield* zx.spawn(watch(offset))).thread);
  for (const thread of threads) must(yield* thread.waitOne(Signal.TASK_TERMINATED, FOREVER));
  must(yield* vmo.close());
});

for (const what of [paged, told]) {
  test(`${what.name}: recorded, replayed, folded and sought it is one run`, (t) => {
    const finished = run(what, { cores: 2, seed: 4, quantumSteps: 25, detail: 'full' });
    t.is(finished.end.exitCode, 0, finished.console);
    if (what === paged) t.is(finished.console, `12 11 dirty ${3 * PAGE}+${PAGE} modified true\n`);
    t.is(replay(finished.bytes, { programs: [what] }).divergence, null);
    const fold = new Fold(Recording.open(bytesSource(finished.bytes)));
    const { timeline } = open(finished.bytes, { programs: [what] });
    const seen: [number, string][] = [];
    for (let part = 1; part < 8; part++) {
      const seq = Math.floor((finished.end.events * part) / 8);
      t.true(fold.foldTo({ seq, step: 0 }));
      seen.push([seq, stateHash(fold.state)]);
    }
    for (const [seq, hash] of seen.reverse())
      t.is(stateHash(timeline.seek({ seq, step: 0 }).k.snapshot()), hash, `at ${seq}`);
  });
}

test('a sequence that is everywhere sends a thread of a program away: the same in every way', (t) => {
  for (const abort of [0n, 0x10n, BigInt(Place.call) + 4n]) {
    const away = program('away', function* (zx) {
      const { vmo } = must(yield* Vmo.create(zx, PAGE));
      const { address } = must(yield* zx.rootVmar.map(RW, 0, vmo, 0, PAGE));
      const { thread } = must(
        yield* zx.spawn(function* () {
          must(yield* zx.threadSetRseq(vmo.raw, 0, 32));
          for (let i = 0; i < 20; i++) yield* zx.work(3);
        }),
      );
      yield* zx.work(30);
      const everywhere = { start_ip: 0n, post_commit_offset: 0xffff_ffff_ffff_ffffn, abort_ip: abort };
      yield* zx.store(address, encodeStruct('zx_rseq_t', everywhere));
      yield* thread.waitOne(Signal.TASK_TERMINATED, FOREVER);
    });
    for (const quantumSteps of [1, 4, 7]) {
      const { end, bytes } = run(away, { cores: 1, seed: 2, quantumSteps, maxSteps: 3000 });
      t.not(end.exitCode, 125);
      t.is(replay(bytes, { programs: [away] }).divergence, null, `${abort}, ${quantumSteps}`);
      const { timeline } = open(bytes, { programs: [away] });
      const at = Array.from({ length: 12 }, (_, i) => ({ seq: Math.floor((end.events * i) / 12), step: 0 }));
      const hashes = at.map((position) => stateHash(timeline.seek(position).k.snapshot()));
      for (let i = at.length - 1; i >= 0; i--)
        t.is(
          stateHash(timeline.seek(at[i]).k.snapshot()),
          hashes[i],
          `${abort}, ${quantumSteps}, ${at[i].seq}`,
        );
    }
  }
});
