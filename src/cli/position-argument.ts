import { type Position, parsePosition } from '../machine/position.js';
import { UserError } from './errors.js';

/**
 * A position as users write it.
 * @param end of the run, asked for only where the text is about it
 * @throws UserError
 */
export function positionArgument(text: string, end: () => Position): Position {
  const position = parsePosition(text, end);
  if (position === null)
    throw new UserError(`not a position, ${text}, give seq:step, seq, start, end or NN%`);
  return position;
}
