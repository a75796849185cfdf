import { describe, expect, it } from 'vitest';
import type { TrainingExample } from '../data/read-training-examples.ts';
import { buildTrainingSet } from './training-set.ts';

/** Tokens are the character codes; queries have one more at the end. */
const tokenizers = {
  tokenizeQuery: (text: string) => (text === '' ? new Int32Array() : Int32Array.of(...codes(text), -1)),
  tokenizeDocument: (text: string) => Int32Array.from(codes(text)),
};
const codes = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));
const example = (query: string, positive: string, ...negatives: string[]): TrainingExample => ({
  query,
  positive,
  negatives,
});

/** The set with texts instead of numbers. */
function texts(examples: readonly TrainingExample[], warnings: string[] = []) {
  const { queries, documents } = buildTrainingSet(examples, {
    ...tokenizers,
    onWarning: (message) => warnings.push(message),
  });
  const text = (document: number): string => String.fromCharCode(...documents[document]!);
  return queries.map(({ tokens, positives, negatives }) => [
    String.fromCharCode(...tokens.subarray(0, -1)),
    positives.map(text),
    negatives.map(text),
  ]);
}

describe('buildTrainingSet', () => {
  it('groups examples by query, in their order, and keeps each document once', () => {
    const examples = [example('q', 'a', 'x', 'y'), example('r', 'a'), example('q', 'b', 'x'), example('q', 'a')];
    expect(texts(examples)).toEqual([
      ['q', ['a', 'b'], ['x', 'y']],
      ['r', ['a'], []],
    ]);
    const { documents, queries } = buildTrainingSet(examples, tokenizers);
    expect(documents).toHaveLength(4);
    expect(queries[0]!.tokens).toEqual(Int32Array.of('q'.charCodeAt(0), -1));
  });

  it('takes no positive of a query for a negative, wherever it stands', () => {
    expect(texts([example('q', 'a', 'b', 'x'), example('q', 'b'), example('r', 'x', 'a')])).toEqual([
      ['q', ['a', 'b'], ['x']],
      ['r', ['x'], ['a']],
    ]);
  });

  it('leaves out what has no tokens, with a warning', () => {
    const warnings: string[] = [];
    const examples = [example('', 'a'), example('q', ''), example('r', 'a', '', 'x'), example('s', 'b')];
    expect(texts(examples, warnings)).toEqual([
      ['r', ['a'], ['x']],
      ['s', ['b'], []],
    ]);
    expect(warnings).toEqual(['2 of 4 training queries are left out: they or their documents have no tokens']);
  });

  it.each([
    ['nothing', []],
    ['one query', [example('q', 'a'), example('q', 'b')]],
    ['one query with tokens', [example('q', 'a'), example('', 'b')]],
  ])('refuses %s', (_title, examples) => {
    expect(() => buildTrainingSet(examples, tokenizers)).toThrow(/at least two different queries/);
  });

  it('stops when the signal fires', () => {
    const options = { ...tokenizers, signal: AbortSignal.abort() };
    expect(() => buildTrainingSet([example('q', 'a')], options)).toThrow(
      expect.objectContaining({ code: 'INTERRUPTED' }),
    );
  });
});
