import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { VmOption } from '../../src/abi/vm.js';
import { mappingsBetween } from '../../src/kernel/objects/vmar.js';
import { ALONE_STEPS } from '../../src/kernel/scheduler/oracle.js';
import { symbolizerFor } from '../../src/loader/crash-report.js';
import { comparePositions, formatPosition, type Position, START } from '../../src/machine/position.js';
import { mappingAt, piecesOf, readMemory } from '../../src/timeline/address-space.js';
import { eachStore } from '../../src/timeline/expand.js';
import { ENOUGH, Timeline } from '../../src/timeline/timeline.js';
import { eachWriter, lastWriter, type MemoryWrite } from '../../src/timeline/writes.js';
import { anyRun, anyShare, positionAt, recordRun, spanSteps, specOf } from './runs.js';

/** A write in one line, to compare by. */
function text({ position, thread, pc, event, before, after, address }: MemoryWrite): string {
  const bytes = (b: Uint8Array): string => Buffer.from(b).toString('hex');
  return [formatPosition(position), thread, pc ?? event, address, bytes(before), bytes(after)].join(' ');
}

function allWrites(
  timeline: Timeline,
  process: number,
  address: number,
  size: number,
  before: Position,
): string[] {
  const out: string[] = [];
  eachWriter(timeline, process, address, size, before, (write) => out.push(text(write)));
  return out;
}

/** The same by brute force: every store of the whole run, looked at one by one. */
function traced(
  timeline: Timeline,
  process: number,
  address: number,
  size: number,
  before: Position,
): string[] {
  const vmo = mappingAt(timeline.seek(before).k, process, address)!.vmo;
  const [{ offset }] = piecesOf(timeline.machine.k, process, address, 1);
  const { k } = timeline.machine;
  const out: string[] = [];
  eachStore(timeline, START, before, ({ writer, address: at, vmo: place, after }) => {
    if (comparePositions(writer.position, before) >= 0) return;
    let start = -1;
    if (place !== null) start = place.koid === vmo ? place.offset : -1;
    else {
      const mapping = mappingAt(k, writer.process, Number(at));
      if (mapping?.vmo === vmo) start = mapping.vmoOffset + (Number(at) - mapping.base);
    }
    if (start < 0 || start >= offset + size || start + after.length <= offset) return;
    const first = Math.max(start, offset);
    const last = Math.min(start + after.length, offset + size);
    out.push(
      [
        formatPosition(writer.position),
        writer.thread,
        writer.pc ?? writer.event,
        address + first - offset,
        Buffer.from(after.slice(first - start, last - start)).toString('hex'),
      ].join(' '),
    );
  });
  return out;
}

test('all writers are found, and the last one before any position is the last of them', (t) => {
  let found = 0;
  fc.assert(
    fc.property(
      anyRun,
      anyShare,
      fc.nat(),
      fc.constantFrom(1, 4, 8, 40),
      ({ guest, ...options }, share, pick, size) => {
        const spec = specOf(guest, options);
        const full = recordRun(spec, 'full');
        const timeline = new Timeline(recordRun(spec));
        const before = positionAt(full, spanSteps(full), share);
        const { k } = timeline.seek(before);
        const process = k.state.mainProcess;
        // Addresses that were written are the interesting ones.
        const stores: number[] = [];
        eachStore(timeline, START, before, ({ writer, address }) => {
          if (writer.process === process && address !== null) stores.push(Number(address));
        });
        const written = stores.filter((at) => at % 4096 <= 4096 - size);
        timeline.seek(before);
        const mapped = written.filter((at) => mappingAt(timeline.machine.k, process, at) !== undefined);
        if (mapped.length === 0) return;
        const address = mapped[pick % mapped.length];
        const all: MemoryWrite[] = [];
        eachWriter(timeline, process, address, size, before, (write) => all.push(write));
        const short = (write: MemoryWrite): string => {
          const { position, thread, pc, event, after } = write;
          return [
            formatPosition(position),
            thread,
            pc ?? event,
            write.address,
            Buffer.from(after).toString('hex'),
          ].join(' ');
        };
        const known = all.filter(
          ({ event }) => event !== 'vmo-child-created' && event !== 'vmo-pages-dropped',
        );
        assert.deepEqual(known.map(short), traced(timeline, process, address, size, before));
        const last = lastWriter(timeline, process, address, size, before);
        assert.deepEqual(last === null ? [] : [text(last)], all.slice(-1).map(text));
        for (const write of all) {
          const value = readMemory(
            timeline.seek(write.position).k,
            process,
            write.address,
            write.after.length,
          );
          // The loader writes before it maps.
          if (value !== null) assert.deepEqual(value, write.after);
        }
        found += all.length;
      },
    ),
    { numRuns: 12 },
  );
  t.true(found > 0);
});

function balanceOf(timeline: Timeline): { process: number; address: number } {
  const [program] = symbolizerFor(timeline.spec.program, timeline.spec).modules;
  const { address } = program.elf.symbols.find('balance')!;
  return { process: timeline.seek(timeline.end).k.state.mainProcess, address: address + program.bias };
}

