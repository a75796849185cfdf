/**
 * Packed tokens: the tokens of all sequences of a batch lie one after another, [T, D], for everything that works token
 * by token. Attention and the pooled head need rectangles: sequences of similar length share a *bucket* of B sequences
 * padded to L tokens. All sizes are symbolic, so that one compiled graph serves every batch with as many buckets.
 *
 * A padded place repeats the first token of its sequence: a maximum over tokens then needs no mask.
 */

import type { Graph, Value } from '../compute/graph/graph.ts';
import type { Tensor } from '../compute/runtime/engine.ts';
import { badInput } from '../util/errors.ts';

/** What is added to an attention score that must not count. */
export const maskedScore = -1e9;

/** The graph inputs of one bucket: B sequences of L places, N = B·L. */
export interface BucketValues {
  readonly B: string;
  readonly L: string;
  readonly N: string;
  /** Packed row of each padded place, int64 [N]. */
  readonly rows: Value;
  /** [B, L, heads, head size], int64 [4]. */
  readonly attentionShape: Value;
  /** [−1, B, L], int64 [3]. */
  readonly poolingShape: Value;
  /** 0 at tokens, {@link maskedScore} at padding, float32 [B, 1, 1, L]. */
  readonly keyMask: Value;
  /** 1 at tokens, 0 at padding, float32 [N, 1]. */
  readonly rowMask: Value;
}

/** The graph inputs that describe a batch of packed tokens. */
export interface TokenLayout {
  /** Token ids, int64 [T]. */
  readonly ids: Value;
  /** Position of each token in its sequence, int64 [T]; see {@link PackOptions.paddingToken}. */
  readonly positions: Value;
  /** Padded place of each packed token, counted over all buckets, int64 [T]. */
  readonly places: Value;
  /** First padded place of each sequence, int64 [S], in bucket order. */
  readonly sequenceStarts: Value;
  /** Packed row of the first token of each sequence, int64 [S]. */
  readonly firstTokens: Value;
  /** Number of each sequence, 0 to S − 1, float32 [S]. */
  readonly sequenceNumbers: Value;
  /** Length of the longest sequence, int64 [1]. */
  readonly longest: Value;
  /** Cell of each packed token in a grid of sequences × longest, int64 [T]. */
  readonly cells: Value;
  readonly buckets: readonly BucketValues[];
  /** Blocks of tokens that feed-forward layers work on, one after another. */
  readonly blocks: number;
}

/** A batch laid out for {@link TokenLayout}. */
export interface PackedTokens {
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** Tokens in all, T. */
  readonly tokenCount: number;
  /** Padded places in all. */
  readonly placeCount: number;
  /** Column of each given sequence in the outputs (which are in bucket order). */
  readonly columns: Int32Array;
  readonly bucketCount: number;
}

/**
 * Declares the layout's inputs in a graph.
 * @param blocks see {@link TokenLayout.blocks}
 */
export function declareTokenLayout(graph: Graph, bucketCount: number, blocks = 1): TokenLayout {
  return {
    blocks,
    ids: graph.feed('ids', 'int64', ['T']),
    positions: graph.feed('positions', 'int64', ['T']),
    places: graph.feed('places', 'int64', ['T']),
    sequenceStarts: graph.feed('sequenceStarts', 'int64', ['S']),
    firstTokens: graph.feed('firstTokens', 'int64', ['S']),
    sequenceNumbers: graph.feed('sequenceNumbers', 'float32', ['S']),
    longest: graph.feed('longest', 'int64', [1]),
    cells: graph.feed('cells', 'int64', ['T']),
    buckets: Array.from({ length: bucketCount }, (_, i): BucketValues => {
      const [B, L, N] = [`B${i}`, `L${i}`, `N${i}`];
      return {
        B,
        L,
        N,
        rows: graph.feed(`rows${i}`, 'int64', [N]),
        attentionShape: graph.feed(`attentionShape${i}`, 'int64', [4]),
        poolingShape: graph.feed(`poolingShape${i}`, 'int64', [3]),
        keyMask: graph.feed(`keyMask${i}`, 'float32', [B, 1, 1, L]),
        rowMask: graph.feed(`rowMask${i}`, 'float32', [N, 1]),
      };
    }),
  };
}

/** Options of {@link packTokens}. */
export interface PackOptions {
  /** Buckets; fewer when there are fewer sequences. */
  readonly buckets: number;
  readonly heads: number;
  readonly headSize: number;
  /**
   * RoBERTa: the id of the padding token. Positions are then counted from it on: a token has the position p + n if it is
   * the n-th that is no padding token; a padding token that a text itself has gets p. @default positions from 0 on
   */
  readonly paddingToken?: number | undefined;
}

/**
 * Lays sequences out in buckets, with as little padding as that number of buckets allows.
 * @throws LexrayError BAD_INPUT when a sequence is empty
 */
