import { scalarKind, scalarSizeBytes } from '../../src/abi/c-types.js';
import type { StatusName } from '../../src/abi/status.js';
import { STRUCT_NAMES, type StructName } from '../../src/abi/structs.js';
import { isPublic, SYSCALLS, type Syscall, type SyscallArg } from '../../src/abi/syscalls.js';

/** Calls whose arguments follow no rule: src/sdk/calls.ts has them. */
const BY_HAND = new Set([
  'zx_channel_call',
  'zx_channel_call_etc',
  'zx_clock_create',
  'zx_clock_get_details',
  'zx_clock_get_details_mapped',
  'zx_clock_update',
  'zx_fifo_read',
  'zx_fifo_write',
  'zx_iob_create',
  'zx_iob_writev',
  'zx_job_set_policy',
  'zx_stream_readv',
  'zx_stream_readv_at',
  'zx_stream_writev',
  'zx_stream_writev_at',
  'zx_system_get_version_string',
]);

/** Errors with which out-values are there all the same. */
const ALSO: Readonly<Record<string, readonly StatusName[]>> = {
  zx_channel_read: ['ERR_BUFFER_TOO_SMALL'],
  zx_channel_read_etc: ['ERR_BUFFER_TOO_SMALL'],
  zx_channel_write_etc: [
    'ERR_ACCESS_DENIED',
    'ERR_BAD_HANDLE',
    'ERR_INVALID_ARGS',
    'ERR_NOT_SUPPORTED',
    'ERR_WRONG_TYPE',
  ],
  zx_object_wait_many: ['ERR_CANCELED', 'ERR_TIMED_OUT'],
  zx_object_wait_one: ['ERR_CANCELED', 'ERR_TIMED_OUT'],
};

/** One argument as TypeScript has it. */
interface Translated {
  /** `name: type`; null when it follows from another one. */
  readonly parameter: string | null;
  /** A declaration that comes before the call. */
  readonly block?: string;
  readonly expression: string;
  /** Name, type, and how it is read. */
  readonly out?: readonly [name: string, type: string, read: string];
}

function camel(name: string): string {
  return name.replace(/_+(\w)/g, (_, c: string) => c.toUpperCase());
}

/** The call's name without its prefix. */
function methodName(name: string): string {
  return camel(name.replace(/^zx_/, ''));
}

function pointee(cType: string): string {
  return cType.replace(/^const /, '').replace(/\*$/, '');
}

function isStruct(name: string): name is StructName {
  return (STRUCT_NAMES as readonly string[]).includes(name);
}

/** The argument whose length this one is. */
function measured(call: Syscall, { name }: SyscallArg): SyscallArg | undefined {
  return call.args.find(({ lengthArg }) => lengthArg === name);
}

function scalarOut(target: string): readonly [type: string, sizeBytes: number, read: string] | null {
  const kind = scalarKind(target);
  if (kind === undefined || kind === 'pointer') return null;
  const sizeBytes = scalarSizeBytes(kind);
  if (sizeBytes === 4) return ['number', 4, 'u32'];
  return ['bigint', 8, kind === 'i64' ? 'i64' : 'u64'];
}

function translateIn(name: string, { cType, lengthArg }: SyscallArg): Translated | null {
  const target = pointee(cType);
  if (lengthArg === undefined) {
    if (isStruct(target)) {
      return {
        parameter: `${name}: EncodeValues<'${target}'>`,
        expression: `input(encodeStruct('${target}', ${name}))`,
      };
    }
    return { parameter: `${name}: Wide`, expression: name };
  }
  if (target === 'char') {
    const block = `const ${name}Text = text(${name});`;
    return { parameter: `${name}: string`, block, expression: `input(${name}Text)` };
  }
  if (target === 'zx_handle_t') {
    return { parameter: `${name}: readonly number[]`, expression: `input(words(${name}))` };
  }
  return target === 'void' ? { parameter: `${name}: Uint8Array`, expression: `input(${name})` } : null;
}

function translateOut(name: string, { cType, lengthArg, direction }: SyscallArg): Translated | null {
  const target = pointee(cType);
  const block = `${name}Out`;
  const declare = (made: string): string => `const ${block} = ${made};`;
  const length = lengthArg === undefined ? '' : `Number(${camel(lengthArg)})`;
  if (direction === 'inout' && target === 'void') {
    return {
      parameter: `${name}: Uint8Array | null`,
      block: declare(`inOut(${name} ?? NO_BYTES)`),
      expression: `${name} === null ? 0 : ${block}`,
      out: [name, 'Uint8Array', `r.bytes(${block})`],
    };
  }
  if (isStruct(target)) {
    const type = `StructValues['${target}']`;
    if (direction === 'inout') {
      return {
        parameter: `${name}: readonly EncodeValues<'${target}'>[]`,
        block: declare(`inOut(structs('${target}', ${name}))`),
        expression: block,
        out: [name, `${type}[]`, `r.structs('${target}', ${block})`],
      };
    }
    const many = lengthArg !== undefined;
    return {
      parameter: null,
      block: declare(`output(sizeOf('${target}')${many ? ` * ${length}` : ''})`),
      expression: block,
      out: [name, many ? `${type}[]` : type, `r.struct${many ? 's' : ''}('${target}', ${block})`],
    };
  }
  if (lengthArg !== undefined) {
    const handles = target === 'zx_handle_t';
    return {
      parameter: null,
      block: declare(`output(${handles ? '4 * ' : ''}${length})`),
      expression: block,
      out: [name, handles ? 'number[]' : 'Uint8Array', `r.${handles ? 'u32s' : 'bytes'}(${block})`],
    };
  }
  const scalar = scalarOut(target);
  if (scalar === null) return null;
  const [type, sizeBytes, read] = scalar;
  return {
    parameter: null,
    block: declare(`output(${sizeBytes})`),
    expression: block,
    out: [name, type, `r.${read}(${block})`],
  };
}

