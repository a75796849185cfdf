/**
 * What negatives are mined for and from: queries with their positives, and the documents to search. From a BEIR folder with
 * qrels, or from training examples with a corpus; without a corpus their own documents are searched.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { joinTitle } from '../../data/document.ts';
import { loadBeir } from '../../data/load-beir.ts';
import { countTexts, type NamedText, readTexts } from '../../data/read-texts.ts';
import { readTrainingExamples, streamTrainingExamples } from '../../data/read-training-examples.ts';
import { findTextFile, hasText } from '../../data/text-lookup.ts';
import { badInput, LexrayError } from '../../util/errors.ts';
import type { WarningListener } from '../../util/progress.ts';

/** A document that answers a query: known by its docid, its text, or both. */
export interface Positive {
  readonly docid?: string | undefined;
  readonly text?: string | undefined;
}

/** A query and the documents that answer it. */
export interface MiningQuery {
  readonly qid?: string | undefined;
  readonly text: string;
  readonly positives: readonly Positive[];
}

/** Queries and documents. */
export interface MiningSource {
  readonly queries: readonly MiningQuery[];
  /** Streams all documents, title and text joined; called more than once. */
  documents(): AsyncIterable<NamedText>;
  countDocuments(): Promise<number>;
}

/** Options of {@link openMiningSource}. */
export interface MiningSourceOptions {
  /** The qrels of a BEIR folder. @default 'train' */
  readonly split?: string | undefined;
  /** BEIR folder or file with the documents to search. @default the BEIR folder itself, else the documents of the data */
  readonly corpus?: string | undefined;
  /** What stands between title and text. @default ' ' */
  readonly titleSeparator?: string | undefined;
  readonly onWarning?: WarningListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens data to mine for. Queries and positives are held; documents are streamed.
 * @param path BEIR folder, or a file of training examples
 * @throws LexrayError BAD_INPUT when the data do not fit
 */
export async function openMiningSource(path: string, options: MiningSourceOptions = {}): Promise<MiningSource> {
  const isBeir = ['', '.gz', '.zst'].some((end) => existsSync(join(path, `corpus.jsonl${end}`)));
  return isBeir && options.corpus === undefined ? openBeir(path, options) : openExamples(path, options);
}

async function openBeir(path: string, options: MiningSourceOptions): Promise<MiningSource> {
  const { split = 'train', titleSeparator = ' ', onWarning, signal } = options;
  const collection = await loadBeir(path, { split, onWarning, signal });
  const queries = collection.queries.flatMap(({ qid, text }): MiningQuery[] => {
    const grades = [...(collection.qrels.get(qid) ?? [])];
    const positives = grades.flatMap(([docid, grade]) => (grade > 0 ? [{ docid }] : []));
    return positives.length > 0 && text.trim() !== '' ? [{ qid, text, positives }] : [];
  });
  return {
    queries,
    async *documents() {
      for await (const document of collection.documents({ signal })) {
        yield { id: document.docid, text: joinTitle(document, titleSeparator) };
      }
    },
    countDocuments: () => collection.countDocuments(),
  };
}

async function openExamples(path: string, options: MiningSourceOptions): Promise<MiningSource> {
  const { corpus, titleSeparator, signal } = options;
  const file = corpus === undefined ? undefined : findTextFile(corpus, 'documents');
  if (corpus !== undefined && file === undefined) {
    throw badInput(`there are no documents in ${corpus}`, {
      where: corpus,
      cure: 'give a BEIR folder, or a file of documents (.jsonl, .tsv or Parquet)',
    });
  }
  const byId = file !== undefined && (await namesDocuments(path, file, options));
  const groups = new Map<string, { qid: string | undefined; positives: Map<string, Positive> }>();
  const ownTexts = new Set<string>();
  const reading = { ...options, corpus: byId ? corpus : undefined };
  for (const { query, positive, positiveId, negatives, id } of await readTrainingExamples(path, reading)) {
    let group = groups.get(query);
    if (group === undefined) {
      group = { qid: id, positives: new Map() };
      groups.set(query, group);
    }
    group.positives.set(positive, { docid: byId ? positiveId : undefined, text: positive });
    if (file === undefined) for (const text of [positive, ...negatives]) ownTexts.add(text);
  }
  const queries = Array.from(groups, ([text, { qid, positives }]) => ({
    qid,
    text,
    positives: [...positives.values()],
  }));
  const documents = file === undefined ? () => numbered(ownTexts) : () => readTexts(file, { titleSeparator, signal });
  return {
    queries,
    documents,
    countDocuments: async () => (file === undefined ? ownTexts.size : countTexts(file)),
  };
}

/** Whether the data name their positives by the ids of the corpus; else they hold texts. */
async function namesDocuments(path: string, file: string, options: MiningSourceOptions): Promise<boolean> {
  try {
    const first = streamTrainingExamples(path, { ...options, corpus: undefined, maxNegatives: 0 });
    for await (const { positive } of first) return await hasText(file, positive);
  } catch (error) {
    // By id without a place to look: what else is wrong comes up again when all is read.
    if (!(error instanceof LexrayError) || error.code !== 'BAD_INPUT') throw error;
  }
  return true;
}

async function* numbered(texts: Iterable<string>): AsyncGenerator<NamedText> {
  let number = 0;
  for (const text of texts) yield { id: `text-${++number}`, text };
}
