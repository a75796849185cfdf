/**
 * Training examples for retrievers: a query, a document that answers it, and documents that do not, with a teacher's scores
 * where there are some. From a BEIR folder with training qrels (every document of grade 1 and more is a positive), or from
 * files in the forms of `training-file.ts`. A record with several positives makes as many examples.
 *
 * A stream holds one record at a time; where ids are looked up, the texts of all ids that are named, and with a file of
 * teacher scores the ids and a number for each pair of the data.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { badInput, type LexrayError, throwIfAborted } from '../util/errors.ts';
import type { WarningListener } from '../util/progress.ts';
import { joinTitle } from './document.ts';
import { loadBeir } from './load-beir.ts';
import { readTeacherScores, type TeacherScores } from './teacher-scores.ts';
import { findTextFile, hasText, lookUpTexts, type TextKind } from './text-lookup.ts';
import { type PlacedRecord, readTrainingRecords, trainingFiles } from './training-file.ts';
import type { TrainingRecord } from './training-record.ts';

/** One training example. */
export interface TrainingExample {
  readonly query: string;
  readonly positive: string;
  readonly negatives: readonly string[];
  /** The qid, where there is one. */
  readonly id?: string;
  /** The docid of the positive, where there is one. */
  readonly positiveId?: string;
  /** The docids of the negatives, where there are some. */
  readonly negativeIds?: readonly string[];
  /**
   * A teacher's scores of the positive and the negatives, in this order, where the data have them; NaN for a negative that
   * the teacher did not score. Where the data have margins, the positive has 0. Only differences mean something.
   */
  readonly scores?: readonly number[];
}