function translate(call: Syscall, arg: SyscallArg): Translated {
  const name = camel(arg.name);
  const of = measured(call, arg);
  if (of !== undefined && (of.direction === 'in' || of.direction === 'inout')) {
    const list = camel(of.name);
    const isText = pointee(of.cType) === 'char';
    if (of.direction === 'inout' && pointee(of.cType) === 'void')
      return { parameter: null, expression: `${list}?.length ?? 0` };
    return { parameter: null, expression: `${list}${isText ? 'Text' : ''}.length` };
  }
  if (arg.kind !== 'pointer') {
    const wide = arg.kind === 'u64' || arg.kind === 'i64';
    return { parameter: `${name}: ${wide ? 'Wide' : 'number'}`, expression: name };
  }
  const translated = arg.direction === 'in' ? translateIn(name, arg) : translateOut(name, arg);
  if (translated === null) throw new Error(`${call.name}: no rule for ${arg.cType} ${arg.name}`);
  return translated;
}

function docOf(call: Syscall): string[] {
  const lines = [`\`${call.name}\` (${call.category}).`];
  if (call.policy !== null) lines.push(`Asks the job policy ZX_POL_${call.policy}.`);
  if (call.note !== null) lines.push(`Note: ${call.note}.`);
  for (const { status, cause } of call.errors) lines.push(`- ZX_${status}: ${cause}`);
  return ['/**', ...lines.map((line) => ` * ${line.replaceAll('*/', '* /')}`), ' */'];
}

function resultType(call: Syscall, outs: readonly Translated[]): string {
  const also = ALSO[call.name] ?? [];
  // Of a call that is to be made again nobody hears: it is.
  const named = call.errors
    .map(({ status }) => status)
    .filter((status) => status !== 'ERR_INTERNAL_INTR_RETRY');
  const rest = [...new Set(named)].filter((status) => !also.includes(status));
  const errors = rest.map((status) => `'ZX_${status}'`).join(' | ') || 'never';
  const members = outs.map(({ out }) => `${out![0]}: ${out![1]}`).join('; ');
  const type = members === '' ? 'unknown' : `{ ${members} }`;
  if (also.length === 0) return `Result<${type}, ${errors}>`;
  return `PartialResult<${type}, ${also.map((s) => `'ZX_${s}'`).join(' | ')}, ${errors}>`;
}

function body(
  call: Syscall,
  args: readonly Translated[],
): { readonly returns: string; readonly lines: string[] } {
  const list = `[${args.map(({ expression }) => expression).join(', ')}]`;
  const blocks = args.flatMap(({ block }) => (block === undefined ? [] : [block]));
  if (call.flags.includes('noreturn') || call.name === 'zx_cprng_draw') {
    const returns = call.flags.includes('noreturn') ? 'never' : 'Uint8Array';
    if (returns === 'never')
      return { returns, lines: [...blocks, `return yield* leave('${call.name}', ${list});`] };
    const lines = [`return yield* filled('${call.name}', ${list}, bufferOut);`];
    return { returns, lines: [...blocks, ...lines] };
  }
  if (call.returns !== 'zx_status_t') {
    const kind = scalarKind(call.returns);
    const asked = `yield* ask('${call.name}', ${list})`;
    return kind === 'u32'
      ? { returns: 'number', lines: [...blocks, `return Number(${asked});`] }
      : { returns: 'bigint', lines: [...blocks, `return ${asked};`] };
  }
  const outs = args.filter(({ out }) => out !== undefined);
  const returns = resultType(call, outs);
  const rest: string[] = [];
  if (outs.length > 0) {
    rest.push(`[${outs.map(({ out }) => `'${out![0]}'`).join(', ')}]`);
    rest.push(`(r) => ({ ${outs.map(({ out }) => `${out![0]}: ${out![2]}`).join(', ')} })`);
  }
  const also = ALSO[call.name];
  if (also !== undefined) rest.push(`[${also.map((s) => `'ZX_${s}'`).join(', ')}]`);
  const invoked = `invoke('${[call.name]}', ${[list, ...rest].join(', ')})`;
  return { returns, lines: [...blocks, `return yield* ${invoked};`] };
}

function method(call: Syscall): string {
  const args = call.args.filter(({ since }) => since === undefined).map((arg) => translate(call, arg));
  const parameters = args.flatMap(({ parameter }) => (parameter === null ? [] : [parameter]));
  const { returns, lines } = body(call, args);
  return [
    ...docOf(call),
    `*${methodName(call.name)}(${parameters.join(', ')}): Task<${returns}> {`,
    ...lines.map((line) => `  ${line}`),
    '}',
  ]
    .map((line) => `  ${line}`)
    .join('\n');
}

/** `GeneratedCalls`: a method for each call of the public table, but for the tests of calling. */
export function sdkCalls(): string {
  const calls = SYSCALLS.filter(
    (call) =>
      call.tier === 'core' && isPublic(call) && !call.flags.includes('testing') && !BY_HAND.has(call.name),
  );
  return [
    "import { type EncodeValues, encodeStruct, type StructValues, sizeOf } from '../../abi/structs.js';",
    "import { ask, filled, invoke, leave, structs, text, type Wide, words } from '../invoke.js';",
    "import { inOut, input, NO_BYTES, output, type Task } from '../operation.js';",
    "import type { PartialResult, Result } from '../result.js';",
    '',
    '/** System calls with C arguments turned into TypeScript: lengths follow from what they measure, out-pointers are results. */',
    'export class GeneratedCalls {',
    calls.map(method).join('\n\n'),
    '}',
    '',
  ].join('\n');
}
