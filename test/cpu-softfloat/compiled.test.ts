import { setFlagsFromString } from 'node:v8';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { FastFloat, isFastMode } from '../../src/cpu/engines/float-code.js';
import { FLOAT_SHAPES, type FloatName } from '../../src/cpu/engines/float-shapes.js';
import { fromDouble } from '../../src/cpu/softfloat/host.js';
import { FloatEnv, NX, RNE } from '../../src/cpu/softfloat.js';
import { FunctionCode, type ValueType } from '../../src/cpu/wasm/code.js';
import { hasFusedMultiplyAdd } from '../../src/cpu/wasm/fused-multiply-add.js';
import { CompiledFloat, rawArgument } from './compiled.js';
import { OPERATIONS, type Operation, ROUNDING_MODES } from './operations.js';
import { fusedOperands, operandsFor, ordinaryOperands } from './patterns.js';

/** SOFTFLOAT_RUNS: how many operands each operation gets. */
const RUNS = Number(process.env.SOFTFLOAT_RUNS ?? 2000);
// Node 20 has relaxed SIMD behind a flag.
setFlagsFromString('--experimental-wasm-relaxed-simd');
const compiled = new CompiledFloat(false);
const fused = hasFusedMultiplyAdd() ? new CompiledFloat(true) : null;

/** Compares inline code and helper with softfloat; answers with whether the inline code had an answer. */
function check(
  { name, exact }: Operation,
  operands: readonly bigint[],
  mode: number,
  flags: number,
  code = compiled,
): boolean {
  const float = name as FloatName;
  const [a, b, c] = [...operands, 0n, 0n];
  const env = Object.assign(new FloatEnv(), { rounding: mode, flags });
  const expected = BigInt.asUintN(64, BigInt(exact(a!, b!, c!, env)));
  const fail = (what: string, bits: bigint, got: number): never => {
    const input = operands.map((o) => BigInt.asUintN(64, o).toString(16)).join(' ');
    throw new Error(
      `${what} mode ${mode} flags ${flags} of ${input}: ${bits.toString(16)} flags ${got}, ` +
        `not ${expected.toString(16)} flags ${env.flags}`,
    );
  };
  const [bits, after] = code.helper(float, mode, operands, flags);
  if (bits !== expected || after !== env.flags) fail('helper', bits, after);
  if (!isFastMode(float, mode)) return false;
  const result = code.inline(float, mode, operands);
  if (result === undefined) return false;
  const raised = Object.assign(new FloatEnv(), { rounding: mode, flags: 0 });
  exact(a!, b!, c!, raised);
  if (result !== expected || (raised.flags & ~NX) !== 0) fail('inline', result, 0);
  return true;
}

const modes = fc.constantFrom(RNE, RNE, RNE, RNE, ...ROUNDING_MODES);
const flagStates = fc.constantFrom(0, NX, 0, NX, 30, 31);

test('there is code for exactly the operations of softfloat', (t) => {
  t.deepEqual([...FLOAT_SHAPES.keys()].sort(), OPERATIONS.map((o) => o.name).sort());
});

for (const operation of OPERATIONS) {
  const { operands, name } = operation;
  test(`${name}: WebAssembly gives the bits and flags of softfloat`, (t) => {
    const property = fc.property(operandsFor(operands), modes, flagStates, (values, mode, flags) => {
      check(operation, values.slice(0, operands.length), mode, flags);
    });
    fc.assert(property, { numRuns: RUNS });
    t.pass();
  });

  test(`${name}: inline code does not give up on ordinary numbers, nor do helpers`, (t) => {
    let decided = 0;
    let total = 0;
    const slowBefore = compiled.slowCalls;
    const usual = ROUNDING_MODES.filter((mode) => isFastMode(name as FloatName, mode)).slice(0, 2);
    const property = fc.property(
      ordinaryOperands(operands, name),
      fc.constantFrom(...usual),
      flagStates,
      (values, mode, flags) => {
        total++;
        if (check(operation, values, mode, flags)) decided++;
      },
    );
    fc.assert(property, { numRuns: RUNS });
    t.true(decided >= total * 0.99, `${decided} of ${total}`);
    t.true(compiled.slowCalls - slowBefore <= total * 0.01, `${compiled.slowCalls - slowBefore} of ${total}`);
  });
}

