/**
 * What a training step says about the vectors of its batch, for metrics and for the guard. For each side: active dimensions,
 * vectors that are all zero or full, and document frequencies of terms within the batch; of the scores: their spread, and how
 * decided the softmax is,
 *
 *     ranking    mean over queries i of −ln softmax(s_i·/τ)_i / ln n: 1 for a model without preference, above it worse than chance
 *     entropy    H(softmax(s_i·/τ)) / ln n,   mean over queries i; n the documents of its sum: 1 undecided, 0 decided
 *     avg_flops  Σ_v p_q(v)·p_d(v),           p the share of vectors in which term v is active (as sentence-transformers)
 *
 * All of it from what a step returns, without another pass.
 */

/** Active terms of one side of a batch. */
interface SideTerms {
  /** In how many vectors each term is active, [V]. */
  readonly counts: Float32Array;
}

/** What a step returns, as far as its health goes. */
export interface StepFigures {
  readonly loss: number;
  readonly baseLoss: number;
  /** Parts of the loss by name. */
  readonly parts: Readonly<Record<string, number>>;
  /** Active dimensions of each query, [Q]. */
  readonly queryActiveDims: Float32Array;
  /** The same of each document, [D]: the positive of each query in the queries' order, then the hard negatives. */
  readonly documentActiveDims: Float32Array;
  /** Dot products, [Q, D], row by row. */
  readonly scores: Float32Array;
  readonly queryTerms: SideTerms;
  readonly documentTerms: SideTerms;
  /** Global norm of the gradient, where it is known already. */
  readonly gradientNorm?: number | undefined;
}

/** Options of {@link stepHealth}. */
export interface StepHealthOptions {
  /** Heaviest terms of a query that are kept (q_K). @default all */
  readonly queryTopTerms?: number | undefined;
  /** The same of a document (d_K). @default all */
  readonly documentTopTerms?: number | undefined;
  /** Temperature τ of the softmax. @default 1 */
  readonly temperature?: number | undefined;
  /** Pairs (query, document) known to be relevant besides the positive at the query's own place: no negatives. */
  readonly otherPositives?: readonly (readonly [query: number, document: number])[] | undefined;
}

/** The vectors of one side of a batch. */
export interface SideHealth {
  readonly vectors: number;
  /** Dimensions that a vector can have active: K of top-k masking, else the vocabulary. */
  readonly limit: number;
  readonly mean: number;
  readonly median: number;
  /** 95th percentile by nearest rank. */
  readonly p95: number;
  /** Vectors without an active dimension. */
  readonly zero: number;
  /** Vectors whose active dimensions are all that they can have. */
  readonly full: number;
  /** Largest share of the vectors that one term is active in. */
  readonly largestFrequency: number;
  /** Share of the active dimensions whose terms are active in every vector. */
  readonly sharedTerms: number;
}

/** The scores of a batch. */
export interface ScoreHealth {
  /** Mean and standard deviation of the scores of positives. */
  readonly positive: { readonly mean: number; readonly std: number };
  /** The same of all other documents of the batch; 0 where there are none. */
  readonly negative: { readonly mean: number; readonly std: number };
  /** Mean entropy of the softmax over ln of its documents. */
  readonly entropy: number;
  /** Mean of −ln of the positive's share of the softmax, over ln of its documents; 1 where there is nothing to rank. */
  readonly ranking: number;
  /** Share of the queries whose positive has a higher score than every negative. */
  readonly rightAtOne: number;
  /**
   * Spread of each query's scores over the documents, as a share of their mean: 0 where all documents are alike to the
   * queries. 1 where all scores are 0, since then it says nothing.
   */
  readonly documentSpread: number;
  /** The same of each document's scores over the queries: 0 where all queries are alike. */
  readonly querySpread: number;
}

/** The health of one step. */
export interface StepHealth {
  readonly queries: SideHealth;
  readonly documents: SideHealth;
  readonly scores: ScoreHealth;
  /** Terms that a query and a document share on average. */
  readonly flops: number;
  /** What is NaN or infinite, by name; empty when all is well. */
  readonly notFinite: readonly string[];
}

/** Computes the health of a step. */
export function stepHealth(step: StepFigures, options: StepHealthOptions = {}): StepHealth {
  const { queryActiveDims, documentActiveDims, queryTerms, documentTerms } = step;
  return {
    queries: sideHealth(queryActiveDims, queryTerms.counts, options.queryTopTerms),
    documents: sideHealth(documentActiveDims, documentTerms.counts, options.documentTopTerms),
    scores: scoreHealth(step, options),
    flops: sharedTerms(queryTerms.counts, documentTerms.counts) / (queryActiveDims.length * documentActiveDims.length),
    notFinite: notFinite(step),
  };
}

