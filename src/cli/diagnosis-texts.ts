/** The texts that a head is diagnosed or calibrated with: the first of a file, or none for the built-in ones. */
import type { DiagnosisTexts } from '../head/diagnose.ts';

/** Texts read at most: blank ones and repetitions are left out of them. */
const mostRead = 4096;

/** What help says of the option. */
export const textsDescription: string =
  'texts to encode, the first 512 of .txt, .tsv or .jsonl (default: built-in sentences in ten languages)';

/**
 * Reads texts.
 * @throws LexrayError BAD_INPUT when the file is empty or malformed
 */
export async function diagnosisTexts(
  path: string | undefined,
  signal: AbortSignal,
): Promise<DiagnosisTexts | undefined> {
  if (path === undefined) return undefined;
  const { readTexts } = await import('../data/read-texts.ts');
  const texts: string[] = [];
  for await (const { text } of readTexts(path, { signal })) {
    texts.push(text);
    if (texts.length === mostRead) break;
  }
  // Bytes that are no UTF-8 are read as U+FFFD.
  const broken = texts.filter((text) => text.includes('\uFFFD')).length;
  if (broken > texts.length / 2) {
    const { badInput } = await import('../util/errors.ts');
    throw badInput(`expected text in UTF-8, got ${broken} of ${texts.length} lines with other bytes`, {
      where: path,
      cure: 'convert the file to UTF-8, or give another',
    });
  }
  return { texts, source: path };
}
