import { Status, type StatusName } from '../abi/status.js';

type Errors<N> = N extends 'OK' ? never : N;
/** `ZX_ERR_*`. */
export type ErrorStatus = `ZX_${Errors<StatusName>}`;

/** Statuses that any call may give besides its own: it is not built, or the machine is full. */
type General = 'ZX_ERR_NOT_SUPPORTED' | 'ZX_ERR_NO_MEMORY';

/**
 * What a call came to. All out-values are there when it succeeded; all are null when it did not. Telling `status`
 * apart tells the type of the rest.
 */
export type Result<Outs = unknown, E extends ErrorStatus = ErrorStatus> =
  | ({ readonly status: 'ZX_OK' } & Readonly<Outs>)
  | ({ readonly status: E | General } & { readonly [K in keyof Outs]: null });

/** The same for calls that give their out-values with some errors too: those of `Also`. */
export type PartialResult<Outs, Also extends ErrorStatus, E extends ErrorStatus> =
  | Result<Outs, E>
  | ({ readonly status: Also } & Readonly<Outs>);

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Status).map(([name, value]) => [value, `ZX_${name}`]),
);

/** `ZX_OK`, `ZX_ERR_…`; a number that is no status as decimal text. */
export function statusText(value: number): string {
  return NAMES.get(value) ?? String(value);
}

/** Thrown by `must`. */
export class Failed extends Error {
  override name = 'Failed';
  constructor(readonly status: ErrorStatus) {
    super(status);
  }
}

/**
 * The result of a call that is expected to succeed: with its out-values, not null.
 * @throws Failed when it did not
 */
export function must<R extends { readonly status: string }>(
  result: R,
): Extract<R, { readonly status: 'ZX_OK' }> {
  if (result.status !== 'ZX_OK') throw new Failed(result.status as ErrorStatus);
  return result as Extract<R, { readonly status: 'ZX_OK' }>;
}

/** Gives a result other out-values: those of success are made from the ones it has. */
export function mapped<Outs, E extends ErrorStatus, Made extends Readonly<Record<string, unknown>>>(
  result: Result<Outs, E>,
  keys: readonly (keyof Made & string)[],
  make: (outs: Readonly<Outs>) => Made,
): Result<Made, E> {
  if (result.status === 'ZX_OK') return { status: 'ZX_OK', ...make(result as Readonly<Outs>) };
  return { status: result.status, ...nulls(keys) } as Result<Made, E>;
}

/** Out-values of a failure. */
export function nulls(keys: readonly string[]): Record<string, null> {
  return Object.fromEntries(keys.map((key) => [key, null]));
}
