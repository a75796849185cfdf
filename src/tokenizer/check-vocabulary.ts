/** A tokenizer and a model head must fit: every id that the tokenizer can give needs a row in the head. */
import { badInput } from '../util/errors.ts';
import type { WarningListener } from '../util/progress.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Options of {@link checkVocabulary}. */
export interface CheckVocabularyOptions {
  /** Folder or file that the error names. */
  readonly where?: string;
  /** Whether the rows are of the word embeddings only: the head has terms of its own. @default false */
  readonly ownTerms?: boolean | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/**
 * Checks that a tokenizer fits a head, or word embeddings, of so many rows. A wider head is legal (rows are often padded to a
 * multiple of 64) but its extra dimensions have no token, which is warned of.
 * @throws LexrayError BAD_INPUT when the tokenizer has ids outside the head
 */
export function checkVocabulary(
  tokenizer: Pick<Tokenizer, 'size'>,
  rows: number,
  options: CheckVocabularyOptions = {},
): void {
  if (tokenizer.size > rows) {
    const part = options.ownTerms ? 'word embeddings' : 'head';
    throw badInput(
      `tokenizer and ${part} of different width: the tokenizer has ids up to ${tokenizer.size - 1}, the ${part} ${options.ownTerms ? 'have' : 'has'} ${rows} rows (0 to ${rows - 1})`,
      {
        ...(options.where === undefined ? {} : { where: options.where }),
        cure: 'use the tokenizer that the model was trained with, or resize the embeddings and the head of the model',
      },
    );
  }
  if (tokenizer.size < rows && !options.ownTerms) {
    options.onWarning?.(
      `the head has ${rows} rows, the tokenizer ${tokenizer.size} tokens: dimensions from ${tokenizer.size} on have no token`,
    );
  }
}
