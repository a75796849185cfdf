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
      const active = activeTerms(gradient!, argmaxima, layout);
      return [
        accumulate(hidden, hidden.dims, () => hiddenGradient(hidden, weight, active, layout)),
        { kind: 'products', ...joined(active), values: hidden },
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

/** The active terms of a chunk of the vocabulary, sequence by sequence: all [count], one entry a term and sequence. */
interface ActiveTerms {
  /** First and last (exclusive) term of the chunk. */
  readonly start: number;
  readonly end: number;
  readonly count: string;
  readonly sequence: Value;
  /** Counted from the first term of the chunk. */
  readonly term: Value;
  /** Packed row of the token with the largest logit. */
  readonly token: Value;
  /** Gradient of the pooled logit. */
  readonly value: Value;
  /** Terms of each sequence, float32 [S, 1]. */
  readonly counts: Value;
}

/** The terms through which gradient flows; those of value 0 are left out. */
function activeTerms(gradient: Value, argmaxima: readonly Value[], layout: TokenLayout): ActiveTerms[] {
  const vocabulary = gradient.dims[0] as number;
  const graph = gradient.graph;
  const placeRows = Concat(
    layout.buckets.map((bucket) => bucket.rows),
    0,
    'P',
  );
  const chunks: ActiveTerms[] = [];
  for (let start = 0; start < vocabulary; start += gradientChunk) {
    const end = Math.min(vocabulary, start + gradientChunk);
    const slice = vocabulary <= gradientChunk ? gradient : sliceRows(gradient, start, end);
    const argmax = Concat(argmaxima.slice(start / vocabularyTile, Math.ceil(end / vocabularyTile)), 0, end - start);
    const bySequence = Transpose(slice, [1, 0]);
    const count = `active${chunks.length}`;
    const found = NonZero(bySequence, count);
    const [sequence, term] = [0, 1].map((row) =>
      Gather(found, graph.constant('int64', [], BigInt64Array.of(BigInt(row)))),
    ) as [Value, Value];
    const places = GatherND(argmax, Concat([Unsqueeze(term, [1]), Unsqueeze(sequence, [1])], 1, 2));
    chunks.push({
      start,
      end,
      count,
      sequence,
      term,
      token: Gather(placeRows, Add(places, Gather(layout.sequenceStarts, sequence))),
      value: GatherND(bySequence, Transpose(found, [1, 0])),
      counts: ReduceSum(Cast(Cast(bySequence, 'bool'), 'float32'), [1], true),
    });
  }
  return chunks;
}

/** Decoder row, token and factor of every active term. */
function joined(chunks: readonly ActiveTerms[]): { rows: Value; sources: Value; factors: Value } {
  const join = (pick: (chunk: ActiveTerms) => Value): Value => Concat(chunks.map(pick), 0, 'active');
  return {
    rows: join(({ term, start }) => Add(term, term.graph.constant('int64', [], BigInt64Array.of(BigInt(start))))),
    sources: join(({ token }) => token),
    factors: join(({ value }) => value),
  };
}

/**
 * Σ over active terms of gradient · decoder row, at the token of the maximum, [T, D]. Terms of a sequence are numbered
 * 0, 1, … in each chunk of the vocabulary, so that everything is written to places of its own: their decoder rows to
 * [S, terms, D], their gradients to [S, longest, terms]; the product of the two is the sum.
 */
function hiddenGradient(hidden: Value, weight: Value, chunks: readonly ActiveTerms[], layout: TokenLayout): Value {
  const graph = hidden.graph;
  const [vocabulary, width] = weight.dims as [number, number];
  const sequences = Shape(layout.firstTokens);
  const numbers = layout.sequenceNumbers;
  const earlier = Cast(Greater(Unsqueeze(numbers, [1]), Unsqueeze(numbers, [0])), 'float32');
  const columns = (values: readonly Value[]): Value =>
    Concat(
      values.map((value) => Unsqueeze(value, [1])),
      1,
      values.length,
    );
  let total: Value | undefined;
  for (const [i, { start, end, count, sequence, term, token, value, counts }] of chunks.entries()) {
    const terms = `terms${i}`;
    const before = Cast(Reshape(MatMul(earlier, counts), [-1], ['S']), 'int64');
    const ones = ConstantOfShape(Shape(value), [count], 1);
    const running = Reshape(NonZero(ones, count), [-1], [count]);
    const number = Sub(running, Gather(before, sequence));
    // One more than needed, so that a chunk without active terms has a product too.
    const most = Cast(Add(Reshape(ReduceMax(counts, 0, true), [1]), 1), 'int64');

    const rows = vocabulary <= gradientChunk ? weight : sliceRows(weight, start, end);
    const zeroRows = ConstantOfShape(Concat([sequences, most, graph.int64([width])], 0, 3), ['S', terms, width], 0);
    const termRows = ScatterND(zeroRows, columns([sequence, number]), Gather(rows, term), 'none');

    const position = Sub(token, Gather(layout.firstTokens, sequence));
    const zeroGrid = ConstantOfShape(Concat([sequences, layout.longest, most], 0, 3), ['S', 'longest', terms], 0);
    const grid = ScatterND(zeroGrid, columns([sequence, position, number]), value, 'none');
    const product = MatMul(grid, termRows);
    total = total ? Add(total, product) : product;
  }
  return Gather(Reshape(total!, [-1, width], ['cells', width]), layout.cells);
}
