/**
 * A retrieval task from documented API symbols: find a symbol by what it does. Each symbol is a document; each
 * sentence that says enough is a query whose relevant documents are the symbols that it describes. Queries of the same
 * words are one query, so that no query is in two splits; which split it is in follows from a hash of its words, so
 * that it stays there when packages are added or another machine builds the task.
 * Sentences that differ in a few words (`lib.dom` and `lib.webworker` copies, say) remain different queries.
 */
import { createHash } from 'node:crypto';
import type { ApiSymbol } from './extract.ts';
import { plainWords, symbolQuery, symbolTitle } from './symbol-text.ts';

/** The parts of the task, as BEIR names them: `test` is held out, `dev` chooses the checkpoint. */
export type TaskSplit = 'train' | 'dev' | 'test';

/** A query of the task. */
export interface TaskQuery {
  readonly qid: string;
  readonly text: string;
  readonly split: TaskSplit;
  /** The symbols that it describes, in the order of the documents; not empty. */
  readonly relevant: readonly string[];
}

/** A document of the task. */
export interface TaskDocument {
  /** Package and qualified name: `@types/node:fs.promises.readFile`, without white space. Unique. */
  readonly docid: string;
  readonly title: string;
  readonly symbol: ApiSymbol;
}

/** Documents, queries and judgements. */
export interface RetrievalTask {
  readonly documents: readonly TaskDocument[];
  readonly queries: readonly TaskQuery[];
  /** Symbols whose sentence says too little without their names; they are documents only. */
  readonly withoutQuery: number;
}

/** Options of {@link buildRetrievalTask}. */
export interface RetrievalTaskOptions {
  /** Queries with fewer words are dropped. @default 5 */
  readonly minQueryWords?: number;
  /** Share of the queries in `test`. @default 0.1 */
  readonly testFraction?: number;
  /** Share of the queries in `dev`. @default 0.1 */
  readonly devFraction?: number;
  /** Signatures are cut in the titles, in characters. @default 400 */
  readonly maxSignatureLength?: number;
}

/** Builds the task. The order of documents and queries is that of the symbols. */
export function buildRetrievalTask(symbols: readonly ApiSymbol[], options: RetrievalTaskOptions = {}): RetrievalTask {
  const { minQueryWords = 5, testFraction = 0.1, devFraction = 0.1, maxSignatureLength = 400 } = options;
  const documents: TaskDocument[] = [];
  const docids = new Set<string>();
  const queries = new Map<string, { text: string; relevant: string[] }>();
  let withoutQuery = 0;
  for (const symbol of symbols) {
    const docid = uniqueDocid(symbol, docids);
    documents.push({ docid, title: symbolTitle(symbol, maxSignatureLength), symbol });
    const text = symbolQuery(symbol);
    const words = plainWords(text);
    if (words.length < minQueryWords) {
      withoutQuery++;
      continue;
    }
    const key = words.join(' ');
    const known = queries.get(key);
    if (known) known.relevant.push(docid);
    else queries.set(key, { text, relevant: [docid] });
  }
  return {
    documents,
    withoutQuery,
    queries: [...queries].map(([key, { text, relevant }]) => {
      const hash = createHash('sha256').update(key).digest();
      const place = hash.readUInt32BE(0) / 2 ** 32;
      const split = place < testFraction ? 'test' : place < testFraction + devFraction ? 'dev' : 'train';
      return { qid: hash.toString('hex', 0, 8), text, split, relevant };
    }),
  };
}

/** White space would split the columns of run and qrels files. */
function uniqueDocid(symbol: ApiSymbol, taken: Set<string>): string {
  const plain = `${symbol.package}:${symbol.qualifiedName}`.replace(/[\s\p{Cc}]+/gu, '_');
  let docid = plain;
  for (let copy = 2; taken.has(docid); copy++) docid = `${plain}~${copy}`;
  taken.add(docid);
  return docid;
}
