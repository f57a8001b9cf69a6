import * as exact from '../../src/cpu/softfloat/exact.js';
import { BINARY32, BINARY64, type Format } from '../../src/cpu/softfloat/format.js';
import { I32, I64, type IntegerType, U32, U64 } from '../../src/cpu/softfloat/integer.js';
import type { FloatEnv } from '../../src/cpu/softfloat.js';
import * as softfloat from '../../src/cpu/softfloat.js';

export type Operand = 'f32' | 'f64' | 'integer';
type Compute = (a: bigint, b: bigint, c: bigint, env: FloatEnv) => bigint | number | boolean;

/** One function of the API beside the exact layer's answer to the same question. */
export interface Operation {
  readonly name: string;
  readonly operands: readonly Operand[];
  readonly api: Compute;
  readonly exact: Compute;
}

const FORMATS: readonly ['f32' | 'f64', Format, string, Format][] = [
  ['f32', BINARY32, 'F64', BINARY64],
  ['f64', BINARY64, 'F32', BINARY32],
];
const INTEGERS: readonly [string, IntegerType, (v: bigint) => bigint][] = [
  ['I32', I32, (v) => BigInt.asIntN(32, v)],
  ['U32', U32, (v) => BigInt.asUintN(32, v)],
  ['I64', I64, (v) => BigInt.asIntN(64, v)],
  ['U64', U64, (v) => BigInt.asUintN(64, v)],
];

type Binary = (a: bigint, b: bigint, env: FloatEnv) => bigint | boolean;
type Reference = (format: Format, a: bigint, b: bigint, env: FloatEnv) => bigint | boolean;
type Unary = (a: bigint, env: FloatEnv) => bigint | number;
type Ternary = (a: bigint, b: bigint, c: bigint, env: FloatEnv) => bigint;

const BINARY: Record<string, Reference> = {
  Add: exact.add,
  Sub: exact.sub,
  Mul: exact.mul,
  Div: exact.div,
  Min: exact.min,
  Max: exact.max,
  Eq: exact.eq,
  Lt: exact.lt,
  Le: exact.le,
};

const exports = softfloat as unknown as Record<string, unknown>;

function operationsOf([prefix, format, otherName, other]: (typeof FORMATS)[number]): Operation[] {
  const list: Operation[] = [];
  const unary = (suffix: string, operand: Operand, reference: Unary): void => {
    const api = exports[prefix + suffix] as Unary;
    list.push({
      name: prefix + suffix,
      operands: [operand],
      api: (a, _b, _c, env) => api(a, env),
      exact: (a, _b, _c, env) => reference(a, env),
    });
  };
  for (const [name, reference] of Object.entries(BINARY)) {
    const api = exports[prefix + name] as Binary;
    list.push({
      name: prefix + name,
      operands: [prefix, prefix],
      api: (a, b, _c, env) => api(a, b, env),
      exact: (a, b, _c, env) => reference(format, a, b, env),
    });
  }
  list.push({
    name: `${prefix}MulAdd`,
    operands: [prefix, prefix, prefix],
    api: exports[`${prefix}MulAdd`] as Ternary,
    exact: (a, b, c, env) => exact.mulAdd(format, a, b, c, env),
  });
  unary('Sqrt', prefix, (a, env) => exact.sqrt(format, a, env));
  unary('Classify', prefix, (a) => exact.classify(format, a));
  unary(`To${otherName}`, prefix, (a, env) => exact.convert(format, other, a, env));
  for (const [name, type, narrow] of INTEGERS) {
    unary(`To${name}`, prefix, (a, env) => exact.toInteger(format, a, type, env));
    unary(`From${name}`, 'integer', (a, env) => exact.fromInteger(format, narrow(a), env));
  }
  return list;
}

export const OPERATIONS: readonly Operation[] = FORMATS.flatMap(operationsOf);
export const ROUNDING_MODES = [softfloat.RNE, softfloat.RTZ, softfloat.RDN, softfloat.RUP, softfloat.RMM];
