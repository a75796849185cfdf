/**
 * TSV files of training data. Which columns hold what is told by the first lines together (up to 100): by their number, and
 * by which of them are integers, other numbers, or neither.
 *
 *     query  positive  [negative…]                            MS MARCO triples; by id: qid  pid  pid (integers only)
 *     query  positive  negative…  score  score…               a score of each document
 *     query  positive  negative…  margin…                     s(positive) − s(negative) of each negative
 *     score  score  query  positive  negative                 Hofstätter et al., arXiv 2010.02666
 *     qid  0  docid  grade                                    TREC qrels: grades of 1 and more are positives
 *
 * Integers count as scores only behind texts, or where other lines have fractions there. A file may begin with a header whose
 * names are those of `training-record.ts`; then these count.
 */
import { badInput } from '../util/errors.ts';
import type { Line } from '../util/lines.ts';
import { isKnownField, parseTrainingRecord, type TrainingRecord, withScores } from './training-record.ts';

/** Reads lines of one layout. */
export interface ColumnLayout {
  /** Whether the first line is a header. */
  readonly hasHeader: boolean;
  /**
   * Reads a line; undefined for one that holds no example: a judgement of grade 0.
   * @throws LexrayError BAD_INPUT
   */
  parse(line: string, where: string): TrainingRecord | undefined;
}

/** How many lines {@link detectColumns} wants to see. */
export const sampleLines = 100;

const cure = 'expected query<TAB>positive[<TAB>negative…][<TAB>score…], the same columns in each line';

/** Tells the layout from the first lines of a file that are not blank. */
export function detectColumns(lines: readonly Line[]): ColumnLayout {
  const [first = [], ...others] = lines.map(({ text }) => splitColumns(text));
  const header = first.map((name) => aliases.get(normalized(name)) ?? normalized(name));
  if (header.length >= 2 && header.every(isKnownField)) {
    const judged = header.join() === 'query_id,positive_id,score';
    return { hasHeader: true, parse: judged ? parseJudgement([0, 1, 2]) : parseNamed(header) };
  }
  const width = first.length;
  if (width < 4) return { hasHeader: false, parse: parseTexts };
  // Rows of another width are refused later, where the layout has scores.
  const rows = [first, ...others.filter((row) => row.length === width)];
  const all = (test: (value: string) => boolean) =>
    Array.from({ length: width }, (_, column) => rows.every((row) => test(row[column]!)));
  const isNumber = all((value) => readNumber(value) !== undefined);
  const isInteger = all((value) => /^\d+$/.test(value));
  if (
    width === 4 &&
    isInteger[0] &&
    isInteger[2] &&
    rows.every((row) => /^Q?0$/.test(row[1]!) && /^[0-4]$/.test(row[3]!))
  ) {
    return { hasHeader: false, parse: parseJudgement([0, 2, 3]) };
  }
  const isFraction = (column: number): boolean => isNumber[column]! && !isInteger[column]!;
  if (width === 5 && isNumber[0] && isNumber[1] && (isFraction(0) || isFraction(1)) && !isFraction(2)) {
    return { hasHeader: false, parse: parseScored(width, [2, 3, 4], [0, 1]) };
  }
  // n negatives with n margins make an even width, with n + 1 scores an odd one.
  const from = Math.ceil((width + 1) / 2);
  const [documents, scores] = [range(1, from), range(from, width)];
  const scored = scores.every((column) => isNumber[column]) && !documents.every((column) => isInteger[column]);
  if (!scored && !(scores.every((column) => isNumber[column]) && scores.some(isFraction))) {
    return { hasHeader: false, parse: parseTexts };
  }
  return { hasHeader: false, parse: parseScored(width, [0, ...documents], scores) };
}

function parseScored(width: number, texts: readonly number[], scores: readonly number[]): ColumnLayout['parse'] {
  return (line, where) => {
    const columns = splitColumns(line);
    if (columns.length !== width) {
      throw badInput(`expected ${width} columns as in the first lines, got ${columns.length}`, { where, cure });
    }
    const numbers = scores.map((column) => {
      const number = readNumber(columns[column]!);
      if (number !== undefined) return number;
      throw badInput(`expected a number as score in column ${column + 1}, got ${JSON.stringify(columns[column])}`, {
        where,
        cure,
      });
    });
    return withScores(
      textRecord(
        texts.map((column) => columns[column]!),
        where,
      ),
      numbers,
      where,
    );
  };
}

function parseTexts(line: string, where: string): TrainingRecord {
  return textRecord(splitColumns(line), where);
}

function textRecord(columns: readonly string[], where: string): TrainingRecord {
  const [query, positive, ...negatives] = columns;
  if (query === undefined || positive === undefined) {
    throw badInput(`expected at least 2 columns parted by tabs, got ${columns.length}`, { where, cure });
  }
  const empty = columns.indexOf('');
  if (empty !== -1) throw badInput(`column ${empty + 1} of ${columns.length} is empty`, { where, cure });
  return { query, positives: [positive], negatives, queryIsId: false, documentsAreIds: false };
}

function parseJudgement([qid, docid, grade]: readonly [number, number, number]): ColumnLayout['parse'] {
  return (line, where) => {
    const columns = splitColumns(line);
    const value = readNumber(columns[grade] ?? '');
    const [query, positive] = [columns[qid], columns[docid]];
    if (!query || !positive || value === undefined) {
      throw badInput(`expected a judgement (qid, docid, grade), got ${JSON.stringify(line.slice(0, 60))}`, {
        where,
        cure,
      });
    }
    if (value <= 0) return undefined;
    return { query, positives: [positive], negatives: [], queryIsId: true, documentsAreIds: true };
  };
}

function parseNamed(names: readonly string[]): ColumnLayout['parse'] {
  return (line, where) => {
    const columns = splitColumns(line);
    if (columns.length !== names.length) {
      throw badInput(`expected ${names.length} columns as in the header, got ${columns.length}`, { where, cure });
    }
    const fields = columns.map((value, i): [string, unknown] => {
      const name = names[i]!;
      return [name, /^(scores?|labels?)$/.test(name) ? (readNumber(value) ?? value) : value];
    });
    return parseTrainingRecord(Object.fromEntries(fields), where);
  };
}

/** Names of columns in headers that are written otherwise elsewhere. */
const aliases = new Map([
  ['corpus_id', 'positive_id'],
  ['pid', 'positive_id'],
  ['pos_id', 'positive_id'],
  ['neg_id', 'negative_id'],
]);

function normalized(name: string): string {
  return name.trim().toLowerCase().replaceAll(/[ -]/g, '_');
}

function splitColumns(line: string): string[] {
  return line.split('\t').map((column) => column.trim());
}

function readNumber(text: string): number | undefined {
  const number = Number(text);
  return text !== '' && Number.isFinite(number) ? number : undefined;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
