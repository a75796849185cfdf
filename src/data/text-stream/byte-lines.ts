/**
 * Bytes to lines, whatever comes: a line longer than the limit is passed over without being held, and it is told which
 * lines are not UTF-8. LF or CRLF; a byte-order mark at the start of the file is left out.
 */
import { isUtf8 } from 'node:buffer';
import { badInput } from '../../util/errors.ts';

/** A line of a file. */
export interface ByteLine {
  /** Counted from 1. */
  readonly number: number;
  /** Where the next line begins, in bytes from the start of the file. */
  readonly next: number;
  /** U+FFFD stands for bytes that are not UTF-8; undefined when the line is longer than the limit. */
  readonly text: string | undefined;
  /** Whether all its bytes are UTF-8. */
  readonly valid: boolean;
}

/** Options of {@link byteLines}. */
export interface ByteLinesOptions {
  /** Longer lines are passed over. */
  readonly maxLineBytes: number;
  /** Where the bytes begin, when not at the start of the file: lines before, and bytes before. */
  readonly start?: { readonly line: number; readonly offset: number };
  /** The file, for errors. */
  readonly where: string;
}

const newline = 10;
const carriageReturn = 13;

/**
 * Parts bytes into lines; a list for each chunk, which may be empty.
 * @throws LexrayError BAD_INPUT for UTF-16
 */
export async function* byteLines(
  chunks: AsyncIterable<Uint8Array>,
  options: ByteLinesOptions,
): AsyncGenerator<readonly ByteLine[]> {
  const { maxLineBytes, start = { line: 0, offset: 0 } } = options;
  let number = start.line;
  let next = start.offset;
  let held: Buffer[] = [];
  /** Bytes of the line that has begun, those not held included. */
  let begun = 0;
  const hold = (part: Buffer): void => {
    begun += part.length;
    if (begun > maxLineBytes) held = [];
    else held.push(part);
  };
  const finish = (part: Buffer, ended: boolean): ByteLine => {
    number++;
    const length = begun + part.length;
    next += length + (ended ? 1 : 0);
    const tooLong = length > maxLineBytes;
    const bytes = tooLong || held.length === 0 ? part : Buffer.concat([...held, part]);
    held = [];
    begun = 0;
    if (tooLong) return { number, next, text: undefined, valid: true };
    return { number, next, ...textOf(bytes, number === 1, options.where) };
  };
  for await (const chunk of chunks) {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const lines: ByteLine[] = [];
    let from = 0;
    for (let end = buffer.indexOf(newline); end !== -1; end = buffer.indexOf(newline, from)) {
      lines.push(finish(buffer.subarray(from, end), true));
      from = end + 1;
    }
    // What is held must not change when the source uses its buffer again.
    if (from < buffer.length) hold(Buffer.from(buffer.subarray(from)));
    yield lines;
  }
  if (begun > 0) yield [finish(Buffer.alloc(0), false)];
}

function textOf(bytes: Buffer, first: boolean, where: string): Pick<ByteLine, 'text' | 'valid'> {
  let from = 0;
  if (first && bytes.length >= 2) {
    const mark = bytes[0]! * 256 + bytes[1]!;
    if (mark === 0xfffe || mark === 0xfeff) {
      throw badInput('the file is UTF-16, expected UTF-8', { where, cure: 'convert it: iconv -f UTF-16 -t UTF-8' });
    }
    if (mark === 0xefbb && bytes[2] === 0xbf) from = 3;
  }
  const end = bytes.at(-1) === carriageReturn ? bytes.length - 1 : bytes.length;
  return { text: bytes.toString('utf8', from, end), valid: isUtf8(bytes) };
}
