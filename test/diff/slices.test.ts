import test from 'ava';
import fc from 'fast-check';
import { type Access, accessesOf } from '../../src/diff/accesses.js';
import { pathOf } from '../../src/diff/path.js';
import { Run } from '../../src/diff/run.js';
import { eachSlice, SliceRunner } from '../../src/diff/slices.js';
import { DEFAULTS, launch } from '../../src/loader/launch.js';
import { AFTER_EVERYTHING, formatPosition, type Position, START } from '../../src/machine/position.js';
import { expand } from '../../src/timeline/expand.js';
import { Timeline } from '../../src/timeline/timeline.js';
import { eachWriter } from '../../src/timeline/writes.js';
import { assemble } from '../cpu/assemble.js';
import { anyRun, recordRun, specOf } from '../timeline/runs.js';

const at = ({ position }: { readonly position: Position }): string => formatPosition(position);

test('the path of a thread is that of the run, instruction by instruction', (t) => {
  fc.assert(
    fc.property(anyRun, fc.nat(), fc.nat(99), fc.nat(99), ({ guest, ...options }, which, x, y) => {
      const recording = recordRun(specOf(guest, options));
      const run = new Run(recording);
      const threads = [...run.history.threads.values()];
      const thread = threads[which % threads.length];
      const [low, high] = [x, y].sort((p, q) => p - q);
      const from = { seq: Math.floor((run.timeline.end.seq * low) / 100), step: 0 };
      const to = { seq: Math.ceil((run.timeline.end.seq * (high + 1)) / 100), step: 0 };
      const steps: string[] = [];
      const seen: string[] = [];
      expand(
        new Timeline(recording),
        from,
        to,
        ({ event, seq }) => {
          if (event.type === 'syscall-returned' && event.thread === thread.koid && seq > from.seq)
            seen.push(`${steps.length} result ${event.result}`);
        },
        ({ thread: koid, pc, position, loads, stores }) => {
          if (koid !== thread.koid) return;
          steps.push(`${formatPosition(position)} ${pc}`);
          for (const { address, value } of loads) seen.push(`${steps.length - 1} load ${address} ${value}`);
          for (const { address, value } of stores) seen.push(`${steps.length - 1} store ${address} ${value}`);
        },
      );
      const path = pathOf(run, thread, from, to);
      t.deepEqual(
        path.pcs.map((pc, i) => `${formatPosition(path.position(i))} ${pc}`),
        steps,
      );
      const told = path.observations.map(({ index, kind, address, value }) =>
        kind === 'result' ? `${index} result ${value}` : `${index} ${kind} ${address} ${value}`,
      );
      t.deepEqual(told.sort(), seen.sort());
    }),
    { numRuns: 8 },
  );
});

/** Every access to some bytes of the main process by an instruction, found by tracing the whole run. */
function byTracing(timeline: Timeline, process: number, address: number, size: number): string[] {
  const found: string[] = [];
  const overlaps = (start: bigint, length: number): boolean =>
    Number(start) < address + size && Number(start) + length > address;
  const { end } = timeline;
  expand(
    timeline,
    START,
    end,
    () => {},
    ({ process: owner, thread, position, pc, loads, stores }) => {
      if (owner !== process) return;
      for (const [kind, list] of [
        ['load', loads],
        ['store', stores],
      ] as const) {
        for (const { address: start, sizeBytes, value } of list) {
          if (overlaps(start, sizeBytes))
            found.push(`${formatPosition(position)} ${thread} ${pc} ${kind} ${value}`);
        }
      }
    },
  );
  return found;
}

test('all accesses to a variable are found, locks and other hot words too', (t) => {
  const cases = [
    { guest: 'lost-update', names: ['balance', 'deposits'], args: ['3'] },
    // LR and SC on the watched page.
    { guest: 'futex-mutex', names: ['counter', 'word'], args: [] },
    { guest: 'abba-deadlock', names: ['holding', 'ledger', 'accounts'], args: ['3'] },
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...cases),
      fc.nat(),
      fc.nat(1000),
      fc.constantFrom(1, 2, 8),
      fc.constantFrom(7, 61, 1000, 16384),
      ({ guest, names, args }, which, seed, cores, quantumSteps) => {
        const recording = recordRun(specOf(guest, { seed, cores, quantumSteps, args, maxSteps: 60_000 }));
        const run = new Run(recording);
        const { mainProcess } = run.history;
        const symbol = run.names.find(mainProcess, names[which % names.length])!;
        t.truthy(symbol);
        const { list, complete } = accessesOf(run, mainProcess, symbol.address, symbol.sizeBytes);
        t.true(complete);
        const text = (access: Access): string =>
          `${at(access)} ${access.thread} ${access.pc} ${access.kind} ${access.value}`;
        t.deepEqual(
          list.filter(({ pc }) => pc !== null).map(text),
          byTracing(new Timeline(recording), mainProcess, symbol.address, symbol.sizeBytes),
        );
      },
    ),
    { numRuns: 8 },
  );
});

