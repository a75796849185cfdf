/**
 * The loss of masked language modelling (Devlin et al., arXiv 1810.04805): the cross-entropy of the labels at masked
 * positions,
 *
 *     L = Σ_i w_i·(log Σ_v exp z_iv − z_i,label(i)),   z = H·Wᵀ + b
 *
 * Only masked positions have logits. They are taken in *parts*, and the vocabulary in tiles: a tile's softmax and its own
 * log Σ exp come out of one pass over its logits, the log Σ exp of all tiles from theirs, and the softmax over the whole
 * vocabulary is that of the tile times exp(tile's − all), a factor of each row.
 *
 * The loss is the last thing in its graph, so its gradient is computed in the forward pass, part by part (as in Hsu et al.,
 * "Liger Kernel", arXiv 2410.10989): softmaxes of one part exist at a time, positions of a part × V, and no product is
 * computed twice.
 */
import type { Graph, Value } from '../compute/graph/graph.ts';
import {
  Add,
  ArgMax,
  accumulate,
  addRows,
  Concat,
  ConstantOfShape,
  Exp,
  Gather,
  GatherND,
  Linear,
  Log,
  MatMul,
  Mul,
  Neg,
  Range,
  ReduceMax,
  ReduceSum,
  Reshape,
  ScatterND,
  Shape,
  Softmax,
  Sub,
  sliceRows,
  sumAll,
  Unsqueeze,
} from '../compute/graph/ops/index.ts';

/** Vocabulary rows of one tile. */
export const decoderTile = 2048;

/** Some masked positions, as graph inputs; M is a dimension of their own. */
export interface MaskedPart {
  /** Row of the hidden states of each position, int64 [M]; none twice, in no other part either. */
  readonly rows: Value;
  /** Row of the decoder that is right there, int64 [M]. */
  readonly labels: Value;
  /** Factor of the position in the loss, float32 [M, 1]. */
  readonly weights: Value;
}

/** The decoder of a masked language model. */
export interface Decoder {
  /** [V, D] */
  readonly weight: Value;
  /** [V], if there is one */
  readonly bias: Value | undefined;
}

/** What is found at the masked positions of a part. */
export interface MaskedFigures {
  /** Cross-entropy at each position, without its weight, float32 [M, 1]. */
  readonly losses: Value;
  /** The most probable row of the decoder, int64 [M]. */
  readonly predictions: Value;
}

/**
 * The loss as something to train with.
 * @param hidden decoder input, [T, D]
 * @returns scalar
 */
export function maskedCrossEntropy(hidden: Value, decoder: Decoder, parts: readonly MaskedPart[]): Value {
  const { graph } = hidden;
  const { weight, bias } = decoder;
  const { loss, gradients } = graph.withoutDifferentiation(() => lossAndGradients(hidden, decoder, parts));
  const join = (pick: (part: MaskedPart) => Value): Value => Concat(parts.map(pick), 0, 'masked');
  graph.differentiate({
    inputs: bias ? [hidden, weight, weight, bias] : [hidden, weight, weight],
    outputs: [loss],
    backward: ([upstream]) => {
      const scaled = (value: Value): Value => (upstream === graph.scalar(1) ? value : Mul(value, upstream!));
      const labelFactors = (): Value => scaled(Neg(join(({ weights }) => weights)));
      const labels = join((part) => part.labels);
      return [
        accumulate(hidden, hidden.dims, () => {
          const zeros = ConstantOfShape(Shape(hidden), hidden.dims, 0);
          const rows = Unsqueeze(
            join((part) => part.rows),
            [1],
          );
          return ScatterND(zeros, rows, scaled(Concat(gradients.hidden, 0, 'masked')), 'none');
        }),
        accumulate(weight, weight.dims, () => scaled(gradients.weight)),
        {
          kind: 'rows',
          rows: labels,
          values: Mul(
            Gather(
              hidden,
              join((part) => part.rows),
            ),
            labelFactors(),
          ),
        },
        bias &&
          accumulate(bias, bias.dims, () =>
            Reshape(addRows(scaled(Reshape(gradients.bias!, [-1, 1], [...bias.dims, 1])), labels, labelFactors()), [
              bias.dims[0] as number,
            ]),
          ),
      ];
    },
  });
  return loss;
}

/** What is found at each masked position, without gradients: for texts that are held out. */
export function maskedFigures(hidden: Value, decoder: Decoder, part: MaskedPart): MaskedFigures {
  const { graph } = hidden;
  return graph.withoutDifferentiation(() => {
    const rows = Gather(hidden, part.rows);
    const tiles = decoderTiles(decoder).map(({ start, weight, bias }) => {
      const logits = Linear(rows, weight, bias);
      const position = ArgMax(logits, 1);
      return {
        ...tileSoftmax(logits),
        best: Add(position, graph.constant('int64', [], BigInt64Array.of(BigInt(start)))),
      };
    });
    const column = (values: readonly Value[]): Value => Concat(values, 1, values.length);
    const bestTile = ArgMax(column(tiles.map(({ largest }) => largest)), 1);
    const [length] = part.labels.dims;
    const numbers = Range(Reshape(Shape(part.labels), []), length!);
    const places = column([numbers, bestTile].map((value) => Unsqueeze(value, [1])));
    const losses = Sub(logSumExp(tiles.map(({ total }) => total)), labelLogits(rows, decoder, part.labels));
    return { losses, predictions: GatherND(column(tiles.map(({ best }) => Unsqueeze(best, [1]))), places) };
  });
}

