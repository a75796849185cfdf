/**
 * One record of training data, in the forms that are in use in JSONL and Parquet. Queries and documents are texts, or ids to
 * be looked up. The names of a record's fields:
 *
 *     query       query, anchor, question · by id: qid, query_id
 *     positive    pos, positive, positives, positive_passages, positive_ctxs, answer, passage · by id: positive_id(s)
 *     negatives   negs, neg, negatives, negative, negative_passages, hard_negative_ctxs · negative_1, negative_2, …
 *                 · by id: negative_id(s) · by system, joined: {"bm25": [id, …], …}
 *     scores      score, scores, label, labels: the teacher's. For n negatives n + 1 numbers are scores of the positive and the
 *                 negatives; n numbers (or the one of one negative) are margins s(positive) − s(negative)
 *
 * A document is a text, an id, or an object: {"text", "title", "score"} (Tevatron, DPR), {"pid", "ce-score"} (the first
 * msmarco-hard-negatives). A record may also be a list [anchor, positive, negative…], or scored documents without a word
 * about which is relevant, {"query", "docs": […], "scores": […]} (OpenSearch): the one with the best score is the positive.
 * Where no name is known, the order counts, as in sentence-transformers: query, positive, negatives…, score.
 */
import { badInput } from '../util/errors.ts';
import { asRecord, describeFields, joinTitle, parseId } from './document.ts';

/** A record of training data, before ids are looked up. */
export interface TrainingRecord {
  readonly query: string;
  /** At least one. */
  readonly positives: readonly string[];
  readonly negatives: readonly string[];
  /** The teacher's scores of the positives and of the negatives; both or neither. */
  readonly positiveScores?: readonly number[];
  readonly negativeScores?: readonly number[];
  /** The query is a qid by its form: a field `qid` or `query_id`. */
  readonly queryIsId: boolean;
  /** The documents are docids by their form: integers, or a field `positive_id`. */
  readonly documentsAreIds: boolean;
  /** The ids of a query and of its positives that come with their texts. */
  readonly queryId?: string;
  readonly positiveIds?: readonly string[];
}

/** Says what training data look like, for errors. */
export const trainingDataCure: string =
  'expected a BEIR folder, or a file of TSV (query, positive, negatives…, scores…), JSONL or Parquet (query, positive, negatives, scores; ' +
  'or query, docs, scores), plain, .gz or .zst';

const queryNames = ['query', 'anchor', 'question', 'qid', 'query_id'];
const positiveNames = [
  ...['pos', 'positive', 'positives', 'positive_passages', 'positive_ctxs', 'positive_id', 'positive_ids'],
  ...['answer', 'passage'],
];
const negativeNames = [
  ...['negs', 'neg', 'negatives', 'negative', 'negative_passages', 'hard_negative_ctxs', 'negative_id', 'negative_ids'],
];
const scoreNames = ['scores', 'score', 'labels', 'label'];
const numberedNegative = /^neg(?:ative)?_?(\d+)$/;
const cure = 'a record has query (or anchor), pos (or positive), and optionally negs and scores';

type Fields = Readonly<Record<string, unknown>>;

/** Whether a name says what a field is. */
export function isKnownField(name: string): boolean {
  const known = [queryNames, positiveNames, negativeNames, scoreNames, ['docs']];
  return known.some((names) => names.includes(name)) || numberedNegative.test(name);
}

/**
 * Reads a record.
 * @param where file and line (or row), for the error
 * @throws LexrayError BAD_INPUT
 */
