import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { Signal } from '../../src/abi/signals.js';
import { ThreadState } from '../../src/abi/threads.js';
import { Harness } from './harness.js';
import { isOpen, koidOf, newEvent, statusName } from './ipc-support.js';
import { ModelJob, ModelProcess, type ModelTask, ModelThread } from './task-model.js';
import {
  ENTRY,
  jobInfo,
  koids,
  newJob,
  newProcess,
  newThread,
  orphans,
  processInfo,
  STACK,
  threadState,
} from './task-support.js';

const OPERATIONS = [
  'create-job',
  'create-process',
  'create-thread',
  'start-process',
  'start-thread',
  'exit-thread',
  'exit-process',
  'kill',
  'close',
] as const;

interface Step {
  readonly operation: (typeof OPERATIONS)[number];
  readonly a: number;
  readonly b: number;
}

const steps = (maxLength: number): fc.Arbitrary<Step[]> =>
  fc.array(fc.record({ operation: fc.constantFrom(...OPERATIONS), a: fc.nat(1000), b: fc.nat(1000) }), {
    minLength: 1,
    maxLength,
    size: 'max',
  });

/** The kernel and the model side by side; the model's root is a job below the test's own. */
class Tree {
  readonly h: Harness;
  readonly tasks: ModelTask[];

  constructor(mode: 'owned' | 'immer' = 'owned') {
    this.h = new Harness({}, mode);
    const handle = newJob(this.h);
    // Height 30 in the kernel; a few levels more or less of the model's are checked elsewhere.
    this.tasks = [new ModelJob(koidOf(this.h, handle), handle, null, 30)];
  }

  private pick<T extends ModelTask>(n: number, wanted: (task: ModelTask) => task is T): T | undefined {
    const list = this.tasks.filter(wanted);
    return list.length === 0 ? undefined : list[n % list.length];
  }

  private readonly openJob = (task: ModelTask): task is ModelJob => task.kind === 'job' && task.open;
  private readonly openProcess = (task: ModelTask): task is ModelProcess =>
    task.kind === 'process' && task.open;
  private readonly openThread = (task: ModelTask): task is ModelThread => task.kind === 'thread' && task.open;
  private readonly running = (task: ModelTask): task is ModelThread =>
    task.kind === 'thread' && task.state === 'running';
  private readonly openTask = (task: ModelTask): task is ModelTask => task.open;
  private readonly killable = (task: ModelTask): task is ModelJob | ModelProcess =>
    task.kind !== 'thread' && task.open;

  /** Does the step on both sides: what the kernel answered and what the model expects; null where nothing fits. */
  step({ operation, a, b }: Step): { is: string; expected: string } | null {
    switch (operation) {
      case 'create-job':
      case 'create-process':
        return this.createInJob(operation, a);
      case 'create-thread':
        return this.createThread(a);
      case 'start-process':
        return this.startProcess(a, b);
      case 'start-thread':
        return this.startThread(a);
      case 'exit-thread':
      case 'exit-process':
        return this.exit(operation, a, BigInt(b) - 500n);
      case 'kill':
        return this.kill(a);
      case 'close':
        return this.close(a);
    }
  }

  private createInJob(operation: 'create-job' | 'create-process', a: number) {
    const { h } = this;
    const job = this.pick(a, this.openJob);
    if (job === undefined || (operation === 'create-job' && job.height === 0)) return null;
    if (job.state !== 'ready') {
      const out = h.scratch(8);
      const is =
        operation === 'create-job'
          ? h.call('zx_job_create', [job.handle, 0, out])
          : h.call('zx_process_create', [job.handle, out, 0, 0, out, out + 4]);
      return { is: statusName(is), expected: 'ERR_BAD_STATE' };
    }
    if (operation === 'create-job') {
      const handle = newJob(h, job.handle);
      this.tasks.push(new ModelJob(koidOf(h, handle), handle, job, job.height - 1));
    } else {
      const { process, vmar } = newProcess(h, job.handle);
      h.call('zx_handle_close', [vmar]);
      this.tasks.push(new ModelProcess(koidOf(h, process), process, job));
    }
    return { is: 'OK', expected: 'OK' };
  }

