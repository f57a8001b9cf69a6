import { assert } from '../base/assert.js';
import type { KeysOfUnion } from '../base/types.js';
import { parseDeclaration, type ScalarKind, scalarKind, scalarSizeBytes } from './c-types.js';
import type { StructFields, StructValues } from './generated/struct-values.js';
import { CLOCK_LAYOUTS } from './layouts/clock.js';
import { DEBUG_LAYOUTS } from './layouts/debug.js';
import { EXCEPTION_LAYOUTS } from './layouts/exception.js';
import { IOB_LAYOUTS } from './layouts/iob.js';
import type { Layout, Layouts } from './layouts/layout.js';
import { OBJECT_LAYOUTS } from './layouts/object.js';
import { POLICY_LAYOUTS } from './layouts/policy.js';
import { PORT_LAYOUTS } from './layouts/port.js';
import { PROCESSARGS_LAYOUTS } from './layouts/processargs.js';
import { RESTRICTED_LAYOUTS } from './layouts/restricted.js';
import { RSEQ_LAYOUTS } from './layouts/rseq.js';
import { TYPES_LAYOUTS } from './layouts/types.js';

export type { StructFields, StructValues } from './generated/struct-values.js';

/** Layouts by the header that declares them. */
export const LAYOUTS_BY_HEADER = {
  types: TYPES_LAYOUTS,
  iob: IOB_LAYOUTS,
  object: OBJECT_LAYOUTS,
  exception: EXCEPTION_LAYOUTS,
  debug: DEBUG_LAYOUTS,
  restricted: RESTRICTED_LAYOUTS,
  policy: POLICY_LAYOUTS,
  port: PORT_LAYOUTS,
  clock: CLOCK_LAYOUTS,
  processargs: PROCESSARGS_LAYOUTS,
  rseq: RSEQ_LAYOUTS,
} as const satisfies Record<string, Layouts>;

type ByHeader = typeof LAYOUTS_BY_HEADER;
export type StructName = KeysOfUnion<ByHeader[keyof ByHeader]>;

export interface StructField {
  readonly name: string;
  readonly cType: string;
  /** How a scalar is held; `'struct'` or `'union'` for a nested one, described by `struct(cType)`. */
  readonly type: ScalarKind | 'struct' | 'union';
  readonly offset: number;
  /** Of the whole field: an array counts all its elements. */
  readonly sizeBytes: number;
  readonly count?: number;
}

export interface Struct<N extends StructName = StructName> {
  readonly name: N;
  readonly kind: 'struct' | 'union';
  readonly sizeBytes: number;
  readonly alignBytes: number;
  /** In declaration order. */
  readonly fields: Readonly<Record<StructFields[N], StructField>>;
}

interface Built extends Struct {
  readonly list: readonly StructField[];
}

const LAYOUTS = new Map<string, Layout>();
for (const layouts of Object.values(LAYOUTS_BY_HEADER))
  for (const name of Object.keys(layouts)) LAYOUTS.set(name, (layouts as Layouts)[name]);

export const STRUCT_NAMES: readonly StructName[] = [...LAYOUTS.keys()] as StructName[];

/** Those that were asked for. */
const STRUCTS = new Map<string, Built>();

function typeOf(cType: string): Pick<StructField, 'type'> & { size: number; align: number } {
  const scalar = scalarKind(cType);
  if (scalar !== undefined) {
    const size = scalarSizeBytes(scalar);
    return { type: scalar, size, align: size };
  }
  const nested = built(cType);
  return { type: nested.kind, size: nested.sizeBytes, align: nested.alignBytes };
}

function build(name: StructName, layout: Layout): Built {
  const list: StructField[] = [];
  let end = 0;
  let alignBytes = layout.alignBytes;
  for (const declaration of layout.declarations) {
    const { cType, name: field, count } = parseDeclaration(declaration);
    const { type, size, align } = typeOf(cType);
    const sizeBytes = size * (count ?? 1);
    const offset = layout.kind === 'union' ? 0 : Math.ceil(end / align) * align;
    list.push({ name: field, cType, type, offset, sizeBytes, ...(count === undefined ? {} : { count }) });
    end = Math.max(end, offset + sizeBytes);
    alignBytes = Math.max(alignBytes, align);
  }
  const sizeBytes = Math.ceil(end / alignBytes) * alignBytes;
  const fields = Object.fromEntries(list.map((field) => [field.name, field])) as Built['fields'];
  return { name, kind: layout.kind, sizeBytes, alignBytes, fields, list };
}

function built(name: string): Built {
  let found = STRUCTS.get(name);
  if (found === undefined) {
    const layout = LAYOUTS.get(name);
    assert(layout !== undefined, `no struct ${name}`);
    found = build(name as StructName, layout);
    STRUCTS.set(name, found);
  }
  return found;
}

/** The layout of a struct or union. */
export function struct<N extends StructName>(name: N): Struct<N> {
  return built(name) as unknown as Struct<N>;
}

export function sizeOf(name: StructName): number {
  return built(name).sizeBytes;
}

type Scalar = number | bigint | boolean;
type Input = { readonly [field: string]: unknown };

