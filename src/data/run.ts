/**
 * TREC runs: what a retriever returned for each query. Six columns parted by blanks or tabs:
 *
 *     qid Q0 docid rank score tag
 *
 * The order of a run is score descending, compared as float32, and at equal scores docid descending in byte order:
 * trec_eval's rule (`form_res_rels.c`), which ignores the rank column. Runs are read, written and evaluated in that
 * order, so that the ranks in a file are those that count.
 */
import { compareByteOrder } from '../util/byte-order.ts';
import { badInput, LexrayError } from '../util/errors.ts';
import { readLines } from '../util/lines.ts';
import { writeFileAtomic } from '../util/write-atomic.ts';
import { isField, splitFields } from './columns.ts';

/** A document that a retriever returned, and its score: any finite number, higher is better. */
export interface ScoredDocument {
  readonly docid: string;
  readonly score: number;
}

/** The documents returned for each query, by qid, best first. */
export type Run = Map<string, readonly ScoredDocument[]>;

/** Options of {@link writeRun}. */
export interface WriteRunOptions {
  /** The sixth column: the name of the run, without white space. @default 'lexray' */
  readonly tag?: string | undefined;
  /** Replace a file that is already there. @default true */
  readonly force?: boolean | undefined;
}

/** Orders documents as trec_eval does: score descending (as float32), then docid descending in byte order. */
export function compareScoredDocuments(a: ScoredDocument, b: ScoredDocument): number {
  const x = Math.fround(a.score);
  const y = Math.fround(b.score);
  if (x !== y) return x > y ? -1 : 1;
  return compareByteOrder(b.docid, a.docid);
}

/**
 * Reads a TREC run (plain or gzip). Queries keep the order of their first line; the documents of each are sorted by
 * {@link compareScoredDocuments}, whatever their order and ranks in the file.
 * @throws LexrayError BAD_INPUT with file and line: wrong column count, a score that is no finite number, a document
 * named twice for a query, an empty file
 */
export async function readRun(path: string): Promise<Run> {
  const run = new Map<string, ScoredDocument[]>();
  const seen = new Map<string, Set<string>>();
  for await (const { number, text } of readLines(path)) {
    const fields = splitFields(text);
    if (fields.length === 0) continue;
    const where = `${path}:${number}`;
    const [qid, , docid, , scoreText] = fields;
    if (fields.length !== 6 || qid === undefined || docid === undefined || scoreText === undefined) {
      throw badInput(`expected 6 columns, got ${fields.length}`, {
        where,
        cure: 'a TREC run has the columns: qid Q0 docid rank score tag',
      });
    }
    const score = Number(scoreText);
    if (!Number.isFinite(score)) {
      throw badInput(`expected a finite number as score, got ${JSON.stringify(scoreText)}`, {
        where,
        cure: 'a TREC run has the columns: qid Q0 docid rank score tag',
      });
    }
    let documents = run.get(qid);
    let docids = seen.get(qid);
    if (documents === undefined || docids === undefined) {
      documents = [];
      docids = new Set();
      run.set(qid, documents);
      seen.set(qid, docids);
    }
    if (docids.has(docid)) {
      throw badInput(`document ${docid} occurs twice for query ${qid}`, {
        where,
        cure: 'keep the best score of each document',
      });
    }
    docids.add(docid);
    documents.push({ docid, score });
  }
  if (run.size === 0) throw badInput('the run is empty', { where: path, cure: 'expected a TREC run of 6 columns' });
  for (const documents of run.values()) documents.sort(compareScoredDocuments);
  return run;
}

/**
 * Writes a TREC run. Documents are sorted by {@link compareScoredDocuments}, ranks count from 1, and scores are written
 * as float32 with 9 significant digits, which read back as the same float32.
 * @throws LexrayError BAD_INPUT for an id with white space, a score that is not finite, a document named twice;
 * USAGE for a tag with white space
 */
export async function writeRun(path: string, run: Run, options: WriteRunOptions = {}): Promise<void> {
  const tag = options.tag ?? 'lexray';
  if (!isField(tag)) {
    throw new LexrayError('USAGE', `the tag of a run has no white space, got ${JSON.stringify(tag)}`, {
      cure: 'choose another tag',
    });
  }
  await writeFileAtomic(path, formatRun(run, tag), { force: options.force ?? true });
}

function* formatRun(run: Run, tag: string): Generator<string> {
  for (const [qid, documents] of run) {
    checkId(qid, 'qid');
    const docids = new Set<string>();
    let lines = '';
    for (const [i, { docid, score }] of [...documents].sort(compareScoredDocuments).entries()) {
      checkId(docid, 'docid');
      if (!Number.isFinite(Math.fround(score))) {
        throw badInput(`the score of document ${docid} for query ${qid} is ${score}, not a finite float32`);
      }
      if (docids.has(docid)) throw badInput(`document ${docid} occurs twice for query ${qid}`);
      docids.add(docid);
      lines += `${qid} Q0 ${docid} ${i + 1} ${formatScore(score)} ${tag}\n`;
    }
    yield lines;
  }
}

/** The shortest way to write 9 significant digits of a float32. */
function formatScore(score: number): string {
  return String(Number(Math.fround(score).toPrecision(9)));
}

function checkId(id: string, kind: string): void {
  if (isField(id)) return;
  throw badInput(`the ${kind} ${JSON.stringify(id)} is empty or has white space, which a TREC run cannot hold`, {
    cure: 'give the collection ids without white space',
  });
}
