/**
 * Columns of the whitespace-separated TREC files. Fields are parted by ASCII white space as C's `isspace` does:
 * docids may hold any other character, a no-break space for instance.
 */

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
