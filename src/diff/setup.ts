import type { RecordingHeader } from '../recording/format/header.js';
import { printable } from '../timeline/text.js';
import type { SetupDifference } from './report.js';

type Field = readonly [what: string, read: (header: RecordingHeader) => string];

const image = ({ images }: RecordingHeader): string => images[0]?.digest ?? 'none';

/** With one of these unlike, two runs are not runs of one thing: nothing else is compared. */
const SUBJECT: readonly Field[] = [
  ['instruction set', ({ arch }) => arch],
  ['ABI', ({ abi }) => abi],
  ['way to start programs', ({ bootstrap }) => String(bootstrap)],
  ['program', (header) => `${header.images[0]?.name ?? 'none'} (${image(header).slice(0, 12)})`],
  ['arguments', (header) => JSON.stringify(header.arguments.slice(1))],
  ['environment', ({ environment }) => JSON.stringify(environment)],
];

const CHOICES: readonly Field[] = [
  ['version of Jacinth', ({ jacinth }) => jacinth],
  ['cores', ({ machine }) => String(machine.cores)],
  ['quantum', ({ machine }) => String(machine.quantum)],
  ['strategy', ({ machine }) => machine.strategy],
  ['seed', ({ machine }) => String(machine.seed)],
  ['entropy seed', ({ machine }) => String(machine.entropySeed)],
  ['step limit', ({ machine }) => String(machine.maxSteps ?? 'none')],
  ['random addresses', ({ machine }) => String(machine.aslr === true)],
  ['memory pages', ({ machine }) => String(machine.physicalPages)],
];

/** Whether one address means the same in both runs: with random addresses, only those of one entropy seed do. */
export function sameAddresses(a: RecordingHeader, b: RecordingHeader): boolean {
  const random = [a, b].map(({ machine }) => (machine.aslr === true ? machine.entropySeed : null));
  return random[0] === random[1];
}

/** What was chosen otherwise for two runs, and whether that makes them runs of unlike things. */
export function compareSetups(
  a: RecordingHeader,
  b: RecordingHeader,
): { readonly differences: readonly SetupDifference[]; readonly unlike: readonly SetupDifference[] } {
  const compare = (fields: readonly Field[]): SetupDifference[] =>
    fields
      .map(([what, read]) => ({ what, a: printable(read(a)), b: printable(read(b)) }))
      .filter(
        ({ what, a: left, b: right }) => left !== right && !(what === 'program' && image(a) === image(b)),
      );
  const unlike = compare(SUBJECT);
  return { differences: [...unlike, ...compare(CHOICES)], unlike };
}
