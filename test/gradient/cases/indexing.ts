/** Gathering and scattering by indices, also by none; filled tensors. */
import {
  addRows,
  ConstantOfShape,
  Gather,
  GatherND,
  Greater,
  NonZero,
  Range,
  ScatterND,
  Shape,
  Transpose,
} from '../../../src/compute/graph/ops/index.ts';
import { type OpCase, opaque, smooth } from '../op-case.ts';

/** All cases of the family. */
export const indexingCases: readonly OpCase[] = [
  opaque('ConstantOfShape Shape', 'the shape of rows', (inputs) =>
    ConstantOfShape(Shape(inputs.rows(3, 2)), ['n', 2], -1.5),
  ),
  opaque('ConstantOfShape', 'no rows', (inputs) => ConstantOfShape(Shape(inputs.rows(0, 2)), ['n', 2], 1)),
  opaque('Range', 'numbers of rows, of some and of none', (inputs) =>
    [4, 1, 0].map((count, i) => Range(inputs.feed(`limit ${i}`, 'int64', [], [count], []), `n${i}`)),
  ),
  smooth('Gather', 'axis 0, repeated and negative indices', (inputs) =>
    Gather(inputs.variable('x', [4, 3]), inputs.indices([3, 0, 3, -1, 3, 1])),
  ),
  smooth('Gather', 'axis 1, repeated indices', (inputs) =>
    Gather(inputs.variable('x', [2, 4]), inputs.indices([3, 0, 3, 1, 1]), 1),
  ),
  smooth('Gather', 'the last axis of three', (inputs) =>
    Gather(inputs.variable('x', [2, 3, 4]), inputs.indices([2, 2, 0]), -1),
  ),
  smooth('Gather', 'the middle axis of three', (inputs) =>
    Gather(inputs.variable('x', [2, 3, 4]), inputs.indices([2, 2, 0, 1]), 1),
  ),
  smooth('Gather', 'a vector', (inputs) => Gather(inputs.variable('x', [4]), inputs.indices([1, 1, 3]))),
  smooth('Gather', 'no index', (inputs) => Gather(inputs.variable('x', [4, 3]), inputs.indices([]))),
  smooth('Gather', 'one table by two lists', (inputs) => {
    const table = inputs.variable('x', [4, 3]);
    const first = Gather(table, inputs.indices([1, 1, 3]));
    return [
      first,
      Gather(table, inputs.indices([0, 3], 'm', 'more')),
      Gather(first, inputs.indices([2, 2], 'k', 'again')),
    ];
  }),
  opaque('Gather Cast', 'integers, by a matrix of indices', (inputs) => {
    const table = inputs.feed('table', 'int64', [3], [10, 20, 30], [3]);
    return Gather(table, inputs.feed('ids', 'int64', ['a', 2], [0, 2, 1, 1], [2, 2]));
  }),
  smooth('Gather', 'distinct indices, on axis 0 and 1', (inputs) => {
    const x = inputs.variable('x', [3, 4]);
    const ids = inputs.indices([2, 0]);
    return [Gather(x, ids, 0, { unique: true }), Gather(x, ids, 1, { unique: true })];
  }),
  smooth('Gather', 'columns of rows of unknown number', (inputs) =>
    Gather(inputs.rows(4, 3), inputs.indices([1, 1, 0], 'm', 'columns'), 1),
  ),
  smooth('Gather', 'columns of no rows', (inputs) =>
    Gather(inputs.rows(0, 3), inputs.indices([1, 1, 0], 'm', 'columns'), 1),
  ),
  ...[[], [3], [2, 2]].map((rest) =>
    opaque('addRows', `[4${rest.map((dim) => `, ${dim}`)}], repeated rows`, (inputs) => {
      const size = rest.reduce((product, dim) => product * dim, 1);
      const values = Array.from({ length: 5 * size }, (_, i) => i + 0.5);
      const updates = inputs.feed('updates', 'float32', ['n', ...rest], values, [5, ...rest]);
      return addRows(inputs.variable('x', [4, ...rest]), inputs.indices([3, 0, 3, -1, 1]), updates);
    }),
  ),
  opaque('addRows', 'rows of unknown width, and none', (inputs) => {
    const x = inputs.feed('x', 'float32', [3, 'w'], [1, 2, 3, 4, 5, 6], [3, 2]);
    const updates = inputs.feed('updates', 'float32', ['n', 'w'], [1, 2, 3, 4, 5, 6, 7, 8], [4, 2]);
    const none = inputs.feed('none', 'float32', ['m', 'w'], [], [0, 2]);
    const y = inputs.variable('y', [3, 2]);
    return [
      addRows(x, inputs.indices([2, 2, 0, 2]), updates),
      addRows(x, inputs.indices([], 'm', 'no row'), none),
      addRows(y, inputs.indices([], 'k', 'no row at all'), inputs.feed('empty', 'float32', ['k', 2], [], [0, 2])),
    ];
  }),
  opaque('GatherND', 'elements, rows and nothing', (inputs) => {
    const x = inputs.variable('x', [3, 4]);
    return [
      GatherND(x, inputs.feed('elements', 'int64', ['n', 2], [0, 1, 2, 3, -1, -1], [3, 2])),
      GatherND(x, inputs.feed('rows', 'int64', ['m', 1], [2, 2], [2, 1])),
      GatherND(x, inputs.feed('none', 'int64', ['k', 2], [], [0, 2])),
    ];
  }),
  opaque('ScatterND', 'adding elements', (inputs) =>
    ScatterND(
      inputs.variable('x', [3, 4]),
      inputs.feed('at', 'int64', ['n', 2], [0, 1, 2, 3, 0, -2, 1, 0], [4, 2]),
      inputs.feed('updates', 'float32', ['n'], [1, 2, 3, 4], [4]),
      'add',
    ),
  ),
  opaque('ScatterND', 'writing rows', (inputs) =>
    ScatterND(
      inputs.variable('x', [3, 2]),
      inputs.feed('at', 'int64', ['n', 1], [2, -3], [2, 1]),
      inputs.feed('updates', 'float32', ['n', 2], [1, 2, 3, 4], [2, 2]),
      'none',
    ),
  ),
  ...(['none', 'add'] as const).map((reduction) =>
    opaque('ScatterND', `nothing (${reduction})`, (inputs) =>
      ScatterND(
        inputs.variable('x', [3, 2]),
        inputs.feed('at', 'int64', ['n', 1], [], [0, 1]),
        inputs.feed('updates', 'float32', ['n', 2], [], [0, 2]),
        reduction,
      ),
    ),
  ),
  opaque('NonZero', 'numbers and booleans', (inputs) => {
    const x = inputs.given('x', [2, 3], [0, 1, 0, -2, 0, 0.5]);
    return [NonZero(x, 'count'), NonZero(Greater(x, 0), 'positive')];
  }),
  opaque('NonZero GatherND ScatterND', 'a chain over no element', (inputs) => {
    const x = inputs.variable('x', [2, 3]);
    const found = Transpose(NonZero(Greater(x, 100), 'count'), [1, 0]);
    return [found, ScatterND(x, found, GatherND(x, found), 'add')];
  }),
  opaque('NonZero GatherND ScatterND', 'a chain over some elements', (inputs) => {
    const x = inputs.variable('x', [4, 5]);
    const found = Transpose(NonZero(Greater(x, 0), 'count'), [1, 0]);
    return [found, ScatterND(x, found, GatherND(x, found), 'add')];
  }),
];
