import { formatPosition, type Position } from '../machine/position.js';
import { clip, hex64 } from '../timeline/text.js';
import { isInitial } from './different-value.js';
import {
  type AccessMoment,
  type Both,
  type Cause,
  type DifferentAnswer,
  type DifferentValue,
  type DiffReport,
  type LostUpdate,
  type Moment,
  type Parting,
  SIDES,
  type SideName,
  type SideSummary,
  type ThreadDifference,
} from './report.js';
import { amount, nameOf } from './words.js';

const COLUMNS = 80;
const MAX_THREADS = 5;
const MAX_VARIABLES = 4;
const FRAMES = 4;

/**
 * The report for people: the cause first, then what shows it, then commands to look by hand. About a screen.
 * @param files names of the recordings
 */
export function reportText(report: DiffReport, files: Both<string>): string {
  const lines = [
    ...sides(report, files),
    '',
    ...cause(report.cause, files),
    ...section('Outcome', outcomeLines(report)),
    ...section('First difference', firstLines(report)),
    ...section('Threads, each on its own', threadLines(report)),
  ].map((line) => clip(line, COLUMNS));
  // Commands are to be copied: those stay whole.
  return [...lines, ...section('To look by hand', commands(report, files))]
    .map((line) => `${line}\n`)
    .join('');
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

/** Words on lines of at most 80 columns; those after the first are indented by two more. */
function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = ' '.repeat(indent);
  for (const word of text.split(' ')) {
    if (line.trim() !== '' && line.length + word.length + 1 > COLUMNS) {
      lines.push(line);
      line = ' '.repeat(indent + 2);
    }
    line += line.trim() === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}

function label(side: SideName): string {
  return side.toUpperCase();
}

function sides({ sides: both, setup }: DiffReport, files: Both<string>): string[] {
  const line = (side: SideName, { program, seed, cores, steps, ended }: SideSummary): string =>
    `${label(side)}  ${files[side]}  ${program}, seed ${seed}, ${cores} ${cores === 1 ? 'core' : 'cores'}: ` +
    `${ended} after ${steps} steps`;
  const others = setup.filter(({ what }) => what !== 'seed' && what !== 'cores' && what !== 'program');
  return [
    ...SIDES.flatMap((side) => wrap(line(side, both[side]), 0)),
    ...others.flatMap(({ what, a, b }) => wrap(`other ${what}: A ${a}, B ${b}`, 3)),
  ];
}

function cause(found: Cause, files: Both<string>): string[] {
  const head = wrap(`Cause: ${found.summary}`, 0);
  switch (found.kind) {
    case 'lost-update':
      return [
        ...wrap(`Cause: lost update of ${found.what} in ${label(found.side)} (${files[found.side]})`, 0),
        ...lostUpdate(found),
      ];
    case 'value':
      return [
        ...head,
        ...SIDES.flatMap((side) => differentValue(found, side)),
        ...found.consequences.flatMap((summary) => wrap(`so ${summary}`, 2)),
      ];
    case 'answer':
      return [
        ...head,
        ...SIDES.flatMap((side) => differentAnswer(found, side)),
        ...found.consequences.flatMap((summary) => wrap(`so ${summary}`, 2)),
      ];
    case 'syscall':
      return [...head, ...SIDES.flatMap((side) => wrap(`${label(side)}  ${callText(found.calls[side])}`, 2))];
    case 'deadlock':
      return [...head, ...found.waits.slice(0, MAX_THREADS * 2).flatMap((wait) => wrap(wait, 2))];
    default:
      return head;
  }
}

/** `  241:2109    teller-4 read 46 in deposit+0xe` */
function at(position: Position, text: string): string[] {
  const [first, ...rest] = wrap(text, 14);
  return [`  ${formatPosition(position).padEnd(12)}${first.trimStart()}`, ...rest];
}

function lostUpdate(found: LostUpdate): string[] {
  const { load, overwritten, overwrittenCount, store, switched, counts, side, other } = found;
  const victim = nameOf(load.thread);
  const more = overwrittenCount - 1;
  const times = ({ times: count, stores, complete }: LostUpdate['counts']['a']): string =>
    count === 0
      ? `never${complete ? '' : ' in the part looked at'}`
      : `${count} ${count === 1 ? 'time' : 'times'}, ${stores} stores lost`;
  return [
    ...at(load.position, `${victim} read ${amount(load)} in ${load.where}`),
    ...(switched === null ? [] : at(switched.position, switchText(switched, victim))),
    ...at(
      overwritten[0].position,
      `${nameOf(overwritten[0].thread)} wrote ${amount(overwritten[0])} in ${overwritten[0].where}`,
    ),
    ...(more === 0
      ? []
      : [
          `${' '.repeat(14)}and ${more} more ${more === 1 ? 'store' : 'stores'} by others: ${overwritten.slice(1).map(amount).join(', ')}${more > overwritten.length - 1 ? ', ...' : ''}`,
        ]),
    ...at(
      store.position,
      `${victim} wrote ${amount(store)} in ${store.where}: what others wrote since its read is lost`,
    ),
    ...stackLines(victim, load),
    ...stackLines(nameOf(overwritten[0].thread), overwritten[0]),
    ...wrap(`A: ${times(counts.a)}. B: ${times(counts.b)}.`, 2),
    ...(other === null ? [] : wrap(otherText(found, side === 'a' ? 'b' : 'a'), 2)),
  ];
}

function switchText({ preempted, text }: NonNullable<LostUpdate['switched']>, victim: string): string {
  return preempted
    ? `the scheduler preempted ${victim} between its load and its store: ${text}`
    : `the scheduler let another core run between ${victim}'s load and store: ${text}`;
}

function otherText({ other, load: { thread }, counts }: LostUpdate, side: SideName): string {
  if (other === null) return '';
  const { load, writer, store } = other;
  const by =
    writer === null ? '' : ` that ${nameOf(writer.thread)} wrote at ${formatPosition(writer.position)}`;
  const between = counts[side].times === 0 ? ', with no store of others in between' : '';
  return (
    `In ${label(side)} the same store of ${nameOf(thread)} was right: it read ${amount(load)}${by}, ` +
    `and wrote ${amount(store)} at ${formatPosition(store.position)}${between}.`
  );
}

function stackLines(name: string, { stack }: Moment): string[] {
  return stack.length < 2 ? [] : wrap(`${name}: ${stack.slice(0, FRAMES).join(' < ')}`, 2);
}

function differentAnswer({ what, answers }: DifferentAnswer, side: SideName): string[] {
  const answer = answers[side];
  const who = nameOf(answer.thread);
  const { from } = answer;
  return [
    `  ${label(side)}`,
    ...at(answer.position, `${what} gave ${who} ${answer.text}`),
    ...(from === null ? [] : wrap(`because of ${madeBy(from)}`, 14)),
    ...stackLines(who, answer),
    ...(from === null || from.thread === null ? [] : stackLines(nameOf(from.thread), from)),
  ];
}

/** `writer in zx_channel_write at 208:0`, `a deadline at 237:0` */
function madeBy({ thread, where, position }: Moment): string {
  return `${thread === null ? where : `${nameOf(thread)} in ${where}`} at ${formatPosition(position)}`;
}

function differentValue({ what, load, writer, next, also }: DifferentValue, side: SideName): string[] {
  const read = load[side];
  const before = writer[side];
  const after = next[side];
  return [
    `  ${label(side)}`,
    ...at(read.position, `${nameOf(read.thread)} read ${what} = ${amount(read)} in ${read.where}`),
    ...(also.length === 0
      ? []
      : wrap(
          `just before, ${also.map((other) => `${other.name} = ${amount({ ...other, value: other[side] })}`).join(', ')}`,
          14,
        )),
    ...(before === null || isInitial(before) ? [] : wrap(`written by ${madeBy(before)}`, 14)),
    ...(after === null ? [] : wrap(`written next, ${amount(after)}, by ${madeBy(after)}`, 14)),
    ...stackLines(nameOf(read.thread), read),
  ];
}

function callText(call: ThreadDifference['calls']['a']): string {
  if (call === null) return 'does nothing more';
  return `${call.text} at ${formatPosition(call.position)}`;
}

function outcomeLines({ outcomes, memory: { variables, more } }: DiffReport): string[] {
  const lines = outcomes.flatMap(({ kind, what, a, b }) =>
    kind === 'exit' ? [`  ${what}: A ${a}, B ${b}`] : [`  ${what}`, `    A  ${a}`, `    B  ${b}`],
  );
  const told = variables.slice(0, MAX_VARIABLES).map(({ name, sizeBytes, a, b }) => {
    const text = (value: bigint): string => amount({ value, sizeBytes });
    return `${name} (${text(a)}, ${text(b)})`;
  });
  const rest = more + variables.length - told.length;
  if (told.length > 0)
    lines.push(...wrap(`variables (A, B): ${told.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`, 2));
  return lines;
}

function firstLines({ first }: DiffReport): string[] {
  if (first === null) return [];
  const { kind, position, a, b } = first;
  return [
    `  ${kind}, at ${formatPosition(position)}; all before it is alike`,
    ...wrap(`A  ${a}`, 4),
    ...wrap(`B  ${b}`, 4),
  ];
}

function threadLines({ threads, threadCounts: { same, differ } }: DiffReport): string[] {
  if (differ === 0) return [];
  const lines = threads.slice(0, MAX_THREADS).flatMap((thread) => wrap(threadText(thread), 2));
  const rest = differ - Math.min(threads.length, MAX_THREADS);
  const counts = [`${same} the same in both runs`, ...(rest > 0 ? [`${rest} more differ`] : [])];
  return [...lines, `  ${counts.join(', ')}`];
}

const LEVELS = {
  outcome: 'differs in what the world sees',
  calls: 'differs in its system calls',
  path: 'makes the same system calls, not in the same number of steps',
} as const;

function threadText({ thread, level, calls, parting }: ThreadDifference): string {
  const name = nameOf(thread.a ?? thread.b);
  if (thread.a === null || thread.b === null) return `${name}: only in ${thread.a === null ? 'B' : 'A'}`;
  const call = level === 'path' ? '' : `, ${(calls.a ?? calls.b)?.where ?? ''}`;
  return `${name}: ${LEVELS[level]}${call}${parting === null ? '' : `; ${partingText(parting)}`}`;
}

function partingText({ kind, benign, what, a, b, answers }: Parting): string {
  const where = `at ${formatPosition(a.position)} in A, ${formatPosition(b.position)} in B`;
  const note = benign === null ? '' : ` (${benign})`;
  const text =
    benign === 'address' || benign === 'handle' ? ({ value }: AccessMoment) => hex64(value) : amount;
  switch (kind) {
    case 'memory':
      return `${a.where} read ${what}: ${text(a)} and ${text(b)}, ${where}${note}`;
    case 'syscall':
      return `${what} gave ${answers?.a} and ${answers?.b}, ${where}${note}`;
    case 'control flow':
      return `goes on to ${a.where} and ${b.where}, ${where}${note}`;
  }
}

function commands({ cause: found, first, sides: both }: DiffReport, files: Both<string>): string[] {
  const lines: string[] = [];
  const show = (side: SideName, { position, thread }: Moment): void => {
    const whose = thread === null ? '' : ` regs --thread ${thread.koid}`;
    lines.push(`  jacinth show ${shellWord(files[side])} --at ${formatPosition(position)}${whose}`);
  };
  switch (found.kind) {
    case 'lost-update': {
      const { side, load, store, what, process } = found;
      const whose = process === both[side].mainProcess ? '' : ` --process ${process}`;
      const file = shellWord(files[side]);
      const end = formatPosition(store.position);
      show(side, load);
      lines.push(
        `  jacinth events ${file} --from ${formatPosition(load.position)} --to ${end}`,
        `  jacinth writes ${file} --addr ${what}${whose} --before ${end} --last`,
      );
      break;
    }
    case 'value':
      for (const side of SIDES) show(side, found.load[side]);
      break;
    case 'answer':
      for (const side of SIDES) show(side, found.answers[side]);
      break;
    case 'syscall':
      for (const side of SIDES) if (found.calls[side] !== null) show(side, found.calls[side]);
      break;
    case 'deadlock':
      lines.push(`  jacinth show ${shellWord(files[found.side])} --at end threads`);
  }
  if (first !== null)
    lines.push(`  jacinth events ${shellWord(files.b)} --from ${Math.max(0, first.position.seq - 1)} | head`);
  return lines;
}

/** A file's name as a shell takes it. */
function shellWord(name: string): string {
  return /^[\w@%+=:,./-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
}
