/**
 * The SPLADE head (Formal et al., arXiv 2109.10086): term weights v_j = log(1 + ReLU(max over tokens of z_ij)),
 * z = W·h + b. The logits of all tokens (batch × length × vocabulary) never exist: the decoder is walked in tiles of
 * the vocabulary, W_tile·Hᵀ is reduced to its maximum over the tokens of each sequence at once. Bias, ReLU and log1p
 * are monotone and come after the maximum. The backward pass touches only the token of the maximum of active terms, and
 * writes each of its numbers to a place of its own: the sums are matrix products, or are left to the engine.
 */
import type { Value } from '../compute/graph/graph.ts';
import {
  Add,
  ArgMax,
  accumulate,
  Cast,
  Concat,
  ConstantOfShape,
  Gather,
  GatherND,
  Greater,
  Log,
  MatMul,
  NonZero,
  ReduceMax,
  ReduceSum,
  Relu,
  Reshape,
  ScatterND,
  Shape,
  Sub,
  sliceRows,
  Transpose,
  Unsqueeze,
} from '../compute/graph/ops/index.ts';
import type { TokenLayout } from './token-layout.ts';

/** How pooled logits become weights: log(1 + ReLU(z)), or the same applied twice. Names as in sentence-transformers. */
export type SpladeActivation = 'relu' | 'log1p_relu';

/** Vocabulary rows of one tile. */
export const vocabularyTile = 1024;

/** Vocabulary rows that the backward pass takes at a time: more need more memory where most terms are active. */
const gradientChunk = 2 * vocabularyTile;

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
  /** Place in its sequence of the token with the largest logit, int64 [tile, S] for each tile. */
  const argmaxima: Value[] = [];
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
      if (trained) {
        argmaxima.push(
          Concat(
            logits.map((x) => ArgMax(x, 2)),
            1,
            'S',
          ),
        );
      }
      parts.push(biasColumn ? Add(maxima, sliceRows(biasColumn, start, end)) : maxima);
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
      const places = Add(Concat(argmaxima, 0, vocabulary), layout.sequenceStarts);
      const tokens = Gather(placeRows, places);
      return [
        accumulate(hidden, hidden.dims, () => hiddenGradient(hidden, weight, gradient!, tokens, layout)),
        { kind: 'pooled', factors: gradient!, sources: tokens, values: hidden },
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

/**
 * Σ over active terms of gradient · decoder row, at the token of the maximum, [T, D]. Terms of a sequence are numbered
 * 0, 1, … in each chunk of the vocabulary, so that everything is written to places of its own: their decoder rows to
 * [S, terms, D], their gradients to [S, longest, terms]; the product of the two is the sum.
 */
function hiddenGradient(hidden: Value, weight: Value, gradient: Value, tokens: Value, layout: TokenLayout): Value {
  const graph = hidden.graph;
  const vocabulary = weight.dims[0] as number;
  const width = weight.dims[1] as number;
  const sequences = Shape(layout.firstTokens);
  const positions = Sub(tokens, layout.firstTokens);
  const numbers = layout.sequenceNumbers;
  const earlier = Cast(Greater(Unsqueeze(numbers, [1]), Unsqueeze(numbers, [0])), 'float32');
  const row = (x: Value, index: number): Value =>
    Gather(x, graph.constant('int64', [], BigInt64Array.of(BigInt(index))));
  const products: Value[] = [];
  for (let start = 0, chunk = 0; start < vocabulary; start += gradientChunk, chunk++) {
    const end = Math.min(vocabulary, start + gradientChunk);
    const ofChunk = (x: Value): Value => (vocabulary <= gradientChunk ? x : sliceRows(x, start, end));
    const slice = Transpose(ofChunk(gradient), [1, 0]);
    const [count, terms] = [`active${chunk}`, `terms${chunk}`];
    const active = NonZero(slice, count);
    const [sequence, term] = [row(active, 0), row(active, 1)];
    const pairs = Transpose(active, [1, 0]);
    const values = GatherND(slice, pairs);

    const counts = ReduceSum(Cast(Cast(slice, 'bool'), 'float32'), [1], true);
    const before = Cast(Reshape(MatMul(earlier, counts), [-1], ['S']), 'int64');
    const running = row(NonZero(ConstantOfShape(Shape(values), [count], 1), count), 0);
    const number = Sub(running, Gather(before, sequence));
    // One more than needed, so that a chunk without active terms has a product too.
    const most = Cast(Add(Reshape(ReduceMax(counts, 0, true), [1]), 1), 'int64');

    const rowShape = Concat([sequences, most, graph.int64([width])], 0, 3);
    const rowPlaces = Concat([Unsqueeze(sequence, [1]), Unsqueeze(number, [1])], 1, 2);
    const zeroRows = ConstantOfShape(rowShape, ['S', terms, width], 0);
    const termRows = ScatterND(zeroRows, rowPlaces, Gather(ofChunk(weight), term), 'none');

    const position = GatherND(Transpose(ofChunk(positions), [1, 0]), pairs);
    const gridShape = Concat([sequences, layout.longest, most], 0, 3);
    const gridPlaces = Concat([Unsqueeze(sequence, [1]), Unsqueeze(position, [1]), Unsqueeze(number, [1])], 1, 3);
    const zeroGrid = ConstantOfShape(gridShape, ['S', 'longest', terms], 0);
    products.push(MatMul(ScatterND(zeroGrid, gridPlaces, values, 'none'), termRows));
  }
  const total = products.reduce((sum, product) => Add(sum, product));
  return Gather(Reshape(total, [-1, width], ['cells', width]), layout.cells);
}
