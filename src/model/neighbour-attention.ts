/**
 * A start for models with learned positions (BERT, RoBERTa) in which some heads of every layer look at the token before and the
 * one behind. From a random start such a model stays for millions of tokens at the loss of word frequencies: to find its
 * neighbours it has to learn a table of positions and the products of its rows, while those rows disturb what the words say.
 * Here positions have dimensions of their own, in which the rows are sines and cosines, so that a look at a distance δ is a
 * rotation, and a few rows of the query and key projections are that rotation. All of it is trained like any other weight.
 * What it is worth: docs/decisions/0014-a-start-for-learned-positions.md.
 */
import type { NamedWeight } from '../checkpoint/checkpoint.ts';
import type { BertConfig } from '../checkpoint/families/bert-config.ts';
import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import type { RobertaConfig } from '../checkpoint/families/roberta.ts';

/** A model with BERT's encoder. */
export type LearnedPositionsConfig = BertConfig | RobertaConfig;

/** Whether {@link attendToNeighbours} can start such a model. */
export function hasLearnedPositions(config: ModelConfig): config is LearnedPositionsConfig {
  return config.model_type === 'bert' || config.model_type === 'roberta';
}

/** Attention logit of a token for the neighbour that its head looks at, above that for tokens far away. */
const peak = 11;
/** The slowest frequency is the fastest, 1 radian a position, divided by this. */
const slowest = 30;

/** Where positions are: pairs of dimensions at the end of the hidden state, and the frequency of each pair. */
interface PositionSpace {
  readonly first: number;
  readonly frequencies: readonly number[];
}

/**
 * Weights of a new model, changed so that the first half of each layer's heads look one token back and one ahead in turn.
 * @param weights of `initializeWeights`, changed in place as they pass
 */
export function* attendToNeighbours(
  config: LearnedPositionsConfig,
  weights: Iterable<NamedWeight>,
): Generator<NamedWeight> {
  const { hidden_size: hidden, num_attention_heads: heads, initializer_range: deviation } = config;
  const headSize = hidden / heads;
  const pairs = Math.max(1, Math.min(Math.floor(hidden / 16), Math.floor(headSize / 2)));
  const space: PositionSpace = {
    first: hidden - 2 * pairs,
    frequencies: Array.from({ length: pairs }, (_, i) => slowest ** (-i / pairs)),
  };
  // Behind the LayerNorm of the embeddings a pair has the squared length 2, whatever the deviation.
  const gain = Math.sqrt((peak * Math.sqrt(headSize)) / (2 * pairs));
  const looking = Math.ceil(heads / 2);
  for (const weight of weights) {
    const { name, data } = weight;
    if (/\.embeddings\.(word|token_type)_embeddings\.weight$/.test(name)) clear(data, hidden, space);
    else if (name.endsWith('.embeddings.position_embeddings.weight')) {
      writePositions(data, hidden, space, deviation * Math.SQRT2);
    } else if (/\.attention\.self\.(query|key)\.weight$/.test(name)) {
      for (let head = 0; head < looking; head++) {
        const distance = name.endsWith('.key.weight') ? 0 : head % 2 === 0 ? -1 : 1;
        const rows = data.subarray(head * headSize * hidden, (head + 1) * headSize * hidden);
        writeRotation(rows, hidden, space, { distance, gain });
      }
    }
    yield weight;
  }
}

/** Zeros in the dimensions of positions. */
function clear(table: Float32Array, hidden: number, { first }: PositionSpace): void {
  for (let row = 0; row < table.length; row += hidden) table.fill(0, row + first, row + hidden);
}

/** Sines and cosines in the dimensions of positions, zeros elsewhere. */
function writePositions(table: Float32Array, hidden: number, { first, frequencies }: PositionSpace, amplitude: number) {
  table.fill(0);
  for (let position = 0; position * hidden < table.length; position++) {
    for (const [i, frequency] of frequencies.entries()) {
      const at = position * hidden + first + 2 * i;
      table[at] = amplitude * Math.sin(frequency * position);
      table[at + 1] = amplitude * Math.cos(frequency * position);
    }
  }
}

/** Rows of one head, [head size, hidden], that turn the position p into p + distance, each pair by its frequency. */
function writeRotation(
  rows: Float32Array,
  hidden: number,
  { first, frequencies }: PositionSpace,
  { distance, gain }: { readonly distance: number; readonly gain: number },
): void {
  rows.fill(0);
  for (const [i, frequency] of frequencies.entries()) {
    const [sine, cosine] = [gain * Math.sin(frequency * distance), gain * Math.cos(frequency * distance)];
    const [at, next] = [2 * i * hidden + first + 2 * i, (2 * i + 1) * hidden + first + 2 * i];
    rows[at] = cosine;
    rows[at + 1] = sine;
    rows[next] = -sine;
    rows[next + 1] = cosine;
  }
}