/** Options of {@link readTrainingExamples}. */
export interface TrainingDataOptions {
  /** The qrels of a BEIR folder. @default 'train' */
  readonly split?: string | undefined;
  /** What stands between title and text of a document that is looked up. @default ' ' */
  readonly titleSeparator?: string | undefined;
  /**
   * BEIR folder or file whose documents the data name by docid. @default the folder of the data, when their first positive
   * is a docid there
   */
  readonly corpus?: string | undefined;
  /** BEIR folder or file whose queries the data name by qid. @default the corpus folder, for data with a field `qid` */
  readonly queries?: string | undefined;
  /**
   * File with a teacher's scores for data that name queries and documents by id, in the forms of `teacher-scores.ts`. They
   * replace scores in the data.
   */
  readonly teacherScores?: string | undefined;
  /** Keep only the first so many negatives of each example. @default all */
  readonly maxNegatives?: number | undefined;
  readonly onWarning?: WarningListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads all training examples into memory, to be shuffled.
 * @param path BEIR folder; TSV, JSONL or Parquet file, told by its content; or a folder of Parquet files
 * @throws LexrayError BAD_INPUT with file and line (or row) when a record does not fit or names an unknown id; when there is
 * no example
 */
export async function readTrainingExamples(
  path: string,
  options: TrainingDataOptions = {},
): Promise<TrainingExample[]> {
  const examples: TrainingExample[] = [];
  for await (const example of streamTrainingExamples(path, options)) examples.push(example);
  return examples;
}

/** The same as {@link readTrainingExamples}, one by one. */
export async function* streamTrainingExamples(
  path: string,
  options: TrainingDataOptions = {},
): AsyncGenerator<TrainingExample> {
  const files = isBeirFolder(path) ? undefined : await trainingFiles(path);
  const examples = files === undefined ? fromBeir(path, options) : fromFiles(path, files, options);
  let count = 0;
  for await (const example of examples) {
    throwIfAborted(options.signal);
    count++;
    yield example;
  }
  if (count === 0) throw badInput('there is no training example', { where: path, cure: 'check the path' });
}

/** Whether training data are a BEIR folder, which has its own corpus and queries. */
export function isBeirFolder(path: string): boolean {
  if (!existsSync(path) || !statSync(path).isDirectory()) return false;
  // A folder of qrels without a corpus is one that lacks something, and says so.
  return ['corpus.jsonl', 'corpus.jsonl.gz', 'corpus.jsonl.zst', 'qrels'].some((name) => existsSync(join(path, name)));
}

async function* fromBeir(folder: string, options: TrainingDataOptions): AsyncGenerator<TrainingExample> {
  const { split = 'train', titleSeparator = ' ', onWarning } = options;
  const collection = await loadBeir(folder, { ...options, split });
  const wanted = new Set<string>();
  for (const grades of collection.qrels.values()) {
    for (const [docid, grade] of grades) if (grade > 0) wanted.add(docid);
  }
  const texts = new Map<string, string>();
  for await (const document of collection.documents(options)) {
    if (wanted.has(document.docid)) texts.set(document.docid, joinTitle(document, titleSeparator));
  }
  let empty = 0;
  for (const { qid, text: query } of collection.queries) {
    for (const [docid, grade] of collection.qrels.get(qid) ?? []) {
      const positive = texts.get(docid);
      if (grade <= 0 || positive === undefined) continue;
      if (query.trim() === '' || positive.trim() === '') {
        empty++;
        continue;
      }
      yield { query, positive, negatives: [], id: qid, positiveId: docid };
    }
  }
  if (empty > 0) onWarning?.(`${empty} training examples are left out: their query or document has no text`);
}

async function* fromFiles(
  path: string,
  files: readonly string[],
  options: TrainingDataOptions,
): AsyncGenerator<TrainingExample> {
  const read = (): AsyncGenerator<PlacedRecord> => cutRecords(files, options);
  const sources = await findSources(path, read, options);
  const documents = await lookUp(read, sources.corpus, 'documents', options);
  const queries = await lookUp(read, sources.queries, 'queries', options);
  const teacher = options.teacherScores === undefined ? undefined : await teach(read, options.teacherScores, options);
  for await (const { record, where } of read()) {
    if (record.documentsAreIds && documents === undefined) throw needsLookup('documents', 'corpus', where);
    if (record.queryIsId && queries === undefined) throw needsLookup('query', 'queries', where);
    const query = find(queries, record.query, 'query', where);
    const negatives = record.negatives.map((id) => find(documents, id, 'document', where));
    const queryId = queries === undefined ? record.queryId : record.query;
    for (const [i, positive] of record.positives.entries()) {
      const positiveId = documents === undefined ? record.positiveIds?.[i] : positive;
      const scores = teacher === undefined ? ownScores(record, i) : teacher.list(record, i);
      yield {
        query,
        positive: find(documents, positive, 'document', where),
        negatives,
        ...(queryId === undefined ? {} : { id: queryId }),
        ...(positiveId === undefined ? {} : { positiveId }),
        ...(documents === undefined || negatives.length === 0 ? {} : { negativeIds: record.negatives }),
        ...(scores === undefined ? {} : { scores }),
      };
    }
  }
  teacher?.warn();
}

/** Cut before ids are looked up, so that only what is used is held. */
async function* cutRecords(files: readonly string[], options: TrainingDataOptions): AsyncGenerator<PlacedRecord> {
  const { maxNegatives = Number.POSITIVE_INFINITY, signal } = options;
  for await (const { record, where } of readTrainingRecords(files, signal)) {
    if (record.negatives.length <= maxNegatives) {
      yield { record, where };
      continue;
    }
    const negatives = record.negatives.slice(0, maxNegatives);
    const scores = record.negativeScores && { negativeScores: record.negativeScores.slice(0, maxNegatives) };
    yield { record: { ...record, negatives, ...scores }, where };
  }
}

function ownScores({ positiveScores, negativeScores }: TrainingRecord, positive: number): number[] | undefined {
  return positiveScores && negativeScores && [positiveScores[positive]!, ...negativeScores];
}

/** Reads the teacher's scores of all pairs that the data name by id. */
async function teach(
  read: () => AsyncGenerator<PlacedRecord>,
  path: string,
  options: TrainingDataOptions,
): Promise<{ list(record: TrainingRecord, positive: number): number[] | undefined; warn(): void }> {
  const wanted = new Map<string, Set<string>>();
  for await (const { record } of read()) {
    let docids = wanted.get(record.query);
    if (docids === undefined) {
      docids = new Set();
      wanted.set(record.query, docids);
    }
    for (const docid of [...record.positives, ...record.negatives]) docids.add(docid);
  }
  const scores: TeacherScores = await readTeacherScores(path, wanted, options.signal);
  let [pairs, missing] = [0, 0];
  return {
    list: ({ query, positives, negatives }, i) => {
      const list = [positives[i]!, ...negatives].map((docid) => scores.get(query, docid));
      pairs += list.length;
      missing += list.filter((score) => score === undefined).length;
      return list[0] === undefined ? undefined : list.map((score) => score ?? Number.NaN);
    },
    warn: () => {
      if (missing > 0) options.onWarning?.(`${path}: ${missing} of ${pairs} pairs of the data have no score`);
    },
  };
}

/** Decides from the first record and the options where ids are looked up; undefined where the data hold texts. */
async function findSources(
  path: string,
  read: () => AsyncGenerator<PlacedRecord>,
  options: TrainingDataOptions,
): Promise<{ readonly corpus: string | undefined; readonly queries: string | undefined }> {
  let { corpus, queries } = options;
  const folder = statSync(path).isDirectory() ? path : dirname(path);
  for await (const { record, where } of read()) {
    const beside = findTextFile(folder, 'documents');
    if (corpus === undefined && beside !== undefined && beside !== path) {
      const [id] = record.positives;
      if (record.documentsAreIds || (id !== undefined && (await hasText(beside, id)))) corpus = folder;
    }
    const ids = [record.query, ...record.positives, ...record.negatives].every((value) => /^\d+$/.test(value));
    if (ids && record.negatives.length > 0 && corpus === undefined) throw needsLookup('documents', 'corpus', where);
    if (record.queryIsId || ids) queries ??= corpus;
    break;
  }
  return { corpus, queries };
}

async function lookUp(
  read: () => AsyncGenerator<PlacedRecord>,
  source: string | undefined,
  kind: TextKind,
  options: TrainingDataOptions,
): Promise<Map<string, string> | undefined> {
  if (source === undefined) return undefined;
  const wanted = new Set<string>();
  for await (const { record } of read()) {
    throwIfAborted(options.signal);
    if (kind === 'queries') wanted.add(record.query);
    else for (const id of [...record.positives, ...record.negatives]) wanted.add(id);
  }
  const { titleSeparator = ' ', signal } = options;
  return lookUpTexts(source, kind, wanted, { titleSeparator, signal });
}

function find(texts: ReadonlyMap<string, string> | undefined, value: string, kind: string, where: string): string {
  if (texts === undefined) return value;
  const text = texts.get(value);
  if (text !== undefined && text.trim() !== '') return text;
  throw badInput(
    `the ${kind} ${JSON.stringify(value)} ${text === undefined ? 'is not in the collection' : 'has no text'}`,
    {
      where,
      cure: `check that the data belong to the collection, or leave this line out`,
    },
  );
}

function needsLookup(what: string, option: string, where: string): LexrayError {
  return badInput(`the ${what} of this line can only be found by id`, {
    where,
    cure: `give the option ${option}: a BEIR folder or a file with these ids`,
  });
}
