/**
 * Files of training data as streams of records, whatever their form: Parquet, JSONL or TSV, told by their content and not by
 * their names; TSV and JSONL may be compressed with gzip or Zstandard. A folder of Parquet files (the shards of a data set) is
 * read in the order of their names. Files of other kinds are named in the error.
 */
import { existsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput, throwIfAborted } from '../util/errors.ts';
import { type Line, readLines } from '../util/lines.ts';
import { isParquet, readParquet } from './parquet/read-parquet.ts';
import { detectColumns, sampleLines } from './training-columns.ts';
import { parseTrainingRecord, type TrainingRecord, trainingDataCure } from './training-record.ts';

/** A record and where it stands: `file:line`, or `file, row n`. */
export interface PlacedRecord {
  readonly record: TrainingRecord;
  readonly where: string;
}

/** Forms of training data. */
export type TrainingForm = 'parquet' | 'jsonl' | 'tsv';

/**
 * The files that a path names: itself, or the Parquet files of a folder.
 * @throws LexrayError BAD_INPUT when there is none
 */
export async function trainingFiles(path: string): Promise<string[]> {
  if (!existsSync(path)) throw badInput(`there is no file or folder ${path}`, { where: path, cure: 'check the path' });
  if (!statSync(path).isDirectory()) return [path];
  for (const folder of [path, join(path, 'data')]) {
    const names = existsSync(folder) ? await readdir(folder) : [];
    const files = names.filter((name) => name.endsWith('.parquet')).sort();
    if (files.length > 0) return files.map((name) => join(folder, name));
  }
  throw badInput(`the folder ${path} is no BEIR folder (it has no corpus.jsonl) and has no .parquet file`, {
    where: path,
    cure: trainingDataCure,
  });
}

/**
 * Reads the records of the files.
 * @throws LexrayError BAD_INPUT with the place of a record that does not fit, or naming the forms that are supported
 */
export async function* readTrainingRecords(
  files: readonly string[],
  signal?: AbortSignal | undefined,
): AsyncGenerator<PlacedRecord> {
  for (const path of files) {
    if (await isParquet(path)) yield* readRows(path, signal);
    else yield* readText(path, signal);
  }
}

async function* readRows(path: string, signal: AbortSignal | undefined): AsyncGenerator<PlacedRecord> {
  for await (const { number, value } of readParquet(path, { signal })) {
    const where = `${path}, row ${number}`;
    yield { record: parseTrainingRecord(value, where), where };
  }
}

/** The first lines are held until they have told the form. */
async function* readText(path: string, signal: AbortSignal | undefined): AsyncGenerator<PlacedRecord> {
  let held: Line[] = [];
  let parse: LineParser | undefined;
  const flush = function* (): Generator<PlacedRecord> {
    parse ??= lineParser(held, path);
    for (const line of held) {
      const where = `${path}:${line.number}`;
      const record = parse(line, where);
      if (record !== undefined) yield { record, where };
    }
    held = [];
  };
  for await (const line of readLines(path)) {
    throwIfAborted(signal);
    if (line.text.trim() === '') continue;
    held.push(line);
    if (parse !== undefined || held.length === sampleLines) yield* flush();
  }
  if (held.length > 0) yield* flush();
}

type LineParser = (line: Line, where: string) => TrainingRecord | undefined;

/** Tells the form from the first lines that are not blank. */
function lineParser(lines: readonly Line[], path: string): LineParser {
  const [first] = lines;
  const text = first!.text.trim();
  const hasTab = first!.text.includes('\t');
  if (/^[[{"]/.test(text) && (isJson(text) || !hasTab)) {
    if (text === '[' || text === '{') {
      throw badInput('the file is one JSON value over many lines; expected one record a line', {
        where: path,
        cure: 'make lines of it: jq -c ".[]"',
      });
    }
    return parseJson;
  }
  const kind = foreignKind(first!.text);
  if (kind !== undefined || !hasTab) {
    throw badInput(
      kind === undefined
        ? `cannot tell the form: the first line is no JSON and has no tab: ${JSON.stringify(text.slice(0, 60))}`
        : `the file is ${kind}, which is not read`,
      { where: `${path}:${first!.number}`, cure: trainingDataCure },
    );
  }
  const { hasHeader, parse } = detectColumns(lines);
  return (line, where) => (hasHeader && line.number === first!.number ? undefined : parse(line.text, where));
}

/** What a file is that is no text, by how it begins. */
function foreignKind(text: string): string | undefined {
  const second = text.charCodeAt(1);
  if (text.startsWith('\uFFFD') && second >= 2 && second <= 5) return 'a Python pickle (which could run code)';
  if (text.startsWith('PK\u0003\u0004')) return 'a ZIP archive';
  if (text.startsWith('ARROW1')) return 'an Arrow file';
  return text.startsWith('\uFFFD') || text.includes('\u0000') ? 'binary' : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parseJson(line: Line, where: string): TrainingRecord {
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch (cause) {
    throw badInput(`line ${line.number} is not JSON: ${(cause as Error).message}`, {
      where,
      cause,
      cure: 'expected one JSON object a line',
    });
  }
  return parseTrainingRecord(value, where);
}