for (const operation of OPERATIONS.filter((o) => o.name.endsWith('MulAdd'))) {
  const kind = operation.operands[0] as 'f32' | 'f64';
  const few = (t: ExecutionContext, code: CompiledFloat): void => {
    let decided = 0;
    const property = fc.property(fusedOperands(kind), modes, flagStates, (values, mode, flags) => {
      if (check(operation, values, mode, flags, code)) decided++;
    });
    fc.assert(property, { numRuns: 4 * RUNS });
    t.true(decided > RUNS, `${decided} of ${4 * RUNS}`);
  };

  test(`${operation.name}: sums of few bits, which cancel and tie`, (t) => few(t, compiled));

  const needsInstruction = fused === null ? test.skip : test;
  needsInstruction(`${operation.name}: by the host's instruction`, (t) => {
    few(t, fused!);
    const any = fc.property(operandsFor(operation.operands), modes, flagStates, (values, mode, flags) => {
      check(operation, values, mode, flags, fused!);
    });
    fc.assert(any, { numRuns: RUNS });
    const ordinary = fc.property(ordinaryOperands(operation.operands, operation.name), (values) => {
      t.true(check(operation, values, RNE, NX, fused!));
    });
    fc.assert(ordinary, { numRuns: RUNS });
  });
}

const LARGEST = 2 ** 1023 * (2 - 2 ** -52);

/** Operations that random operands seldom meet; all are rounded to nearest, with no flag raised before. */
const RARE: readonly [what: string, name: FloatName, operands: readonly number[], inline: boolean][] = [
  [
    'the product of the first halves overflows',
    'f64MulAdd',
    [2, 2 ** 1023 * (1 - 2 ** -53), 2 ** 969],
    false,
  ],
  ['splitting overflows, the product is exact', 'f64Mul', [LARGEST, 2 ** -100], true],
  ['splitting overflows, the fused product is exact', 'f64MulAdd', [LARGEST, 2 ** -100, 0], false],
  [
    'what is lost is lost by the rest alone',
    'f64MulAdd',
    [2 ** 52 + 2 ** 25, 2 ** 53 - 2 ** 26 + 1, 0.5 - 2 ** 51 - 2 ** 25],
    true,
  ],
  ['a sum is zero', 'f64Sub', [0.1, 0.1], true],
  ['a factor is zero', 'f64Mul', [0, -3], true],
  ['a factor is zero', 'f64Mul', [-3, 0], true],
  ['a dividend is zero', 'f64Div', [0, -3], true],
  ['a fused factor is zero', 'f64MulAdd', [-3, 0, 2 ** -1074], true],
  ['all is zero', 'f64MulAdd', [-0, 1, -0], true],
  ['a fused sum cancels', 'f64MulAdd', [3, 5, -15], true],
  ['a fused sum is a tie', 'f64MulAdd', [2 ** 53, 1, 1], true],
  ['an infinity is compared', 'f64Lt', [1, Infinity], true],
];

for (const [what, name, numbers, inline] of RARE) {
  test(`${name}(${numbers.join(', ')}): ${what}`, (t) => {
    const operation = OPERATIONS.find((o) => o.name === name)!;
    t.is(check(operation, numbers.map(fromDouble), RNE, 0), inline);
    if (fused !== null) check(operation, numbers.map(fromDouble), RNE, 0, fused);
  });
}

test('instructions share their locals', (t) => {
  const code = new FunctionCode({ params: ['i64', 'i64', 'i64'], results: [] });
  const taken: ValueType[] = [];
  const local = code.local.bind(code);
  code.local = (type) => {
    taken.push(type);
    return local(type);
  };
  const fast = new FastFloat(code, false);
  const emitAll = (): void => {
    for (const [name, { operands }] of FLOAT_SHAPES) {
      const args = operands.map((_, index) => rawArgument(code, index));
      fast.emit(name, args, RNE, (nesting) => code.brIf(nesting));
    }
  };
  emitAll();
  const first = taken.length;
  emitAll();
  t.is(taken.length, first);
  t.true(first < 40, `${first} locals`);
});
