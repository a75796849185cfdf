/**
 * The angles of rotary position embeddings (Su et al., arXiv 2104.09864): position · θ^(−2i/d) for the pair i of the d
 * features of a head. Frequencies and angles are rounded to binary32, as PyTorch computes them: at position 8,000 that
 * moves an angle by up to 5·10⁻⁴, which models are trained with.
 */
import type { Graph, Value } from '../compute/graph/graph.ts';
import { Cast, Cos, Mul, RotaryEmbedding, Sin, Unsqueeze } from '../compute/graph/ops/index.ts';
import type { TokenLayout } from './token-layout.ts';

/** Frequencies of a head's pairs, [d/2], in radians a token. */
export function rotaryFrequencies(theta: number, headSize: number): Float32Array {
  return Float32Array.from(
    { length: headSize / 2 },
    (_, i) => 1 / Math.fround(theta ** Math.fround((2 * i) / headSize)),
  );
}

/**
 * The same for longer texts than trained on, by the "NTK-aware" rule of the published GTE models: θ grows by the
 * factor, and every frequency shrinks by factor^(2/d).
 */
export function ntkFrequencies(theta: number, headSize: number, factor: number): Float32Array {
  return rotaryFrequencies(theta * factor, headSize).map((frequency) => frequency / factor ** (2 / headSize));
}

/** Rotates the heads of queries or keys, [T, heads·d], by the positions of their tokens. */
export type Rotation = (x: Value) => Value;

/** The rotation with given frequencies. */
export function rotaryRotation(graph: Graph, frequencies: Float32Array, layout: TokenLayout): Rotation {
  const positions = Unsqueeze(Cast(layout.positions, 'float32'), [1]);
  const angles = Mul(positions, graph.constant('float32', [1, frequencies.length], frequencies));
  const [cos, sin] = [Cos(angles), Sin(angles)];
  return (x) => RotaryEmbedding(x, cos, sin);
}
