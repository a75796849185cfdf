/**
 * Mines hard negatives: every query is searched exactly, and for each of its positives some documents that it ranks high are
 * chosen (`select-negatives.ts`). The result is a stream of JSONL lines that `readTrainingExamples` reads:
 *
 *     {"query_id", "query", "positive_id", "positive", "negative_ids": […], "negatives": […], "scores": […]}
 *
 * The corpus is read twice: once to be searched, once for the texts of what was chosen. Held in memory are the vectors of all
 * documents, their index and its copy in the searcher, two numbers a document, and then the texts that were chosen.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NamedText } from '../../data/read-texts.ts';
import { buildIndex } from '../../search/inverted-index.ts';
import { ExactSearcher } from '../../search/searchers/exact.ts';
import { innerProduct } from '../../search/searchers/exhaustive.ts';
import { badInput, LexrayError, throwIfAborted } from '../../util/errors.ts';
import type { ProgressListener, WarningListener } from '../../util/progress.ts';
import { Random } from '../../util/random.ts';
import type { SparseVectors } from '../../vectors/sparse-vectors.ts';
import type { MiningQuery, MiningSource } from './mining-source.ts';
import type { MiningSystem } from './mining-system.ts';
import { type Candidate, type MiningCounts, noCounts, selectNegatives } from './select-negatives.ts';
import { type TextKey, textKey } from './text-keys.ts';

/** Options of {@link mineNegatives}. */
export interface MineOptions {
  /** First and last rank that negatives are taken from. @default [10, 100] */
  readonly ranks?: readonly [from: number, to: number] | undefined;
  /** Negatives of a pair of query and positive at most. @default 8 */
  readonly count?: number | undefined;
  /** Take a random sample of the window, or its best. @default 'random' */
  readonly pick?: 'random' | 'top' | undefined;
  /** Leave out documents scored above this share of the positive's score. @default none */
  readonly excludeAbove?: number | undefined;
  /** Also write the scores of the positive and the negatives. @default false */
  readonly scores?: boolean | undefined;
  /** Leave out the document whose docid is the qid. @default false */
  readonly dropSameId?: boolean | undefined;
  /** @default 42 */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** A pair with its negatives. */
export interface MinedPair {
  readonly query: MiningQuery;
  readonly positive: { readonly docid: string | undefined; readonly text: string };
  readonly negatives: readonly { readonly docid: string; readonly text: string }[];
  /** Of the positive and the negatives, where asked for and the positive is in the corpus. */
  readonly scores: readonly number[] | undefined;
}

/** What was mined. */
export interface Mined {
  readonly documents: number;
  readonly queries: number;
  readonly counts: MiningCounts;
  /** Pairs that are left out because their positive has no text. */
  readonly leftOut: number;
  readonly pairs: readonly MinedPair[];
}

/**
 * Mines negatives for all pairs, in the order of the queries. The same data, system and seed give the same negatives.
 * @throws LexrayError USAGE for options out of range; BAD_INPUT when the documents do not fit, or no pair has
 * a text of its positive
 */
export async function mineNegatives(
  source: MiningSource,
  system: MiningSystem,
  options: MineOptions = {},
): Promise<Mined> {
  const { signal, onProgress, onWarning } = options;
  const selection = checkOptions(options);
  const corpus = new CorpusKeys();
  const vectors = await system.encode(
    corpus.watch(source.documents()),
    source.queries.map(({ text }) => text),
    { total: await source.countDocuments(), signal, onProgress },
  );
  const positives = source.queries.map((query) => corpus.place(query));
  const scores = positives.map((placed, i) =>
    placed.map(({ row }) =>
      row === undefined ? undefined : innerProduct(vectors.queries.row(i), vectors.documents.row(row)),
    ),
  );
  const counts = noCounts();
  const chosen = await searchAndSelect(source.queries, positives, scores, vectors, corpus, selection, counts, options);
  const texts = await textsOf(source, positives, chosen, signal);
  const pairs: MinedPair[] = [];
  let leftOut = 0;
  for (const [i, query] of source.queries.entries()) {
    for (const [j, { docid, text: known }] of positives[i]!.entries()) {
      const text = known ?? (docid === undefined ? undefined : texts.get(docid));
      if (text === undefined || text.trim() === '') {
        leftOut++;
        continue;
      }
      const negatives = chosen[i]![j]!;
      const score = scores[i]![j];
      pairs.push({
        query,
        positive: { docid, text },
        negatives: negatives.map((candidate) => ({ docid: candidate.docid, text: texts.get(candidate.docid)! })),
        scores: options.scores && score !== undefined ? [score, ...negatives.map((one) => one.score)] : undefined,
      });
    }
  }
  if (pairs.length === 0) {
    throw badInput(`no pair is left of ${leftOut}: the queries or their positives have no text in the corpus`, {
      cure: 'check that queries, judgements and corpus belong together',
    });
  }
  const mined = { documents: corpus.size, queries: source.queries.length, counts, leftOut, pairs };
  if (onWarning !== undefined) warn(mined, selection.count, options, onWarning);
  return mined;
}

/** The line of a pair, with its newline. */
export function minedLine({ query, positive, negatives, scores }: MinedPair): string {
  return `${JSON.stringify({
    query_id: query.qid,
    query: query.text,
    positive_id: positive.docid,
    positive: positive.text,
    negative_ids: negatives.map(({ docid }) => docid),
    negatives: negatives.map(({ text }) => text),
    scores,
  })}\n`;
}

type Selection = Parameters<typeof selectNegatives>[3];

function checkOptions({ ranks = [10, 100], count = 8, pick = 'random', excludeAbove }: MineOptions): Selection {
  const [from, to] = ranks;
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 1 || to < from) {
    throw new LexrayError('USAGE', `expected ranks from 1 upwards, the first not after the last, got ${from} to ${to}`);
  }
  if (!Number.isInteger(count) || count < 1)
    throw new LexrayError('USAGE', `expected at least one negative, got ${count}`);
  if (excludeAbove !== undefined && !(excludeAbove > 0 && Number.isFinite(excludeAbove))) {
    throw new LexrayError('USAGE', `the share of the positive's score must be above 0, got ${excludeAbove}`);
  }
  return { ranks, count, pick, excludeAbove };
}

