/** Thrown when Jacinth itself is wrong: never for a guest's, a file's or a user's mistake. */
export class AssertionError extends Error {
  override name = 'AssertionError';
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
