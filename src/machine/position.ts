/**
 * A point of a run: after `seq` kernel events, and `step` instructions after the last of them. Total order, the
 * same on every host.
 */
export interface Position {
  readonly seq: number;
  readonly step: number;
}

export const START: Position = { seq: 0, step: 0 };
export const AFTER_EVERYTHING: Position = { seq: Number.MAX_SAFE_INTEGER, step: 0 };

export function comparePositions(a: Position, b: Position): number {
  return a.seq - b.seq || a.step - b.step;
}

export function formatPosition(p: Position): string {
  return `${p.seq}:${p.step}`;
}

/**
 * `seq:step`, `seq`, `start`, `end` or `NN%` (of the kernel events); numbers may be 0x. Null for anything else.
 * @param end asked only when the text needs it
 */
export function parsePosition(text: string, end: () => Position): Position | null {
  if (text === 'start') return START;
  if (text === 'end') return end();
  const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text);
  if (percent !== null) {
    const share = Number(percent[1]);
    if (share > 100) return null;
    return share === 100 ? end() : { seq: Math.floor((end().seq * share) / 100), step: 0 };
  }
  const number = '(0x[0-9a-fA-F]+|[0-9]+)';
  const match = new RegExp(`^${number}(?::${number})?$`).exec(text);
  if (match === null) return null;
  const position = { seq: Number(match[1]), step: Number(match[2] ?? 0) };
  return Number.isSafeInteger(position.seq) && Number.isSafeInteger(position.step) ? position : null;
}
