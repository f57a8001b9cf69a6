import { Status } from '../../abi/status.js';
import type { Handlers } from './dispatch.js';
import { refuse } from './refusal.js';

/** Longest text of one zx_debug_write: more is cut off, as the kernel's own buffer does. */
const MAX_WRITE_BYTES = 256;

export const debugCalls: Handlers = {
  zx_debug_write: (call, { buffer, buffer_size }) => {
    if (buffer_size > 0x4000000n) refuse(Status.ERR_INVALID_ARGS);
    const bytes = call.read(buffer, Math.min(Number(buffer_size), MAX_WRITE_BYTES));
    if (bytes.length > 0) call.emit({ type: 'console-written', thread: call.thread, bytes });
    return Status.OK;
  },
};
