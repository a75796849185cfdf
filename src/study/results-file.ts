/**
 * Results of a study: JSON Lines, plain or gzip by the name of the file (`.gz`), to which finished runs are appended one by
 * one. A line is written in one piece and flushed; in a gzip file it is a member of its own, so that nothing before it is
 * touched (RFC 1952 §2.2: members follow each other). Members that another tool wrote are read too, with any number of lines.
 *
 * A process that dies while it writes leaves a torn last line. Reading leaves it out, and the next append cuts it off first;
 * so what is at the end must begin as our lines do. Anything else that is no result is an error, and stays as it is.
 */
import { open, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { badInput, LexrayError } from '../util/errors.ts';
import type { WarningListener } from '../util/progress.ts';
import { isMemberStart, isTornMember, readMembers } from './gzip-members.ts';
import { parseResultLine, type ResultLine } from './result-line.ts';

/** What a file holds, and where its last whole line ends. */
interface Content {
  readonly lines: readonly ResultLine[];
  /** Bytes that are whole. */
  readonly whole: number;
  readonly torn: boolean;
  /** Whether the last whole line lacks its newline. */
  readonly unended: boolean;
}

/** How every line begins that {@link appendResult} writes. */
const lineStart = '{"schema":1,"study":"';

/**
 * Reads the results that are there; none when there is no such file.
 * @throws LexrayError BAD_INPUT when a line is damaged that is not the last, or is not one of results
 */
export async function readResults(
  path: string,
  { onWarning }: { readonly onWarning?: WarningListener | undefined } = {},
): Promise<readonly ResultLine[]> {
  const { lines, torn } = await readContent(path);
  if (torn) onWarning?.(`${path}: the last line is torn and is left out`);
  return lines;
}

/**
 * Appends a line, behind the last whole one.
 * @throws LexrayError as {@link readResults} does
 */
export async function appendResult(path: string, line: ResultLine): Promise<void> {
  const { whole, torn, unended } = await readContent(path);
  const text = Buffer.from(`${unended ? '\n' : ''}${JSON.stringify(line)}\n`);
  const bytes = isGzip(path) ? gzipSync(text) : text;
  const file = await open(path, 'a');
  try {
    if (torn) await file.truncate(whole);
    const { bytesWritten } = await file.write(bytes);
    if (bytesWritten !== bytes.length) throw new Error(`only ${bytesWritten} of ${bytes.length} bytes were written`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Checks the name of a file that results are to be written to: it says how.
 * @throws LexrayError USAGE when it ends neither in `.jsonl` nor in `.jsonl.gz`
 */
export function checkResultsName(path: string): void {
  if (/\.jsonl(\.gz)?$/i.test(path)) return;
  throw new LexrayError('USAGE', 'expected a file of results whose name ends in .jsonl or .jsonl.gz', {
    where: path,
    cure: 'name it so: lines are written as they are, or as gzip',
  });
}

async function readContent(path: string): Promise<Content> {
  const bytes = await readWhole(path);
  if (bytes === undefined) return { lines: [], whole: 0, torn: false, unended: false };
  const { text, whole } = isGzip(path) ? wholeMembers(bytes, path) : { text: bytes, whole: bytes.length };
  const end = text.lastIndexOf(0x0a) + 1;
  const texts = text.toString('utf8', 0, end).split('\n');
  const lines = texts.flatMap((one, i) => (one.trim() === '' ? [] : [parseLine(one, `${path}:${i + 1}`)]));
  const rest = text.toString('utf8', end);
  if (rest.trim() === '') return { lines, whole, torn: whole < bytes.length, unended: false };
  if (isJson(rest)) {
    const last = parseLine(rest, `${path}:${texts.length}`);
    return { lines: [...lines, last], whole, torn: whole < bytes.length, unended: true };
  }
  // Of a gzip file what is torn was left out with its member.
  if (!isGzip(path) && beginsLine(rest)) return { lines, whole: end, torn: true, unended: false };
  throw badInput('the last line is no line of results, nor the begin of one', {
    where: path,
    cure: 'check the path: a study writes to a file of its own; nothing was changed',
  });
}

async function readWhole(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw badInput(`cannot read the results: ${(cause as Error).message}`, {
      where: path,
      cause,
      cure: 'check the path',
    });
  }
}

function parseLine(text: string, where: string): ResultLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badInput(`the line is not JSON: ${(cause as Error).message}`, {
      where,
      cause,
      cure: 'check the path; if these are results, restore the file, or remove the line and run its cell again',
    });
  }
  return parseResultLine(value, where);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether a text without a newline may be the begin of a line of ours. */
function beginsLine(text: string): boolean {
  return text.startsWith(lineStart) || lineStart.startsWith(text);
}

/** The texts of all whole members, one behind the other; behind them there may be one of ours that is torn. */
function wholeMembers(bytes: Buffer, path: string): { readonly text: Buffer; readonly whole: number } {
  const { texts, end } = readMembers(bytes);
  if (end < bytes.length && !isTornMember(bytes, end, beginsLine)) {
    throw isMemberStart(bytes, end)
      ? badInput(`the gzip member at byte ${end} is damaged, or was cut and is none of a study`, {
          where: path,
          cure: 'restore the file, or write what gzip -dc still finds to another one; nothing was changed',
        })
      : badInput(`expected gzip, as the name says, got something else at byte ${end}`, {
          where: path,
          cure: 'name it .jsonl if it is not compressed; nothing was changed',
        });
  }
  return { text: Buffer.concat(texts), whole: end };
}

function isGzip(path: string): boolean {
  return /\.gz$/i.test(path);
}
