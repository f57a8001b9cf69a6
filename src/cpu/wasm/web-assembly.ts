/** As much of the host's WebAssembly as engines use: it computes, and tells nothing of the host. */

export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
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

export const WASM_PAGE_BYTES = 65536;

/** Views of it stay good as long as nobody lets it grow. */
export function createMemory(sizeBytes: number, mostBytes = sizeBytes): Memory {
  return new WebAssembly.Memory({
    initial: sizeBytes / WASM_PAGE_BYTES,
    maximum: mostBytes / WASM_PAGE_BYTES,
  });
}

/** Makes all views of it empty; false, and nothing is done, when the host has no memory for that. */
export function growMemory(memory: Memory, sizeBytes: number): boolean {
  try {
    memory.grow((sizeBytes - memory.buffer.byteLength) / WASM_PAGE_BYTES);
  } catch (reason) {
    if (!(reason instanceof RangeError)) throw reason;
    return false;
  }
  return true;
}

export function createTable(length: number): Table {
  return new WebAssembly.Table({ element: 'anyfunc', initial: length });
}

export function instantiate(bytes: Uint8Array, imports: Imports): Instance {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
}
