/**
 * Texts with ids, as a stream, from the files that people have (text files may be compressed with gzip or Zstandard):
 *
 *     .jsonl .ndjson .json  {"_id" or "id": …, "title": …, "text": …} a line; title and text are joined
 *     .tsv                  id<TAB>text a line
 *     .txt                  one text a line; its id is the number of the line, from 1; blank lines are left out
 *     Parquet               columns for the id (_id, id, docid, doc_id, pid, passage_id, qid, query_id) and the text (text,
 *                           passage, contents, content, body, document, query), and optionally title; whatever its name
 */
import { existsSync } from 'node:fs';
import { badInput, LexrayError, throwIfAborted } from '../util/errors.ts';
import { readJsonLines } from '../util/jsonl.ts';
import { readLines } from '../util/lines.ts';
import { checkId } from './columns.ts';
import { joinTitle, parseDocument } from './document.ts';
import { countParquetRows, isParquet, readParquet } from './parquet/read-parquet.ts';
import { UniqueIds } from './unique-ids.ts';

/** A text and its id. */
export interface NamedText {
  readonly id: string;
  readonly text: string;
}

/** Forms of text files. */
export type TextFormat = 'jsonl' | 'tsv' | 'txt';

/** Options of {@link readTexts}. */
export interface ReadTextsOptions {
  /** @default Parquet by its content, else from the name of the file */
  readonly format?: TextFormat | undefined;
  /** What stands between title and text. @default ' ' */
  readonly titleSeparator?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads texts with their ids in file order.
 * @throws LexrayError BAD_INPUT with file and line for a malformed record or an id that occurs twice, and for a file
 * without texts; USAGE when the form cannot be told from the name
 */
export async function* readTexts(path: string, options: ReadTextsOptions = {}): AsyncGenerator<NamedText> {
  const ids = new UniqueIds();
  const records = await openRecords(path, options);
  for await (const { id, text, where } of records) {
    throwIfAborted(options.signal);
    ids.add(id, 'id', where);
    yield { id, text };
  }
  if (ids.size === 0) throw badInput('the file holds no text', { where: path, cure: 'check the path' });
}

/**
 * Counts the records of a file without parsing them: the lines that are not blank, or the rows of a Parquet file.
 * @throws LexrayError BAD_INPUT when the file cannot be read
 */
export async function countTexts(path: string): Promise<number> {
  if (await isParquet(path)) return countParquetRows(path);
  let count = 0;
  for await (const { text } of readLines(path)) if (text.trim() !== '') count++;
  return count;
}

/**
 * The form of a text file, by its name.
 * @throws LexrayError USAGE naming what is known
 */
export function textFormat(path: string): TextFormat {
  const extension = /\.([a-z]+)(?:\.(?:gz|zst))?$/i.exec(path)?.[1]?.toLowerCase();
  switch (extension) {
    case 'jsonl':
    case 'ndjson':
    case 'json':
      return 'jsonl';
    case 'tsv':
    case 'txt':
      return extension;
    default:
      throw new LexrayError('USAGE', `cannot tell the form of ${path} from its name`, {
        where: path,
        cure: 'name it .jsonl, .tsv or .txt (each may be followed by .gz or .zst), or give a Parquet file',
      });
  }
}

type PlacedText = NamedText & { readonly where: string };

async function openRecords(path: string, options: ReadTextsOptions): Promise<AsyncIterable<PlacedText>> {
  const { titleSeparator = ' ', signal } = options;
  if (options.format === undefined && existsSync(path) && (await isParquet(path))) {
    return readRows(path, titleSeparator, signal);
  }
  const format = options.format ?? textFormat(path);
  return format === 'jsonl' ? readRecords(path, titleSeparator) : readColumns(path, format);
}

const idColumns = ['_id', 'id', 'docid', 'doc_id', 'pid', 'passage_id', 'qid', 'query_id'];
const textColumns = ['text', 'passage', 'contents', 'content', 'body', 'document', 'query'];

async function* readRows(
  path: string,
  separator: string,
  signal?: AbortSignal | undefined,
): AsyncGenerator<PlacedText> {
  let found: readonly (string | undefined)[] = [];
  const columns = (names: readonly string[]): string[] => {
    found = [idColumns, textColumns, ['title']].map((known) => known.find((name) => names.includes(name)));
    if (found[0] === undefined || (found[1] ?? found[2]) === undefined) {
      throw badInput(`expected a column for ids and one for texts, got ${names.slice(0, 12).join(', ')}`, {
        where: path,
        cure: `name them _id and text (also known: ${[...idColumns, ...textColumns, 'title'].join(', ')})`,
      });
    }
    return found.filter((name) => name !== undefined);
  };
  for await (const { number, value } of readParquet(path, { columns, signal })) {
    const where = `${path}, row ${number}`;
    const [_id, text, title] = found.map((name) => (name === undefined ? undefined : value[name]));
    const document = parseDocument({ _id, text: text ?? null, title: title ?? null }, where);
    yield { id: document.docid, text: joinTitle(document, separator), where };
  }
}

async function* readRecords(path: string, separator: string): AsyncGenerator<PlacedText> {
  for await (const { number, value } of readJsonLines(path)) {
    const where = `${path}:${number}`;
    const document = parseDocument(value, where);
    yield { id: document.docid, text: joinTitle(document, separator), where };
  }
}

async function* readColumns(path: string, format: 'tsv' | 'txt'): AsyncGenerator<PlacedText> {
  for await (const { number, text } of readLines(path)) {
    if (text.trim() === '') continue;
    const where = `${path}:${number}`;
    if (format === 'txt') {
      yield { id: String(number), text, where };
      continue;
    }
    const tab = text.indexOf('\t');
    if (tab < 1) {
      throw badInput(`expected id and text parted by a tab, got ${JSON.stringify(text.slice(0, 60))}`, {
        where,
        cure: 'a .tsv file has the columns id and text',
      });
    }
    const id = text.slice(0, tab);
    checkId(id, 'id', where);
    yield { id, text: text.slice(tab + 1), where };
  }
}