export function parseTrainingRecord(value: unknown, where: string): TrainingRecord {
  if (Array.isArray(value)) return orderedRecord(value, 'the list', where);
  const record = asRecord(value, where);
  const queryField = present(record, queryNames);
  const positiveField = present(record, positiveNames);
  if (queryField === undefined && positiveField === undefined) {
    const names = Object.keys(record);
    const texts = names.filter((name) => typeof record[name] === 'string');
    if (texts.length >= 2 && !names.some((name) => /^_?id$|_id$|^docid$/i.test(name))) {
      const score = present(record, scoreNames);
      const ordered = orderedRecord(
        texts.map((name) => record[name]),
        names.join(', '),
        where,
      );
      return withScores(ordered, score === undefined ? undefined : record[score], where);
    }
  }
  if (queryField === undefined) throw missing('a query', queryNames, record, where);
  const queryIsId = queryField === 'qid' || queryField === 'query_id';
  const [query] = documentsOf([record[queryField]].flat(), queryField, where).values;
  if (query === undefined) throw badInput(`${queryField} is empty`, { where, cure });
  const identity = queryIsId ? {} : idOf(record, ['qid', 'query_id'], 'queryId');
  if (record.docs !== undefined) return { query, queryIsId, ...identity, ...scoredDocuments(record, where) };

  if (positiveField === undefined) throw missing('a positive', positiveNames, record, where);
  const positives = documentsOf(record[positiveField], positiveField, where);
  if (positives.values.length === 0) throw badInput(`${positiveField} is empty`, { where, cure });
  const negatives = negativesOf(record, where);
  const documentsAreIds = positiveField.includes('_id') || positives.areIds;
  const read = {
    query,
    queryIsId,
    ...identity,
    positives: positives.values,
    negatives: negatives.values,
    documentsAreIds,
    ...(documentsAreIds ? {} : idsOfPositives(record, positives)),
  };
  const scoreField = present(record, scoreNames);
  if (scoreField !== undefined) return withScores(read, record[scoreField], where);
  if (positives.scores === undefined || (negatives.scores === undefined && negatives.values.length > 0)) return read;
  return { ...read, positiveScores: positives.scores, negativeScores: negatives.scores ?? [] };
}

/** What {@link withScores} completes. */
type Unscored = Omit<TrainingRecord, 'positiveScores' | 'negativeScores'>;

/**
 * Adds the scores of a record: n + 1 scores or n margins for n negatives. A pair without negatives may have a positive score,
 * which says nothing to a loss that compares; one of 0 or less would say that the pair is no example.
 */
export function withScores(record: Unscored, given: unknown, where: string): TrainingRecord {
  if (given === undefined || given === null) return record;
  const scores = numbers(Array.isArray(given) ? given : [given], where);
  const { length } = record.negatives;
  const first = scores[0];
  if (record.positives.length === 1 && first !== undefined) {
    if (scores.length === length + 1 && (length > 0 || Array.isArray(given))) {
      return { ...record, positiveScores: [first], negativeScores: scores.slice(1) };
    }
    if (scores.length === length) {
      return { ...record, positiveScores: [0], negativeScores: scores.map((margin) => (margin === 0 ? 0 : -margin)) };
    }
    if (length === 0 && scores.length === 1) {
      if (first > 0) return record;
      throw badInput(`the pair has the label ${first}: its document is not relevant`, {
        where,
        cure: 'leave such pairs out, or give their documents as negatives of a positive',
      });
    }
  }
  throw badInput(
    `expected ${length + 1} scores, of one positive and ${length} negatives${length > 0 ? `, or ${length} margins` : ''}, got ${scores.length} for ${record.positives.length} positives and ${length} negatives`,
    { where, cure },
  );
}

function orderedRecord(values: readonly unknown[], name: string, where: string): TrainingRecord {
  const last = values.at(-1);
  const scores = values.length > 2 && Array.isArray(last) ? last : undefined;
  const documents = documentsOf(scores === undefined ? values : values.slice(0, -1), name, where);
  const [query, positive, ...negatives] = documents.values;
  if (query === undefined || positive === undefined) {
    throw badInput(`expected [anchor, positive, negative…], got a list of ${values.length}`, { where, cure });
  }
  return withScores(
    { query, positives: [positive], negatives, queryIsId: false, documentsAreIds: false },
    scores,
    where,
  );
}

function scoredDocuments(
  record: Fields,
  where: string,
): Pick<TrainingRecord, 'positives' | 'negatives' | 'positiveScores' | 'negativeScores' | 'documentsAreIds'> {
  const docs = documentsOf(record.docs, 'docs', where);
  const scores = record.scores === undefined && docs.scores !== undefined ? docs.scores : numbers(record.scores, where);
  if (docs.values.length === 0 || scores.length !== docs.values.length) {
    throw badInput(`expected as many scores as docs, got ${scores.length} and ${docs.values.length}`, { where, cure });
  }
  const best = scores.indexOf(scores.reduce((a, b) => Math.max(a, b)));
  const others = docs.values.map((_, i) => i).filter((i) => i !== best);
  return {
    positives: docs.values.slice(best, best + 1),
    negatives: others.map((i) => docs.values[i]!),
    positiveScores: [scores[best]!],
    negativeScores: others.map((i) => scores[i]!),
    documentsAreIds: docs.areIds,
  };
}

/** Texts or ids of a field, with the scores that stand in objects. */
interface Documents {
  readonly values: readonly string[];
  /** Where every document has one. */
  readonly scores: readonly number[] | undefined;
  /** Where every document has one beside its text. */
  readonly ids: readonly string[] | undefined;
  /** Integers, or objects without a text. */
  readonly areIds: boolean;
}

