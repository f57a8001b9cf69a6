import type {
  FloatBinaryName,
  FloatClassifyName,
  FloatCompareName,
  FloatPickName,
  FloatTernaryName,
  FloatUnaryName,
} from './algebra.js';

/** The floating-point arithmetic of the algebra: what it is given and gives, as data for whoever emits code for it. */

export type FloatWidth = 'f32' | 'f64';
export type FloatName =
  | FloatUnaryName
  | FloatBinaryName
  | FloatTernaryName
  | FloatPickName
  | FloatCompareName
  | FloatClassifyName;

/** The names of such operations. */
export const FLOAT = /^f(?:32|64)/;

/** The rounding operand that asks for the thread's own mode. */
export const DYNAMIC = 7;

export interface FloatShape {
  readonly operands: readonly (FloatWidth | 'i64')[];
  /** i32: a condition. Integers of 32 bits are extended to 64, each in the way of its format. */
  readonly result: FloatWidth | 'i64' | 'i32';
  /** Whether the operation takes a rounding mode. */
  readonly rounded: boolean;
}

const INTEGERS = ['I32', 'U32', 'I64', 'U64'] as const;

function shapesOf(width: FloatWidth): [FloatName, FloatShape][] {
  const all: [FloatName, FloatShape][] = [];
  for (const what of ['Add', 'Sub', 'Mul', 'Div'] as const) {
    all.push([`${width}${what}`, { operands: [width, width], result: width, rounded: true }]);
  }
  all.push([`${width}MulAdd`, { operands: [width, width, width], result: width, rounded: true }]);
  all.push([`${width}Sqrt`, { operands: [width], result: width, rounded: true }]);
  for (const what of ['Min', 'Max'] as const) {
    all.push([`${width}${what}`, { operands: [width, width], result: width, rounded: false }]);
  }
  for (const what of ['Eq', 'Lt', 'Le'] as const) {
    all.push([`${width}${what}`, { operands: [width, width], result: 'i32', rounded: false }]);
  }
  all.push([`${width}Classify`, { operands: [width], result: 'i64', rounded: false }]);
  for (const integer of INTEGERS) {
    all.push([`${width}To${integer}`, { operands: [width], result: 'i64', rounded: true }]);
    all.push([`${width}From${integer}`, { operands: ['i64'], result: width, rounded: true }]);
  }
  return all;
}

/** In one order everywhere: an operation's place in it is its number. */
export const FLOAT_SHAPES: ReadonlyMap<FloatName, FloatShape> = new Map<FloatName, FloatShape>([
  ...shapesOf('f32'),
  ...shapesOf('f64'),
  ['f32ToF64', { operands: ['f32'], result: 'f64', rounded: true }],
  ['f64ToF32', { operands: ['f64'], result: 'f32', rounded: true }],
]);
