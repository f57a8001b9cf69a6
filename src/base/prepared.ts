/** Bytes by name that follow from the code alone. */
const made = new Map<string, Uint8Array>();

/** Bytes that take a while to make, under a name that says all they depend on; a build may have made them ahead. */
export function prepared(name: string, make: () => Uint8Array): Uint8Array {
  let bytes = made.get(name);
  if (bytes === undefined) {
    bytes = make();
    made.set(name, bytes);
  }
  return bytes;
}

/** What gives bytes that are more the more code was used. */
const collectors = new Map<string, () => Uint8Array>();

/** Bytes that a build kept under a name that says all they depend on; it asks `collect` for them at its end. */
export function kept(name: string, collect: () => Uint8Array): Uint8Array | undefined {
  collectors.set(name, collect);
  return made.get(name);
}

/** What was made so far, for a build to keep. */
export function preparedSoFar(): [name: string, bytes: Uint8Array][] {
  return [...made, ...[...collectors].map(([name, collect]) => [name, collect()] as [string, Uint8Array])];
}

/** Gives what a build of the same code kept. */
export function prepare(kept: Iterable<readonly [name: string, bytes: Uint8Array]>): void {
  for (const [name, bytes] of kept) made.set(name, bytes);
}
