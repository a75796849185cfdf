/**
 * Training examples for retrievers: a query, a document that answers it, and documents that do not. From a BEIR folder
 * with training qrels (every document of grade 1 and more is a positive), or from a file in the forms of
 * `training-record.ts`. A record with several positives makes as many examples.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { badInput, LexrayError, throwIfAborted } from '../util/errors.ts';
import { readJsonLines } from '../util/jsonl.ts';
import { readLines } from '../util/lines.ts';
import type { WarningListener } from '../util/progress.ts';
import { joinTitle } from './document.ts';
import { loadBeir } from './load-beir.ts';
import { textFormat } from './read-texts.ts';
import { findTextFile, hasText, lookUpTexts } from './text-lookup.ts';
import { parseTrainingColumns, parseTrainingRecord, type TrainingRecord } from './training-record.ts';

/** One training example. */
export interface TrainingExample {
  readonly query: string;
  readonly positive: string;
  readonly negatives: readonly string[];
  /** The qid, where there is one. */
  readonly id?: string;
  /** The docid of the positive, where there is one. */
  readonly positiveId?: string;
  /** Teacher scores of the positive and the negatives, in this order, where the data have them. */
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
  /** Keep only the first so many negatives of each example. @default all */
  readonly maxNegatives?: number | undefined;
  readonly onWarning?: WarningListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads all training examples into memory, to be shuffled.
 * @param path BEIR folder, `.tsv` or `.jsonl` file (plain or gzip)
 * @throws LexrayError BAD_INPUT with file and line when a record does not fit or names an unknown id; when there are none
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
  if (!existsSync(path)) throw badInput(`there is no file or folder ${path}`, { where: path, cure: 'check the path' });
  const examples = statSync(path).isDirectory() ? fromBeir(path, options) : fromFile(path, options);
  let count = 0;
  for await (const example of examples) {
    throwIfAborted(options.signal);
    count++;
    yield options.maxNegatives === undefined ? example : cutNegatives(example, options.maxNegatives);
  }
  if (count === 0) throw badInput('there is no training example', { where: path, cure: 'check the path' });
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

async function* fromFile(path: string, options: TrainingDataOptions): AsyncGenerator<TrainingExample> {
  const sources = await findSources(path, options);
  const documents = await lookUp(path, sources.corpus, 'documents', options);
  const queries = await lookUp(path, sources.queries, 'queries', options);
  for await (const { record, where } of readRecords(path)) {
    if (record.documentsAreIds && documents === undefined) throw needsLookup('documents', 'corpus', where);
    if (record.queryIsId && queries === undefined) throw needsLookup('query', 'queries', where);
    const negatives = record.negatives.map((id) => find(documents, id, 'document', where));
    for (const positive of record.positives) {
      yield {
        query: find(queries, record.query, 'query', where),
        positive: find(documents, positive, 'document', where),
        negatives,
        ...(queries === undefined ? {} : { id: record.query }),
        ...(documents === undefined ? {} : { positiveId: positive }),
        ...(record.scores === undefined ? {} : { scores: record.scores }),
      };
    }
  }
}

/** Decides from the first record and the options where ids are looked up; undefined where the data hold texts. */
async function findSources(
  path: string,
  options: TrainingDataOptions,
): Promise<{ readonly corpus: string | undefined; readonly queries: string | undefined }> {
  let { corpus, queries } = options;
  for await (const { record, where } of readRecords(path)) {
    const beside = findTextFile(dirname(path), 'documents');
    if (corpus === undefined && beside !== undefined && beside !== path) {
      const [id] = record.positives;
      if (record.documentsAreIds || (id !== undefined && (await hasText(beside, id)))) corpus = dirname(path);
    }
    const ids = [record.query, ...record.positives, ...record.negatives].every((value) => /^\d+$/.test(value));
    if (ids && record.negatives.length > 0 && corpus === undefined) throw needsLookup('documents', 'corpus', where);
    if (record.queryIsId || ids) queries ??= corpus;
    break;
  }
  return { corpus, queries };
}

async function lookUp(
  path: string,
  source: string | undefined,
  kind: 'documents' | 'queries',
  options: TrainingDataOptions,
): Promise<Map<string, string> | undefined> {
  if (source === undefined) return undefined;
  const wanted = new Set<string>();
  for await (const { record } of readRecords(path)) {
    throwIfAborted(options.signal);
    if (kind === 'queries') wanted.add(record.query);
    else for (const id of [...record.positives, ...record.negatives]) wanted.add(id);
  }
  const { titleSeparator = ' ', signal } = options;
  return lookUpTexts(source, kind, wanted, { titleSeparator, signal });
}

async function* readRecords(path: string): AsyncGenerator<{ readonly record: TrainingRecord; readonly where: string }> {
  const format = textFormat(path);
  if (format === 'jsonl') {
    for await (const { number, value } of readJsonLines(path)) {
      const where = `${path}:${number}`;
      yield { record: parseTrainingRecord(value, where), where };
    }
    return;
  }
  if (format === 'txt') {
    throw new LexrayError('USAGE', `training data have queries and documents, ${path} has texts only`, {
      where: path,
      cure: 'give a BEIR folder, a .tsv or a .jsonl file',
    });
  }
  for await (const { number, text } of readLines(path)) {
    if (text.trim() === '') continue;
    const where = `${path}:${number}`;
    yield { record: parseTrainingColumns(text, where), where };
  }
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

function cutNegatives(example: TrainingExample, maxNegatives: number): TrainingExample {
  return {
    ...example,
    negatives: example.negatives.slice(0, maxNegatives),
    ...(example.scores === undefined ? {} : { scores: example.scores.slice(0, maxNegatives + 1) }),
  };
}
