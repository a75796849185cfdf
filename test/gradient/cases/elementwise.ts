/** Element-wise operators: shapes that broadcast, rows of unknown number, no rows. */
import fc from 'fast-check';
import type { Value } from '../../../src/compute/graph/graph.ts';
import {
  Add,
  Cast,
  Cos,
  Div,
  Erf,
  Exp,
  Greater,
  Log,
  Mul,
  Neg,
  type Operand,
  Relu,
  Sin,
  Sqrt,
  Sub,
  Tanh,
  Transpose,
} from '../../../src/compute/graph/ops/index.ts';
import { type CaseInputs, type OpCase, opaque, smooth } from '../op-case.ts';

/** Declares the operand of a unary operator. */
type Variable = (inputs: CaseInputs, dims: readonly number[]) => Value;

const matrix = [2, 3] as const;

/** Two shapes that broadcast, as lists of sizes. */
export const broadcastPair: fc.Arbitrary<readonly [number[], number[]]> = fc
  .array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 })
  .chain((full) => {
    const part = fc
      .tuple(fc.array(fc.boolean(), { minLength: full.length, maxLength: full.length }), fc.nat(full.length))
      .map(([ones, dropped]) => full.map((size, axis) => (ones[axis] ? 1 : size)).slice(dropped));
    return fc.tuple(part, part);
  });

const pairs: readonly (readonly [number[], number[]])[] = [
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [
    [2, 3],
    [1, 3],
  ],
  [
    [2, 3],
    [2, 1],
  ],
  [
    [2, 1],
    [1, 3],
  ],
  [[], [2, 3]],
  [[3], [2, 1, 1]],
  [[1], []],
  [[1, 1], [1]],
  ...fc.sample(broadcastPair, { seed: 5, numRuns: 12 }),
];

function binary(name: string, op: (a: Value, b: Operand) => Value): OpCase[] {
  return [
    ...pairs.map(([a, b]) =>
      smooth(name, `[${a}] and [${b}]`, (inputs) => op(inputs.variable('a', a), inputs.variable('b', b, 0.5))),
    ),
    smooth(name, 'with a number', (inputs) => op(inputs.variable('a', matrix), 1.5)),
    smooth(name, 'with itself', (inputs) => {
      const a = inputs.variable('a', matrix, 0.5);
      return [op(a, a), a];
    }),
    smooth(name, 'rows of unknown number with a vector', (inputs) =>
      op(inputs.rows(4, 3), inputs.variable('b', [3], 0.5)),
    ),
    smooth(name, 'a vector with rows of unknown number', (inputs) => op(inputs.variable('b', [3]), inputs.rows(4, 3))),
    smooth(name, 'no rows', (inputs) => op(inputs.rows(0, 3), inputs.variable('b', [3], 0.5))),
  ];
}

/** Cases of a function of each element. */
export function unary(name: string, op: (x: Value) => Value, variable: Variable): OpCase[] {
  return [
    ...[matrix, [], [2, 1, 4]].map((dims) => smooth(name, `[${dims}]`, (inputs) => op(variable(inputs, dims)))),
    smooth(name, 'no rows', (inputs) => op(inputs.rows(0, 3))),
  ];
}

/** Any numbers. */
export const normal: Variable = (inputs, dims) => inputs.variable('x', dims);
const positive: Variable = (inputs, dims) => inputs.positive('x', dims);

/** All cases of the family. */
export const elementwiseCases: readonly OpCase[] = [
  ...binary('Add', Add),
  ...binary('Sub', Sub),
  ...binary('Mul', Mul),
  ...binary('Div', Div),
  ...unary('Neg', Neg, normal),
  ...unary('Exp', Exp, normal),
  ...unary('Log', Log, positive),
  ...unary('Sqrt', Sqrt, positive),
  ...unary('Erf', Erf, normal),
  ...unary('Tanh', Tanh, normal),
  ...unary('Cos', Cos, normal),
  ...unary('Sin', Sin, normal),
  ...unary('Relu', Relu, normal),
  smooth('Relu', 'close to zero', (inputs) => Relu(inputs.given('x', [4], [-0.01, 0.01, -0.2, 0.2]))),
  smooth('accumulate', 'a value in use four times', (inputs) => {
    const x = inputs.variable('x', matrix);
    return Add(Mul(x, Exp(x)), Sub(Transpose(Transpose(x, [1, 0]), [1, 0]), Mul(inputs.variable('y', [1]), x)));
  }),
  smooth('Cos Sin', 'many turns away from zero', (inputs) => {
    const x = inputs.given('x', [6], [-300.25, -31.5, 3.25, 31.5, 300.25, 511]);
    return [Cos(x), Sin(x)];
  }),
  opaque('Greater', 'shapes that broadcast', (inputs) =>
    Greater(inputs.variable('x', [2, 1]), inputs.variable('y', [4])),
  ),
  opaque('Greater Cast', 'a number, with equality', (inputs) =>
    Cast(Greater(inputs.given('x', [4], [-1, 0.5, 0.25, 7]), 0.5), 'float32'),
  ),
  opaque('Cast', 'to integers and back, cut off towards zero', (inputs) => {
    const x = inputs.given('x', [6], [-1.7, -0.2, 0, 0.9, 3, 2.5]);
    return [Cast(x, 'int64'), Cast(x, 'int32'), Cast(Cast(x, 'int64'), 'float32'), Cast(x, 'bool')];
  }),
];