interface Gradients {
  /** Of each part's rows, [M, D]. */
  readonly hidden: readonly Value[];
  /** Without the labels' share, [V, D]. */
  readonly weight: Value;
  /** Without the labels' share, [V]. */
  readonly bias: Value | undefined;
}

function lossAndGradients(
  hidden: Value,
  decoder: Decoder,
  parts: readonly MaskedPart[],
): { readonly loss: Value; readonly gradients: Gradients } {
  const { graph } = hidden;
  const { weight } = decoder;
  const losses: Value[] = [];
  const toHidden: Value[] = [];
  const tileWeights: (Value | undefined)[] = [];
  const tileBiases: (Value | undefined)[] = [];
  for (const part of parts) {
    const rows = Gather(hidden, part.rows);
    const tiles = decoderTiles(decoder);
    const softmaxes = tiles.map((tile) => tileSoftmax(Linear(rows, tile.weight, tile.bias)));
    const all = logSumExp(softmaxes.map(({ total }) => total));
    losses.push(sumAll(Mul(part.weights, Sub(all, labelLogits(rows, decoder, part.labels)))));
    let toRows = Neg(Mul(part.weights, Gather(weight, part.labels)));
    softmaxes.forEach(({ softmax, total }, i) => {
      const tile = tiles[i]!;
      const factors = Mul(part.weights, Exp(Sub(total, all)));
      toRows = Add(toRows, Mul(MatMul(softmax, tile.weight), factors));
      tileWeights[i] = addProduct(graph, softmax, Mul(rows, factors), tileWeights[i]);
      if (tile.bias) tileBiases[i] = addProduct(graph, softmax, factors, tileBiases[i]);
    });
    toHidden.push(toRows);
  }
  const vocabulary = weight.dims[0] as number;
  const joined = (values: readonly (Value | undefined)[]): Value => Concat(values as Value[], 0, vocabulary);
  return {
    loss: losses.reduce((sum, value) => Add(sum, value)),
    gradients: {
      hidden: toHidden,
      weight: joined(tileWeights),
      bias: decoder.bias && Reshape(joined(tileBiases), [vocabulary]),
    },
  };
}

/** aᵀ·b, added to a sum if there is one (ONNX Gemm). */
function addProduct(graph: Graph, a: Value, b: Value, sum: Value | undefined): Value {
  const dims = [a.dims[1]!, b.dims[1]!];
  return graph.node('Gemm', sum ? [a, b, sum] : [a, b], [{ dtype: 'float32', dims }], { transA: 1 })[0]!;
}

interface DecoderTile extends Decoder {
  /** Its first row in the whole decoder. */
  readonly start: number;
}

function decoderTiles({ weight, bias }: Decoder): DecoderTile[] {
  const vocabulary = weight.dims[0] as number;
  if (vocabulary <= decoderTile) return [{ start: 0, weight, bias }];
  return Array.from({ length: Math.ceil(vocabulary / decoderTile) }, (_, i) => {
    const start = i * decoderTile;
    const end = Math.min(vocabulary, start + decoderTile);
    return { start, weight: sliceRows(weight, start, end), bias: bias && sliceRows(bias, start, end) };
  });
}

interface TileSoftmax {
  /** Softmax over the tile, [M, tile]. */
  readonly softmax: Value;
  /** Largest logit, [M, 1]. */
  readonly largest: Value;
  /** log Σ exp of the tile's logits, [M, 1]: the largest logit less the logarithm of the largest probability. */
  readonly total: Value;
}

function tileSoftmax(logits: Value): TileSoftmax {
  const softmax = Softmax(logits);
  const largest = ReduceMax(logits, 1, true);
  return { softmax, largest, total: Sub(largest, Log(ReduceMax(softmax, 1, true))) };
}

/** log Σ exp of several columns [M, 1]. */
function logSumExp(columns: readonly Value[]): Value {
  if (columns.length === 1) return columns[0]!;
  const joined = Concat(columns, 1, columns.length);
  const largest = ReduceMax(joined, 1, true);
  return Add(largest, Log(ReduceSum(Exp(Sub(joined, largest)), [1], true)));
}

/** The logits of the labels, [M, 1]. */
function labelLogits(rows: Value, { weight, bias }: Decoder, labels: Value): Value {
  const products = ReduceSum(Mul(rows, Gather(weight, labels)), [1], true);
  return bias ? Add(products, Unsqueeze(Gather(bias, labels), [1])) : products;
}
