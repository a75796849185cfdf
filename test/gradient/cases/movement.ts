/** Operators that move data. */
import type { Value } from '../../../src/compute/graph/graph.ts';
import {
  Concat,
  Expand,
  Gather,
  Reshape,
  Shape,
  Split,
  sliceRows,
  splitBlocks,
  Tanh,
  Transpose,
  Unsqueeze,
} from '../../../src/compute/graph/ops/index.ts';
import { type OpCase, opaque, smooth } from '../op-case.ts';

/** All cases of the family. */
export const movementCases: readonly OpCase[] = [
  opaque('Shape', 'of a scalar, a [2, 3] and rows', (inputs) => [
    Shape(inputs.variable('x', [])),
    Shape(inputs.variable('y', [2, 3])),
    Shape(inputs.rows(3, 2)),
  ]),
  smooth('Reshape', 'to known sizes', (inputs) => Reshape(inputs.variable('x', [2, 6]), [3, 1, 4])),
  smooth('Reshape', 'to and from a scalar', (inputs) => [
    Reshape(inputs.variable('x', [1, 1]), []),
    Reshape(inputs.variable('y', []), [1]),
  ]),
  smooth('Reshape', 'to a shape that is fed, with −1', (inputs) =>
    Reshape(inputs.rows(4, 6), inputs.feed('shape', 'int64', [3], [-1, 2, 3], [3]), ['n', 2, 3]),
  ),
  smooth('Reshape', 'rows of unknown number flattened', (inputs) =>
    Reshape(inputs.rows(4, 3), inputs.feed('shape', 'int64', [1], [-1], [1]), ['flat']),
  ),
  smooth('Reshape', 'no rows', (inputs) =>
    Reshape(inputs.rows(0, 6), inputs.feed('shape', 'int64', [2], [6, 0], [2]), [6, 'n']),
  ),
  ...(
    [
      [
        [2, 3],
        [1, 0],
      ],
      [
        [2, 3, 4],
        [2, 0, 1],
      ],
      [
        [2, 1, 3, 2],
        [0, 2, 1, 3],
      ],
      [[3], [0]],
    ] as const
  ).map(([dims, perm]) =>
    smooth('Transpose', `[${dims}] by [${perm}]`, (inputs) => Transpose(inputs.variable('x', dims), perm)),
  ),
  smooth('Transpose', 'no rows', (inputs) => Transpose(inputs.rows(0, 3), [1, 0])),
  smooth('Unsqueeze', 'in front, between and at the end', (inputs) => {
    const x = inputs.variable('x', [2, 3]);
    return [Unsqueeze(x, [0]), Unsqueeze(x, [1, 3]), Unsqueeze(x, [-1]), Unsqueeze(x, [2, 0])];
  }),
  smooth('Unsqueeze', 'rows of unknown number', (inputs) => Unsqueeze(inputs.rows(4, 3), [0, 2])),
  smooth('Unsqueeze', 'no rows', (inputs) => Unsqueeze(inputs.rows(0, 3), [0])),
  ...(
    [
      [
        [2, 1],
        [2, 3],
      ],
      [[3], [2, 3]],
      [[], [2, 2]],
      [
        [1, 1],
        [3, 1, 2],
      ],
      [
        [2, 3],
        [2, 3],
      ],
    ] as const
  ).map(([from, to]) =>
    smooth('Expand', `[${from}] to [${to}]`, (inputs) =>
      Expand(inputs.variable('x', from), inputs.graph.int64(to), to),
    ),
  ),
  smooth('Expand', 'to rows of unknown number', (inputs) => {
    const rows = inputs.rows(4, 3);
    return [rows, Expand(inputs.variable('x', [1, 3]), Shape(rows), rows.dims)];
  }),
  smooth('Expand', 'to no rows', (inputs) => {
    const rows = inputs.rows(0, 3);
    return [rows, Expand(inputs.variable('x', [1, 3]), Shape(rows), rows.dims)];
  }),
  smooth('Concat', 'along axis 0', (inputs) =>
    Concat([inputs.variable('a', [2, 3]), inputs.variable('b', [1, 3]), inputs.variable('c', [3, 3])], 0, 6),
  ),
  smooth('Concat', 'along the last axis', (inputs) =>
    Concat([inputs.variable('a', [2, 3]), inputs.variable('b', [2, 1])], -1, 4),
  ),
  smooth('Concat', 'one value, and the same twice', (inputs) => {
    const a = inputs.variable('a', [2, 3]);
    return [Concat([a], 0, 2), Concat([a, a], 0, 4)];
  }),
  smooth('Concat', 'rows of unknown number, none of them from one side', (inputs) => {
    const table = inputs.variable('x', [4, 3]);
    const parts = [inputs.indices([1, 2]), inputs.indices([], 'm', 'none'), inputs.indices([2], 'k', 'one')];
    return Concat(
      parts.map((ids) => Gather(table, ids)),
      0,
      'all',
    );
  }),
  smooth('Concat', 'with a part that has no gradient', (inputs) =>
    Concat([inputs.variable('a', [2, 3]), inputs.feed('fixed', 'float32', [1, 3], [1, 2, 3], [1, 3])], 0, 3),
  ),
  smooth('Split', 'along the last axis', (inputs) => Split(inputs.variable('x', [2, 6]), [1, 3, 2], -1)),
  smooth('Split', 'along axis 0, in one part too', (inputs) => {
    const x = inputs.variable('x', [3, 2]);
    return [...Split(x, [2, 1], 0), ...Split(x, [3], 0)];
  }),
  smooth('Split', 'rows of unknown number, of which a part is not used', (inputs) => {
    const [first, , last] = Split(inputs.rows(4, 6), [2, 3, 1], 1) as [Value, Value, Value];
    return [first, last];
  }),
  smooth('Split', 'no rows', (inputs) => Split(inputs.rows(0, 3), [1, 2], 1)),
  ...[7, 6, 2, 0].map((count) =>
    smooth('splitBlocks', `${count} rows in 3 blocks, and in one`, (inputs) => {
      const x = inputs.rows(count, 2);
      return [...splitBlocks(x, 3), ...splitBlocks(x, 1)];
    }),
  ),
  smooth('sliceRows', 'the start, the middle and all of a [2, 3]', (inputs) => {
    const x = inputs.variable('x', [5, 2]);
    return [sliceRows(x, 0, 2), sliceRows(x, 1, 4), sliceRows(x, 0, 5)];
  }),
  smooth('sliceRows', 'a vector, a cube, no row', (inputs) => {
    const x = inputs.variable('x', [4]);
    return [sliceRows(x, 1, 3), sliceRows(x, 2, 2), sliceRows(inputs.variable('y', [3, 2, 2]), 1, 3)];
  }),
  smooth('sliceRows', 'of a value in between', (inputs) => sliceRows(Tanh(inputs.variable('x', [4, 2])), 1, 3)),
];
