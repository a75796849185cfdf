/**
 * Training examples as token ids, grouped by query: an epoch visits each query once, with one of its positives and some
 * of its negatives drawn at random. Every text is tokenized once. Held in memory: the token ids of each text, and four bytes
 * for each pair of a positive and a negative of a query that has teacher scores.
 */
import type { TrainingExample } from '../data/read-training-examples.ts';
import { badInput, throwIfAborted } from '../util/errors.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';

/** A query with what is known of it: positives and negatives are positions in {@link TrainingSet.documents}. */
export interface TrainingQuery {
  readonly tokens: Int32Array;
  readonly positives: readonly number[];
  readonly negatives: readonly number[];
  /**
   * A teacher's scores beside each positive, in the order of `positives`: that of the positive, then those of `negatives`,
   * NaN where there is none; undefined where the positive has no scores. Only differences within such a list mean something.
   */
  readonly scores?: readonly (Float32Array | undefined)[];
}

/** Tokenized training data. */
export interface TrainingSet {
  readonly queries: readonly TrainingQuery[];
  /** Token ids of all positives and negatives. */
  readonly documents: readonly Int32Array[];
}

/** Options of {@link buildTrainingSet}. */
export interface TrainingSetOptions {
  readonly tokenizeQuery: (text: string) => Int32Array;
  readonly tokenizeDocument: (text: string) => Int32Array;
  /** Hard negatives that a query should have: where some have fewer, a warning says how many. @default 0 */
  readonly negativesPerQuery?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** The event loop gets a turn after so many milliseconds of work, so that an interruption is heard. */
const turnMilliseconds = 30;

/**
 * Tokenizes and groups examples. Texts without a token (there are some where a tokenizer adds no special tokens) are left
 * out with a warning, and with them the queries that have no positive left.
 * @throws LexrayError BAD_INPUT when fewer than two queries are left: in-batch negatives need two
 */
export async function buildTrainingSet(
  examples: readonly TrainingExample[],
  options: TrainingSetOptions,
): Promise<TrainingSet> {
  const documents: Int32Array[] = [];
  const documentNumbers = new Map<string, number>();
  const numberOf = (text: string): number => {
    let number = documentNumbers.get(text);
    if (number === undefined) {
      number = documents.length;
      documentNumbers.set(text, number);
      documents.push(options.tokenizeDocument(text));
    }
    return number;
  };
  let turnEnds = Number.NEGATIVE_INFINITY;
  const breathe = async (done: number): Promise<void> => {
    if (performance.now() < turnEnds) return;
    options.onProgress?.({ phase: 'tokenize', done, total: examples.length, unit: 'examples' });
    await new Promise((resolve) => setImmediate(resolve));
    throwIfAborted(options.signal);
    turnEnds = performance.now() + turnMilliseconds;
  };
  const groups = new Map<string, Group>();
  for (const [i, example] of examples.entries()) {
    await breathe(i);
    let group = groups.get(example.query);
    if (group === undefined) {
      group = { tokens: options.tokenizeQuery(example.query), positives: new Map(), negatives: new Set() };
      groups.set(example.query, group);
    }
    const positive = numberOf(example.positive);
    const negatives = example.negatives.map(numberOf);
    for (const negative of negatives) group.negatives.add(negative);
    const known = group.positives.get(positive);
    const scored = example.scores && scoredList(example.scores, negatives, i);
    group.positives.set(positive, known && scored ? joinLists(known, scored) : (known ?? scored));
  }
  const hasTokens = (document: number): boolean => documents[document]!.length > 0;
  const all = [...groups.values()].map((group) => trainingQuery(group, hasTokens));
  const queries = all.filter(({ tokens, positives }) => tokens.length > 0 && positives.length > 0);
  if (queries.length < all.length) {
    options.onWarning?.(
      `${all.length - queries.length} of ${all.length} training queries are left out: they or their documents have no tokens`,
    );
  }
  if (queries.length < 2) {
    throw badInput(`training needs at least two different queries, got ${queries.length}`, {
      cure: 'in-batch negatives come from the other queries of a batch; give more data',
    });
  }
  warnOfFewNegatives(queries, options);
  return { queries, documents };
}

/** What the examples of one query say. */
interface Group {
  readonly tokens: Int32Array;
  /** Scores beside each positive. */
  readonly positives: Map<number, ScoredList | undefined>;
  readonly negatives: Set<number>;
}

/** A teacher's scores of a positive and of negatives. */
interface ScoredList {
  readonly positive: number;
  readonly documents: number[];
  readonly scores: number[];
}

function scoredList(scores: readonly number[], negatives: readonly number[], example: number): ScoredList {
  const [positive, ...others] = scores;
  const known = (score: number): boolean => Number.isFinite(score) || Number.isNaN(score);
  if (!Number.isFinite(positive) || others.length !== negatives.length || !others.every(known)) {
    throw badInput(
      `training example ${example + 1} has ${negatives.length} negatives and the scores ${scores.slice(0, 10).join(', ') || '(none)'}`,
      {
        cure: 'give a finite score of the positive, then a score or NaN of each negative, in this order; or no scores',
      },
    );
  }
  return { positive: positive!, documents: [...negatives], scores: others };
}

/** Lists of one positive may have other zeros (margins have the zero at the positive): the later one is moved to the first. */
function joinLists(known: ScoredList, { positive, documents, scores }: ScoredList): ScoredList {
  known.documents.push(...documents);
  known.scores.push(...scores.map((score) => score - positive + known.positive));
  return known;
}

function trainingQuery(group: Group, hasTokens: (document: number) => boolean): TrainingQuery {
  const positives = [...group.positives.keys()].filter(hasTokens);
  const negatives = [...group.negatives].filter((document) => !group.positives.has(document) && hasTokens(document));
  const query = { tokens: group.tokens, positives, negatives };
  if (positives.every((positive) => group.positives.get(positive) === undefined)) return query;
  const places = new Map(negatives.map((document, place) => [document, place + 1]));
  const scores = positives.map((positive) => {
    const list = group.positives.get(positive);
    if (list === undefined) return undefined;
    const row = new Float32Array(1 + negatives.length).fill(Number.NaN);
    row[0] = list.positive;
    list.documents.forEach((document, i) => {
      const place = places.get(document);
      if (place !== undefined && Number.isNaN(row[place])) row[place] = list.scores[i]!;
    });
    return row;
  });
  return { ...query, scores };
}

/** A loss with a fixed number of negatives leaves out what is missing; data without any negative are no surprise. */
function warnOfFewNegatives(queries: readonly TrainingQuery[], options: TrainingSetOptions): void {
  const { negativesPerQuery: wanted = 0, onWarning } = options;
  if (queries.every(({ negatives }) => negatives.length === 0)) return;
  const few = queries.filter(({ negatives }) => negatives.length < wanted);
  if (few.length === 0) return;
  const none = few.filter(({ negatives }) => negatives.length === 0).length;
  onWarning?.(
    `${few.length} of ${queries.length} training queries have fewer than ${wanted} hard negatives${none > 0 ? `, ${none} of them have none` : ''}`,
  );
}
