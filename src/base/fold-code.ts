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
  /** Four words of the host, which has to be one of little-endian order. Of `foldFour`, first words first, sixteen. */
  readonly state: Int32Array;
  /** Room for as much as is folded at a time. */
  readonly bytes: Uint8Array;
  /** The same as words of the host. */
  readonly words: Int32Array;
  /** @param length bytes, a multiple of 16 and not 0 */
  fold(start: number, length: number): void;
  /**
   * The same for four pieces at once, each with a state of its own: by vectors, in little more time than for one. Null
   * where the host has none.
   * @param stride from each to the next, bytes
   */
  readonly foldFour: FoldFour | null;
}

type FoldFour = (start: number, length: number, stride: number) => void;

declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports?: { readonly '': { readonly memory: object } },
  ) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer };
      fold(start: number, end: number, stride: number): void;
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
const STATE_BYTES = 64;
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

const V128 = 0x7b;
/** Those that work on vectors of four words, behind PREFIX. */
const VECTOR = {
  ...{ load: [0x00], store: [0x0b], shuffle: [0x0d], splat: [0x11], or: [0x50], xor: [0x51] },
  ...{ shiftLeft: [0xab, 1], shiftRight: [0xad, 1], add: [0xae, 1], multiply: [0xb5, 1] },
} as const;
const PREFIX = 0xfd;
const PIECES = [0, 1, 2, 3];

function vector(name: keyof typeof VECTOR): number[] {
  return [PREFIX, ...VECTOR[name]];
}

/** Locals of `fourModuleOf` behind the state: constants of the steps, words of the pieces, and the same words together. */
const [STRIDE, FOUR, FACTORS, ADDENDS, ROWS, COLUMNS] = [2, 3, 7, 11, 15, 19];
const LOCALS_END = 23;

function rotated(by: number): number[] {
  const shifted = (how: 'shiftLeft' | 'shiftRight', bits: number) => [
    OP.const,
    ...signed(bits),
    ...vector(how),
  ];
  return [
    ...[OP.tee, COLUMNS, ...shifted('shiftLeft', by), OP.get, COLUMNS],
    ...[...shifted('shiftRight', 32 - by), ...vector('or')],
  ];
}

/** As `stepCode`, with the words of all pieces in a local of which nobody needs the first one's any more. */
function vectorStepCode(step: FoldStep, i: number, words: number): number[] {
  const own = FOUR + i;
  const [add, multiply] = [vector('add'), vector('multiply')];
  return [
    ...[OP.get, words, OP.get, FACTORS + i, ...multiply, ...rotated(step.rotation)],
    ...[OP.get, FACTORS + ((i + 1) % 4), ...multiply, OP.get, own, ...vector('xor')],
    ...[...rotated(step.stateRotation), OP.get, FOUR + ((i + 1) % 4), ...add, OP.tee, own],
    ...[OP.get, own, OP.const, 2, ...vector('shiftLeft'), ...add, OP.get, ADDENDS + i, ...add, OP.set, own],
  ];
}

/** Words of two vectors, by their places in both. */
function picked(a: number, b: number, places: readonly number[]): number[] {
  const bytes = places.flatMap((place) => [0, 1, 2, 3].map((byte) => 4 * place + byte));
  return [OP.get, a, OP.get, b, ...vector('shuffle'), ...bytes];
}

/** Four words of each piece become those of all pieces at each of four places. */
function turned(): number[] {
  const [a, b, c, d] = PIECES.map((i) => ROWS + i);
  const low = [0, 4, 1, 5];
  const high = [2, 6, 3, 7];
  const [front, back] = [
    [0, 1, 4, 5],
    [2, 3, 6, 7],
  ];
  return [
    ...[...picked(a, b, low), OP.set, COLUMNS, ...picked(c, d, low), OP.set, COLUMNS + 1],
    ...[...picked(a, b, high), OP.set, COLUMNS + 2, ...picked(c, d, high), OP.set, COLUMNS + 3],
    ...[...picked(COLUMNS, COLUMNS + 1, front), OP.set, a, ...picked(COLUMNS, COLUMNS + 1, back), OP.set, b],
    ...[...picked(COLUMNS + 2, COLUMNS + 3, front), OP.set, c],
    ...[...picked(COLUMNS + 2, COLUMNS + 3, back), OP.set, d],
  ];
}

function fourModuleOf(steps: readonly FoldStep[]): Uint8Array {
  const state = (name: 'load' | 'store', i: number) => [...vector(name), BY_4, GROUP_BYTES * i];
  const constant = (value: number) => [OP.const, ...signed(value), ...vector('splat')];
  const code = [
    ...[1, LOCALS_END - FOUR, V128],
    ...PIECES.flatMap((i) => [OP.const, 0, ...state('load', i), OP.set, FOUR + i]),
    ...steps.flatMap(({ factor, addend }, i) => [
      ...[...constant(factor), OP.set, FACTORS + i, ...constant(addend), OP.set, ADDENDS + i],
    ]),
    ...[OP.loop, NO_RESULT],
    ...PIECES.flatMap((i) => [
      ...[OP.get, AT, OP.get, STRIDE, OP.const, i, OP.multiply, OP.add],
      ...[...vector('load'), BY_4, 0, OP.set, ROWS + i],
    ]),
    ...[...turned(), ...steps.flatMap((step, i) => vectorStepCode(step, i, ROWS + i))],
    ...[OP.get, AT, OP.const, GROUP_BYTES, OP.add, OP.tee, AT, OP.get, END, OP.lessThan, OP.brIf, 0, OP.end],
    ...PIECES.flatMap((i) => [OP.const, 0, OP.get, FOUR + i, ...state('store', i)]),
    OP.end,
  ];
  const body = [(code.length & 0x7f) | 0x80, code.length >> 7, ...code];
  return Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 3, I32, I32, I32, 0]),
    ...section(2, [1, ...name(''), ...name('memory'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('fold'), 0, 0]),
    ...section(10, [1, ...body]),
  );
}

function makeFoldFour(steps: readonly FoldStep[], memory: object): FoldFour | null {
  try {
    const module = new WebAssembly.Module(fourModuleOf(steps));
    const { fold } = new WebAssembly.Instance(module, { '': { memory } }).exports;
    return (start, length, stride) => fold(STATE_BYTES + start, STATE_BYTES + start + length, stride);
  } catch {
    return null;
  }
}

export function makeFoldCode(steps: readonly FoldStep[]): FoldCode {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleOf(steps)));
  const { buffer } = exports.memory;
  let foldFour: FoldFour | null | undefined;
  return {
    state: new Int32Array(buffer, 0, STATE_BYTES / 4),
    bytes: new Uint8Array(buffer, STATE_BYTES),
    words: new Int32Array(buffer, STATE_BYTES),
    fold: (start, length) => exports.fold(STATE_BYTES + start, STATE_BYTES + start + length, 0),
    get foldFour() {
      if (foldFour === undefined) foldFour = makeFoldFour(steps, exports.memory);
      return foldFour;
    },
  };
}
