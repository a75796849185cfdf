/**
 * Text files as streams of lines: plain or gzip (by the first two bytes, not by the name), UTF-8 with an optional
 * byte-order mark, LF or CRLF. A line longer than the limit is refused instead of filling the memory.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { createGunzip } from 'node:zlib';
import { badInput } from './errors.ts';

/** A line and its number, counted from 1. */
export interface Line {
  readonly number: number;
  readonly text: string;
}

/** The longest line that is read, in UTF-16 units (a document of 10⁶ characters fits many times). */
export const maxLineLength: number = 1 << 28;

/**
 * Reads a text file line by line, in constant memory.
 * @throws LexrayError BAD_INPUT when the file cannot be opened, is damaged, or has an over-long line
 */
export async function* readLines(path: string): AsyncGenerator<Line> {
  const gzip = await isGzip(path);
  const source = createReadStream(path);
  const stream = gzip ? source.pipe(createGunzip()) : source;
  if (gzip) source.on('error', (error) => stream.destroy(error));
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let number = 0;
  const clean = (text: string): string => {
    const line = text.endsWith('\r') ? text.slice(0, -1) : text;
    return number === 1 && line.startsWith('\uFEFF') ? line.slice(1) : line;
  };
  try {
    for await (const chunk of stream) {
      rest += decoder.write(chunk as Buffer);
      let start = 0;
      for (let end = rest.indexOf('\n', start); end !== -1; end = rest.indexOf('\n', start)) {
        number++;
        yield { number, text: clean(rest.slice(start, end)) };
        start = end + 1;
      }
      rest = rest.slice(start);
      if (rest.length > maxLineLength) {
        throw badInput(`line ${number + 1} is longer than ${maxLineLength} characters`, {
          where: path,
          cure: 'check that this is a text file with one record a line',
        });
      }
    }
  } catch (error) {
    throw error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
      ? badInput(`the gzip file is damaged: ${error.message}`, {
          where: path,
          cause: error,
          cure: 'fetch the file again',
        })
      : error;
  } finally {
    source.destroy();
  }
  rest += decoder.end();
  if (rest !== '') {
    number++;
    yield { number, text: clean(rest) };
  }
}

async function isGzip(path: string): Promise<boolean> {
  try {
    const file = await open(path);
    try {
      const head = new Uint8Array(2);
      const { bytesRead } = await file.read(head, 0, 2, 0);
      return bytesRead === 2 && head[0] === 0x1f && head[1] === 0x8b;
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw badInput(`cannot read the file: ${(cause as Error).message}`, { where: path, cause, cure: 'check the path' });
  }
}
