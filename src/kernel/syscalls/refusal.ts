import { Status } from '../../abi/status.js';

/** Thrown by a decider that says no before anything happened; dispatch turns it into the call's status. */
export class Refusal {
  constructor(readonly status: number) {}
}

/** Ends the call with a status. Nothing was emitted yet that would have to be undone. */
export function refuse(status: number): never {
  throw new Refusal(status);
}

/** For the checks that every call has. */
export function requireArgs(condition: boolean): void {
  if (!condition) refuse(Status.ERR_INVALID_ARGS);
}
