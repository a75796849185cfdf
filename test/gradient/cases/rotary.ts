/** Rotary position embedding: one head and several, one pair of features and several. */

import type { Value } from '../../../src/compute/graph/graph.ts';
import { Cast, Cos, Mul, RotaryEmbedding, Sin, Unsqueeze } from '../../../src/compute/graph/ops/index.ts';
import { type CaseInputs, type OpCase, smooth } from '../op-case.ts';

/** All cases of the family. */
export const rotaryCases: readonly OpCase[] = [
  ...[
    { rows: 4, heads: 1, half: 1 },
    { rows: 4, heads: 3, half: 2 },
    { rows: 3, heads: 2, half: 5 },
    { rows: 1, heads: 1, half: 8 },
  ].map(({ rows, heads, half }) =>
    smooth('RotaryEmbedding', `${rows} rows of ${heads} heads of ${2 * half}`, (inputs) => {
      const x = inputs.rows(rows, heads * 2 * half);
      const angles = anglesOf(inputs, rows, half);
      return RotaryEmbedding(x, Cos(angles), Sin(angles));
    }),
  ),
  smooth('RotaryEmbedding', 'a value in use twice, rotated forth and back', (inputs) => {
    const x = inputs.rows(3, 4);
    const angles = anglesOf(inputs, 3, 2);
    const there = RotaryEmbedding(x, Cos(angles), Sin(angles));
    return [there, Mul(x, RotaryEmbedding(there, Cos(angles), Sin(Mul(angles, -1))))];
  }),
];

/** Angles [n, half] of tokens in places 0, 7, 14…, each feature slower than the one before. */
function anglesOf(inputs: CaseInputs, rows: number, half: number): Value {
  const places = inputs.indices(
    Array.from({ length: rows }, (_, i) => 7 * i),
    'n',
    'places',
  );
  const slower = Float32Array.from({ length: half }, (_, i) => 10 ** -i);
  return Mul(Unsqueeze(Cast(places, 'float32'), [1]), inputs.graph.constant('float32', [1, half], slower));
}
