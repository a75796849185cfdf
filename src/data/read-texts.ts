/**
 * Texts with ids, as a stream, from the plain files that people have (any of them may be gzip):
 *
 *     .jsonl .ndjson .json  {"_id" or "id": …, "title": …, "text": …} a line; title and text are joined
 *     .tsv                  id<TAB>text a line
 *     .txt                  one text a line; its id is the number of the line, from 1; blank lines are left out
 */
import { badInput, LexrayError, throwIfAborted } from '../util/errors.ts';
import { readJsonLines } from '../util/jsonl.ts';
import { readLines } from '../util/lines.ts';
import { joinTitle, parseDocument } from './document.ts';
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
  /** @default from the name of the file */
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
  const format = options.format ?? textFormat(path);
  const ids = new UniqueIds();
  const records = format === 'jsonl' ? readRecords(path, options.titleSeparator ?? ' ') : readColumns(path, format);
  for await (const { id, text, where } of records) {
    throwIfAborted(options.signal);
    ids.add(id, 'id', where);
    yield { id, text };
  }
  if (ids.size === 0) throw badInput('the file holds no text', { where: path, cure: 'check the path' });
}

/**
 * The form of a text file, by its name.
 * @throws LexrayError USAGE naming what is known
 */
export function textFormat(path: string): TextFormat {
  const extension = /\.([a-z]+)(?:\.gz)?$/i.exec(path)?.[1]?.toLowerCase();
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
        cure: 'name it .jsonl, .tsv or .txt (each may be followed by .gz)',
      });
  }
}

type PlacedText = NamedText & { readonly where: string };

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
    yield { id: text.slice(0, tab), text: text.slice(tab + 1), where };
  }
}
