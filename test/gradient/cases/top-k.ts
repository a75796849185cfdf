/** The largest elements along an axis, and writing along an axis. */
import { ScatterElements, TopK } from '../../../src/compute/graph/ops/index.ts';
import { type OpCase, opaque } from '../op-case.ts';

/** All cases of the family. */
export const topKCases: readonly OpCase[] = [
  opaque('TopK', 'each axis, the first of equals first', (inputs) => {
    const x = inputs.given('x', [3, 4], [1, 5, 5, -2, 7, -1, 7, 7, -3, -3, -3, -3]);
    return [...TopK(x, 2, 0), ...TopK(x, 3, -1), ...TopK(x, 4, 1), ...TopK(inputs.variable('y', [2, 3, 2]), 2, 1)];
  }),
  opaque('TopK', 'rows of unknown number', (inputs) => TopK(inputs.rows(4, 3), 1, 1)),
  opaque('TopK', 'many equals, a small and a large k', (inputs) => {
    const values = Array.from({ length: 600 }, (_, i) => (i * 7919) % 11);
    const x = inputs.given('x', [2, 300], values);
    return [5, 40, 200].flatMap((k) => [...TopK(x, k, 1)]);
  }),
  opaque('ScatterElements', 'each axis', (inputs) => {
    const x = inputs.variable('x', [3, 2]);
    const rows = inputs.feed('rows', 'int64', ['n', 2], [2, 0, 0, 1], [2, 2]);
    const columns = inputs.feed('columns', 'int64', [3, 1], [1, 0, 1], [3, 1]);
    return [
      ScatterElements(x, rows, inputs.feed('updates', 'float32', ['n', 2], [1, 2, 3, 4], [2, 2]), 0),
      ScatterElements(x, columns, inputs.feed('more', 'float32', [3, 1], [5, 6, 7], [3, 1]), -1),
    ];
  }),
];
