import { CHANNEL_MAX_MSG_BYTES, CHANNEL_MAX_MSG_HANDLES } from '../abi/limits.js';
import { handleInfo, PROCARGS_PROTOCOL, PROCARGS_VERSION } from '../abi/processargs.js';
import { decodeStruct, encodeStruct, sizeOf } from '../abi/structs.js';

/** What one handle of the bootstrap message is for: a `PA_*` type and its argument. */
export interface HandleRole {
  readonly type: number;
  readonly arg: number;
}

/** The bootstrap message, without the handles themselves: `roles` stand in the order of the message's handles. */
export interface ProcessArgs {
  readonly roles: readonly HandleRole[];
  readonly args: readonly string[];
  readonly environ: readonly string[];
  /** What `PA_NS_DIR` arguments count in. */
  readonly names: readonly string[];
}

/** Arguments that fit no message, or bytes that are no such message. */
export class ProcessArgsError extends Error {
  override name = 'ProcessArgsError';
}

const HEADER = 'zx_proc_args_t';

/**
 * The bytes of the message that a process finds in its first channel (zircon/processargs.h): header, one word a
 * handle, then the strings, each ended by NUL.
 * @throws ProcessArgsError when they fit no channel message, or a string holds a NUL
 */
export function encodeProcessArgs({ roles, args, environ, names }: ProcessArgs): Uint8Array {
  if (roles.length > CHANNEL_MAX_MSG_HANDLES)
    throw new ProcessArgsError(
      `${roles.length} handles for a new process (limit ${CHANNEL_MAX_MSG_HANDLES})`,
    );
  const handleInfoOffset = sizeOf(HEADER);
  const argsOffset = handleInfoOffset + 4 * roles.length;
  const argBytes = encodeStrings(args);
  const environOffset = argsOffset + argBytes.length;
  const environBytes = encodeStrings(environ);
  const namesOffset = environOffset + environBytes.length;
  const nameBytes = encodeStrings(names);
  const size = namesOffset + nameBytes.length;
  if (size > CHANNEL_MAX_MSG_BYTES)
    throw new ProcessArgsError(
      `arguments and environment of ${size} bytes for a new process (limit ${CHANNEL_MAX_MSG_BYTES})`,
    );
  const header = encodeStruct(HEADER, {
    protocol: PROCARGS_PROTOCOL,
    version: PROCARGS_VERSION,
    handle_info_off: handleInfoOffset,
    args_off: argsOffset,
    args_num: args.length,
    environ_off: environOffset,
    environ_num: environ.length,
    names_off: namesOffset,
    names_num: names.length,
  });
  const message = new Uint8Array(size);
  message.set(header);
  const view = new DataView(message.buffer);
  roles.forEach(({ type, arg }, i) => {
    view.setUint32(handleInfoOffset + 4 * i, handleInfo(type, arg), true);
  });
  message.set(argBytes, argsOffset);
  message.set(environBytes, environOffset);
  message.set(nameBytes, namesOffset);
  return message;
}

/**
 * Reads such a message as a starting process does.
 * @param handleCount handles that came with it
 * @throws ProcessArgsError when a part of it lies outside
 */
export function decodeProcessArgs(message: Uint8Array, handleCount: number): ProcessArgs {
  if (message.length < sizeOf(HEADER) || message.length > CHANNEL_MAX_MSG_BYTES)
    throw new ProcessArgsError(`process arguments of ${message.length} bytes`);
  const header = decodeStruct(HEADER, message);
  if (header.protocol !== PROCARGS_PROTOCOL || header.version !== PROCARGS_VERSION)
    throw new ProcessArgsError(
      `process arguments of protocol 0x${header.protocol.toString(16)} version ${header.version}`,
    );
  const infoAt = header.handle_info_off;
  if (infoAt + 4 * handleCount > message.length)
    throw new ProcessArgsError(`handle words at ${infoAt} are outside the process arguments`);
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const roles = Array.from({ length: handleCount }, (_, i) => {
    const info = view.getUint32(infoAt + 4 * i, true);
    return { type: info & 0xff, arg: info >>> 16 };
  });
  return {
    roles,
    args: decodeStrings(message, header.args_off, header.args_num),
    environ: decodeStrings(message, header.environ_off, header.environ_num),
    names: decodeStrings(message, header.names_off, header.names_num),
  };
}

function encodeStrings(strings: readonly string[]): Uint8Array {
  const nul = strings.find((s) => s.includes('\0'));
  if (nul !== undefined) throw new ProcessArgsError(`NUL inside the argument ${JSON.stringify(nul)}`);
  return new TextEncoder().encode(strings.map((s) => `${s}\0`).join(''));
}

function decodeStrings(message: Uint8Array, offset: number, count: number): string[] {
  const strings: string[] = [];
  let at = offset;
  for (let i = 0; i < count; i++) {
    const end = message.indexOf(0, at);
    if (at >= message.length || end < 0)
      throw new ProcessArgsError(
        `string ${i} of ${count} at ${at} does not end inside the process arguments`,
      );
    strings.push(new TextDecoder(undefined, { ignoreBOM: true }).decode(message.subarray(at, end)));
    at = end + 1;
  }
  return strings;
}
