/** Layer normalisation and softmax. */
import { LayerNormalization, LogSoftmax, Softmax } from '../../../src/compute/graph/ops/index.ts';
import { type OpCase, smooth } from '../op-case.ts';

/** All cases of the family. */
export const normalizationCases: readonly OpCase[] = [
  ...[0, 1, 4].map((count) =>
    smooth('LayerNormalization', `${count} rows`, (inputs) =>
      LayerNormalization(inputs.rows(count, 6), inputs.variable('weight', [6]), inputs.variable('bias', [6]), 1e-5),
    ),
  ),
  smooth('LayerNormalization', 'without a bias', (inputs) =>
    LayerNormalization(inputs.rows(4, 6), inputs.variable('weight', [6]), undefined, 1e-5),
  ),
  smooth('LayerNormalization', 'a large epsilon, weights apart', (inputs) =>
    LayerNormalization(
      inputs.variable('x', [3, 4]),
      inputs.given('weight', [4], [0.5, -2, 3, 0.1]),
      inputs.variable('bias', [4]),
      0.5,
    ),
  ),
  ...Object.entries({ Softmax, LogSoftmax }).flatMap(([name, op]) => [
    ...[[5], [2, 3], [2, 1, 4], [2, 2, 2, 3], [3, 1]].map((dims) =>
      smooth(name, `[${dims}]`, (inputs) => op(inputs.variable('x', dims))),
    ),
    smooth(name, 'far apart', (inputs) => op(inputs.given('x', [2, 3], [-40, 0, 3, 50, 49, 51]))),
    smooth(name, 'no rows', (inputs) => op(inputs.rows(0, 3))),
  ]),
];
