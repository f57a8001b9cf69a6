/**
 * What `Hasher` does with many words, as WebAssembly: it takes half the time of what hosts make of JavaScript, and from
 * the first page on. Written by hand, since nothing stands below this room.
 */

import { prepared } from './prepared.js';

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

/**
 * Digests of pieces of one length, four at once by vectors: of that length, as a word, and the piece.
 * @param list where their addresses are, u32
 * @param length bytes, a multiple of 16 and not 0
 * @param to where the digests come, with room for a multiple of four
 */
export type DigestMany = (list: number, count: number, length: number, to: number) => void;

declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports?: { readonly '': { readonly memory: object } },
  ) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer };
      fold(start: number, end: number): void;
      readonly digest: DigestMany;
    };
  };
};

const I32 = 0x7f;
const OP = {
  ...{ block: 0x02, loop: 0x03, end: 0x0b, br: 0x0c, brIf: 0x0d, get: 0x20, set: 0x21, tee: 0x22 },
  ...{ select: 0x1b, load: 0x28, store: 0x36, equal: 0x46, or: 0x72 },
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

/**
 * Locals of `fourModuleOf`: parameters, which piece is next, where four of them are and are read, the state, constants of
 * the steps, words of the pieces, and the same words together.
 */
const [LIST, COUNT, LENGTH, TO, NEXT, STARTS, OFFSET] = [0, 1, 2, 3, 4, 5, 9];
const [FOUR, FACTORS, ADDENDS, ROWS, COLUMNS, LOCALS_END] = [10, 14, 18, 22, 26, 30];

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

/** `finalWords` of the state, which stands in for one of four digests each. */
function finalCode(): number[] {
  const constant = (value: number) => [OP.const, ...signed(value), ...vector('splat')];
  const own = PIECES.map((i) => FOUR + i);
  const add = (to: number, from: number) => [OP.get, to, OP.get, from, ...vector('add'), OP.set, to];
  const sums = [
    ...own.slice(1).flatMap((from) => add(FOUR, from)),
    ...own.slice(1).flatMap((to) => add(to, FOUR)),
  ];
  const shifted = (h: number, bits: number) => [
    ...[OP.get, h, OP.get, h, OP.const, ...signed(bits), ...vector('shiftRight'), ...vector('xor')],
  ];
  const times = (factor: number) => [...constant(factor), ...vector('multiply')];
  return [
    ...own.flatMap((h) => [
      ...[OP.get, h, OP.get, LENGTH, OP.const, 4, OP.add, ...vector('splat'), ...vector('xor'), OP.set, h],
    ]),
    ...sums,
    ...own.flatMap((h) => [
      ...[...shifted(h, 16), ...times(0x85ebca6b), OP.set, h, ...shifted(h, 13), ...times(0xc2b2ae35)],
      ...[OP.set, h, ...shifted(h, 16), OP.set, h],
    ]),
    ...sums,
  ];
}

/** Where the next four pieces are, the last one again where there are fewer. */
function startsCode(): number[] {
  return PIECES.flatMap((i) => [
    ...[OP.get, NEXT, OP.const, i, OP.add, OP.tee, OFFSET, OP.get, COUNT, OP.const, ...signed(-1), OP.add],
    ...[OP.get, OFFSET, OP.get, COUNT, OP.lessThan, OP.select],
    ...[OP.const, 4, OP.multiply, OP.get, LIST, OP.add],
    ...[OP.load, BY_4, 0, OP.set, STARTS + i],
  ]);
}

/** Digests of four pieces. The word of the length is first: so the last word of a piece is in a group of its own. */
function digestCode(steps: readonly FoldStep[]): number[] {
  const row = (i: number) => [
    ...[OP.get, STARTS + i, OP.get, OFFSET, OP.add, ...vector('load'), BY_4, 0, OP.set, ROWS + i],
  ];
  const lastWord = [OP.get, LENGTH, OP.const, ...signed(-4), OP.add];
  return [
    ...PIECES.flatMap((i) => [OP.const, 0, ...vector('splat'), OP.set, FOUR + i]),
    ...[OP.const, 0, OP.set, OFFSET, ...PIECES.flatMap(row)],
    ...[OP.get, LENGTH, ...vector('splat'), OP.set, COLUMNS],
    ...PIECES.flatMap((i) => [...picked(COLUMNS, ROWS + i, [0, 4, 5, 6]), OP.set, ROWS + i]),
    ...[OP.const, 12, OP.set, OFFSET, OP.block, NO_RESULT, OP.loop, NO_RESULT],
    ...[...turned(), ...steps.flatMap((step, i) => vectorStepCode(step, i, ROWS + i))],
    ...[...lastWord, OP.get, OFFSET, OP.equal, OP.brIf, 1],
    ...[...PIECES.flatMap(row), OP.get, OFFSET, OP.const, GROUP_BYTES, OP.add, OP.set, OFFSET],
    ...[OP.br, 0, OP.end, OP.end],
    ...[...lastWord, OP.const, ...signed(-12), OP.add, OP.set, OFFSET, ...PIECES.flatMap(row), ...turned()],
    ...[OP.get, ROWS + 3, OP.get, FACTORS, ...vector('multiply'), ...rotated(steps[0].rotation)],
    ...[OP.get, FACTORS + 1, ...vector('multiply'), OP.get, FOUR, ...vector('xor'), OP.set, FOUR],
    ...finalCode(),
    ...[...PIECES.flatMap((i) => [OP.get, FOUR + i, OP.set, ROWS + i]), ...turned()],
  ];
}

function fourModuleOf(steps: readonly FoldStep[]): Uint8Array {
  const constant = (value: number) => [OP.const, ...signed(value), ...vector('splat')];
  const code = [
    ...[2, FOUR - NEXT, I32, LOCALS_END - FOUR, V128],
    ...steps.flatMap(({ factor, addend }, i) => [
      ...[...constant(factor), OP.set, FACTORS + i, ...constant(addend), OP.set, ADDENDS + i],
    ]),
    ...[OP.block, NO_RESULT, OP.loop, NO_RESULT, OP.get, COUNT, OP.get, NEXT, OP.lessThan],
    ...[OP.get, COUNT, OP.get, NEXT, OP.equal, OP.or, OP.brIf, 1],
    ...[...startsCode(), ...digestCode(steps)],
    ...PIECES.flatMap((i) => [OP.get, TO, OP.get, ROWS + i, ...vector('store'), BY_4, GROUP_BYTES * i]),
    ...[OP.get, TO, OP.const, ...signed(4 * GROUP_BYTES), OP.add, OP.set, TO],
    ...[OP.get, NEXT, OP.const, 4, OP.add, OP.set, NEXT, OP.br, 0, OP.end, OP.end, OP.end],
  ];
  const body = [(code.length & 0x7f) | 0x80, code.length >> 7, ...code];
  return Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 4, I32, I32, I32, I32, 0]),
    ...section(2, [1, ...name(''), ...name('memory'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('digest'), 0, 0]),
    ...section(10, [1, ...body]),
  );
}

let fourModule: object | null = null;

/** Null where the host has no vectors. */
export function makeDigestMany(
  steps: readonly FoldStep[],
  memory: { readonly buffer: ArrayBuffer },
): DigestMany | null {
  try {
    fourModule ??= new WebAssembly.Module(prepared('digests of pages', () => fourModuleOf(steps)));
    return new WebAssembly.Instance(fourModule, { '': { memory } }).exports.digest;
  } catch {
    return null;
  }
}

export function makeFoldCode(steps: readonly FoldStep[]): FoldCode {
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(prepared('digest of words', () => moduleOf(steps))),
  );
  const { buffer } = exports.memory;
  return {
    state: new Int32Array(buffer, 0, STATE_BYTES / 4),
    bytes: new Uint8Array(buffer, STATE_BYTES),
    words: new Int32Array(buffer, STATE_BYTES),
    fold: (start, length) => exports.fold(STATE_BYTES + start, STATE_BYTES + start + length),
  };
}
