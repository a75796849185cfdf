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
async function texts(examples: readonly TrainingExample[], warnings: string[] = []) {
  const { queries, documents } = await buildTrainingSet(examples, {
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
  it('groups examples by query, in their order, and keeps each document once', async () => {
    const examples = [example('q', 'a', 'x', 'y'), example('r', 'a'), example('q', 'b', 'x'), example('q', 'a')];
    expect(await texts(examples)).toEqual([
      ['q', ['a', 'b'], ['x', 'y']],
      ['r', ['a'], []],
    ]);
    const { documents, queries } = await buildTrainingSet(examples, tokenizers);
    expect(documents).toHaveLength(4);
    expect(queries[0]!.tokens).toEqual(Int32Array.of('q'.charCodeAt(0), -1));
  });

  it('takes no positive of a query for a negative, wherever it stands', async () => {
    expect(await texts([example('q', 'a', 'b', 'x'), example('q', 'b'), example('r', 'x', 'a')])).toEqual([
      ['q', ['a', 'b'], ['x']],
      ['r', ['x'], ['a']],
    ]);
  });

  it('leaves out what has no tokens, with a warning', async () => {
    const warnings: string[] = [];
    const examples = [example('', 'a'), example('q', ''), example('r', 'a', '', 'x'), example('s', 'b')];
    expect(await texts(examples, warnings)).toEqual([
      ['r', ['a'], ['x']],
      ['s', ['b'], []],
    ]);
    expect(warnings).toEqual(['2 of 4 training queries are left out: they or their documents have no tokens']);
  });

  it.each([
    ['nothing', []],
    ['one query', [example('q', 'a'), example('q', 'b')]],
    ['one query with tokens', [example('q', 'a'), example('', 'b')]],
  ])('refuses %s', async (_title, examples) => {
    await expect(buildTrainingSet(examples, tokenizers)).rejects.toThrow(/at least two different queries/);
  });

  it('stops when the signal fires, which it hears while it works', async () => {
    const signal = AbortSignal.abort();
    await expect(buildTrainingSet([example('q', 'a')], { ...tokenizers, signal })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    const controller = new AbortController();
    const many = Array.from({ length: 5000 }, (_, i) => example(`${i}`, 'a'));
    let tokenized = 0;
    const slow = (): Int32Array => {
      const end = performance.now() + 1;
      while (performance.now() < end);
      tokenized++;
      return Int32Array.of(1);
    };
    setTimeout(() => controller.abort(), 5);
    const options = { ...tokenizers, tokenizeQuery: slow, signal: controller.signal };
    await expect(buildTrainingSet(many, options)).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(tokenized).toBeLessThan(1000);
  });
});
