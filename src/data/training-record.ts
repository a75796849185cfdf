/**
 * One line of training data, in the forms that are in use. Queries and documents are texts, or ids to be looked up.
 *
 *     TSV      query<TAB>positive[<TAB>negative…]                       MS MARCO triples
 *              query<TAB>positive<TAB>negative<TAB>score<TAB>score      with the teacher's scores of both documents
 *     JSONL    {"query" | "anchor" | "question": …, "pos" | "positive" | "positives": text or list,
 *               "negs" | "neg" | "negatives" | "negative": text or list, or "negative_1", "negative_2", …}
 *              {"query": …, "docs": [text, …], "scores": [number, …]}   the best-scored document is the positive
 *              [anchor, positive, negative, …]
 *     by id    qid<TAB>docid<TAB>docid, told from texts by the first line: integers only
 *              {"qid": …, "pos": [id, …], "neg": {"system": [id, …], …}}, {"query_id": …, "positive_id": …,
 *              "negative_id": …, "score": margin}
 */
import { badInput } from '../util/errors.ts';
import { asRecord, describeFields, parseId } from './document.ts';

/** A line of training data, before ids are looked up. */
export interface TrainingRecord {
  readonly query: string;
  /** At least one. */
  readonly positives: readonly string[];
  readonly negatives: readonly string[];
  /** Teacher scores of the one positive and the negatives, in this order. */
  readonly scores?: readonly number[];
  /** The query is a qid by its form: a field `qid` or `query_id`. */
  readonly queryIsId: boolean;
  /** The documents are docids by their form: integers, or a field `positive_id`. */
  readonly documentsAreIds: boolean;
}

const cure =
  'expected query<TAB>positive[<TAB>negative…], or JSON with query (or anchor), pos (or positive) and optionally negs';

/**
 * Reads a line of a TSV file.
 * @param where file and line, for the error
 * @throws LexrayError BAD_INPUT
 */
export function parseTrainingColumns(line: string, where: string): TrainingRecord {
  const columns = line.split('\t').map((column) => column.trim());
  const [query, positive, ...negatives] = columns;
  if (query === undefined || positive === undefined) {
    throw badInput(`expected at least 2 columns parted by tabs, got ${columns.length}`, { where, cure });
  }
  const empty = columns.indexOf('');
  if (empty !== -1) throw badInput(`column ${empty + 1} of ${columns.length} is empty`, { where, cure });
  const record = { query, positives: [positive], queryIsId: false, documentsAreIds: false };
  const scores = columns.slice(3).map(Number);
  if (columns.length === 5 && scores.every(Number.isFinite)) {
    return { ...record, negatives: negatives.slice(0, 1), scores };
  }
  return { ...record, negatives };
}

/**
 * Reads a record of a JSONL file.
 * @throws LexrayError BAD_INPUT
 */
export function parseTrainingRecord(value: unknown, where: string): TrainingRecord {
  if (Array.isArray(value)) {
    const [query, positive, ...negatives] = texts(value, 'the list', where);
    if (query === undefined || positive === undefined) {
      throw badInput(`expected [anchor, positive, negative…], got a list of ${value.length}`, { where, cure });
    }
    return { query, positives: [positive], negatives, queryIsId: false, documentsAreIds: false };
  }
  const record = asRecord(value, where);
  const queryField = first(record, ['query', 'anchor', 'question', 'qid', 'query_id'], 'a query', where);
  const queryIsId = queryField === 'qid' || queryField === 'query_id';
  const [query] = texts([record[queryField]], queryField, where);
  if (query === undefined) throw badInput(`${queryField} is empty`, { where, cure });
  if (record.docs !== undefined) return { query, queryIsId, ...scoredDocuments(record, where) };

  const positiveField = first(
    record,
    ['pos', 'positive', 'positives', 'positive_id', 'positive_ids'],
    'a positive',
    where,
  );
  const positives = texts(listOf(record[positiveField]), positiveField, where);
  if (positives.length === 0) throw badInput(`${positiveField} is empty`, { where, cure });
  const negatives = negativesOf(record, where);
  const documentsAreIds = positiveField.includes('_id') || listOf(record[positiveField]).some(Number.isInteger);
  const scores = scoresOf(record, positives.length, negatives.length, where);
  return { query, positives, negatives, ...(scores === undefined ? {} : { scores }), queryIsId, documentsAreIds };
}

function scoredDocuments(
  record: Readonly<Record<string, unknown>>,
  where: string,
): Pick<TrainingRecord, 'positives' | 'negatives' | 'scores' | 'documentsAreIds'> {
  const docs = texts(listOf(record.docs), 'docs', where);
  const scores = numbers(record.scores, where);
  if (docs.length === 0 || scores.length !== docs.length) {
    throw badInput(`expected as many scores as docs, got ${scores.length} and ${docs.length}`, { where, cure });
  }
  const best = scores.indexOf(scores.reduce((a, b) => Math.max(a, b)));
  const others = docs.map((_, i) => i).filter((i) => i !== best);
  return {
    positives: docs.slice(best, best + 1),
    negatives: others.map((i) => docs[i] as string),
    scores: [best, ...others].map((i) => scores[i] as number),
    documentsAreIds: listOf(record.docs).some(Number.isInteger),
  };
}

function negativesOf(record: Readonly<Record<string, unknown>>, where: string): string[] {
  const names = ['negs', 'neg', 'negatives', 'negative', 'negative_id', 'negative_ids'];
  const name = names.find((candidate) => record[candidate] !== undefined && record[candidate] !== null);
  if (name === undefined) {
    const numbered = Object.keys(record).filter((key) => /^neg(?:ative)?_\d+$/.test(key));
    const rank = (key: string): number => Number(key.slice(key.indexOf('_') + 1));
    return numbered.sort((a, b) => rank(a) - rank(b)).flatMap((key) => texts(listOf(record[key]), key, where));
  }
  const value = record[name];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return texts(listOf(value), name, where);
  return [...new Set(Object.values(value).flatMap((list) => texts(listOf(list), name, where)))];
}

function scoresOf(
  record: Readonly<Record<string, unknown>>,
  positives: number,
  negatives: number,
  where: string,
): number[] | undefined {
  if (record.scores !== undefined) {
    const scores = numbers(record.scores, where);
    if (positives !== 1 || scores.length !== 1 + negatives) {
      throw badInput(`expected a score for one positive and ${negatives} negatives, got ${scores.length}`, {
        where,
        cure,
      });
    }
    return scores;
  }
  if (record.score === undefined || positives !== 1 || negatives !== 1) return undefined;
  return [...numbers([record.score], where), 0];
}

function first(
  record: Readonly<Record<string, unknown>>,
  names: readonly string[],
  what: string,
  where: string,
): string {
  const name = names.find((candidate) => record[candidate] !== undefined && record[candidate] !== null);
  if (name !== undefined) return name;
  throw badInput(`expected ${what} (${names.join(', ')}), got the fields ${describeFields(record)}`, { where, cure });
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function texts(values: readonly unknown[], name: string, where: string): string[] {
  return values.map((value) => {
    const text = typeof value === 'string' ? value.trim() : parseId(value);
    if (text !== undefined && text !== '') return text;
    throw badInput(`expected a text or an id in ${name}, got ${JSON.stringify(value)?.slice(0, 60)}`, { where, cure });
  });
}

function numbers(values: unknown, where: string): number[] {
  if (Array.isArray(values) && values.every((value) => typeof value === 'number' && Number.isFinite(value))) {
    return values as number[];
  }
  throw badInput(`expected numbers as scores, got ${JSON.stringify(values)?.slice(0, 60)}`, { where, cure });
}