test('after the end of a process, what was behind its addresses is still found', (t) => {
  const timeline = new Timeline(recordRun(specOf('lost-update', { cores: 2, seed: 5 })));
  const { process, address } = balanceOf(timeline);
  t.is(mappingAt(timeline.machine.k, process, address), undefined);
  const writes = allWrites(timeline, process, address, 8, timeline.end);
  t.true(writes.length > 300);
  const last = lastWriter(timeline, process, address, 8, timeline.end)!;
  t.is(text(last), writes[writes.length - 1]);
  // Writers can be followed back to the loader.
  let count = 0;
  for (let at: MemoryWrite | null = last; at !== null; count++) {
    if (at.pc === null) t.is(at.event, 'vmo-written');
    at = lastWriter(timeline, process, address, 8, at.position);
    if (count > 20) break;
  }
  t.is(lastWriter(timeline, process, 0x10, 8, timeline.end), null);
  let told = 0;
  eachWriter(timeline, process, address, 8, timeline.end, () => {
    if (++told === 3) throw ENOUGH;
  });
  t.is(told, 3);
});

test('memory that processes share: writers are found in all of them', (t) => {
  const timeline = new Timeline(recordRun(specOf('process-tree', { cores: 2, seed: 4 })));
  const { events } = timeline.recording.end!;
  const { k } = timeline.seek({ seq: Math.floor(events * 0.6), step: 0 });
  const process = k.state.mainProcess;
  const space = k.get(k.get(process, 'process').rootVmar, 'vmar');
  const shared = [...mappingsBetween(k, space, space.base, space.base + space.sizeBytes)].find(
    ({ mapping }) => {
      const writable = (mapping.permissions & VmOption.PERM_WRITE) !== 0;
      return writable && k.get(mapping.vmo, 'vmo').mappingsByProcess.size > 1;
    },
  );
  t.truthy(shared);
  const writers = new Set<number>();
  const { base } = shared!.mapping;
  eachWriter(timeline, process, base, 8, timeline.end, ({ process: writer, before, after }) => {
    writers.add(writer);
    t.notDeepEqual(before, after);
  });
  t.is(writers.size, 7, 'each process of the tree adds its number');
});

test('a long run is not expanded to find its last writer', (t) => {
  const timeline = new Timeline(recordRun(specOf('spin', { args: ['4000000'] })));
  const [program] = symbolizerFor(timeline.spec.program, timeline.spec).modules;
  t.true(timeline.recording.end!.steps > 30_000_000);
  const process = timeline.seek(timeline.end).k.state.mainProcess;
  const traced = { steps: 0 };
  const events = timeline.events.bind(timeline);
  timeline.events = (from, to, onEvent, trace) => {
    const step = trace?.step.bind(trace);
    if (trace !== undefined && step !== undefined) {
      trace.step = (...args) => {
        traced.steps++;
        step(...args);
      };
    }
    events(from, to, onEvent, trace);
  };
  const data = program.elf.loadSegments.find(({ writable }) => writable)!;
  t.truthy(lastWriter(timeline, process, data.vaddr + program.bias, 8, timeline.end));
  t.true(traced.steps < ALONE_STEPS / 4, `${traced.steps} steps traced`);
});

test('in long slices, too, writers are those that a trace of everything finds', (t) => {
  const runs = [
    specOf('bench/quick-sort', { args: ['3000'] }),
    specOf('heap-sort', { args: ['2000'], maxSteps: 300_000 }),
    // With LR and SC, and others that run in between.
    specOf('futex-mutex', { cores: 2, quantumSteps: 1 << 18, maxSteps: 300_000 }),
  ];
  let inLong = 0;
  for (const spec of runs) {
    const timeline = new Timeline(recordRun(spec));
    const { end } = timeline;
    const { k } = timeline.machine;
    timeline.seek(end);
    const stores: { position: Position; pc: bigint | null; thread: number; at: number; size: number }[] = [];
    eachStore(timeline, START, end, ({ writer, address, after }) => {
      if (address === null || mappingAt(k, writer.process, Number(address)) === undefined) return;
      const { position, pc, thread } = writer;
      stores.push({ position, pc, thread, at: Number(address), size: after.length });
    });
    t.true(stores.length > 1000);
    const process = k.state.mainProcess;
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.constantFrom(1, 8, 24), (pick, later, size) => {
        const first = pick % stores.length;
        const address = stores[first].at;
        const { position: before } = stores[first + (later % (stores.length - first))];
        if (comparePositions(stores[first].position, before) >= 0) return;
        if (mappingAt(timeline.seek(before).k, process, address + size - 1) === undefined) return;
        const expected = stores.filter(
          ({ position, at, size: stored }) =>
            comparePositions(position, before) < 0 && at < address + size && at + stored > address,
        );
        const where = (writes: readonly { position: Position; pc: bigint | null; thread: number }[]) =>
          writes.map(({ position, pc, thread }) => [formatPosition(position), pc, thread].join(' '));
        const all: MemoryWrite[] = [];
        eachWriter(timeline, process, address, size, before, (write) => all.push(write));
        const byStores = all.filter(({ event }) => event === null || event === 'user-memory-written');
        assert.deepEqual(where(byStores), where(expected));
        const last = lastWriter(timeline, process, address, size, before)!;
        assert.equal(text(last), text(all[all.length - 1]));
        if (last.position.step > 1 << 15) inLong++;
      }),
      { numRuns: 8 },
    );
  }
  t.true(inLong > 4, `${inLong} were far inside of a slice`);
});
