/** The product of a gated feed-forward layer (Shazeer, arXiv 2002.05202): act(gate) ⊙ up, from both in one matrix. */
import type { Value } from '../compute/graph/graph.ts';
import { Mul, Split } from '../compute/graph/ops/index.ts';

/**
 * @param packed [T, 2·I]
 * @param first which half comes first
 * @returns [T, I]
 */
export function gatedUnit(packed: Value, activation: (x: Value) => Value, first: 'gate' | 'up'): Value {
  const half = (packed.dims[1] as number) / 2;
  const [a, b] = Split(packed, [half, half], 1) as [Value, Value];
  return first === 'gate' ? Mul(activation(a), b) : Mul(activation(b), a);
}
