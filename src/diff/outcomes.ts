import { exitStatus } from '../machine/exit-status.js';
import { formatPosition } from '../machine/position.js';
import { printable } from '../timeline/text.js';
import type { History } from './history.js';
import type { Both, OutcomeDifference } from './report.js';
import type { Run } from './run.js';

/** The recording does not hold the run's end. */
export function isCut({ history }: Run): boolean {
  return history.halt === null;
}

/** How a run ended, in a few words. */
export function endText({ history: { halt }, timeline }: Run): string {
  if (halt === null) return `cut at ${formatPosition(timeline.end)}`;
  switch (halt.kind) {
    case 'deadlock':
      return 'deadlock';
    case 'step-limit':
      return 'step limit';
    case 'exited':
      return exitStatus(halt) === 134 ? 'killed' : `exit ${exitStatus(halt)}`;
  }
}

/** What the world sees of two runs, where it differs. A cut recording does not say how its run ended. */
export function compareOutcomes({ a, b }: Both<Run>): OutcomeDifference[] {
  const found: OutcomeDifference[] = [];
  const cut = isCut(a) || isCut(b);
  const ends = { a: endText(a), b: endText(b) };
  if (!cut && ends.a !== ends.b) found.push({ kind: 'exit', what: 'how they end', ...ends });
  const line = differingLine(a.history.console, b.history.console, cut);
  if (line !== null) found.push({ kind: 'console', ...line });
  return found;
}

function differingLine(
  a: History['console'],
  b: History['console'],
  cut: boolean,
): { what: string; a: string; b: string } | null {
  const lines = { a: linesOf(a), b: linesOf(b) };
  const common = Math.min(lines.a.length, lines.b.length);
  let i = 0;
  while (i < common && lines.a[i] === lines.b[i]) i++;
  // The last line of a cut run may be half a line.
  if (cut && i >= common - 1) return null;
  if (i < Math.max(lines.a.length, lines.b.length)) {
    return { what: `console, line ${i + 1}`, a: lines.a[i] ?? 'nothing', b: lines.b[i] ?? 'nothing' };
  }
  if (cut || (a.sizeBytes === b.sizeBytes && a.rest === b.rest)) return null;
  const size = ({ sizeBytes }: History['console']): string => `${sizeBytes} bytes`;
  return { what: `console, behind its first ${a.head.length} bytes`, a: size(a), b: size(b) };
}

function linesOf({ head }: History['console']): string[] {
  const lines = new TextDecoder().decode(head).split('\n');
  // What ends in a newline has no last line behind it.
  if (lines.at(-1) === '') lines.pop();
  return lines.map(printable);
}
