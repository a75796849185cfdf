/** Sum pooling: the vectors that sentence-transformers 6.2 gives (`scripts/golden/sum_pooling.py`). */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SparseEncoder } from '../../src/model/sparse-encoder.ts';
import { tinyModel } from '../fixtures/model-folders.ts';

interface Goldens {
  readonly texts: readonly string[];
  readonly goldens: readonly {
    readonly activation: string;
    readonly config: Readonly<Record<string, unknown>>;
    /** A dense row a text. */
    readonly vectors: readonly (readonly number[])[];
  }[];
}

const path = new URL('../fixtures/goldens/sum-pooling.json', import.meta.url);
const { texts, goldens } = JSON.parse(await readFile(path, 'utf8')) as Goldens;

describe.each(goldens)('sum pooling, $activation', ({ activation, config, vectors }) => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lexray-sum-'));
    await cp(tinyModel, folder, { recursive: true });
    await writeFile(join(folder, '1_SpladePooling', 'config.json'), JSON.stringify(config));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Dense rows of the texts, encoded so many at a time. */
  async function rows(batchSize: number, weights: 'float32' | 'float16' | 'int8' = 'float32'): Promise<number[][]> {
    await using encoder = await SparseEncoder.load(folder, { threads: 1, weights });
    const found: number[][] = [];
    for await (const { indices, values } of encoder.encode(texts, { kind: 'document', batchSize })) {
      const row = new Array<number>(encoder.dimensions).fill(0);
      indices.forEach((term, i) => {
        row[term] = values[i]!;
      });
      found.push(row);
    }
    return found;
  }
  const largest = (a: readonly (readonly number[])[]): number =>
    Math.max(...a.flatMap((row, i) => row.map((value, term) => Math.abs(value - vectors[i]![term]!))));

  it('in one padded batch and one by one', async () => {
    expect(Math.max(...vectors.flat())).toBeGreaterThan(activation === 'relu' ? 1 : 0.5);
    expect(largest(await rows(8))).toBeLessThan(1e-5);
    expect(largest(await rows(1))).toBeLessThan(1e-5);
  });

  it('is close with float16 and int8 weights', async () => {
    const scale = Math.max(...vectors.flat());
    expect(largest(await rows(8, 'float16'))).toBeLessThan(0.005 * scale);
    expect(largest(await rows(8, 'int8'))).toBeLessThan(0.1 * scale);
  });
});
