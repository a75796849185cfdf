/** The text of a line in each form of file: a field of a JSON record, a column of a table, the line itself. */
import type { TextFormat } from '../read-texts.ts';

/** Which part of a line is the text. */
export interface TextPlace {
  /** Fields of a JSON record, joined by a space where several are there. @default title and text */
  readonly fields?: readonly string[] | undefined;
  /** Column of a table, counted from 1. @default 2, or 1 where a line has one column */
  readonly column?: number | undefined;
}

/** Gives the text of a line; undefined when the line does not have the form. */
export type LineReader = (line: string) => string | undefined;

/** A reader for a form of file. */
export function lineReader(format: TextFormat, { fields = ['title', 'text'], column }: TextPlace): LineReader {
  switch (format) {
    case 'txt':
      return (line) => line;
    case 'tsv':
      return (line) => {
        if (column === undefined && !line.includes('\t')) return line;
        return line.split('\t', column ?? 2).at((column ?? 2) - 1);
      };
    case 'jsonl':
      return (line) => textOfRecord(line, fields);
  }
}

/** A JSON string is a text itself; of an object, the fields that are strings and not empty. */
function textOfRecord(line: string, fields: readonly string[]): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  let found = false;
  const texts: string[] = [];
  for (const field of fields) {
    const text: unknown = Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined;
    if (typeof text !== 'string' && text !== null) continue;
    found = true;
    if (text !== null && text !== '') texts.push(text);
  }
  return found ? texts.join(' ') : undefined;
}
