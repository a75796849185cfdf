/**
 * A teacher's scores of queries and documents by id, from the files that rerankers write:
 *
 *     TREC run   qid Q0 docid rank score tag
 *     TSV        qid<TAB>docid<TAB>score
 *     JSONL      {"qid" | "query_id": …, "scores": {docid: score, …}}
 *                {"qid" | "query_id": …, "docid" | "doc_id" | "pid" | "passage_id": …, "score": …}
 *     Parquet    rows of the second form
 *
 * The scores of msmarco-hard-negatives are a Python pickle of a dictionary in a dictionary, which is not read because a pickle
 * can run code; `docs/formats/training-data.md` has the lines that make JSONL of it.
 */
import { badInput, throwIfAborted } from '../util/errors.ts';
import { readLines } from '../util/lines.ts';
import { splitFields } from './columns.ts';
import { asRecord, parseId } from './document.ts';
import { isParquet, readParquet } from './parquet/read-parquet.ts';

/** Scores of the pairs that were asked for. */
export interface TeacherScores {
  get(qid: string, docid: string): number | undefined;
}

const cure =
  'expected a TREC run, qid<TAB>docid<TAB>score, or JSON with qid and scores (or qid, docid and score); or Parquet';

/**
 * Reads the scores of some pairs; a pair that comes again keeps its last score.
 * @param wanted docids by qid
 * @throws LexrayError BAD_INPUT with file and line (or row) for a record that does not fit; when none of the pairs is there
 */
export async function readTeacherScores(
  path: string,
  wanted: ReadonlyMap<string, ReadonlySet<string>>,
  signal?: AbortSignal | undefined,
): Promise<TeacherScores> {
  const scores = new Map<string, Map<string, number>>();
  let [read, found] = [0, 0];
  const keep = (qid: string, docid: string, score: unknown, where: string): void => {
    if (typeof score !== 'number' || !Number.isFinite(score)) {
      throw badInput(`expected a number as score, got ${JSON.stringify(score)}`, { where, cure });
    }
    read++;
    if (wanted.get(qid)?.has(docid) !== true) return;
    found++;
    const known = scores.get(qid);
    if (known === undefined) scores.set(qid, new Map([[docid, score]]));
    else known.set(docid, score);
  };
  if (await isParquet(path)) {
    for await (const { number, value } of readParquet(path, { signal }))
      keepRecord(value, `${path}, row ${number}`, keep);
  } else {
    for await (const { number, text } of readLines(path)) {
      throwIfAborted(signal);
      if (text.trim() !== '') keepLine(text, `${path}:${number}`, keep);
    }
  }
  if (found === 0) {
    throw badInput(`none of the ${read} scores is of a query and a document of the data`, {
      where: path,
      cure: 'check that the scores and the data have the same ids',
    });
  }
  return { get: (qid, docid) => scores.get(qid)?.get(docid) };
}

type Keep = (qid: string, docid: string, score: unknown, where: string) => void;

function keepLine(text: string, where: string, keep: Keep): void {
  if (text.trimStart().startsWith('{')) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw badInput(`the line is not JSON: ${(cause as Error).message}`, { where, cause, cure });
    }
    keepRecord(value, where, keep);
    return;
  }
  const fields = text.includes('\t') ? text.split('\t').map((field) => field.trim()) : splitFields(text);
  const [qid, docid, score] = fields.length === 6 ? [fields[0], fields[2], fields[4]] : fields;
  if ((fields.length !== 3 && fields.length !== 6) || !qid || !docid || !score) {
    throw badInput(`expected 3 or 6 columns, got ${JSON.stringify(text.slice(0, 60))}`, { where, cure });
  }
  keep(qid, docid, Number(score), where);
}

function keepRecord(value: unknown, where: string, keep: Keep): void {
  const record = asRecord(value, where);
  const qid = parseId(record.qid ?? record.query_id);
  if (qid === undefined) throw badInput('expected a qid', { where, cure });
  if (typeof record.scores === 'object' && record.scores !== null && !Array.isArray(record.scores)) {
    for (const [docid, score] of Object.entries(record.scores)) keep(qid, docid, score, where);
    return;
  }
  const docid = parseId(record.docid ?? record.doc_id ?? record.pid ?? record.passage_id);
  if (docid === undefined) throw badInput('expected scores by docid, or a docid and a score', { where, cure });
  keep(qid, docid, record.score, where);
}
