/**
 * Sparse vectors of real and tiny checkpoints against other libraries: 48 texts of a real SPLADE checkpoint (an
 * independent numpy forward pass) and the folders that transformers and sentence-transformers wrote.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SparseEncoder } from '../../src/model/sparse-encoder.ts';
import { readJsonLines } from '../../src/util/jsonl.ts';
import type { SparseVector } from '../../src/vectors/sparse-vector.ts';

const shared = fileURLToPath(new URL('../../../shared', import.meta.url));
const present = existsSync(shared);
const skipped = present ? '' : ' (skipped: ../shared is not there)';

interface GoldenVector {
  readonly text: string;
  readonly input_ids: number[];
  readonly indices: number[];
  readonly values: number[];
}

describe.skipIf(!present)(`vectors of other libraries${skipped}`, () => {
  it('gives the token ids and weights of 48 texts of ckpt-splade-tiny', async () => {
    const folder = join(shared, 'data/ckpt-splade-tiny');
    const golden: GoldenVector[] = [];
    for await (const { value } of readJsonLines(join(folder, 'golden_vectors.jsonl')))
      golden.push(value as GoldenVector);
    expect(golden).toHaveLength(48);
    await using encoder = await SparseEncoder.load(folder, { maxLength: 256, threads: 2 });
    let i = 0;
    for await (const vector of encoder.encode(
      golden.map(({ text }) => text),
      { kind: 'document' },
    )) {
      const { text, input_ids, indices, values } = golden[i++]!;
      expect([...encoder.tokenizer.encode(text, { maxLength: 256 })]).toEqual(input_ids);
      const wanted = new Map(indices.map((term, j) => [term, values[j]!]));
      expect(largestDifference(vector, wanted), text.slice(0, 60)).toBeLessThan(1e-3);
    }
    expect(i).toBe(48);
  });

  it.each(['hf_tiny', 'st50', 'st57', 'st62'])('gives the vectors of %s', async (name) => {
    const reference = JSON.parse(readFileSync(join(shared, 'goldens/ref.json'), 'utf8')) as number[][];
    await using encoder = await SparseEncoder.load(join(shared, 'goldens', name), { threads: 2 });
    let i = 0;
    for await (const vector of encoder.encode(['The weather is lovely today.', 'what'], { kind: 'query' })) {
      const wanted = new Map(reference[i++]!.map((weight, term) => [term, weight]));
      expect(largestDifference(vector, wanted)).toBeLessThan(1e-5);
    }
    expect(i).toBe(2);
  });
});

function largestDifference(vector: SparseVector, wanted: ReadonlyMap<number, number>): number {
  const found = new Map(Array.from(vector.indices, (term, j) => [term, vector.values[j]!]));
  const terms = new Set([...found.keys(), ...wanted.keys()]);
  return Math.max(...[...terms].map((term) => Math.abs((found.get(term) ?? 0) - (wanted.get(term) ?? 0))));
}
