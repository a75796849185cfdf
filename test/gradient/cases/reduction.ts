/** Reductions over axes, and the position of the largest element. */
import { ArgMax, ReduceMax, ReduceMean, ReduceSum, sumAll } from '../../../src/compute/graph/ops/index.ts';
import { type OpCase, opaque, smooth } from '../op-case.ts';

const axesOf: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[3], [0]],
  [[2, 3], [0]],
  [[2, 3], [1]],
  [[2, 3], [-1]],
  [
    [2, 3],
    [1, 0],
  ],
  [
    [2, 3, 2],
    [0, 2],
  ],
  [[1, 3], [0]],
  [
    [2, 1, 2, 2],
    [1, 3],
  ],
];

/** All cases of the family. */
export const reductionCases: readonly OpCase[] = [
  ...Object.entries({ ReduceSum, ReduceMean }).flatMap(([name, op]) => [
    ...axesOf.flatMap(([dims, axes]) =>
      [true, false].map((keepdims) =>
        smooth(name, `[${dims}] over [${axes}]${keepdims ? ', axes kept' : ''}`, (inputs) =>
          op(inputs.variable('x', dims), axes, keepdims),
        ),
      ),
    ),
    smooth(name, 'rows of unknown number', (inputs) => {
      const rows = inputs.rows(4, 3);
      return [op(rows, [0], false), op(rows, [1], true), op(rows, [0, 1], false)];
    }),
  ]),
  smooth('ReduceSum', 'no rows', (inputs) => [
    ReduceSum(inputs.rows(0, 3), [0], false),
    ReduceSum(inputs.rows(0, 3), [1], true),
  ]),
  smooth('ReduceMean', 'no rows, over columns', (inputs) => ReduceMean(inputs.rows(0, 3), [1], false)),
  smooth('sumAll', 'a scalar, a cube, rows', (inputs) => [
    sumAll(inputs.variable('x', [])),
    sumAll(inputs.variable('y', [2, 1, 3])),
    sumAll(inputs.rows(4, 3)),
  ]),
  opaque('ReduceMax ArgMax', 'each axis, the first of equals', (inputs) => {
    const x = inputs.given('x', [3, 4], [1, 5, 5, -2, 7, -1, 7, 7, -3, -3, -3, -3]);
    return [
      ArgMax(x, 0),
      ArgMax(x, -1),
      ReduceMax(x, 0, false),
      ReduceMax(x, 1, true),
      ReduceMax(x, -1, false),
      ArgMax(inputs.variable('y', [2, 3, 2]), 1),
      ReduceMax(inputs.variable('y', [2, 3, 2]), 1, true),
    ];
  }),
];
