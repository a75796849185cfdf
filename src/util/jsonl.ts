/** JSON Lines: one JSON value a line; empty lines are skipped. */
import { badInput } from './errors.ts';
import { readLines } from './lines.ts';

/** A parsed line and its number, counted from 1. */
export interface JsonLine {
  readonly number: number;
  readonly value: unknown;
}

/**
 * Reads a JSONL file (plain or gzip) record by record.
 * @throws LexrayError BAD_INPUT with file and line when a line is not JSON
 */
export async function* readJsonLines(path: string): AsyncGenerator<JsonLine> {
  for await (const line of readLines(path)) {
    if (line.text.trim() === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(line.text);
    } catch (cause) {
      throw badInput(`line ${line.number} is not JSON: ${(cause as Error).message}`, {
        where: `${path}:${line.number}`,
        cause,
        cure: 'expected one JSON object a line',
      });
    }
    yield { number: line.number, value };
  }
}
