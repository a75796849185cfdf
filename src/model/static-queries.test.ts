import { expect, it } from 'vitest';
import { tinyModel } from '../../test/fixtures/model-folders.ts';
import { loadTokenizer } from '../tokenizer/load-tokenizer.ts';
import type { ProgressEvent } from '../util/progress.ts';
import { makeStaticQueries } from './static-queries.ts';

const tokenizer = await loadTokenizer(tinyModel);
const documents = ['rain rain city', 'the city', 'RAIN city', '', '[SEP] [CLS]', 'snow city'];
const weightOf = (weights: Float32Array, token: string): number => weights[tokenizer.id(token)!]!;

it('weights tokens by ln(1 + (N − df + ½)/(df + ½)) over the documents that have a token', async () => {
  const weights = await makeStaticQueries(tokenizer, documents);
  expect(weights).toHaveLength(tokenizer.size);
  // N = 4: the empty text and the one of special tokens do not count
  expect(weightOf(weights, 'city')).toBeCloseTo(Math.log(1 + 0.5 / 4.5), 6);
  expect(weightOf(weights, 'rain')).toBeCloseTo(Math.log(1 + 2.5 / 2.5), 6);
  expect(weightOf(weights, 'snow')).toBeCloseTo(Math.log(1 + 3.5 / 1.5), 6);
  expect(weightOf(weights, 'dog')).toBeCloseTo(Math.log(1 + 4.5 / 0.5), 6);
  for (const token of ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']) expect(weightOf(weights, token)).toBe(0);
});

it('fills more dimensions than there are tokens with 0, and reports progress', async () => {
  const events: ProgressEvent[] = [];
  async function* stream(): AsyncGenerator<string> {
    yield* documents;
  }
  const onProgress = (event: ProgressEvent): number => events.push(event);
  const weights = await makeStaticQueries(tokenizer, stream(), { dimensions: 128, total: 6, onProgress });
  expect(weights).toHaveLength(128);
  expect([...weights.subarray(118)]).toEqual(new Array(10).fill(0));
  expect(events.at(-1)).toEqual({ phase: 'count tokens', done: 6, unit: 'texts', total: 6 });
});

it('refuses documents without a token, and stops when it is told to', async () => {
  await expect(makeStaticQueries(tokenizer, ['', '[SEP]'])).rejects.toThrow(/no document has a token/);
  const signal = AbortSignal.abort();
  await expect(makeStaticQueries(tokenizer, documents, { signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
});
