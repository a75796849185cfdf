/**
 * Relevance judgements (qrels), in two forms:
 *
 *     TREC, 4 columns parted by blanks or tabs:      qid iteration docid grade
 *     BEIR, 3 columns parted by tabs, with a header: query-id<TAB>corpus-id<TAB>score
 *
 * Grades are integers: 1 and more is relevant, 0 and less is judged and not relevant; what is not listed is not judged.
 */
import { badInput } from '../util/errors.ts';
import { readLines } from '../util/lines.ts';
import { writeFileAtomic } from '../util/write-atomic.ts';
import { isField, splitFields } from './columns.ts';

/** Grades by qid and docid. */
export type Qrels = Map<string, Map<string, number>>;

const cure = 'expected TREC qrels (qid 0 docid grade) or a BEIR file (query-id, corpus-id, score, parted by tabs)';

/**
 * Reads qrels of either form (plain or gzip); the first line that is not blank tells which. A judgement that is
 * repeated with the same grade counts once.
 * @throws LexrayError BAD_INPUT with file and line: wrong column count, a grade that is no integer, two grades for one
 * document; a file without judgements
 */
export async function readQrels(path: string): Promise<Qrels> {
  const qrels: Qrels = new Map();
  let columns: number | undefined;
  for await (const { number, text } of readLines(path)) {
    if (text.trim() === '') continue;
    const where = `${path}:${number}`;
    const first = columns === undefined;
    columns ??= text.split('\t').length === 3 ? 3 : 4;
    const fields = columns === 3 ? text.split('\t').map((field) => field.trim()) : splitFields(text);
    if (fields.length !== columns) {
      throw badInput(`expected ${columns} columns, got ${fields.length}`, { where, cure });
    }
    const [qid, docid, gradeText] = columns === 3 ? fields : [fields[0], fields[2], fields[3]];
    const grade = Number(gradeText);
    if (!qid || !docid || !gradeText || !Number.isSafeInteger(grade)) {
      if (first && columns === 3 && Number.isNaN(grade)) continue;
      throw badInput(`expected ids and an integer grade, got ${JSON.stringify(fields.join(' '))}`, { where, cure });
    }
    let grades = qrels.get(qid);
    if (grades === undefined) {
      grades = new Map();
      qrels.set(qid, grades);
    }
    const known = grades.get(docid);
    if (known !== undefined && known !== grade) {
      throw badInput(`document ${docid} has the grades ${known} and ${grade} for query ${qid}`, {
        where,
        cure: 'keep one of the two judgements',
      });
    }
    grades.set(docid, grade);
  }
  if (qrels.size === 0) throw badInput('the qrels hold no judgement', { where: path, cure });
  return qrels;
}

/**
 * Writes qrels in the 4-column TREC form.
 * @throws LexrayError BAD_INPUT for an id with white space or a grade that is no integer
 */
export async function writeQrels(path: string, qrels: Qrels): Promise<void> {
  await writeFileAtomic(path, formatQrels(qrels));
}

function* formatQrels(qrels: Qrels): Generator<string> {
  for (const [qid, grades] of qrels) {
    let lines = '';
    for (const [docid, grade] of grades) {
      if (!isField(qid) || !isField(docid) || !Number.isSafeInteger(grade)) {
        throw badInput(`TREC qrels cannot hold the judgement ${JSON.stringify([qid, docid, grade])}`, {
          cure: 'ids have no white space, and grades are integers',
        });
      }
      lines += `${qid} 0 ${docid} ${grade}\n`;
    }
    yield lines;
  }
}