function writeScalar(view: DataView, offset: number, kind: ScalarKind, value: Scalar): void {
  switch (scalarSizeBytes(kind)) {
    case 1:
      view.setUint8(offset, Number(value));
      break;
    case 2:
      view.setUint16(offset, Number(value), true);
      break;
    case 4:
      view.setUint32(offset, Number(value), true);
      break;
    default:
      view.setBigUint64(offset, BigInt(value), true);
  }
}

function readScalar(view: DataView, offset: number, kind: ScalarKind): Scalar {
  switch (kind) {
    case 'bool':
      return view.getUint8(offset) !== 0;
    case 'u8':
      return view.getUint8(offset);
    case 'i8':
      return view.getInt8(offset);
    case 'u16':
      return view.getUint16(offset, true);
    case 'i16':
      return view.getInt16(offset, true);
    case 'handle':
    case 'u32':
      return view.getUint32(offset, true);
    case 'i32':
      return view.getInt32(offset, true);
    case 'i64':
      return view.getBigInt64(offset, true);
    case 'u64':
    case 'pointer':
      return view.getBigUint64(offset, true);
  }
}

function writeBytes(view: DataView, field: StructField, offset: number, bytes: Uint8Array): void {
  assert(bytes.length <= field.sizeBytes, `${bytes.length} bytes do not fit field ${field.name}`);
  new Uint8Array(view.buffer, view.byteOffset + offset, field.sizeBytes).set(bytes);
}

function writeField(view: DataView, field: StructField, offset: number, value: unknown): void {
  if (value instanceof Uint8Array) {
    writeBytes(view, field, offset, value);
    return;
  }
  const { type, cType, count } = field;
  if (count !== undefined) {
    const items = value as readonly unknown[];
    assert(items.length <= count, `${items.length} elements do not fit field ${field.name}`);
    const sizeBytes = field.sizeBytes / count;
    const { count: _, ...element } = field;
    items.forEach((item, i) => {
      writeField(view, { ...element, sizeBytes }, offset + i * sizeBytes, item);
    });
  } else if (type === 'struct' || type === 'union') writeFields(view, built(cType), offset, value as Input);
  else writeScalar(view, offset, type, value as Scalar);
}

function writeFields(view: DataView, { list }: Built, offset: number, values: Input): void {
  for (const field of list) {
    const value = values[field.name];
    if (value !== undefined) writeField(view, field, offset + field.offset, value);
  }
}

function readField(view: DataView, field: StructField, offset: number): unknown {
  const { type, cType, count, sizeBytes } = field;
  if (type === 'union' || (count !== undefined && type === 'u8')) {
    return new Uint8Array(view.buffer, view.byteOffset + offset, sizeBytes).slice();
  }
  if (count !== undefined) {
    const element = { name: field.name, cType, type, offset: 0, sizeBytes: sizeBytes / count };
    return Array.from({ length: count }, (_, i) => readField(view, element, offset + i * element.sizeBytes));
  }
  return type === 'struct' ? readFields(view, built(cType), offset) : readScalar(view, offset, type);
}

function readFields(view: DataView, { list }: Built, offset: number): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const field of list) values[field.name] = readField(view, field, offset + field.offset);
  return values;
}

/** A value where it may be left out, down through nested structs; narrower forms are taken too. */
export type EncodeValue<T> = T extends bigint
  ? bigint | number
  : T extends boolean
    ? boolean | number
    : T extends Uint8Array | readonly (infer _)[]
      ? EncodeList<T>
      : T extends object
        ? { readonly [K in keyof T]?: EncodeValue<T[K]> } | Uint8Array
        : T;
type EncodeList<T> = T extends readonly (infer E)[] ? readonly EncodeValue<E>[] | Uint8Array : Uint8Array;
export type EncodeValues<N extends StructName> = {
  readonly [K in keyof StructValues[N]]?: EncodeValue<StructValues[N][K]>;
};

/**
 * The bytes of a struct, little-endian, `sizeOf(name)` long. Fields left out and padding are zero; numbers wrap to
 * their field. Any field may be given as raw bytes; a union field only so (or encode the member as its own struct).
 */
export function encodeStruct<N extends StructName>(name: N, values: EncodeValues<N>): Uint8Array {
  const layout = built(name);
  const bytes = new Uint8Array(layout.sizeBytes);
  writeFields(new DataView(bytes.buffer), layout, 0, values as Input);
  return bytes;
}

/**
 * The fields of a struct: up to 32 bits as number, 64 bits as bigint, `bool` as boolean, byte arrays and unions as a
 * copy of their bytes, other arrays as arrays. Bytes beyond the struct are ignored; fewer are an assertion, so check
 * a guest's length first.
 */
export function decodeStruct<N extends StructName>(name: N, bytes: Uint8Array): StructValues[N] {
  const layout = built(name);
  assert(bytes.length >= layout.sizeBytes, `${name}: ${bytes.length} of ${layout.sizeBytes} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, layout.sizeBytes);
  return readFields(view, layout, 0) as unknown as StructValues[N];
}
