/**
 * What the weights of the MLM head say without encoding a text. Sums are in float64.
 *
 *     row norms      ‖w_v‖₂ over the terms v: the "head norm" of arXiv 2606.18811 is their mean
 *     anisotropy     mean cosine of two different rows: (‖Σ_v ŵ_v‖² − n) / (n·(n − 1)) over the n rows that are not zero
 *     closed form    S = mean_v ‖w_v ⊙ γ‖₂: with h = γ⊙n + β and n of unit variance in each direction, the standard
 *                    deviation of the logits z_v over tokens, averaged over terms
 *
 * The paper's digest does not define its anisotropy; this definition is ours.
 */
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { type HeadLocation, locateHead } from './locate-head.ts';
import { RepeatedRows } from './repeated-rows.ts';

/** A number's distribution. */
export interface Spread {
  readonly mean: number;
  /** Standard deviation, over n. */
  readonly std: number;
  readonly min: number;
  readonly max: number;
}

/** What {@link headStatistics} finds. */
export interface HeadStatistics {
  readonly location: HeadLocation;
  /** ‖w_v‖₂ of each term. */
  readonly rowNorms: Float64Array;
  readonly norm: Spread;
  readonly anisotropy: number;
  /** Output bias; undefined where the head has none. */
  readonly bias: Spread | undefined;
  /** γ of the LayerNorm before the decoder. */
  readonly gamma: Spread;
  /** β of it; undefined where there is none. */
  readonly beta: Spread | undefined;
  /** S, as above. */
  readonly closedFormDeviation: number;
  /** Mean over terms of the logit at n = 0: w_v·β + b_v. */
  readonly meanLogit: number;
  /** Rows of zeros. */
  readonly zeroRows: number;
  /** Rows that repeat an earlier row that is not zero. */
  readonly repeatedRows: number;
  /** Signs that the head was never trained; see {@link untrainedSigns}. */
  readonly untrained: readonly string[];
}

/** Rows of the decoder that are in memory at a time. */
const blockRows = 1024;

/**
 * Reads the head of a checkpoint and describes it.
 * @throws LexrayError BAD_INPUT when a value is not finite
 */
export async function headStatistics(checkpoint: Checkpoint): Promise<HeadStatistics> {
  const location = locateHead(checkpoint);
  const { width, vocabularySize } = location;
  const gamma = await checkpoint.readTensor(location.norm.weight);
  const beta = location.norm.bias === undefined ? undefined : await checkpoint.readTensor(location.norm.bias);
  const bias = location.bias === undefined ? undefined : await checkpoint.readTensor(location.bias);

  const rowNorms = new Float64Array(vocabularySize);
  const sumOfUnits = new Float64Array(width);
  const rows = new RepeatedRows();
  let closedForm = 0;
  let shifts = 0;
  let used = 0;
  let term = 0;
  for await (const block of checkpoint.readBlocks(location.decoder, blockRows * width)) {
    for (let start = 0; start < block.length; start += width, term++) {
      let squares = 0;
      let scaled = 0;
      let shift = 0;
      for (let i = 0; i < width; i++) {
        const w = block[start + i]!;
        squares += w * w;
        scaled += (w * gamma[i]!) ** 2;
        if (beta !== undefined) shift += w * beta[i]!;
      }
      const norm = Math.sqrt(squares);
      rowNorms[term] = norm;
      closedForm += Math.sqrt(scaled);
      shifts += shift;
      if (norm === 0) continue;
      used++;
      rows.add(block.subarray(start, start + width), norm);
      for (let i = 0; i < width; i++) sumOfUnits[i]! += block[start + i]! / norm;
    }
  }
  let lengthOfSum = 0;
  for (const x of sumOfUnits) lengthOfSum += x * x;
  const biasSpread = bias && spreadOf(bias);
  const statistics = {
    location,
    rowNorms,
    norm: spreadOf(rowNorms),
    anisotropy: used > 1 ? (lengthOfSum - used) / (used * (used - 1)) : 0,
    bias: biasSpread,
    gamma: spreadOf(gamma),
    beta: beta && spreadOf(beta),
    closedFormDeviation: closedForm / vocabularySize,
    meanLogit: shifts / vocabularySize + (biasSpread?.mean ?? 0),
    zeroRows: vocabularySize - used,
    repeatedRows: rows.repeated,
  };
  return { ...statistics, untrained: untrainedSigns(statistics) };
}

/** Mean, standard deviation and extremes of numbers. */
export function spreadOf(values: Float32Array | Float64Array): Spread {
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, std: Math.sqrt(squares / values.length), min, max };
}

/**
 * Signs that the head is still as it was initialised: γ exactly 1, β exactly 0, and the output bias exactly 0 (pre-training
 * moves all three); for an untied decoder also row norms as even as those of independent normal numbers, whose coefficient
 * of variation is 1/√(2·width) (at most a tenth above that; a trained decoder spreads several times as wide, with the
 * frequency of its terms).
 * @returns the signs in words when all hold, else nothing
 */
function untrainedSigns(
  head: Pick<HeadStatistics, 'gamma' | 'beta' | 'bias' | 'norm' | 'location'>,
): readonly string[] {
  const { gamma, beta, bias, norm, location } = head;
  const isConstant = ({ min, max }: Spread, value: number): boolean => min === value && max === value;
  const fresh =
    isConstant(gamma, 1) && (beta === undefined || isConstant(beta, 0)) && (bias === undefined || isConstant(bias, 0));
  if (!fresh) return [];
  const signs = [`the head's LayerNorm is as initialised (γ = 1${beta ? ', β = 0' : ''})`];
  if (bias !== undefined) signs.push('every output bias is 0');
  const variation = norm.std / norm.mean;
  const random = 1 / Math.sqrt(2 * location.width);
  if (variation <= 1.1 * random) {
    signs.push(
      `the rows of the decoder are as even as random ones (CV ${variation.toFixed(4)}, random ${random.toFixed(4)})`,
    );
  }
  return signs;
}
