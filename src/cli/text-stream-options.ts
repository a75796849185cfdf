/** What verbs that read streams of texts have in common: their options, and what they say of the lines they could not use. */
import { z } from 'zod';
import type { StreamReport } from '../data/text-stream/stream-report.ts';
import type { StreamedText, TextStreamOptions } from '../data/text-stream/stream-texts.ts';
import { badInput } from '../util/errors.ts';
import { choice, type OptionSpec, optionalChoice, optionalInteger, words } from './option.ts';
import type { VerbContext } from './verb.ts';

/** What help says of the files. */
export const textFilesDescription: string =
  'texts: .jsonl, .tsv or .txt files (.gz, .zst), folders of them, or quoted patterns such as "data/**/*.jsonl.gz"';

/** The options. */
export const textStreamOptions: {
  readonly format: OptionSpec<'jsonl' | 'tsv' | 'txt' | undefined>;
  readonly field: OptionSpec<readonly string[]>;
  readonly column: OptionSpec<number | undefined>;
  readonly invalidUtf8: OptionSpec<'skip' | 'replace'>;
} = {
  format: optionalChoice('form of the files', ['jsonl', 'tsv', 'txt'], { shownDefault: 'from their names' }),
  field: words('fields of a JSON record that are its text', { placeholder: 'NAME', default: ['title', 'text'] }),
  column: optionalInteger('column of a table that is its text, from 1', { min: 1, shownDefault: '2' }),
  invalidUtf8: choice('what becomes of lines that are not UTF-8', ['skip', 'replace'], { default: 'skip' }),
};

/** Values of {@link textStreamOptions}. */
export interface TextStreamSettings {
  readonly format: 'jsonl' | 'tsv' | 'txt' | undefined;
  readonly field: readonly string[];
  readonly column: number | undefined;
  readonly invalidUtf8: 'skip' | 'replace';
}

/** What `--json` says of a stream. */
export const streamSchema: z.ZodType<StreamJson> = z.strictObject({
  files: z.int(),
  lines: z.int(),
  texts: z.int(),
  problems: z.array(
    z.strictObject({
      problem: z.enum(['empty', 'malformed', 'invalidUtf8', 'tooLong']),
      lines: z.int(),
      /** `FILE:LINE` of the first. */
      first: z.array(z.string()),
    }),
  ),
});

/** A stream as `--json` shows it. */
export interface StreamJson {
  readonly files: number;
  readonly lines: number;
  readonly texts: number;
  readonly problems: { problem: 'empty' | 'malformed' | 'invalidUtf8' | 'tooLong'; lines: number; first: string[] }[];
}

/** The stream that the settings mean. */
export function streamOptions(
  { format, field, column, invalidUtf8 }: TextStreamSettings,
  { signal, onProgress }: Pick<VerbContext, 'signal' | 'onProgress'>,
  report: StreamReport,
): TextStreamOptions {
  return { format, fields: field, column, invalidUtf8, report, signal, onProgress };
}

/**
 * The texts of a stream.
 * @throws LexrayError BAD_INPUT at the end when none of its lines could be used, with what they were
 */
export async function* usableTexts(
  texts: AsyncIterable<StreamedText>,
  report: StreamReport,
  { invalidUtf8 }: TextStreamSettings,
): AsyncGenerator<string> {
  for await (const { text } of texts) yield text;
  if (report.texts === 0 && report.lines > 0) {
    throw badInput(`none of the lines can be used: ${report.describe(invalidUtf8).join('; ')}`, {
      cure: 'give UTF-8 with a text a line; --format, --field and --column say where a text is, --invalid-utf8 what becomes of bad bytes',
    });
  }
}

/** What is reported of a stream that was read; warns of lines that were not used as they are. */
export function streamJson(
  files: readonly string[],
  report: StreamReport,
  { invalidUtf8 }: TextStreamSettings,
  onWarning: VerbContext['onWarning'],
): StreamJson {
  for (const sentence of report.describe(invalidUtf8)) onWarning(sentence);
  return {
    files: files.length,
    lines: report.lines,
    texts: report.texts,
    problems: report.problems.map(({ problem, count, first }) => ({
      problem,
      lines: count,
      first: first.map(({ file, line }) => `${file}:${line}`),
    })),
  };
}