function negativesOf(record: Fields, where: string): Documents {
  const name = present(record, negativeNames);
  if (name === undefined) {
    const numbered = Object.keys(record)
      .flatMap((key) => {
        const match = numberedNegative.exec(key);
        return match !== null && record[key] !== null ? [{ key, rank: Number(match[1]) }] : [];
      })
      .sort((a, b) => a.rank - b.rank);
    const values = numbered.flatMap(({ key }) => documentsOf(record[key], key, where).values);
    return { values, scores: undefined, ids: undefined, areIds: false };
  }
  const value = record[name];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return documentsOf(value, name, where);
  // by the system that found them; several may have found the same
  const { values, scores, ...rest } = documentsOf(Object.values(value).flat(), name, where);
  const seen = new Set<string>();
  const places = [...values.keys()].filter((i) => seen.size < seen.add(values[i]!).size);
  return { values: places.map((i) => values[i]!), scores: scores && places.map((i) => scores[i]!), ...rest };
}

function documentsOf(value: unknown, name: string, where: string): Documents {
  const items = Array.isArray(value) ? value : [value];
  const values: string[] = [];
  const scores: number[] = [];
  const ids: string[] = [];
  let areIds = false;
  for (const item of items) {
    const document =
      typeof item === 'object' && item !== null ? readObject(item as Fields) : { value: plainText(item) };
    if (document.value === undefined || document.value === '') {
      throw badInput(`expected a text or an id in ${name}, got ${JSON.stringify(item)?.slice(0, 60)}`, { where, cure });
    }
    values.push(document.value);
    if (document.score !== undefined) scores.push(document.score);
    if (document.id !== undefined) ids.push(document.id);
    areIds ||= Number.isInteger(item) || document.isId === true;
  }
  const whole = <T>(list: T[]): T[] | undefined => (list.length === items.length && list.length > 0 ? list : undefined);
  return { values, scores: whole(scores), ids: whole(ids), areIds };
}

interface ReadDocument {
  readonly value: string | undefined;
  readonly score?: number;
  readonly id?: string;
  readonly isId?: boolean;
}

/** A document that is a JSON object, with a text or only an id. */
function readObject(item: Fields): ReadDocument {
  const id = parseId(item.pid ?? item.docid ?? item.doc_id ?? item.passage_id ?? item._id ?? item.id);
  const score = item['ce-score'] ?? item.ce_score ?? item.score;
  const scored = typeof score === 'number' && Number.isFinite(score) ? { score } : {};
  const { text, title } = item;
  if (typeof text !== 'string') return { value: id, isId: true, ...scored };
  const value = joinTitle({ title: typeof title === 'string' ? title : '', text }).trim();
  return { value, ...(id === undefined ? {} : { id }), ...scored };
}

function plainText(value: unknown): string | undefined {
  return typeof value === 'string' ? value.trim() : parseId(value);
}

function idsOfPositives(record: Fields, positives: Documents): { readonly positiveIds?: readonly string[] } {
  if (positives.ids !== undefined) return { positiveIds: positives.ids };
  const name = present(record, ['positive_id', 'positive_ids']);
  const value = name === undefined ? undefined : record[name];
  const ids = (Array.isArray(value) ? value : [value]).map(parseId);
  return ids.length === positives.values.length && ids.every((id) => id !== undefined) ? { positiveIds: ids } : {};
}

function idOf<Name extends string>(record: Fields, names: readonly string[], name: Name): { [key in Name]?: string } {
  const field = present(record, names);
  const id = field === undefined ? undefined : parseId(record[field]);
  return (id === undefined ? {} : { [name]: id }) as { [key in Name]?: string };
}

/** The first of some names whose field is there. */
function present(record: Fields, names: readonly string[]): string | undefined {
  return names.find((name) => Object.hasOwn(record, name) && record[name] !== undefined && record[name] !== null);
}

function missing(what: string, names: readonly string[], record: Fields, where: string): Error {
  return badInput(`expected ${what} (${names.join(', ')}), got the fields ${describeFields(record)}`, { where, cure });
}

function numbers(values: unknown, where: string): number[] {
  if (Array.isArray(values) && values.every((value) => typeof value === 'number' && Number.isFinite(value))) {
    return values as number[];
  }
  throw badInput(`expected numbers as scores, got ${JSON.stringify(values)?.slice(0, 60)}`, { where, cure });
}
