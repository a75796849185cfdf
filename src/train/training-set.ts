/**
 * Training examples as token ids, grouped by query: an epoch visits each query once, with one of its positives and some
 * of its negatives drawn at random. Every text is tokenized once.
 */
import type { TrainingExample } from '../data/read-training-examples.ts';
import { badInput, throwIfAborted } from '../util/errors.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';

/** A query with what is known of it: positions in {@link TrainingSet.documents}. */
export interface TrainingQuery {
  readonly tokens: Int32Array;
  readonly positives: readonly number[];
  readonly negatives: readonly number[];
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
  const groups = new Map<string, { positives: Set<number>; negatives: Set<number>; tokens: Int32Array }>();
  for (const [i, example] of examples.entries()) {
    await breathe(i);
    let group = groups.get(example.query);
    if (group === undefined) {
      group = { positives: new Set(), negatives: new Set(), tokens: options.tokenizeQuery(example.query) };
      groups.set(example.query, group);
    }
    group.positives.add(numberOf(example.positive));
    for (const negative of example.negatives) group.negatives.add(numberOf(negative));
  }
  const hasTokens = (document: number): boolean => documents[document]!.length > 0;
  const all = [...groups.values()].map(({ tokens, positives, negatives }) => ({
    tokens,
    positives: [...positives].filter(hasTokens),
    negatives: [...negatives].filter((document) => !positives.has(document) && hasTokens(document)),
  }));
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
  return { queries, documents };
}
