/**
 * A point of a run: after `seq` kernel events, and `step` instructions after the last of them. Total order, the
 * same on every host.
 */
export interface Position {
  readonly seq: number;
  readonly step: number;
}

export const START: Position = { seq: 0, step: 0 };

export function comparePositions(a: Position, b: Position): number {
  return a.seq - b.seq || a.step - b.step;
}

export function formatPosition(p: Position): string {
  return `${p.seq}:${p.step}`;
}
