/**
 * Training examples as token ids, grouped by query: an epoch visits each query once, with one of its positives and some
 * of its negatives drawn at random. Every text is tokenized once.
 */
import type { TrainingExample } from '../data/read-training-examples.ts';
import { badInput, throwIfAborted } from '../util/errors.ts';
import type { ProgressListener } from '../util/progress.ts';

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
}

/**
 * Tokenizes and groups examples.
 * @throws LexrayError BAD_INPUT when fewer than two queries are left: in-batch negatives need two
 */
export function buildTrainingSet(examples: readonly TrainingExample[], options: TrainingSetOptions): TrainingSet {
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
  const groups = new Map<string, { positives: Set<number>; negatives: Set<number> }>();
  for (const [i, example] of examples.entries()) {
    if (i % 1000 === 0) {
      throwIfAborted(options.signal);
      options.onProgress?.({ phase: 'tokenize', done: i, total: examples.length, unit: 'examples' });
    }
    let group = groups.get(example.query);
    if (group === undefined) {
      group = { positives: new Set(), negatives: new Set() };
      groups.set(example.query, group);
    }
    group.positives.add(numberOf(example.positive));
    for (const negative of example.negatives) group.negatives.add(numberOf(negative));
  }
  const queries = [...groups].map(([text, { positives, negatives }]) => ({
    tokens: options.tokenizeQuery(text),
    positives: [...positives],
    negatives: [...negatives].filter((document) => !positives.has(document)),
  }));
  if (queries.length < 2) {
    throw badInput(`training needs at least two different queries, got ${queries.length}`, {
      cure: 'in-batch negatives come from the other queries of a batch; give more data',
    });
  }
  return { queries, documents };
}
