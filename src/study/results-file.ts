/**
 * Results of a study: JSON Lines, plain or gzip by the name of the file (`.gz`), to which finished runs are appended one by
 * one. A line is written in one piece and flushed; in a gzip file it is a member of its own, so that nothing before it is
 * touched (RFC 1952 §2.2: members follow each other).
 *
 * A process that dies while it writes leaves a torn last line. Reading leaves it out, and the next append cuts it off first.
 * Damage anywhere else is an error: what follows it would be lost.
 */
import { open, readFile } from 'node:fs/promises';
import { crc32, gzipSync, inflateRawSync } from 'node:zlib';
import { badInput } from '../util/errors.ts';
import type { WarningListener } from '../util/progress.ts';
import { parseResultLine, type ResultLine } from './result-line.ts';

/** What a file holds, and where its last whole line ends. */
interface Content {
  readonly lines: readonly ResultLine[];
  /** Bytes that are whole. */
  readonly whole: number;
  readonly torn: boolean;
}

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
  const { whole, torn } = await readContent(path);
  const text = Buffer.from(`${JSON.stringify(line)}\n`);
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

async function readContent(path: string): Promise<Content> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { lines: [], whole: 0, torn: false };
    throw badInput(`cannot read the results: ${(cause as Error).message}`, {
      where: path,
      cause,
      cure: 'check the path',
    });
  }
  const { texts, whole } = isGzip(path) ? splitMembers(bytes, path) : splitLines(bytes);
  const lines = texts.map((text, i) => {
    const where = `${path}:${i + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw badInput(`line ${i + 1} is not JSON: ${(cause as Error).message}`, {
        where,
        cause,
        cure: 'restore the file, or remove the line and run its cell again',
      });
    }
    return parseResultLine(value, where);
  });
  return { lines, whole, torn: whole < bytes.length };
}

/** Lines up to the last newline; what follows it is torn. */
function splitLines(bytes: Buffer): { readonly texts: readonly string[]; readonly whole: number } {
  const whole = bytes.lastIndexOf(0x0a) + 1;
  const texts = bytes.toString('utf8', 0, whole).split('\n');
  return { texts: texts.filter((text) => text.trim() !== ''), whole };
}

/** Members of a gzip file, a line each, up to the first that is not whole; it must be the last. */
function splitMembers(bytes: Buffer, path: string): { readonly texts: readonly string[]; readonly whole: number } {
  const texts: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const member = readMember(bytes, at);
    if (member === undefined) break;
    texts.push(...member.text.split('\n').filter((text) => text.trim() !== ''));
    at = member.end;
  }
  for (let next = bytes.indexOf(memberStart, at + 1); next !== -1; next = bytes.indexOf(memberStart, next + 1)) {
    if (readMember(bytes, next) === undefined) continue;
    throw badInput(`the file is damaged at byte ${at}, before lines that are whole`, {
      where: path,
      cure: 'restore the file',
    });
  }
  return { texts, whole: at };
}

/** How a member without a name begins: magic number, deflate, no flags. */
const memberStart = Buffer.from([0x1f, 0x8b, 0x08, 0x00]);
const headerBytes = 10;
const trailerBytes = 8;

/** The member at a place, if it is whole: its checksum and length are those of the text. */
function readMember(bytes: Buffer, at: number): { readonly text: string; readonly end: number } | undefined {
  if (!bytes.subarray(at, at + memberStart.length).equals(memberStart)) return undefined;
  let inflated: { buffer: Buffer; engine: { bytesWritten: number } };
  try {
    // With `info` the result says how many bytes were used, which the types do not know.
    inflated = inflateRawSync(bytes.subarray(at + headerBytes), { info: true }) as unknown as typeof inflated;
  } catch {
    return undefined;
  }
  const trailer = at + headerBytes + inflated.engine.bytesWritten;
  const end = trailer + trailerBytes;
  if (end > bytes.length) return undefined;
  const { buffer } = inflated;
  if (bytes.readUInt32LE(trailer) !== crc32(buffer) || bytes.readUInt32LE(trailer + 4) !== buffer.length >>> 0) {
    return undefined;
  }
  return { text: buffer.toString('utf8'), end };
}

function isGzip(path: string): boolean {
  return path.endsWith('.gz');
}
