/**
 * Rows of an expanded decoder from the rows of the old one. A term's row is the mean, over the forms in which it occurs
 * and by how often, of what is pooled from the form's pieces:
 *
 *     mean       ∑ w_p ÷ n
 *     first      w of the first piece
 *     weighted   ∑ s_p·w_p ÷ ∑ s_p with s_p = a ÷ (a + f_p), f_p the piece's share of all pieces, a = 10⁻³: rare pieces,
 *                which say more, count more (Arora et al., "A simple but tough-to-beat baseline for sentence embeddings", 2017)
 *
 * or normal random numbers with the mean square of the old rows' elements. Dudek et al. (CIKM 2023, "Expanded-SPLADE") pool.
 */

import type { PiecedTerm } from '../../tokenizer/unigrams/term-pieces.ts';
import { Random } from '../../util/random.ts';

/** How rows begin. */
export type RowInitialization = 'mean' | 'first' | 'weighted' | 'random';

const smoothing = 1e-3;

/** A matrix of rows. */
export interface Rows {
  /** Row-major. */
  readonly data: Float32Array;
  readonly width: number;
}

/**
 * The rows of terms.
 * @param old rows of the tokens
 * @returns [terms, width]; a term of which the tokenizer knows no form has the mean of all old rows
 */
export function pooledRows(
  terms: readonly PiecedTerm[],
  old: Rows,
  initialization: RowInitialization,
  seed: number,
): Float32Array {
  const { data, width } = old;
  if (initialization === 'random') return randomRows(terms.length, old, seed);
  const rows = new Float32Array(terms.length * width);
  const shares = initialization === 'weighted' ? pieceShares(terms, data.length / width) : undefined;
  const mean = meanRow(old);
  const sum = new Float64Array(width);
  const add = (row: number, weight: number): void => {
    const at = row * width;
    for (let i = 0; i < width; i++) sum[i]! += weight * data[at + i]!;
  };
  for (const [term, { forms }] of terms.entries()) {
    if (forms.length === 0) {
      rows.set(mean, term * width);
      continue;
    }
    sum.fill(0);
    const total = forms.reduce((all, { count }) => all + count, 0);
    for (const { pieces, count } of forms) {
      for (const [piece, weight] of pieceWeights(pieces, initialization, shares)) add(piece, (weight * count) / total);
    }
    rows.set(sum, term * width);
  }
  return rows;
}

/**
 * Pools one number of each piece, such as its bias, as {@link pooledRows} pools rows by their mean.
 * @returns a number for each term; the mean of all for terms without known pieces
 */
export function pooledNumbers(terms: readonly PiecedTerm[], old: Float32Array): Float32Array {
  return pooledRows(terms, { data: old, width: 1 }, 'mean', 0);
}

function* pieceWeights(
  pieces: Int32Array,
  initialization: RowInitialization,
  shares: Float64Array | undefined,
): Generator<readonly [number, number]> {
  if (initialization === 'first') {
    yield [pieces[0]!, 1];
    return;
  }
  const weight = (piece: number): number => (shares === undefined ? 1 : smoothing / (smoothing + shares[piece]!));
  let total = 0;
  for (const piece of pieces) total += weight(piece);
  for (const piece of pieces) yield [piece, weight(piece) / total];
}

/** The share that each piece has of all pieces in the terms' occurrences. */
function pieceShares(terms: readonly PiecedTerm[], tokens: number): Float64Array {
  const shares = new Float64Array(tokens);
  let total = 0;
  for (const { forms } of terms) {
    for (const { pieces, count } of forms) {
      for (const piece of pieces) shares[piece]! += count;
      total += pieces.length * count;
    }
  }
  return shares.map((count) => count / Math.max(1, total));
}

function meanRow({ data, width }: Rows): Float64Array {
  const mean = new Float64Array(width);
  for (let i = 0; i < data.length; i++) mean[i % width]! += data[i]!;
  return mean.map((sum) => sum / (data.length / width));
}

function randomRows(count: number, { data, width }: Rows, seed: number): Float32Array {
  let squares = 0;
  for (const value of data) squares += value * value;
  const deviation = Math.sqrt(squares / data.length);
  const random = new Random(seed);
  return Float32Array.from({ length: count * width }, () => deviation * random.normal());
}
