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

  it('keeps the scores of a teacher beside each positive, in the order of the negatives', async () => {
    const examples = [
      { ...example('q', 'a', 'x', 'y'), scores: [9, 3, 1] },
      { ...example('q', 'b', 'x'), scores: [8, 2] },
      // margins: the zero is at the positive
      { ...example('q', 'a', 'z', 'x', 'b'), scores: [0, -7, -100, -1] },
      example('q', 'c', 'w'),
      example('r', 'a', 'x'),
    ];
    const { queries } = await buildTrainingSet(examples, tokenizers);
    const [q, r] = queries;
    expect(await texts(examples)).toEqual([
      ['q', ['a', 'b', 'c'], ['x', 'y', 'z', 'w']],
      ['r', ['a'], ['x']],
    ]);
    const none = Number.NaN;
    expect(q!.scores).toEqual([Float32Array.of(9, 3, 1, 2, none), Float32Array.of(8, 2, none, none, none), undefined]);
    expect(r).not.toHaveProperty('scores');
  });

  it('keeps the later score where an earlier example has none', async () => {
    const examples = [
      { ...example('q', 'a', 'x', 'y'), scores: [5, Number.NaN, 1] },
      { ...example('q', 'a', 'x', 'y'), scores: [5, 2, 4] },
      example('r', 'a'),
    ];
    const { queries } = await buildTrainingSet(examples, tokenizers);
    expect(queries[0]!.scores).toEqual([Float32Array.of(5, 2, 1)]);
  });

  it('keeps scores in step with the documents that are left', async () => {
    const examples = [
      { ...example('q', '', 'x'), scores: [1, 2] },
      { ...example('q', 'a', 'x', '', 'y'), scores: [5, 4, 3, 2] },
      example('r', 'a'),
    ];
    const { queries } = await buildTrainingSet(examples, tokenizers);
    expect(queries[0]).toMatchObject({ positives: [2], scores: [Float32Array.of(5, 4, 2)] });
  });

  it.each([[[]], [[1, 2]], [[1, 2, 3, 4]], [[Number.NaN, 2, 3]], [[1, 2, Number.POSITIVE_INFINITY]]])(
    'refuses the scores %j for two negatives',
    async (scores) => {
      const examples = [example('r', 'a'), { ...example('q', 'a', 'x', 'y'), scores }];
      await expect(buildTrainingSet(examples, tokenizers)).rejects.toThrow(/example 2 has 2 negatives and the scores/);
    },
  );

  it.each([
    [0, []],
    [1, ['1 of 3 training queries have fewer than 1 hard negatives, 1 of them have none']],
    [2, ['2 of 3 training queries have fewer than 2 hard negatives, 1 of them have none']],
  ])('tells of queries with fewer than %i negatives', async (negativesPerQuery, wanted) => {
    const warnings: string[] = [];
    const examples = [example('q', 'a', 'x', 'y'), example('r', 'a', 'x'), example('s', 'b')];
    const options = { ...tokenizers, negativesPerQuery, onWarning: (message: string) => void warnings.push(message) };
    await buildTrainingSet(examples, options);
    expect(warnings).toEqual(wanted);
    await buildTrainingSet([example('q', 'a'), example('r', 'a')], options);
    expect(warnings).toEqual(wanted);
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
