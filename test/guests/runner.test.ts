import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { diffRecordings } from '../../src/diff/diff.js';
import type { EventOf } from '../../src/kernel/objects/events.js';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { formatPosition, type Position } from '../../src/machine/position.js';
import { Fold } from '../../src/recording/fold.js';
import type { Recording } from '../../src/recording/format/reader.js';
import { readMemory } from '../../src/timeline/address-space.js';
import { expand, type Step } from '../../src/timeline/expand.js';
import { Names } from '../../src/timeline/names.js';
import { Timeline } from '../../src/timeline/timeline.js';
import { threadViews } from '../../src/timeline/views.js';
import { guest, jacinth, scratchFolder } from '../cli/jacinth.js';
import { anyShare, positionAt, recordRun, spanSteps, specOf } from '../timeline/runs.js';

const HOSTED_ADDRESS = 0x400000;
const { program } = specOf('runner');

const schedules = fc.record({
  seed: fc.nat(1000),
  cores: fc.constantFrom(1, 2, 4),
  quantumSteps: fc.constantFrom(61, 1000, 16384),
  vintage: fc.constantFrom('2023' as const, 'head' as const),
});

/** The part of the run in which the hosted program runs: the last third, by events. */
const late = anyShare.map(([events, steps]): [number, number] => [0.6 + 0.39 * events, steps]);

test('under any schedule, every way to a position leads to the same state, in both modes', (t) => {
  fc.assert(
    fc.property(schedules, fc.array(late, { minLength: 1, maxLength: 8 }), (options, shares) => {
      const full = recordRun(specOf('runner', options), 'full');
      assert.equal(full.end?.exitCode, 0);
      const steps = spanSteps(full);
      const positions = shares.map((share) => positionAt(full, steps, share));
      const essential = new Timeline(recordRun(specOf('runner', options)));
      for (const position of positions) {
        const fold = new Fold(full);
        assert(fold.foldTo(position));
        const sought = essential.seek(position);
        assert.equal(stateHash(sought.k.snapshot()), stateHash(fold.state), formatPosition(position));
        assert.equal(sought.eventHash(), fold.eventHash());
      }
    }),
    { numRuns: 6 },
  );
  t.pass();
});

function positionsOf(recording: Recording, type: 'restricted-entered' | 'restricted-left'): Position[] {
  const timeline = new Timeline(recording);
  const found: Position[] = [];
  timeline.events({ seq: 0, step: 0 }, timeline.end, ({ seq, event }) => {
    if (event.type === type) found.push({ seq, step: 0 });
  });
  return found;
}

test('in restricted mode a thread sees its own half: registers, code and stack are those of the hosted program', (t) => {
  const recording = recordRun(specOf('runner'));
  const timeline = new Timeline(recording);
  const entered = positionsOf(recording, 'restricted-entered');
  t.true(entered.length >= 8);
  for (const position of entered) {
    const { k } = timeline.seek(position);
    const [view, ...others] = threadViews(k, new Names(k, program)).filter(
      ({ mode }) => mode === 'restricted',
    );
    t.deepEqual(others, []);
    const pc = Number(view.pc);
    t.true(pc >= HOSTED_ADDRESS && pc < HOSTED_ADDRESS + 4096);
    t.not(readMemory(k, view.process, pc, 4), null);
  }
  for (const position of positionsOf(recording, 'restricted-left')) {
    const { k } = timeline.seek(position);
    const views = threadViews(k, new Names(k, program));
    t.true(views.every(({ mode }) => mode === 'normal'));
  }
});

test('jacinth events and jacinth show tell restricted from normal mode', (t) => {
  const file = join(scratchFolder(), 'runner.jacinth');
  t.is(jacinth(['record', guest('runner'), '-o', file]).status, 0);
  const lines = jacinth(['events', file]).stdout.split('\n');
  const entered = lines.findIndex((line) =>
    line.includes('enters restricted mode, to come back at jacinth_restricted_enter+'),
  );
  t.regex(lines[entered + 1], /\d steps in restricted mode, to 0x4000/);
  t.true(lines.some((line) => /goes on in normal mode at jacinth_restricted_enter\+.*: SYSCALL$/.test(line)));
  t.true(lines.some((line) => /kicked by initial-thread/.test(line)));
  const at = lines[entered].split(' ')[0];
  t.regex(jacinth(['show', file, '--at', at, 'threads']).stdout, /, in restricted mode/);
  const spans = jacinth(['events', file, '--json'])
    .stdout.trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; mode?: string })
    .filter(({ type }) => type === 'span');
  t.deepEqual(new Set(spans.map(({ mode }) => mode)), new Set(['normal', 'restricted']));
});

test('steps tell the mode they were made in', (t) => {
  const recording = recordRun(specOf('runner'));
  const timeline = new Timeline(recording);
  const [first] = positionsOf(recording, 'restricted-entered');
  const [left] = positionsOf(recording, 'restricted-left');
  const steps: Step[] = [];
  expand(
    timeline,
    { ...first, seq: first.seq - 2 },
    { ...left, step: 3 },
    () => {},
    (step) => steps.push(step),
  );
  const restricted = steps.filter(({ mode }) => mode === 'restricted');
  t.is(restricted.length, 4, 'lla, li, li: as many as there are before the first ecall');
  t.true(restricted.every(({ pc }) => pc < 0x500000n));
  const behind = steps.at(-1)!;
  t.is(behind.mode, 'normal');
  t.true(behind.pc > 0x2000000000n);
});

test('reasons come in the order of the hosted program, a kick when the schedule has it', (t) => {
  for (const seed of [1, 2, 3]) {
    const timeline = new Timeline(recordRun(specOf('runner', { seed, cores: 4, quantumSteps: 200 })));
    const reasons: string[] = [];
    timeline.events({ seq: 0, step: 0 }, timeline.end, ({ event }) => {
      if (event.type === 'restricted-left') reasons.push((event as EventOf<'restricted-left'>).reason);
    });
    t.regex(reasons.map((reason) => reason[0]).join(''), /^SSSEESSKSS$/);
  }
});

test('diff: runs of two schedules part, and come to the same end', (t) => {
  const [a, b] = [1, 2].map((seed) => recordRun(specOf('runner', { seed, cores: 4, quantumSteps: 200 })));
  t.true(diffRecordings(a, a).same);
  const report = diffRecordings(a, b);
  t.false(report.same);
  t.deepEqual(report.outcomes, []);
});
