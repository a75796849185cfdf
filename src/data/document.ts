/** Documents and queries, and how they are read from JSON records with `_id`, `title` and `text` (BEIR's names). */
import { badInput } from '../util/errors.ts';
import { checkId } from './columns.ts';

/** A text to be found. */
export interface Document {
  readonly docid: string;
  /** Empty where there is none. */
  readonly title: string;
  /** Empty where there is none: title collections. */
  readonly text: string;
}

/** A text to search with. */
export interface Query {
  readonly qid: string;
  readonly text: string;
}

/**
 * Title and text as one text, the way models are trained on BEIR: joined by a separator, which is left out where either
 * is empty.
 * @param separator between the two @default ' '
 */
export function joinTitle(document: Pick<Document, 'title' | 'text'>, separator = ' '): string {
  if (document.title === '') return document.text;
  return document.text === '' ? document.title : document.title + separator + document.text;
}

/**
 * A document from a JSON record: `_id` or `id` (string or integer), `title` and `text` (either may be missing or null).
 * @param where file and line, for the error
 * @throws LexrayError BAD_INPUT
 */
export function parseDocument(value: unknown, where: string): Document {
  const record = asRecord(value, where);
  const title = textField(record, 'title', where);
  const text = textField(record, 'text', where);
  if (title === undefined && text === undefined) {
    throw badInput(`expected a title or a text, got the fields ${describeFields(record)}`, {
      where,
      cure: 'a document has the fields _id, title and text',
    });
  }
  return { docid: idField(record, 'docid', where), title: title ?? '', text: text ?? '' };
}

/**
 * A query from a JSON record: `_id` or `id`, and `text`.
 * @throws LexrayError BAD_INPUT
 */
export function parseQuery(value: unknown, where: string): Query {
  const record = asRecord(value, where);
  const text = textField(record, 'text', where);
  if (text === undefined) {
    throw badInput(`expected a text, got the fields ${describeFields(record)}`, {
      where,
      cure: 'a query has the fields _id and text',
    });
  }
  return { qid: idField(record, 'qid', where), text };
}

/** A JSON object, or an error. */
export function asRecord(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw badInput(`expected a JSON object, got ${JSON.stringify(value)?.slice(0, 60)}`, {
    where,
    cure: 'expected one JSON object a line',
  });
}

/** An id as a string; undefined when it is neither a string that is not empty nor an integer. */
export function parseId(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value;
  return Number.isSafeInteger(value) ? String(value) : undefined;
}

/** The names of the fields of a record, for errors. */
export function describeFields(record: Readonly<Record<string, unknown>>): string {
  return Object.keys(record).slice(0, 12).join(', ') || '(none)';
}

function idField(record: Readonly<Record<string, unknown>>, kind: string, where: string): string {
  const value = record._id ?? record.id;
  const id = parseId(value);
  if (id !== undefined) {
    checkId(id, kind, where);
    return id;
  }
  throw badInput(`expected a string or an integer as _id, got ${JSON.stringify(value)}`, {
    where,
    cure: 'give each record an _id of its own',
  });
}

function textField(record: Readonly<Record<string, unknown>>, name: string, where: string): string | undefined {
  const value = record[name];
  if (typeof value === 'string') return value;
  if (value === null) return '';
  if (value === undefined) return undefined;
  throw badInput(`expected a string as ${name}, got ${JSON.stringify(value)?.slice(0, 60)}`, { where });
}
