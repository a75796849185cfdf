/**
 * Columns of the whitespace-separated TREC files. Fields are parted by ASCII white space as C's `isspace` does:
 * docids may hold any other character, a no-break space for instance.
 */

import { badInput } from '../util/errors.ts';

const separators = /[ \t\v\f\r]+/;
const separator = /[ \t\v\f\r\n]/;

/** The fields of a line; none when the line is blank. */
export function splitFields(line: string): string[] {
  const fields = line.split(separators);
  if (fields[0] === '') fields.shift();
  if (fields.at(-1) === '') fields.pop();
  return fields;
}

/** Whether a value can stand as one field: not empty, and without white space. */
export function isField(value: string): boolean {
  return value !== '' && !separator.test(value);
}

/**
 * Checks an id of a document or query where it is read, so that hours of work do not end at a run that cannot be written.
 * White space parts the columns of a run; half of a surrogate pair has no UTF-8, so that two ids would become one.
 * @param kind what it names: `docid`
 * @throws LexrayError BAD_INPUT
 */
export function checkId(id: string, kind: string, where: string): void {
  const fault = isField(id) ? (/\p{Surrogate}/u.test(id) ? 'has half a surrogate pair' : '') : 'has white space';
  if (fault === '') return;
  throw badInput(`the ${kind} ${JSON.stringify(id)} ${fault}, which a TREC run cannot hold`, {
    where,
    cure: 'give the collection other ids: without white space, in valid Unicode',
  });
}