test('stretches in which nobody wrote are left out, and no store is missed', (t) => {
  const recording = recordRun(specOf('channel-ping-pong', { seed: 3, cores: 2, args: ['1500'] }));
  const run = new Run(recording);
  const { mainProcess, lastAlive } = run.history;
  t.true([...run.timeline.statesUpTo(lastAlive)].length > 4);
  for (const name of ['console', '__process_handles', 'far_end.0']) {
    const { address } = run.names.find(mainProcess, name)!;
    const { list, complete } = accessesOf(run, mainProcess, address, 8);
    t.true(complete);
    const writers: string[] = [];
    eachWriter(new Timeline(recording), mainProcess, address, 8, lastAlive, ({ position, pc }) => {
      writers.push(`${formatPosition(position)} ${pc}`);
    });
    t.deepEqual(
      list.filter(({ kind }) => kind === 'store').map((access) => `${at(access)} ${access.pc}`),
      writers,
      name,
    );
    t.true(writers.length > 0);
  }
});

/** A program of these instructions alone. */
function programOf(code: readonly number[]): Uint8Array {
  const CODE_AT = 0x1000;
  const bytes = new Uint8Array(CODE_AT + 4 * code.length);
  const view = new DataView(bytes.buffer);
  const address = 0x400000;
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  // ET_EXEC, EM_RISCV, version, entry, program headers behind the ELF header, their size and number.
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(address), true);
  view.setBigUint64(32, 64n, true);
  for (const [at, value] of [
    [52, 64],
    [54, 56],
    [56, 1],
    [58, 64],
  ])
    view.setUint16(at, value, true);
  // PT_LOAD, readable and executable, all of the code.
  view.setUint32(64, 1, true);
  view.setUint32(68, 5, true);
  const size = 4 * code.length;
  [CODE_AT, address, address, size, size, 0x1000].forEach((value, i) => {
    view.setBigUint64(72 + 8 * i, BigInt(value), true);
  });
  code.forEach((bits, i) => {
    view.setUint32(CODE_AT + 4 * i, bits, true);
  });
  return bytes;
}

test('a watched access between LR and SC: the slice is traced as a whole, so that SC goes as it went', (t) => {
  const [lock, data, value, scratch, failures] = [10, 11, 6, 7, 29];
  const sp = 2;
  const bytes = programOf([
    assemble('addi', { xd: lock, x1: sp, i: -8 }),
    assemble('lui', { xd: scratch, u: 0x2000 }),
    assemble('sub', { xd: data, x1: sp, x2: scratch }),
    assemble('lr.w', { xd: value, x1: lock }),
    assemble('ld', { xd: scratch, x1: data, i: 0 }),
    assemble('addi', { xd: value, x1: value, i: 1 }),
    assemble('sc.w', { xd: scratch, x1: lock, x2: value }),
    assemble('add', { xd: failures, x1: failures, x2: scratch }),
    assemble('sd', { x2: failures, x1: data, s: 0 }),
    assemble('jal', { xd: 0, j: -24 }),
  ]);
  const program = { name: 'reserve', bytes, args: ['reserve'], environ: [] };
  const recording = recordRun({ ...DEFAULTS, program, quantumSteps: 200, maxSteps: 3000 });
  const run = new Run(recording);
  const { timeline } = run;
  const [thread] = run.history.threads.values();
  const { k } = timeline.seek(timeline.end);
  const address = Number(k.arch.sp(k.registers(thread.koid))) - 0x2000;
  const runner = new SliceRunner(timeline.machine);
  const answers: boolean[] = [];
  eachSlice(
    timeline,
    START,
    timeline.end,
    () => true,
    (slice) => {
      answers.push(runner.watch(slice, new Set([address / 4096])) === null);
    },
  );
  t.true(answers.includes(true));
  const { list } = accessesOf(run, thread.process, address, 8);
  t.true(list.length > 500);
  t.deepEqual(
    list
      .filter(({ pc }) => pc !== null)
      .map((access) => `${at(access)} ${access.thread} ${access.pc} ${access.kind} ${access.value}`),
    byTracing(new Timeline(recording), thread.process, address, 8),
  );
});

test('a slice that ends with a reservation held is no cut, one that is cut while it is held does not go on', (t) => {
  const bytes = programOf([
    assemble('addi', { xd: 10, x1: 2, i: -8 }),
    assemble('lr.w', { xd: 6, x1: 10 }),
    assemble('jal', { xd: 0, j: -4 }),
  ]);
  const program = { name: 'wait', bytes, args: ['wait'], environ: [] };
  const machine = launch({ ...DEFAULTS, program, cores: 1, quantumSteps: 200 });
  while (machine.k.state.steps < 3_000_000) {
    machine.commandTo(AFTER_EVERYTHING);
    if (!machine.goesOn) break;
  }
  t.true(machine.goesOn && machine.k.state.steps >= 3_000_000, `${machine.k.state.steps} steps`);
  while (machine.k.state.slice === null) machine.commandTo(AFTER_EVERYTHING);
  machine.commandTo(AFTER_EVERYTHING, undefined, 100);
  t.false(machine.goesOn);
});
