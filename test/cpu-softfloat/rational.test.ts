import test from 'ava';
import fc from 'fast-check';
import { FloatEnv } from '../../src/cpu/softfloat.js';
import { OPERATIONS, type Operand, ROUNDING_MODES } from './operations.js';
import { operandsFor } from './patterns.js';
import * as rational from './rational.js';

type Kind = 'f32' | 'f64';
type Answer = { bits: bigint; flags: number };
type Formula = (x: rational.Fraction, y: rational.Fraction, z: rational.Fraction) => rational.Fraction;

const RUNS = { numRuns: 1000 };
const zero = { n: 0n, d: 1n };

function agrees(
  name: string,
  operands: readonly Operand[],
  expect: (operands: readonly bigint[], rounding: number) => Answer | undefined,
): void {
  const operation = OPERATIONS.find((o) => o.name === name)!;
  test(`${name}: the exact layer agrees with rational arithmetic`, (t) => {
    let compared = 0;
    fc.assert(
      fc.property(operandsFor(operands), fc.constantFrom(...ROUNDING_MODES), ([a, b, c], rounding) => {
        const answer = expect([a, b, c], rounding);
        if (answer === undefined) return;
        compared++;
        const env = Object.assign(new FloatEnv(), { rounding });
        const result = operation.exact(a, b, c, env);
        if (result === answer.bits && env.flags === answer.flags) return;
        throw new Error(
          `got ${result.toString(16)} flags ${env.flags}, not ${answer.bits.toString(16)} flags ${answer.flags}`,
        );
      }),
      RUNS,
    );
    t.true(compared > RUNS.numRuns / 4, `only ${compared} cases had a finite, non-zero answer`);
  });
}

function signedRound(layout: rational.Layout, x: rational.Fraction, root: boolean, rounding: number): Answer {
  const negative = x.n < 0n;
  return rational.roundReal(layout, { of: negative ? rational.negate(x) : x, root }, negative, rounding);
}

/** Finite operands and a result that is not zero: the rest is tables of special cases, left to the processor. */
function arithmetic(kind: Kind, suffix: string, arity: number, formula: Formula, result: Kind = kind): void {
  const layout = rational.LAYOUTS[kind];
  agrees(kind + suffix, Array<Kind>(arity).fill(kind), (operands, rounding) => {
    const used = operands.slice(0, arity);
    if (!used.every((bits) => rational.isFiniteEncoding(layout, bits))) return undefined;
    const [x, y, z] = used.map((bits) => rational.fractionOf(layout, bits));
    if (suffix === 'Div' && y!.n === 0n) return undefined;
    const exact = formula(x!, y ?? zero, z ?? zero);
    if (exact.n === 0n || (suffix === 'Sqrt' && exact.n < 0n)) return undefined;
    return signedRound(rational.LAYOUTS[result], exact, suffix === 'Sqrt', rounding);
  });
}

function integers(kind: Kind, suffix: string, lowest: bigint, highest: bigint): void {
  const layout = rational.LAYOUTS[kind];
  agrees(`${kind}To${suffix}`, [kind], ([a], rounding) => {
    if (!rational.isFiniteEncoding(layout, a!)) return undefined;
    const { value, exact } = rational.roundToInteger(rational.fractionOf(layout, a!), rounding);
    if (value < lowest) return { bits: lowest, flags: 16 };
    if (value > highest) return { bits: highest, flags: 16 };
    return { bits: value, flags: exact ? 0 : 1 };
  });
  agrees(`${kind}From${suffix}`, ['integer'], ([a], rounding) => {
    const span = highest - lowest + 1n;
    const value = ((((a! - lowest) % span) + span) % span) + lowest;
    return value === 0n ? undefined : signedRound(layout, { n: value, d: 1n }, false, rounding);
  });
}

for (const kind of ['f32', 'f64'] as const) {
  arithmetic(kind, 'Add', 2, (x, y) => rational.plus(x, y));
  arithmetic(kind, 'Sub', 2, (x, y) => rational.plus(x, rational.negate(y)));
  arithmetic(kind, 'Mul', 2, (x, y) => rational.times(x, y));
  arithmetic(kind, 'Div', 2, (x, y) => rational.over(x, y));
  arithmetic(kind, 'MulAdd', 3, (x, y, z) => rational.plus(rational.times(x, y), z));
  arithmetic(kind, 'Sqrt', 1, (x) => x);
  integers(kind, 'I32', -(2n ** 31n), 2n ** 31n - 1n);
  integers(kind, 'U32', 0n, 2n ** 32n - 1n);
  integers(kind, 'I64', -(2n ** 63n), 2n ** 63n - 1n);
  integers(kind, 'U64', 0n, 2n ** 64n - 1n);
}
arithmetic('f64', 'ToF32', 1, (x) => x, 'f32');
arithmetic('f32', 'ToF64', 1, (x) => x, 'f64');
