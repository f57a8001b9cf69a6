/** As much of the host's WebAssembly as engines use: it computes, and tells nothing of the host. */

export interface Memory {
  readonly buffer: ArrayBuffer;
}

export interface Table {
  readonly length: number;
  grow(count: number): number;
  get(index: number): unknown;
  set(index: number, value: unknown): void;
}

export interface Instance {
  readonly exports: Readonly<Record<string, unknown>>;
}

type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number; maximum: number }) => Memory;
  readonly Table: new (limits: { element: 'anyfunc'; initial: number }) => Table;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: Imports) => Instance;
};

const WASM_PAGE_BYTES = 65536;

/** Memory that never grows, so that views of it stay good. */
export function createMemory(sizeBytes: number): Memory {
  const pages = sizeBytes / WASM_PAGE_BYTES;
  return new WebAssembly.Memory({ initial: pages, maximum: pages });
}

export function createTable(length: number): Table {
  return new WebAssembly.Table({ element: 'anyfunc', initial: length });
}

export function instantiate(bytes: Uint8Array, imports: Imports): Instance {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
}
