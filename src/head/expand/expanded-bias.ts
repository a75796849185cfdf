/**
 * The bias of an expanded decoder.
 *
 *     frequency   μ + σ·(ℓ_t − mean ℓ) ÷ std ℓ with ℓ_t = ln(count of t ÷ occurrences): log-probabilities, moved and scaled to
 *                 the mean μ and the standard deviation σ of the old bias
 *     pooled      the mean of the pieces' biases
 *     zero        0
 *
 * The logits of a masked language model are log-probabilities up to a constant, of which the bias is the part that does not
 * depend on the text. Their own scale is not taken over: the old rows are in the new ones, and have part of the frequencies
 * in them already; an old bias without spread (of a model that was never trained) gives one without.
 */
import type { PiecedTerm } from '../../tokenizer/unigrams/term-pieces.ts';
import { pooledNumbers } from './pool-rows.ts';

/** How the bias begins. */
export type BiasInitialization = 'frequency' | 'pooled' | 'zero';

/** The bias of terms, from the old bias of tokens. */
export function expandedBias(
  terms: readonly PiecedTerm[],
  old: Float32Array,
  initialization: BiasInitialization,
): Float32Array {
  switch (initialization) {
    case 'zero':
      return new Float32Array(terms.length);
    case 'pooled':
      return pooledNumbers(terms, old);
    case 'frequency': {
      const logs = terms.map(({ count }) => Math.log(count));
      const [target, found] = [moments(old), moments(logs)];
      const scale = found.deviation === 0 ? 0 : target.deviation / found.deviation;
      return Float32Array.from(logs, (log) => target.mean + scale * (log - found.mean));
    }
  }
}

/** Mean and standard deviation of all values. */
export function moments(values: Iterable<number>): { readonly mean: number; readonly deviation: number } {
  let [count, sum, squares] = [0, 0, 0];
  for (const value of values) {
    count++;
    sum += value;
  }
  const mean = sum / count;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / count) };
}
