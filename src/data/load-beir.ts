/**
 * Collections in the BEIR layout (Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information
 * Retrieval Models", 2021):
 *
 *     corpus.jsonl        {"_id": "4983", "title": "Microstructural …", "text": "Alterations of …"}
 *     queries.jsonl       {"_id": "0", "text": "0-dimensional biomaterials …"}
 *     qrels/SPLIT.tsv     query-id<TAB>corpus-id<TAB>score, with a header
 *
 * Each file may be compressed: .gz or .zst behind its name.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { badInput, throwIfAborted } from '../util/errors.ts';
import { readJsonLines } from '../util/jsonl.ts';
import { readLines } from '../util/lines.ts';
import type { WarningListener } from '../util/progress.ts';
import { type Document, parseDocument, parseQuery, type Query } from './document.ts';
import { type Qrels, readQrels } from './qrels.ts';
import { UniqueIds } from './unique-ids.ts';

/** A collection with one split of its queries. */
export interface BeirCollection {
  /** The name of the folder. */
  readonly name: string;
  readonly split: string;
  /** The queries that the qrels name, in the order of `queries.jsonl`. */
  readonly queries: readonly Query[];
  /** Judgements of these queries. */
  readonly qrels: Qrels;
  /** Known once `documents()` ran to its end, or after `countDocuments()`. */
  readonly documentCount: number | undefined;
  /**
   * Streams the corpus in file order. At its end it warns about judged documents that are not there; they still count as
   * relevant documents that were not found.
   * @throws LexrayError BAD_INPUT with file and line: a malformed record, a docid that occurs twice, an empty corpus
   */
  documents(options?: { readonly signal?: AbortSignal | undefined }): AsyncGenerator<Document>;
  /** Counts the documents without parsing them, for progress. */
  countDocuments(): Promise<number>;
}

