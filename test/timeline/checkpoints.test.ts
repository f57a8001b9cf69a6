import test from 'ava';
import { launch } from '../../src/loader/launch.js';
import { START } from '../../src/machine/position.js';
import { Checkpoints, worthIt } from '../../src/timeline/checkpoints.js';
import { held } from '../../src/timeline/held.js';
import { Timeline } from '../../src/timeline/timeline.js';
import { recordRun, specOf } from './runs.js';

test('checkpoints hold together what changed between them, not what the machine is made of', (t) => {
  // Half of the run only counts, so that nothing but a few pages of stack and data changes.
  const machine = launch(specOf('spin', { args: ['100000'], quantumSteps: 1000 }));
  const states = [];
  while (!machine.halted) {
    machine.command(1000);
    states.push(machine.checkpoint().state);
  }
  const running = states.filter(({ halt, mainProcess }) => halt === null && mainProcess !== 0);
  t.true(running.length > 500);
  const one = held(running.slice(-1));
  const all = held(running);
  t.true(one.pages >= 15, `${one.pages} pages in one state`);
  // A checkpoint at each slice: apart they would hold 500 × 15 pages.
  t.true(all.pages < one.pages * 6, `${all.pages} pages in ${all.states} states`);
  t.true(all.nodes < running.length * 12 + one.nodes * 6, `${all.nodes} nodes`);
});

test('a page that is written between two checkpoints is held twice, others once', (t) => {
  const machine = launch(specOf('heap-sort', { args: ['2000'] }));
  while (machine.k.state.mainProcess === 0) machine.command();
  const before = machine.checkpoint().state;
  while (!machine.halted && machine.k.state.steps < 100_000) machine.command();
  const after = machine.checkpoint().state;
  const [a, b, both] = [held([before]), held([after]), held([before, after])];
  t.true(both.pages < a.pages + b.pages);
  t.true(both.pages > b.pages);
  t.is(held([after, after]).pages, b.pages);
});

test('a timeline keeps a bounded number of checkpoints, evenly spaced however long the run is', (t) => {
  const machine = launch(specOf('spin', { args: ['20000'], quantumSteps: 50 }));
  const kept = new Checkpoints({ count: 16, pages: 1 << 16 }, { steps: 100, events: 1000 });
  let most = 0;
  while (!machine.halted) {
    if (kept.wants(machine.k.state)) kept.add(machine.checkpoint(), 1);
    most = Math.max(most, kept.count);
    machine.command(50);
  }
  const steps = kept.upTo(machine.position).map(({ state }) => state.steps);
  t.true(most <= 16 && steps.length > 6);
  t.is(steps[0], 0);
  const gaps = steps.slice(1).map((at, i) => at - steps[i]);
  t.true(Math.max(...gaps) < 5 * Math.min(...gaps.slice(1)) + 500, gaps.join(' '));
  t.true(Math.max(...gaps) < (2 * machine.k.state.steps) / 6, gaps.join(' '));
});

test('checkpoints that hold many pages become fewer', (t) => {
  const machine = launch(specOf('spin'));
  const kept = new Checkpoints({ count: 100, pages: 50 }, { steps: 0, events: 0 });
  kept.add(machine.checkpoint(), 0);
  while (machine.k.state.committedPages < 10) machine.command();
  for (let i = 0; i < 40; i++) {
    kept.add(machine.checkpoint(), 10);
    machine.command(10);
  }
  t.true(kept.count <= 8, `${kept.count}`);
  t.deepEqual(kept.before(START)?.state.seq, 0);
});

test('a checkpoint counts for no more pages than there are, however often each was made', (t) => {
  const machine = launch(specOf('spin'));
  while (machine.k.state.committedPages < 10) machine.command();
  const { committedPages } = machine.k.state;
  const kept = new Checkpoints({ count: 100, pages: 10 * committedPages }, { steps: 0, events: 0 });
  for (let i = 0; i < 5; i++) {
    kept.add(machine.checkpoint(), 100 * committedPages);
    machine.command(10);
  }
  t.is(kept.count, 5);
});

test('what a timeline holds is told', (t) => {
  const timeline = new Timeline(recordRun(specOf('hello')));
  timeline.seek(timeline.end);
  const { states, pages, pagesSizeBytes } = timeline.held();
  t.true(states > 1 && pages > 5);
  t.is(pagesSizeBytes, pages * 4096);
});

test('a look from far leaves few checkpoints behind, and the nearer to it the denser', (t) => {
  const timeline = new Timeline(recordRun(specOf('channel-ping-pong', { args: ['200'] })));
  const seq = Math.floor(timeline.end.seq / 2);
  timeline.seek({ seq, step: 0 });
  const { states } = timeline.held();
  t.true(states > 3 && states <= 12, `${states}`);
  for (let back = 1; back < 40; back++) {
    let told = 0;
    timeline.events({ seq: seq - back, step: 0 }, { seq: seq - back + 1, step: 0 }, () => told++);
    t.true(told > 0);
  }
  t.true(timeline.held().states > states);
});

test('a checkpoint that would cost more than running again is not taken', (t) => {
  const { state } = launch(specOf('spin')).checkpoint();
  const later = { ...state, steps: state.steps + 1_000_000, seq: state.seq + 10 };
  t.true(worthIt(state, later, 100));
  t.false(worthIt(state, later, 10_000));
  t.true(worthIt(state, { ...later, seq: state.seq + 10_000 }, 10_000));
});