export function packTokens(sequences: readonly Int32Array[], options: PackOptions): PackedTokens {
  if (sequences.length === 0) throw badInput('a batch needs at least one sequence');
  const order = sequences.map((_, i) => i).sort((a, b) => sequences[a]!.length - sequences[b]!.length || a - b);
  const lengths = order.map((i) => sequences[i]!.length);
  if (lengths[0] === 0) throw badInput('a sequence has no tokens', { cure: 'keep the special tokens' });
  const ends = splitIntoBuckets(lengths, Math.min(options.buckets, lengths.length));
  const tokenCount = lengths.reduce((sum, length) => sum + length, 0);

  const ids = new BigInt64Array(tokenCount);
  const positions = new BigInt64Array(tokenCount);
  const places = new BigInt64Array(tokenCount);
  const sequenceStarts = new BigInt64Array(sequences.length);
  const firstTokens = new BigInt64Array(sequences.length);
  const cells = new BigInt64Array(tokenCount);
  const longest = lengths.at(-1)!;
  const columns = new Int32Array(sequences.length);
  const feeds: Record<string, Tensor> = {};
  let token = 0;
  let firstPlace = 0;
  let start = 0;
  ends.forEach((end, i) => {
    const count = end - start;
    const length = lengths[end - 1]!;
    const rows = new BigInt64Array(count * length);
    const keyMask = new Float32Array(count * length);
    const rowMask = new Float32Array(count * length);
    for (let s = start; s < end; s++) {
      const sequence = sequences[order[s]!]!;
      const base = (s - start) * length;
      columns[order[s]!] = s;
      sequenceStarts[s] = BigInt(firstPlace + base);
      firstTokens[s] = BigInt(token);
      for (let j = 0; j < length; j++) {
        const real = j < sequence.length;
        rows[base + j] = BigInt(token + (real ? j : 0));
        keyMask[base + j] = real ? 0 : maskedScore;
        rowMask[base + j] = real ? 1 : 0;
      }
      let position = options.paddingToken ?? -1;
      for (let j = 0; j < sequence.length; j++) {
        const isPadding = sequence[j] === options.paddingToken;
        ids[token + j] = BigInt(sequence[j]!);
        positions[token + j] = BigInt(isPadding ? sequence[j]! : ++position);
        places[token + j] = BigInt(firstPlace + base + j);
        cells[token + j] = BigInt(s * longest + j);
      }
      token += sequence.length;
    }
    feeds[`rows${i}`] = int64(rows);
    feeds[`attentionShape${i}`] = int64(BigInt64Array.from([count, length, options.heads, options.headSize], BigInt));
    feeds[`poolingShape${i}`] = int64(BigInt64Array.from([-1, count, length], BigInt));
    feeds[`keyMask${i}`] = { dtype: 'float32', dims: [count, 1, 1, length], data: keyMask };
    feeds[`rowMask${i}`] = { dtype: 'float32', dims: [count * length, 1], data: rowMask };
    firstPlace += count * length;
    start = end;
  });
  Object.assign(feeds, {
    ids: int64(ids),
    positions: int64(positions),
    places: int64(places),
    sequenceStarts: int64(sequenceStarts),
    firstTokens: int64(firstTokens),
    sequenceNumbers: {
      dtype: 'float32',
      dims: [sequences.length],
      data: Float32Array.from(sequences, (_, s) => s),
    },
    longest: int64(BigInt64Array.of(BigInt(longest))),
    cells: int64(cells),
  });
  return { feeds, tokenCount, placeCount: firstPlace, columns, bucketCount: ends.length };
}

/**
 * Cuts ascending lengths into exactly `count` runs so that Σ size·longest is smallest (dynamic programming).
 * @returns the end (exclusive) of each run
 */
export function splitIntoBuckets(lengths: readonly number[], count: number): number[] {
  const n = lengths.length;
  let best = Array.from({ length: n + 1 }, (_, end) => (end === 0 ? 0 : end * lengths[end - 1]!));
  const cuts: Int32Array[] = [];
  for (let bucket = 2; bucket <= count; bucket++) {
    const next = new Array<number>(n + 1).fill(Number.POSITIVE_INFINITY);
    const cut = new Int32Array(n + 1);
    for (let end = bucket; end <= n; end++) {
      for (let start = bucket - 1; start < end; start++) {
        const cost = best[start]! + (end - start) * lengths[end - 1]!;
        if (cost < next[end]!) {
          next[end] = cost;
          cut[end] = start;
        }
      }
    }
    cuts.push(cut);
    best = next;
  }
  const ends = [n];
  for (let i = cuts.length - 1; i >= 0; i--) ends.unshift(cuts[i]![ends[0]!]!);
  return ends;
}

function int64(data: BigInt64Array): Tensor {
  return { dtype: 'int64', dims: [data.length], data };
}