/** Options of {@link loadBeir}. */
export interface LoadBeirOptions {
  /** Which qrels file: `train`, `dev`, `test`. @default 'test' */
  readonly split?: string | undefined;
  readonly onWarning?: WarningListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

const cure = 'expected a BEIR folder: corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv';

/**
 * Opens a BEIR folder: reads qrels and queries, and the first document; the corpus is streamed on demand. Queries that
 * the qrels name but `queries.jsonl` lacks are left out of the qrels, with a warning.
 * @throws LexrayError BAD_INPUT when a file is missing or malformed, the corpus is empty, an id occurs twice or does not fit into
 * a run, no judged query has a text, or none has a relevant document; a missing split names those that exist
 */
export async function loadBeir(folder: string, options: LoadBeirOptions = {}): Promise<BeirCollection> {
  const { split = 'test', onWarning, signal } = options;
  const corpusPath = findFile(folder, 'corpus.jsonl');
  const queriesPath = findFile(folder, 'queries.jsonl');
  const allQrels = await readQrels(await findSplit(folder, split));
  const queries = await readQueries(queriesPath, allQrels, signal);
  const qrels = keepQueries(allQrels, queries, queriesPath, onWarning);
  if (![...qrels.values()].some((grades) => [...grades.values()].some((grade) => grade > 0))) {
    throw badInput(`no query of the split ${JSON.stringify(split)} has a relevant document (a grade of 1 or more)`, {
      where: join(folder, 'qrels'),
      cure: 'choose another split',
    });
  }
  await checkFirstDocument(corpusPath);
  let documentCount: number | undefined;
  return {
    name: basename(resolve(folder)),
    split,
    queries,
    qrels,
    get documentCount() {
      return documentCount;
    },
    async *documents(streamOptions = {}) {
      const docids = new UniqueIds();
      for await (const { number, value } of readJsonLines(corpusPath)) {
        throwIfAborted(streamOptions.signal);
        const where = `${corpusPath}:${number}`;
        const document = parseDocument(value, where);
        docids.add(document.docid, 'docid', where);
        yield document;
      }
      documentCount = docids.size;
      warnAboutUnknownDocuments(qrels, docids, onWarning);
    },
    async countDocuments() {
      if (documentCount !== undefined) return documentCount;
      let count = 0;
      for await (const { text } of readLines(corpusPath)) if (text.trim() !== '') count++;
      documentCount = count;
      return count;
    },
  };
}

/** The splits of a BEIR folder: the names of `qrels/*.tsv`, sorted. Empty when there is no such folder. */
export async function listSplits(folder: string): Promise<string[]> {
  try {
    const names = await readdir(join(folder, 'qrels'));
    return names.flatMap((name) => /^(.+)\.tsv(?:\.gz|\.zst)?$/.exec(name)?.[1] ?? []).sort();
  } catch {
    return [];
  }
}

function findFile(folder: string, name: string): string {
  for (const end of ['', '.gz', '.zst']) if (existsSync(join(folder, name + end))) return join(folder, name + end);
  const what = existsSync(folder) ? `there is no ${name} in ${folder}` : `there is no folder ${folder}`;
  throw badInput(what, { where: folder, cure });
}

async function findSplit(folder: string, split: string): Promise<string> {
  const splits = await listSplits(folder);
  if (!splits.includes(split)) {
    throw badInput(
      `there is no split ${JSON.stringify(split)}; ${splits.length === 0 ? 'qrels/ has no .tsv file' : `there are: ${splits.join(', ')}`}`,
      { where: join(folder, 'qrels'), cure: splits.length === 0 ? cure : 'choose one of these splits' },
    );
  }
  return findFile(join(folder, 'qrels'), `${split}.tsv`);
}

async function readQueries(path: string, qrels: Qrels, signal: AbortSignal | undefined): Promise<Query[]> {
  const qids = new UniqueIds();
  const queries: Query[] = [];
  for await (const { number, value } of readJsonLines(path)) {
    throwIfAborted(signal);
    const where = `${path}:${number}`;
    const query = parseQuery(value, where);
    qids.add(query.qid, 'qid', where);
    if (qrels.has(query.qid)) queries.push(query);
  }
  return queries;
}

function keepQueries(
  qrels: Qrels,
  queries: readonly Query[],
  path: string,
  onWarning: WarningListener | undefined,
): Qrels {
  const known = new Set(queries.map(({ qid }) => qid));
  const unknown = [...qrels.keys()].filter((qid) => !known.has(qid));
  if (unknown.length === 0) return qrels;
  if (known.size === 0) {
    throw badInput(`none of the ${qrels.size} queries of the qrels is in the queries file (${nameSome(unknown)})`, {
      where: path,
      cure: 'check that qrels and queries belong together',
    });
  }
  onWarning?.(
    `${unknown.length} of ${qrels.size} queries of the qrels are not in ${basename(path)} and are left out: ${nameSome(unknown)}`,
  );
  return new Map([...qrels].filter(([qid]) => known.has(qid)));
}

async function checkFirstDocument(path: string): Promise<void> {
  for await (const { number, value } of readJsonLines(path)) {
    parseDocument(value, `${path}:${number}`);
    return;
  }
  throw badInput('the corpus is empty', { where: path, cure });
}

function warnAboutUnknownDocuments(qrels: Qrels, docids: UniqueIds, onWarning: WarningListener | undefined): void {
  if (onWarning === undefined) return;
  const judged = new Set<string>();
  for (const grades of qrels.values()) for (const docid of grades.keys()) judged.add(docid);
  const unknown = [...judged].filter((docid) => !docids.has(docid));
  if (unknown.length === 0) return;
  onWarning(
    `${unknown.length} of ${judged.size} judged documents are not in the corpus and can not be found: ${nameSome(unknown)}`,
  );
}

function nameSome(ids: readonly string[]): string {
  return ids.slice(0, 3).join(', ') + (ids.length > 3 ? ', …' : '');
}
