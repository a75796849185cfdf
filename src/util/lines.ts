/**
 * Text files as streams of lines: plain, gzip or Zstandard, UTF-8 with an optional byte-order mark, LF or CRLF. A line
 * longer than the limit is refused instead of filling the memory.
 */
import { StringDecoder } from 'node:string_decoder';
import { badInput } from './errors.ts';
import { readBytes } from './read-bytes.ts';

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
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let number = 0;
  const clean = (text: string): string => {
    const line = text.endsWith('\r') ? text.slice(0, -1) : text;
    return number === 1 && line.startsWith('\uFEFF') ? line.slice(1) : line;
  };
  for await (const chunk of readBytes(path)) {
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
  rest += decoder.end();
  if (rest !== '') {
    number++;
    yield { number, text: clean(rest) };
  }
}
