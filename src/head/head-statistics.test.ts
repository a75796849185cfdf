/** What a head says of itself, against NumPy (`scripts/golden/head.py`). */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyTinyModel, shared, type TestTensor, tinyModel } from '../../test/fixtures/model-folders.ts';
import { openCheckpoint } from '../checkpoint/checkpoint.ts';
import { type HeadStatistics, headStatistics, type Spread, spreadOf } from './head-statistics.ts';

interface Golden {
  readonly rowNorms: readonly number[];
  readonly rows: number;
  readonly sumOfNorms: number;
  readonly norm: readonly number[];
  readonly anisotropy: number;
  readonly bias: readonly number[];
  readonly gamma: readonly number[];
  readonly closedFormDeviation: number;
  readonly meanLogit: number;
  readonly zeroRows: number;
  readonly repeatedRows: number;
}

const goldens = JSON.parse(
  readFileSync(new URL('../../test/fixtures/goldens/head.json', import.meta.url), 'utf8'),
) as Record<string, Golden>;

const folderOf = (name: string): string =>
  name === 'tiny-model' ? tinyModel : join(shared, name.startsWith('ckpt') ? 'data' : 'goldens', name);

async function statisticsOf(folder: string): Promise<HeadStatistics> {
  const checkpoint = await openCheckpoint(folder);
  try {
    return await headStatistics(checkpoint);
  } finally {
    await checkpoint.close();
  }
}

function expectClose(actual: number, expected: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(expected)));
}

function expectSpread({ mean, std, min, max }: Spread, expected: readonly number[]): void {
  [mean, std, min, max].forEach((value, i) => {
    expectClose(value, expected[i]!);
  });
}

describe('headStatistics', () => {
  for (const [name, golden] of Object.entries(goldens)) {
    const present = existsSync(folderOf(name));
    it.skipIf(!present)(
      `agrees with NumPy on ${name}${present ? '' : ' (skipped: ../shared is not there)'}`,
      async () => {
        const head = await statisticsOf(folderOf(name));
        expect(head.rowNorms).toHaveLength(golden.rows);
        golden.rowNorms.forEach((norm, i) => {
          expect(Math.abs(head.rowNorms[i]! - norm)).toBeLessThanOrEqual(1e-6 * norm);
        });
        expect(head.rowNorms.reduce((a, b) => a + b, 0) / golden.sumOfNorms).toBeCloseTo(1, 9);
        expectSpread(head.norm, golden.norm);
        expectSpread(head.bias!, golden.bias);
        expectSpread(head.gamma, golden.gamma);
        expectClose(head.anisotropy, golden.anisotropy);
        expectClose(head.closedFormDeviation, golden.closedFormDeviation);
        expectClose(head.meanLogit, golden.meanLogit);
        expect([head.zeroRows, head.repeatedRows]).toEqual([golden.zeroRows, golden.repeatedRows]);
      },
    );
  }
});

describe('oddities of a head', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lexray-head-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const decoder = 'bert.embeddings.word_embeddings.weight';
  const edit =
    (name: string, change: (data: Float32Array) => void) =>
    (tensors: TestTensor[]): TestTensor[] => {
      for (const tensor of tensors) if (tensor.name === name) change(tensor.data);
      return tensors;
    };

  it('counts rows of zeros and rows that repeat another', async () => {
    const model = await copyTinyModel(join(folder, 'padded'), {
      tensors: edit(decoder, (data) => {
        const width = data.length / 118;
        data.fill(0, 0, 2 * width);
        for (const row of [90, 91, 117]) data.copyWithin(row * width, 50 * width, 51 * width);
      }),
    });
    expect(await statisticsOf(model)).toMatchObject({ zeroRows: 2, repeatedRows: 3 });
  });

  it('tells a head that was never trained', async () => {
    expect((await statisticsOf(tinyModel)).untrained).toEqual([]);
    const set = (value: number) => (data: Float32Array) => void data.fill(value);
    const model = await copyTinyModel(join(folder, 'fresh'), {
      tensors: (tensors) => {
        edit('cls.predictions.transform.LayerNorm.weight', set(1))(tensors);
        edit('cls.predictions.transform.LayerNorm.bias', set(0))(tensors);
        return edit('cls.predictions.bias', set(0))(tensors);
      },
    });
    const { untrained } = await statisticsOf(model);
    expect(untrained.join()).toContain('γ = 1, β = 0');
    expect(untrained.join()).toContain('every output bias is 0');
  });
});

describe('spreadOf', () => {
  it('is mean, deviation over n and extremes', () => {
    expect(spreadOf(Float64Array.of(1, 3, 5, 7))).toEqual({ mean: 4, std: Math.sqrt(5), min: 1, max: 7 });
  });
});
