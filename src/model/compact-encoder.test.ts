/** Encoding with matrices in fewer bits: near what float32 gives, and not the same. */
import { expect, it } from 'vitest';
import { tinyModel } from '../../test/fixtures/model-folders.ts';
import type { SparseVector } from '../vectors/sparse-vector.ts';
import { SparseEncoder } from './sparse-encoder.ts';

const texts = Array.from({ length: 40 }, (_, i) => `rain snow city ${'river '.repeat(i % 9)}stone ${i}`);

async function encodeAll(weights: 'float32' | 'float16' | 'int8'): Promise<SparseVector[]> {
  await using encoder = await SparseEncoder.load(tinyModel, { threads: 1, weights });
  const vectors: SparseVector[] = [];
  for await (const vector of encoder.encode(texts, { kind: 'document' })) vectors.push(vector);
  return vectors;
}

it.each([
  { weights: 'float16', most: 6e-3, least: 1e-7 },
  { weights: 'int8', most: 0.25, least: 1e-4 },
] as const)('with $weights weights are off by at most $most', async ({ weights, most, least }) => {
  const exact = await encodeAll('float32');
  const rounded = await encodeAll(weights);
  let worst = 0;
  exact.forEach((vector, i) => {
    const others = new Map(Array.from(rounded[i]!.indices, (term, j) => [term, rounded[i]!.values[j]!]));
    vector.indices.forEach((term, j) => {
      worst = Math.max(worst, Math.abs(vector.values[j]! - (others.get(term) ?? 0)));
      others.delete(term);
    });
    for (const value of others.values()) worst = Math.max(worst, value);
  });
  expect(worst).toBeLessThan(most);
  expect(worst).toBeGreaterThan(least);
});
