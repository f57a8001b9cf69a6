import { InfoTopic, type InfoTopicName } from '../../src/abi/info.js';
import { decodeStruct, type StructName, type StructValues, sizeOf } from '../../src/abi/structs.js';
import { ProcessInfoFlag } from '../../src/abi/threads.js';
import type { Harness } from './harness.js';
import { koidOf, statusName, text } from './ipc-support.js';

/** Entry and stack of threads that never run an instruction. */
export const ENTRY = 0x400000n;
export const STACK = 0x7ff0000n;

function must(result: ReturnType<Harness['call']>, what: string): void {
  if (result !== 0n) throw new Error(`${what}: ${statusName(result)}`);
}

export function newJob(h: Harness, parent = h.handles.job): number {
  const out = h.scratch(4);
  must(h.call('zx_job_create', [parent, 0, out]), 'zx_job_create');
  return h.u32(out);
}

/** A process that has not started: handles to it and to its root VMAR. */
export function newProcess(
  h: Harness,
  job = h.handles.job,
  name = 'child',
): { process: number; vmar: number } {
  const out = h.scratch(8);
  const at = h.scratch(text(name));
  must(h.call('zx_process_create', [job, at, name.length, 0, out, out + 4]), 'zx_process_create');
  return { process: h.u32(out), vmar: h.u32(out + 4) };
}

/** A thread that has not started. */
export function newThread(h: Harness, process = h.handles.process, name = 'thread'): number {
  const out = h.scratch(4);
  must(h.call('zx_thread_create', [process, h.scratch(text(name)), name.length, 0, out]), 'zx_thread_create');
  return h.u32(out);
}

/** A process with one thread that runs. */
export function newRunning(
  h: Harness,
  job = h.handles.job,
): { process: number; vmar: number; thread: number } {
  const { process, vmar } = newProcess(h, job);
  const thread = newThread(h, process);
  must(h.call('zx_process_start', [process, thread, ENTRY, STACK, 0, 0]), 'zx_process_start');
  return { process, vmar, thread };
}

const INFO_BYTES = 8192;
const buffers = new WeakMap<Harness, number>();

/** What zx_object_get_info writes: the buffer, and both counts. Scratch memory is taken once, for long runs. */
export function info(h: Harness, handle: number, topic: InfoTopicName) {
  const counts = buffers.get(h) ?? h.scratch(16 + INFO_BYTES);
  buffers.set(h, counts);
  const buffer = counts + 16;
  must(
    h.call('zx_object_get_info', [handle, InfoTopic[topic], buffer, INFO_BYTES, counts, counts + 8]),
    topic,
  );
  return { view: h.peek(buffer, INFO_BYTES), actual: h.u64(counts), avail: h.u64(counts + 8) };
}

/** The koids of a list topic. */
export function koids(h: Harness, handle: number, topic: InfoTopicName): number[] {
  const { view, actual } = info(h, handle, topic);
  return Array.from({ length: Number(actual) }, (_, i) => Number(view.getBigUint64(8 * i, true)));
}

/** Return code, start time and flags of a process, through its handle. */
export function processInfo(h: Harness, handle: number) {
  const { view } = info(h, handle, 'PROCESS');
  const flags = view.getUint32(16, true);
  return {
    returnCode: view.getBigInt64(0, true),
    startedNs: view.getBigInt64(8, true),
    started: (flags & ProcessInfoFlag.STARTED) !== 0,
    exited: (flags & ProcessInfoFlag.EXITED) !== 0,
  };
}

export function jobInfo(h: Harness, handle: number) {
  const { view } = info(h, handle, 'JOB');
  return { returnCode: view.getBigInt64(0, true), exited: view.getUint8(8) !== 0 };
}

/** `ZX_THREAD_STATE_*` of a thread. */
export function threadState(h: Harness, handle: number): number {
  return info(h, handle, 'THREAD').view.getUint32(0, true);
}

/** The main thread of a process, by the process's handle. */
export function threadKoids(h: Harness, process: number): number[] {
  return [...h.k.get(koidOf(h, process), 'process').threads.keys()];
}

/** Everything that nobody can reach: no handle, nothing mapped, no task that keeps it alive. */
export function orphans(h: Harness): string[] {
  const out: string[] = [];
  for (const object of h.k.state.objects.values()) {
    if (object.handleCount > 0 || object.koid === h.k.state.mainProcess) continue;
    const kept =
      (object.kind === 'job' && (object.parent === 0 || object.jobs.size > 0 || object.processes.size > 0)) ||
      (object.kind === 'process' && object.life === 'running') ||
      (object.kind === 'thread' && (object.life === 'ready' || object.life === 'blocked')) ||
      (object.kind === 'vmar' && !object.destroyed) ||
      (object.kind === 'vmo' && object.mappings > 0);
    if (!kept) out.push(`${object.kind} ${object.koid}`);
  }
  return out;
}

/** The records of a topic, decoded. */
export function records<N extends StructName>(
  h: Harness,
  handle: number,
  topic: InfoTopicName,
  name: N,
): StructValues[N][] {
  const { view, actual, avail } = info(h, handle, topic);
  if (actual !== avail) throw new Error(`${topic}: ${actual} of ${avail}`);
  const size = sizeOf(name);
  return Array.from({ length: Number(actual) }, (_, i) =>
    decodeStruct(name, new Uint8Array(view.buffer, view.byteOffset + size * i, size)),
  );
}

export function record<N extends StructName>(
  h: Harness,
  handle: number,
  topic: InfoTopicName,
  name: N,
): StructValues[N] {
  return records(h, handle, topic, name)[0];
}

/** A name field up to its NUL. */
export function nameOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
}
