/**
 * Results on stdout: text for people, or with `--json` one object with an envelope:
 * `{ "schema": 1, "verb": "measure", "lexray": "0.1.0", … }`. The number is raised when a field changes its meaning or goes.
 */
import { lexrayVersion } from '../util/version.ts';
import type { VerbResult } from './verb.ts';

/** Version of the JSON output. */
export const outputSchemaVersion = 1;

/** Somewhere to write text. */
export interface TextSink {
  write(text: string): unknown;
}

/** Prints the result of a verb. */
export function printResult(
  stdout: TextSink,
  verb: string,
  result: Pick<VerbResult<Record<string, unknown>>, 'data' | 'text'>,
  json: boolean,
): void {
  if (json) {
    const envelope = { schema: outputSchemaVersion, verb, lexray: lexrayVersion, ...result.data };
    stdout.write(`${JSON.stringify(envelope, null, 2)}\n`);
  } else if (result.text !== '') {
    stdout.write(`${result.text}\n`);
  }
}
