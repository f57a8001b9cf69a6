import { FunctionCode, type Signature } from '../wasm/code.js';
import { instantiate } from '../wasm/web-assembly.js';
import { memory, newModule, table } from './host-memory.js';
import { REGION_SIGNATURE } from './interpreter-code.js';

/** Parameters of a region, and the place of one in the table. */
export const DISPATCH_SIGNATURE: Signature = {
  params: [...REGION_SIGNATURE.params, 'i32'],
  results: REGION_SIGNATURE.results,
};

let made: unknown = null;

/**
 * Goes on in a region of the table. Those of one module call those of others by this: V8 (before 12) keeps a copy of a
 * table for each module that has it, and changes all of them, so only this module and the interpreter do.
 */
export function dispatch(): unknown {
  if (made === null) {
    const module = newModule();
    module.importTable();
    const code = new FunctionCode(DISPATCH_SIGNATURE);
    REGION_SIGNATURE.params.forEach((_, i) => {
      code.get(i);
    });
    code.get(REGION_SIGNATURE.params.length).returnCallIndirect(module.type(REGION_SIGNATURE));
    module.export('dispatch', module.add(code));
    made = instantiate(module.result(), { env: { memory, table } }).exports.dispatch;
  }
  return made;
}
