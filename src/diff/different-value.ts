import { comparePositions } from '../machine/position.js';
import { integerOf } from '../timeline/text.js';
import { lastWriter, type MemoryWrite } from '../timeline/writes.js';
import { type Accesses, accessMoment, LOADER, type Variable } from './accesses.js';
import {
  type AccessMoment,
  type Both,
  type DifferentValue,
  type Parting,
  SIDES,
  type SideName,
} from './report.js';
import type { Run } from './run.js';
import { amount, nameOf } from './words.js';

/**
 * A load that gave a thread another value than in the other run, with who wrote before and after it; null where the
 * thread itself had written both values, which explains nothing.
 * @throws Diverged
 */
export function differentValue(
  runs: Both<Run>,
  parting: Parting,
  variable: Variable,
  accesses: Both<Accesses>,
): DifferentValue | null {
  const { name, address } = variable;
  const load = { a: parting.a, b: parting.b };
  const writer = {
    a: writerBefore(runs.a, variable, load.a, 'a'),
    b: writerBefore(runs.b, variable, load.b, 'b'),
  };
  const next = { a: writerAfter(runs.a, accesses.a, load.a), b: writerAfter(runs.b, accesses.b, load.b) };
  if (SIDES.every((side) => writer[side] !== null && writer[side].thread?.koid === load[side].thread?.koid))
    return null;
  const [first, second] = SIDES.map(
    (side) => `${amount(load[side])}, ${origin(writer[side])}, in ${side.toUpperCase()}`,
  );
  return {
    kind: 'value',
    summary: `${nameOf(load.a.thread)} read ${name} = ${first}, but ${second}`,
    what: name,
    address,
    load,
    writer,
    next,
    also: parting.also,
    consequences: [],
  };
}

/** What stood in memory before any thread wrote there was put there by the loader. */
export function isInitial(writer: AccessMoment | null): boolean {
  return writer === null || (writer.thread === null && writer.where === LOADER);
}

function origin(writer: AccessMoment | null): string {
  return isInitial(writer) ? 'its first value' : `which ${nameOf(writer?.thread ?? null)} wrote`;
}

function writerBefore(
  run: Run,
  { processes, address, sizeBytes }: Variable,
  load: AccessMoment,
  side: SideName,
): AccessMoment | null {
  const write = lastWriter(run.timeline, processes[side], address, sizeBytes, load.position);
  return write === null ? null : writeMoment(run, write);
}

function writeMoment(run: Run, { position, thread, pc, syscall, after }: MemoryWrite): AccessMoment {
  return accessMoment(run, {
    kind: 'store',
    position,
    thread,
    pc: pc === null ? null : Number(pc),
    call: syscall,
    value: integerOf(after),
    sizeBytes: after.length,
  });
}

function writerAfter(run: Run, { list }: Accesses, load: AccessMoment): AccessMoment | null {
  const next = list.find(
    ({ kind, thread, position }) =>
      kind === 'store' && thread !== load.thread?.koid && comparePositions(position, load.position) > 0,
  );
  return next === undefined ? null : accessMoment(run, next);
}
