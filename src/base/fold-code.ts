/**
 * What `Hasher` does with many words, as WebAssembly: it takes half the time of what hosts make of JavaScript, and from
 * the first page on. Written by hand, since nothing stands below this room.
 */

/** A step of the digest for each of four words: multiplied, rotated, and what the state is rotated and added to. */
export interface FoldStep {
  readonly factor: number;
  readonly rotation: number;
  readonly nextFactor: number;
  readonly stateRotation: number;
  readonly addend: number;
}

/** Folds bytes that were put into its memory. */
export interface FoldCode {
  /** Four words of the host, which has to be one of little-endian order. */
  readonly state: Int32Array;
  /** Room for as much as is folded at a time. */
  readonly bytes: Uint8Array;
  /** The same as words of the host. */
  readonly words: Int32Array;
  /** @param length bytes, a multiple of 16 and not 0 */
  fold(start: number, length: number): void;
}

declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
  ) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer };
      fold(start: number, end: number): void;
    };
  };
};

const I32 = 0x7f;
const OP = {
  ...{ loop: 0x03, end: 0x0b, brIf: 0x0d, get: 0x20, set: 0x21, tee: 0x22, load: 0x28, store: 0x36 },
  ...{ const: 0x41, lessThan: 0x49, add: 0x6a, multiply: 0x6c, xor: 0x73, rotateLeft: 0x77 },
} as const;
const NO_RESULT = 0x40;
/** Loads and stores say which power of two their addresses are multiples of. */
const BY_4 = 2;
const STATE_BYTES = 16;
const GROUP_BYTES = 16;
/** Locals: where to read, where to end, then the state. */
const [AT, END, STATE] = [0, 1, 2];

/** LEB128 of a signed number of 32 bits. */
function signed(value: number): number[] {
  const out: number[] = [];
  let rest = value | 0;
  for (; rest < -64 || rest > 63; rest >>= 7) out.push((rest & 0x7f) | 0x80);
  return [...out, rest & 0x7f];
}

function section(id: number, content: readonly number[]): number[] {
  const size = content.length;
  return [id, (size & 0x7f) | 0x80, size >> 7, ...content];
}

function name(text: string): number[] {
  return [text.length, ...text].map((part) => (typeof part === 'number' ? part : part.charCodeAt(0)));
}

function stepCode(step: FoldStep, i: number): number[] {
  const constant = (value: number) => [OP.const, ...signed(value)];
  const own = STATE + i;
  return [
    ...[OP.get, own, OP.get, AT, OP.load, BY_4, 4 * i],
    ...[...constant(step.factor), OP.multiply, ...constant(step.rotation), OP.rotateLeft],
    ...[...constant(step.nextFactor), OP.multiply, OP.xor, ...constant(step.stateRotation), OP.rotateLeft],
    ...[OP.get, STATE + ((i + 1) % 4), OP.add, ...constant(5), OP.multiply, ...constant(step.addend), OP.add],
    ...[OP.set, own],
  ];
}

function moduleOf(steps: readonly FoldStep[]): Uint8Array {
  const states = [0, 1, 2, 3];
  const code = [
    ...[1, states.length, I32],
    ...states.flatMap((i) => [OP.const, 0, OP.load, BY_4, 4 * i, OP.set, STATE + i]),
    ...[OP.loop, NO_RESULT, ...steps.flatMap(stepCode)],
    ...[OP.get, AT, OP.const, GROUP_BYTES, OP.add, OP.tee, AT, OP.get, END, OP.lessThan, OP.brIf, 0, OP.end],
    ...states.flatMap((i) => [OP.const, 0, OP.get, STATE + i, OP.store, BY_4, 4 * i]),
    OP.end,
  ];
  return Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 2, I32, I32, 0]),
    ...section(3, [1, 0]),
    // One memory, of one page of 64 KiB, which does not grow.
    ...section(5, [1, 1, 1, 1]),
    ...section(7, [2, ...name('fold'), 0, 0, ...name('memory'), 2, 0]),
    ...section(10, [1, ...section(0, code).slice(1)]),
  );
}

export function makeFoldCode(steps: readonly FoldStep[]): FoldCode {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleOf(steps)));
  const { buffer } = exports.memory;
  return {
    state: new Int32Array(buffer, 0, STATE_BYTES / 4),
    bytes: new Uint8Array(buffer, STATE_BYTES),
    words: new Int32Array(buffer, STATE_BYTES),
    fold: (start, length) => exports.fold(STATE_BYTES + start, STATE_BYTES + start + length),
  };
}
