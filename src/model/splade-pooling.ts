/**
 * The SPLADE head (Formal et al., arXiv 2109.10086): term weights v_j = log(1 + ReLU(max over tokens of z_ij)),
 * z = W·h + b. The logits of all tokens (batch × length × vocabulary) never exist: the decoder is walked in tiles of
 * the vocabulary, W_tile·Hᵀ is reduced to its maximum over the tokens of each sequence at once. Bias, ReLU and log1p
 * are monotone and come after the maximum. The backward pass touches only the token of the maximum of active terms.
 */
import type { Value } from '../compute/graph/graph.ts';
import {
  Add,
  ArgMax,
  accumulate,
  Concat,
  ConstantOfShape,
  Gather,
  GatherND,
  Log,
  MatMul,
  Mul,
  NonZero,
  ReduceMax,
  ReduceSum,
  Relu,
  Reshape,
  ScatterND,
  Shape,
  sliceRows,
  Transpose,
  Unsqueeze,
} from '../compute/graph/ops/index.ts';
import type { TokenLayout } from './token-layout.ts';

/** How pooled logits become weights: log(1 + ReLU(z)), or the same applied twice. Names as in sentence-transformers. */
export type SpladeActivation = 'relu' | 'log1p_relu';

/** Vocabulary rows of one tile. */
export const vocabularyTile = 1024;

interface Tile {
  readonly start: number;
  readonly end: number;
  readonly weight: Value;
  /** Place in its sequence of the token with the largest logit, int64 [tile, S]. */
  readonly argmax: Value | undefined;
}

/**
 * The largest logit of each term over the tokens of each sequence.
 * @param hidden decoder input, [T, D]
 * @param weight decoder, [V, D]
 * @param bias [V], if there is one
 * @returns [V, S], sequences in bucket order
 */
export function pooledLogits(
  hidden: Value,
  weight: Value,
  bias: Value | undefined,
  layout: TokenLayout,
  trained: boolean,
): Value {
  const graph = hidden.graph;
  const vocabulary = weight.dims[0] as number;
  const tiles: Tile[] = [];
  const result = graph.withoutDifferentiation(() => {
    const buckets = layout.buckets.map((bucket) => ({ bucket, rows: Transpose(Gather(hidden, bucket.rows), [1, 0]) }));
    const biasColumn = bias && Reshape(bias, [vocabulary, 1]);
    const parts: Value[] = [];
    for (let start = 0; start < vocabulary; start += vocabularyTile) {
      const end = Math.min(vocabulary, start + vocabularyTile);
      const tile = vocabulary <= vocabularyTile ? weight : sliceRows(weight, start, end);
      const logits = buckets.map(({ bucket, rows }) =>
        Reshape(MatMul(tile, rows), bucket.poolingShape, [end - start, bucket.B, bucket.L]),
      );
      const maxima = Concat(
        logits.map((x) => ReduceMax(x, 2, false)),
        1,
        'S',
      );
      const argmax = trained
        ? Concat(
            logits.map((x) => ArgMax(x, 2)),
            1,
            'S',
          )
        : undefined;
      parts.push(biasColumn ? Add(maxima, sliceRows(biasColumn, start, end)) : maxima);
      tiles.push({ start, end, weight: tile, argmax });
    }
    return Concat(parts, 0, vocabulary);
  });

  graph.differentiate({
    inputs: bias ? [hidden, weight, bias] : [hidden, weight],
    outputs: [result],
    backward: ([gradient]) => {
      const placeRows = Concat(
        layout.buckets.map((bucket) => bucket.rows),
        0,
        'P',
      );
      const active = tiles.map((tile, i) => activeTerms(tile, gradient!, layout, placeRows, `active${i}`));
      return [
        (accumulated) =>
          active.reduce(
            (sum, { tile, term, token, value }) =>
              ScatterND(sum, Unsqueeze(token, [1]), Mul(Gather(tile.weight, term), value), 'add'),
            accumulated ?? ConstantOfShape(Shape(hidden), hidden.dims, 0),
          ),
        accumulate(weight, weight.dims, () => {
          const tileGradients = active.map(({ tile, term, token, value }) => {
            const zero = ConstantOfShape(Shape(tile.weight), tile.weight.dims, 0);
            return ScatterND(zero, Unsqueeze(term, [1]), Mul(Gather(hidden, token), value), 'add');
          });
          return Concat(tileGradients, 0, vocabulary);
        }),
        bias && accumulate(bias, bias.dims, () => ReduceSum(gradient!, [1], false)),
      ];
    },
  });
  return result;
}

/** log(1 + ReLU(z)), once or twice. */
export function spladeActivation(logits: Value, activation: SpladeActivation): Value {
  const once = Log(Add(Relu(logits), 1));
  return activation === 'relu' ? once : Log(Add(once, 1));
}

/** The terms of a tile through which gradient flows: term in the tile, packed token and gradient, [count] each. */
function activeTerms(
  tile: Tile,
  gradient: Value,
  layout: TokenLayout,
  placeRows: Value,
  count: string,
): { tile: Tile; term: Value; token: Value; value: Value } {
  const graph = gradient.graph;
  const slice = sliceRows(gradient, tile.start, tile.end);
  const positions = NonZero(slice, count);
  const [term, sequence] = [0, 1].map((row) =>
    Gather(positions, graph.constant('int64', [], BigInt64Array.of(BigInt(row)))),
  ) as [Value, Value];
  const pairs = Transpose(positions, [1, 0]);
  const place = Add(GatherND(tile.argmax!, pairs), Gather(layout.sequenceStarts, sequence));
  return { tile, term, token: Gather(placeRows, place), value: Unsqueeze(GatherND(slice, pairs), [1]) };
}
