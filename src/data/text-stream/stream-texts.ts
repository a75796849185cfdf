/**
 * Texts from files of any size, in bounded memory and in file order, one at a time. Lines that cannot be used are counted
 * and passed over: web text has all sorts. A stream can begin at any line that it has been at before, and can be parted
 * into shards by a hash of the text, so that equal texts are in one shard: shards serve as held-out text, and as a share
 * of a corpus.
 */
import { stat } from 'node:fs/promises';
import { badInput, LexrayError, throwIfAborted } from '../../util/errors.ts';
import type { ProgressListener } from '../../util/progress.ts';
import type { TextFormat } from '../read-texts.ts';
import { byteLines } from './byte-lines.ts';
import { openBytes } from './byte-reader.ts';
import { StreamReport } from './stream-report.ts';
import { lineReader, type TextPlace } from './text-of-line.ts';

/** A place between two lines of a list of files. */
export interface TextPosition {
  /** Index of the file. */
  readonly file: number;
  /** Lines of it that are done. */
  readonly line: number;
  /** Bytes of it that are done, counted after decompression. */
  readonly offset: number;
}

/** A part of all texts. */
export interface TextShard {
  /** How many shards there are. */
  readonly count: number;
  /** Those that are read, from 0. */
  readonly include: readonly number[];
}

/** Options of {@link streamTexts}. */
export interface TextStreamOptions extends TextPlace {
  /** @default from the name of each file, else a text a line */
  readonly format?: TextFormat | undefined;
  /** Longer lines are passed over. @default 8 MiB */
  readonly maxLineBytes?: number | undefined;
  /** What becomes of lines that are not UTF-8: `replace` puts U+FFFD for bad bytes. @default 'skip' */
  readonly invalidUtf8?: 'skip' | 'replace' | undefined;
  /** @default all texts */
  readonly shard?: TextShard | undefined;
  /** @default the first line of the first file */
  readonly start?: TextPosition | undefined;
  /** Counts of what was read; one may serve several streams. */
  readonly report?: StreamReport | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** A text and its place. */
export interface StreamedText {
  readonly text: string;
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Where a stream must start to go on after this text. */
  readonly next: TextPosition;
}

/** Longest line that is read unless another limit is given, in bytes. */
const defaultMaxLineBytes: number = 8 << 20;
/** A file whose first lines are all malformed is of another form than was thought. */
const malformedStart = 100;

/**
 * Reads texts in file order.
 * @param files see {@link findTextFiles}
 * @throws LexrayError BAD_INPUT when a file cannot be read, is damaged, or its first hundred lines are all not of the
 * expected form; INTERRUPTED when the signal fires
 */
export async function* streamTexts(
  files: readonly string[],
  options: TextStreamOptions = {},
): AsyncGenerator<StreamedText> {
  const { start, report = new StreamReport(), shard, signal } = options;
  checkOptions(files, options);
  const total = options.onProgress === undefined ? 0 : await totalBytes(files);
  let bytesBefore = start === undefined ? 0 : await totalBytes(files.slice(0, start.file));
  const alreadyRead = report.bytes;
  for (let file = start?.file ?? 0; file < files.length; file++) {
    const path = files[file]!;
    const format = options.format ?? formatOfName(path);
    const read = lineReader(format, options);
    const begin = file === start?.file ? start : { file, line: 0, offset: 0 };
    const source = await openBytes(path, begin.offset);
    const lines = byteLines(source.chunks, {
      maxLineBytes: options.maxLineBytes ?? defaultMaxLineBytes,
      start: begin,
      where: path,
    });
    const malformed = { count: 0, texts: 0 };
    for await (const batch of lines) {
      throwIfAborted(signal);
      report.bytes = alreadyRead + bytesBefore + source.bytesRead();
      options.onProgress?.({ phase: 'read texts', done: bytesBefore + source.bytesRead(), total, unit: 'bytes' });
      for (const { number, next, text: line, valid } of batch) {
        const place = { file: path, line: number };
        report.lines++;
        if (line === undefined) {
          report.add('tooLong', place);
          continue;
        }
        if (!valid) {
          report.add('invalidUtf8', place);
          if (options.invalidUtf8 !== 'replace') continue;
        }
        if (isBlank(line)) {
          report.add('empty', place);
          continue;
        }
        const text = read(line);
        if (text === undefined) {
          report.add('malformed', place);
          if (malformed.texts === 0 && ++malformed.count === malformedStart)
            throw anotherForm(path, format, line, options);
          continue;
        }
        malformed.texts++;
        if (isBlank(text)) {
          report.add('empty', place);
          continue;
        }
        report.texts++;
        if (shard !== undefined && !shard.include.includes(hashText(text) % shard.count)) continue;
        yield { text, file: path, line: number, next: { file, line: number, offset: next } };
      }
    }
    bytesBefore += source.bytesRead();
  }
}

function formatOfName(path: string): TextFormat {
  const extension = /\.([a-z]+)(?:\.(?:gz|zst))?$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  if (['jsonl', 'ndjson', 'json'].includes(extension)) return 'jsonl';
  return extension === 'tsv' ? 'tsv' : 'txt';
}

function isBlank(text: string): boolean {
  return !/\S/.test(text);
}

/** A 32-bit hash (FNV-1a over UTF-16 units, with a final mix): the same on every machine. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function anotherForm(path: string, format: TextFormat, line: string, { fields, column }: TextPlace): LexrayError {
  const wanted = {
    jsonl: `a JSON object with ${(fields ?? ['title', 'text']).join(' or ')}`,
    tsv: `a table with ${column ?? 2} columns`,
    txt: 'text',
  }[format];
  return badInput(`the first ${malformedStart} lines are all malformed: expected ${wanted}, got ${line.slice(0, 80)}`, {
    where: path,
    cure: 'say which field or column the text is in, or give the format',
  });
}

async function totalBytes(files: readonly string[]): Promise<number> {
  let total = 0;
  for (const file of files)
    total += await stat(file).then(
      ({ size }) => size,
      () => 0,
    );
  return total;
}

function checkOptions(files: readonly string[], { start, shard, column, maxLineBytes }: TextStreamOptions): void {
  const usage = (message: string): LexrayError => new LexrayError('USAGE', message);
  if (files.length === 0) throw usage('expected at least one file of texts');
  if (start !== undefined && (start.file < 0 || start.file >= files.length)) {
    throw usage(`the stream is to start in file ${start.file + 1} of ${files.length}`);
  }
  if (column !== undefined && (!Number.isInteger(column) || column < 1)) {
    throw usage(`columns are counted from 1, got ${column}`);
  }
  if (maxLineBytes !== undefined && !(maxLineBytes >= 1 && maxLineBytes <= 1 << 28)) {
    throw usage(`maxLineBytes must be from 1 to ${1 << 28}, got ${maxLineBytes}`);
  }
  if (shard === undefined) return;
  const { count, include } = shard;
  const fits = (n: number): boolean => Number.isInteger(n) && n >= 0 && n < count;
  if (!Number.isInteger(count) || count < 1 || include.length === 0 || !include.every(fits)) {
    throw usage(`shards must be numbered from 0 to ${count - 1}, got ${include.join(', ') || 'none'}`);
  }
}