  private createThread(a: number) {
    const { h } = this;
    const process = this.pick(a, this.openProcess);
    if (process === undefined) return null;
    if (process.state === 'dead') {
      const out = h.scratch(4);
      const is = h.call('zx_thread_create', [process.handle, out, 0, 0, out]);
      return { is: statusName(is), expected: 'ERR_BAD_STATE' };
    }
    const handle = newThread(h, process.handle);
    this.tasks.push(new ModelThread(koidOf(h, handle), handle, process));
    return { is: 'OK', expected: 'OK' };
  }

  private startProcess(a: number, b: number) {
    const { h } = this;
    const thread = this.pick(a, this.openThread);
    const process = this.pick(b, this.openProcess);
    if (thread === undefined || process === undefined) return null;
    const expected = thread.process === process ? thread.startStatus(true) : 'ERR_ACCESS_DENIED';
    const event = newEvent(h);
    const koid = koidOf(h, event);
    const is = statusName(
      h.call('zx_process_start', [process.handle, thread.handle, ENTRY, STACK, event, 0]),
    );
    if (isOpen(h, event)) return { is: `${is}, handle kept`, expected };
    if (expected === 'OK') thread.start();
    else if (h.k.find(koid) !== undefined) return { is: `${is}, object kept`, expected };
    return { is, expected };
  }

  private startThread(a: number) {
    const thread = this.pick(a, this.openThread);
    if (thread === undefined) return null;
    const expected = thread.startStatus(false);
    const is = statusName(this.h.call('zx_thread_start', [thread.handle, ENTRY, STACK, 0, 0]));
    if (expected === 'OK') thread.start();
    return { is, expected };
  }

  private exit(operation: 'exit-thread' | 'exit-process', a: number, code: bigint) {
    const thread = this.pick(a, this.running);
    if (thread === undefined) return null;
    if (operation === 'exit-thread') thread.exit();
    else thread.process.end(code);
    const is =
      operation === 'exit-thread'
        ? this.h.call('zx_thread_exit', [], thread.koid)
        : this.h.call('zx_process_exit', [code], thread.koid);
    return { is: statusName(is), expected: 'gone' };
  }

  private kill(a: number) {
    const task = this.pick(a, this.killable);
    if (task === undefined) return null;
    const is = statusName(this.h.call('zx_task_kill', [task.handle]));
    if (task.kind === 'job') task.kill(-1024n);
    else task.end(-1024n);
    return { is, expected: 'OK' };
  }

  private close(a: number) {
    const task = this.pick(a, this.openTask);
    if (task === undefined) return null;
    const is = statusName(this.h.call('zx_handle_close', [task.handle]));
    task.close();
    return { is, expected: 'OK' };
  }

  /** Every difference between the two. */
  differences(): string[] {
    const out: string[] = [];
    for (const task of this.tasks) {
      const exists = this.h.k.find(task.koid) !== undefined;
      if (exists !== task.exists) out.push(`${task.kind} ${task.koid} exists: ${exists}`);
      if (!exists || !task.open) continue;
      const is = JSON.stringify(this.seen(task), jsonNumber);
      const expected = JSON.stringify(this.expected(task), jsonNumber);
      if (is !== expected) out.push(`${task.kind} ${task.koid} is ${is}, not ${expected}`);
    }
    return [...out, ...orphans(this.h).map((orphan) => `nobody can reach ${orphan}`)];
  }

  private seen(task: ModelTask): unknown {
    const { h } = this;
    const signals = h.k.find(task.koid)?.signals;
    const { handle } = task;
    if (task.kind === 'thread') return { signals, state: threadState(h, handle) };
    if (task.kind === 'process') {
      const { exited, started, returnCode } = processInfo(h, handle);
      return { signals, exited, started, returnCode, threads: koids(h, handle, 'PROCESS_THREADS') };
    }
    const lists = [koids(h, handle, 'JOB_CHILDREN'), koids(h, handle, 'JOB_PROCESSES')];
    return { signals, ...jobInfo(h, handle), lists };
  }

