import { SYSCALLS } from '../src/abi/syscalls.js';
import { isBuilt } from '../src/kernel/syscalls/dispatch.js';
import { type CallReport, CORE_CALLS, survey } from '../test/conformance/survey.js';

/**
 * Prints, by family: calls built of all there are, and status causes proven by a case, excused with a reason, and
 * all there are; and the calls of drivers and hypervisors, which nobody can make here. With names of families as arguments: each cause of theirs that has neither.
 */

interface Count {
  built: number;
  calls: number;
  proven: number;
  excused: number;
  causes: number;
}

function add(count: Count, { built, causes }: CallReport): void {
  count.calls++;
  if (built) count.built++;
  count.causes += causes.length;
  for (const { verdict } of causes) {
    if (verdict === 'proven') count.proven++;
    if (verdict === 'excused') count.excused++;
  }
}

const empty = (): Count => ({ built: 0, calls: 0, proven: 0, excused: 0, causes: 0 });

function line(name: string, { built, calls, proven, excused, causes }: Count): string {
  const callsText = `${built}/${calls}`.padStart(9);
  const causesText = `${proven} + ${excused} / ${causes}`.padStart(18);
  return `${name.padEnd(14)}${callsText}${causesText}`;
}

const reports = CORE_CALLS.map(survey);
const families = new Map<string, Count>();
const total = empty();
for (const report of reports) {
  const { category } = report.call;
  const family = families.get(category) ?? empty();
  families.set(category, family);
  add(family, report);
  add(total, report);
}
console.log(`${'family'.padEnd(14)}${'calls'.padStart(9)}${'proven + excused'.padStart(18)}`);
for (const [name, count] of [...families].sort(([a], [b]) => (a < b ? -1 : 1)))
  console.log(line(name, count));
console.log(line('all', total));
const others = SYSCALLS.filter(({ name, tier }) => tier === 'ddk' && !isBuilt(name)).map(({ name }) =>
  name.replace('zx_', ''),
);
console.log(`\n${others.length} calls of drivers and hypervisors are refused: ${others.join(', ')}`);

const asked = new Set(process.argv.slice(2));
for (const { call, causes, invalid } of reports) {
  if (!asked.has(call.category)) continue;
  if (invalid !== null) console.log(`${call.name}: valid arguments gave ${invalid}`);
  for (const { status, cause, verdict, detail } of causes) {
    if (verdict === 'missing' || verdict === 'wrong')
      console.log(`${call.name}: ${status} '${cause}': ${verdict} ${detail}`);
  }
}
