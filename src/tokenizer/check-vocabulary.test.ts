import { describe, expect, it } from 'vitest';
import { checkVocabulary } from './check-vocabulary.ts';

describe('checkVocabulary', () => {
  it('accepts equal widths', () => {
    const warnings: string[] = [];
    checkVocabulary({ size: 100 }, 100, { onWarning: (message) => warnings.push(message) });
    expect(warnings).toEqual([]);
  });

  it('refuses a tokenizer wider than the head', () => {
    expect(() => checkVocabulary({ size: 101 }, 100, { where: 'model' })).toThrow(
      expect.objectContaining({
        code: 'BAD_INPUT',
        where: 'model',
        message: expect.stringContaining('tokenizer and head of different width'),
      }),
    );
  });

  it('warns of a padded head', () => {
    const warnings: string[] = [];
    checkVocabulary({ size: 100 }, 128, { onWarning: (message) => warnings.push(message) });
    expect(warnings).toEqual([expect.stringContaining('128 rows')]);
  });
});
