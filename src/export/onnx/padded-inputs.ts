/**
 * The inputs that ONNX models of other programs have, and what our graphs are fed with, computed from them. Our graphs work
 * on packed tokens in buckets; here all B·L places of a rectangle are "packed", padding too, as one bucket:
 *
 *     input_ids  attention_mask  [token_type_ids]     int64 [batch_size, sequence_length]
 *
 * Padding is 0 in the mask, wherever it stands. Positions are those of transformers: counted over all places, and in RoBERTa
 * over the places that are no padding token, whatever the mask says.
 */
import type { ModelConfig } from '../../checkpoint/families/model-family.ts';
import { findFamily, modelShape } from '../../checkpoint/families/registry.ts';
import type { Dimensions, Graph, Value } from '../../compute/graph/graph.ts';
import {
  Add,
  ArgMax,
  Cast,
  Concat,
  Div,
  Gather,
  Mul,
  Range,
  ReduceMax,
  Reshape,
  Shape,
  Sub,
  Unsqueeze,
} from '../../compute/graph/ops/index.ts';
import { maskedScore, type TokenLayout } from '../../model/token-layout.ts';

const rectangle: Dimensions = ['batch_size', 'sequence_length'];

/** The inputs of an exported graph and what is made of them. */
export interface PaddedInputs {
  readonly layout: TokenLayout;
  /** int64 [2]: batch size, sequence length. */
  readonly shape: Value;
  /** Type of each place, int64 [places], for models that know several. */
  readonly types: Value | undefined;
  /** 1 for sequences with at least one token, else 0; float32 [batch_size, 1]. */
  readonly hasTokens: Value;
  /** For each place itself, or the first token of its sequence where it is padding: a maximum then needs no mask. int64 [places] */
  readonly poolingRows: Value;
}

/** The table of token types, where a model has more than one type. */
export function tokenTypeTable(config: ModelConfig): string | undefined {
  const specs = findFamily(config.model_type, 'config.json').weights(config);
  return specs.find(({ name, shape }) => name.endsWith('token_type_embeddings.weight') && shape[0]! > 1)?.name;
}

/** Declares the inputs in a graph and computes a layout from them. */
export function declarePaddedInputs(graph: Graph, config: ModelConfig): PaddedInputs {
  const { heads, headSize, paddingToken } = modelShape(config);
  const inputIds = graph.feed('input_ids', 'int64', rectangle);
  const attentionMask = graph.feed('attention_mask', 'int64', rectangle);
  const tokenTypes =
    tokenTypeTable(config) === undefined ? undefined : graph.feed('token_type_ids', 'int64', rectangle);

  const scalar = (x: number): Value => graph.constant('int64', [], BigInt64Array.of(BigInt(x)));
  const flat = (x: Value): Value => Reshape(x, graph.int64([-1]), ['places']);
  const shape = Shape(inputIds);
  const [batchSize, length] = [Gather(shape, scalar(0)), Gather(shape, scalar(1))];
  const places = Range(Mul(batchSize, length), 'places');
  const sequences = Div(places, length);
  const inSequence = Sub(places, Mul(sequences, length));

  const mask = Cast(Cast(attentionMask, 'bool'), 'int64');
  const realMask = Cast(mask, 'float32');
  const sequenceNumbers = Range(batchSize, 'batch_size');
  const sequenceStarts = Mul(sequenceNumbers, length);
  const firstTokens = Add(sequenceStarts, ArgMax(mask, 1));
  // own · mask + first · (1 − mask)
  const first = Gather(firstTokens, sequences);
  const poolingRows = Add(first, Mul(flat(mask), Sub(places, first)));
  const sizes = (values: readonly (Value | number)[]): Value =>
    Concat(
      values.map((value) => (typeof value === 'number' ? graph.int64([value]) : Unsqueeze(value, [0]))),
      0,
      values.length,
    );

  const layout: TokenLayout = {
    blocks: 1,
    ids: flat(inputIds),
    positions: paddingToken === undefined ? inSequence : flat(countedPositions(inputIds, scalar(paddingToken))),
    places,
    sequenceStarts,
    firstTokens,
    sequenceNumbers: Cast(sequenceNumbers, 'float32'),
    longest: sizes([length]),
    cells: places,
    buckets: [
      {
        B: 'batch_size',
        L: 'sequence_length',
        N: 'places',
        rows: places,
        attentionShape: sizes([batchSize, length, heads, headSize]),
        poolingShape: sizes([-1, batchSize, length]),
        keyMask: Unsqueeze(Mul(Sub(realMask, 1), -maskedScore), [1, 2]),
        rowMask: Unsqueeze(flat(realMask), [1]),
      },
    ],
  };
  const types = tokenTypes && flat(tokenTypes);
  return { layout, shape, types, poolingRows, hasTokens: ReduceMax(realMask, 1, true) };
}

/** p + n for the n-th token that is not p; p for the padding token p itself. int64 [batch_size, sequence_length] */
function countedPositions(inputIds: Value, padding: Value): Value {
  const { graph } = inputIds;
  const counts = Cast(Cast(Sub(inputIds, padding), 'bool'), 'int64');
  const axis = graph.constant('int64', [], BigInt64Array.of(1n));
  const [running] = graph.node('CumSum', [counts, axis], [{ dtype: 'int64', dims: rectangle }]) as [Value];
  return Add(Mul(running, counts), padding);
}