  private expected(task: ModelTask): unknown {
    const sorted = (set: Set<ModelTask>) => [...set].map(({ koid }) => koid).sort((x, y) => x - y);
    const terminated = task.state === 'dead' ? Signal.TASK_TERMINATED : 0;
    if (task.kind === 'thread') {
      const signals = terminated | (task.state === 'running' ? Signal.THREAD_RUNNING : 0);
      const state = { new: ThreadState.NEW, running: ThreadState.RUNNING, dead: ThreadState.DEAD }[
        task.state
      ];
      return { signals, state };
    }
    if (task.kind === 'process') {
      const exited = task.state === 'dead';
      const started = task.state !== 'initial';
      return { signals: terminated, exited, started, returnCode: task.code, threads: sorted(task.threads) };
    }
    const signals =
      terminated |
      (task.jobs.size === 0 ? Signal.JOB_NO_JOBS : 0) |
      (task.processes.size === 0 ? Signal.JOB_NO_PROCESSES : 0);
    const exited = task.state === 'dead';
    return { signals, returnCode: task.code, exited, lists: [sorted(task.jobs), sorted(task.processes)] };
  }

  /** How often each object's TERMINATED came up. */
  terminations(): Map<number, number> {
    const counts = new Map<number, number>();
    const up = new Set<number>();
    for (const event of this.h.events) {
      if (event.type !== 'signals-changed') continue;
      const { koid, signals } = event;
      if ((signals & Signal.TASK_TERMINATED) === 0) up.delete(koid);
      else if (!up.has(koid)) {
        up.add(koid);
        counts.set(koid, (counts.get(koid) ?? 0) + 1);
      }
    }
    return counts;
  }
}

function jsonNumber(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

function follow(t: ExecutionContext, tree: Tree, list: readonly Step[]): void {
  for (const [i, step] of list.entries()) {
    const result = tree.step(step);
    if (result === null) continue;
    t.is(result.is, result.expected, `step ${i}: ${step.operation}`);
    t.deepEqual(tree.differences(), [], `step ${i}: ${step.operation}`);
  }
}

test('random trees of jobs, processes and threads live and die as the model says', (t) => {
  fc.assert(
    fc.property(steps(60), (list) => {
      const tree = new Tree();
      follow(t, tree, list);
    }),
    { numRuns: 100 },
  );
});

test('when everything is killed and closed, nothing is left but what was there', (t) => {
  fc.assert(
    fc.property(steps(60), (list) => {
      const tree = new Tree();
      const before = tree.h.k.state.objects.size;
      follow(t, tree, list);
      const root = tree.tasks[0];
      // The root's handle may be closed already: then its processes are ended one by one, by their threads.
      if (root.open) follow(t, tree, [{ operation: 'kill', a: 0, b: 0 }]);
      while (tree.tasks.some((task) => task.kind === 'thread' && task.state === 'running')) {
        follow(t, tree, [{ operation: 'exit-process', a: 0, b: 500 }]);
      }
      while (tree.tasks.some((task) => task.open)) follow(t, tree, [{ operation: 'close', a: 0, b: 0 }]);
      t.is(tree.h.k.state.objects.size, before - 1);
      t.is(tree.h.k.state.registers.size, 1);
      t.is(tree.h.k.state.regions, 2, "the test process's VMAR and its one mapping");
      for (const task of tree.tasks) {
        const dead = task.state === 'dead' ? 1 : 0;
        t.is(tree.terminations().get(task.koid) ?? 0, dead, `${task.kind} ${task.koid}`);
      }
    }),
    { numRuns: 60 },
  );
});

test('owned and drafted states agree after any steps', (t) => {
  fc.assert(
    fc.property(steps(40), (list) => {
      const hashes = (['owned', 'immer'] as const).map((mode) => {
        const tree = new Tree(mode);
        for (const step of list) tree.step(step);
        return tree.h.hash();
      });
      t.is(hashes[0], hashes[1]);
    }),
    { numRuns: 30 },
  );
});