/**
 * The vectors of one side.
 * @param activeDims of each vector
 * @param counts in how many vectors each term is active, [V]
 */
export function sideHealth(activeDims: Float32Array, counts: Float32Array, topTerms: number | undefined): SideHealth {
  const vectors = activeDims.length;
  const limit = Math.min(topTerms ?? counts.length, counts.length);
  const sorted = activeDims.slice().sort();
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(share * vectors) - 1)] ?? 0;
  let largest = 0;
  let everywhere = 0;
  let all = 0;
  for (const count of counts) {
    if (count > largest) largest = count;
    if (count === vectors) everywhere += count;
    all += count;
  }
  return {
    vectors,
    limit,
    mean: meanOf(activeDims),
    median: rank(0.5),
    p95: rank(0.95),
    zero: activeDims.filter((dims) => dims === 0).length,
    full: activeDims.filter((dims) => dims >= limit).length,
    largestFrequency: vectors === 0 ? 0 : largest / vectors,
    sharedTerms: all === 0 ? 0 : everywhere / all,
  };
}

function scoreHealth(
  { scores, queryActiveDims, documentActiveDims }: StepFigures,
  options: StepHealthOptions,
): ScoreHealth {
  const [queries, documents] = [queryActiveDims.length, documentActiveDims.length];
  const { temperature = 1 } = options;
  const relevant = new Set((options.otherPositives ?? []).map(([query, document]) => query * documents + document));
  const positives: number[] = [];
  const negatives: number[] = [];
  let entropy = 0;
  let ranking = 0;
  let right = 0;
  for (let query = 0; query < queries; query++) {
    const positive = scores[query * documents + query]!;
    const others: number[] = [];
    for (let document = 0; document < documents; document++) {
      const at = query * documents + document;
      if (document !== query && !relevant.has(at)) others.push(scores[at]!);
    }
    positives.push(positive);
    for (const score of others) negatives.push(score);
    if (others.every((score) => positive > score)) right++;
    const softmax = decided([positive, ...others], temperature);
    entropy += softmax.entropy;
    ranking += softmax.ranking;
  }
  return {
    positive: spreadOf(positives),
    negative: spreadOf(negatives),
    entropy: entropy / queries,
    ranking: ranking / queries,
    rightAtOne: right / queries,
    documentSpread: relativeSpread(scores, queries, documents, documents, 1),
    querySpread: relativeSpread(scores, documents, queries, 1, documents),
  };
}

/** Of softmax(x/τ), in units of ln n: its entropy, and −ln of the first one's share. 1 for a single number, which leaves nothing to decide. */
function decided(
  values: readonly number[],
  temperature: number,
): { readonly entropy: number; readonly ranking: number } {
  if (values.length < 2) return { entropy: 1, ranking: 1 };
  const largest = values.reduce((a, b) => Math.max(a, b));
  let sum = 0;
  let weighted = 0;
  for (const value of values) {
    const exponent = (value - largest) / temperature;
    const share = Math.exp(exponent);
    sum += share;
    weighted += share === 0 ? 0 : share * exponent;
  }
  const unit = Math.log(values.length);
  return {
    entropy: (Math.log(sum) - weighted / sum) / unit,
    ranking: (Math.log(sum) - (values[0]! - largest) / temperature) / unit,
  };
}

/** Mean over lines of standard deviation / mean; lines of zeros are left out, and 1 when there are no others. */
function relativeSpread(
  scores: Float32Array,
  lines: number,
  length: number,
  lineStride: number,
  stride: number,
): number {
  if (length < 2) return 1;
  let sum = 0;
  let used = 0;
  for (let line = 0; line < lines; line++) {
    const values = Array.from({ length }, (_, i) => scores[line * lineStride + i * stride]!);
    const { mean, std } = spreadOf(values);
    if (mean === 0) continue;
    sum += std / Math.abs(mean);
    used++;
  }
  return used === 0 ? 1 : sum / used;
}

function spreadOf(values: readonly number[]): { mean: number; std: number } {
  if (values.length === 0) return { mean: 0, std: 0 };
  const mean = meanOf(values);
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, std: Math.sqrt(squares / values.length) };
}

function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return values.length === 0 ? 0 : sum / values.length;
}

function sharedTerms(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let v = 0; v < a.length; v++) sum += a[v]! * b[v]!;
  return sum;
}

function notFinite({ loss, baseLoss, parts, gradientNorm = 0, scores }: StepFigures): string[] {
  const figures = Object.entries({ loss, base_loss: baseLoss, ...parts, grad_norm: gradientNorm });
  return [
    ...figures.filter(([, value]) => !Number.isFinite(value)).map(([name, value]) => `${name} (${value})`),
    ...(scores.every(Number.isFinite) ? [] : ['scores']),
  ];
}