/** A positive and where it is in the corpus. */
interface PlacedPositive {
  readonly docid: string | undefined;
  readonly text: string | undefined;
  readonly key: TextKey | undefined;
  /** Undefined where the corpus does not have it. */
  readonly row: number | undefined;
}

/** Ids and keys of the documents that were seen. */
class CorpusKeys {
  readonly #rows = new Map<string, number>();
  readonly #ids: string[] = [];
  readonly #exact: number[] = [];
  readonly #normalized: number[] = [];
  /** The first document of each text. */
  #texts: Map<number, number> | undefined;

  get size(): number {
    return this.#ids.length;
  }

  async *watch(documents: AsyncIterable<NamedText>): AsyncGenerator<NamedText> {
    for await (const document of documents) {
      const { exact, normalized } = textKey(document.text);
      this.#rows.set(document.id, this.#ids.length);
      this.#ids.push(document.id);
      this.#exact.push(exact);
      this.#normalized.push(normalized);
      yield document;
    }
  }

  key(docid: string): TextKey {
    return this.#keyOf(this.#rows.get(docid)!);
  }

  /** Finds the positives of a query by docid, those that have none by their text. */
  place({ positives }: MiningQuery): PlacedPositive[] {
    return positives.map(({ docid, text }) => {
      const row = docid === undefined ? this.#rowOfText(text ?? '') : this.#rows.get(docid);
      const key = row === undefined ? text && textKey(text) : this.#keyOf(row);
      return { docid: docid ?? (row === undefined ? undefined : this.#ids[row]), text, key: key || undefined, row };
    });
  }

  #keyOf(row: number): TextKey {
    return { exact: this.#exact[row]!, normalized: this.#normalized[row]! };
  }

  #rowOfText(text: string): number | undefined {
    if (this.#texts === undefined) {
      this.#texts = new Map();
      for (const [row, exact] of this.#exact.entries()) if (!this.#texts.has(exact)) this.#texts.set(exact, row);
    }
    return this.#texts.get(textKey(text).exact);
  }
}

/** Negatives by query and positive. */
async function searchAndSelect(
  queries: readonly MiningQuery[],
  positives: readonly (readonly PlacedPositive[])[],
  scores: readonly (readonly (number | undefined)[])[],
  vectors: { readonly documents: SparseVectors; readonly queries: SparseVectors },
  corpus: CorpusKeys,
  selection: Selection,
  counts: MiningCounts,
  { dropSameId = false, seed = 42, signal, onProgress }: MineOptions,
): Promise<Candidate[][][]> {
  const random = new Random(seed);
  const searcher = new ExactSearcher(buildIndex(vectors.documents));
  const blank = textKey('').exact;
  const chosen: Candidate[][][] = [];
  try {
    let turn = performance.now();
    for (const [i, query] of queries.entries()) {
      if (performance.now() - turn > 20) {
        await nextTurn();
        turn = performance.now();
      }
      throwIfAborted(signal);
      const placed = positives[i]!;
      const docids = new Set(placed.flatMap(({ docid }) => (docid === undefined ? [] : [docid])));
      const k = selection.ranks[1] + docids.size + 1;
      const hits = await searcher.search(vectors.queries.row(i), { k, signal });
      const found = hits
        .map(({ docid, score }) => ({ docid, score, key: corpus.key(docid) }))
        .filter(({ docid, key }) => key.exact !== blank && !(dropSameId && docid === query.qid));
      const keys = placed.flatMap(({ key }) => key ?? []);
      const forbidden = { docids, positives: keys, query: textKey(query.text) };
      chosen.push(placed.map((_, j) => selectNegatives(found, forbidden, scores[i]![j], selection, random, counts)));
      onProgress?.({ phase: 'search', done: i + 1, total: queries.length, unit: 'queries' });
    }
  } finally {
    await searcher.dispose();
  }
  return chosen;
}

/** The texts of negatives, and of positives that are known by their docid alone. */
async function textsOf(
  source: MiningSource,
  positives: readonly (readonly PlacedPositive[])[],
  chosen: readonly (readonly (readonly Candidate[])[])[],
  signal: AbortSignal | undefined,
): Promise<Map<string, string>> {
  const wanted = new Set<string>();
  for (const { docid, text } of positives.flat()) if (text === undefined && docid !== undefined) wanted.add(docid);
  for (const pairs of chosen) for (const negatives of pairs) for (const { docid } of negatives) wanted.add(docid);
  const texts = new Map<string, string>();
  for await (const { id, text } of source.documents()) {
    throwIfAborted(signal);
    if (wanted.has(id)) texts.set(id, text);
  }
  return texts;
}

function warn(
  { counts, leftOut, pairs }: Mined,
  count: number,
  { excludeAbove }: MineOptions,
  onWarning: WarningListener,
): void {
  if (leftOut > 0) onWarning(`${leftOut} pairs are left out: their positive is not in the corpus, or has no text`);
  if (counts.short > 0) {
    onWarning(
      `${counts.short} of ${pairs.length + leftOut} pairs have fewer than ${count} negatives, ${counts.none} of them have none`,
    );
  }
  if (excludeAbove !== undefined && counts.withoutScore > 0) {
    onWarning(
      `${counts.withoutScore} pairs get no negatives: their positive is not found by the query, so that no score can be compared with it`,
    );
  }
}
