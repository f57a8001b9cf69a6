import { MAGENTA_CALLS, type MagentaCall } from '../abi/magenta.js';
import { Status } from '../abi/status.js';
import { syscallByName } from '../abi/syscalls.js';
import type { VdsoCall } from './vdso.js';

function vdsoCall({ name, call: today, args, from, onlyZero }: MagentaCall): VdsoCall {
  const { number, flags } = syscallByName(today);
  const times = args.flatMap((arg, i) => (/^mx_(time|duration)_t \w/.test(arg) ? [i] : []));
  const status = Status.ERR_NOT_SUPPORTED;
  const refusal = onlyZero === undefined ? null : { argument: onlyZero, status };
  return { number, name, flags, adaptation: { from: from ?? [], times, onlyZero: refusal } };
}

/** The functions that Magenta's programs link to, as ways to today's calls. */
export function magentaVdsoCalls(): VdsoCall[] {
  return MAGENTA_CALLS.map(vdsoCall);
}
