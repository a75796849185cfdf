import { describe, expect, it } from 'vitest';
import { finetuneConfigSchema } from './finetune-config.ts';

describe('the settings of fine-tuning', () => {
  it('have defaults', () => {
    expect(finetuneConfigSchema.parse({})).toMatchObject({ epochs: 1, batchSize: 32, learningRate: 2e-5, seed: 0 });
    expect(finetuneConfigSchema.parse({ batchSize: undefined, maxSteps: undefined })).toEqual(
      finetuneConfigSchema.parse({}),
    );
  });

  it.each([
    [{ epochs: 0 }],
    [{ epochs: Number.POSITIVE_INFINITY }],
    [{ batchSize: 1 }],
    [{ batchSize: 2.5 }],
    [{ learningRate: -1 }],
    [{ learningRate: Number.NaN }],
    [{ warmupRatio: 1.1 }],
    [{ temperature: 0 }],
    [{ dropoutRate: 1 }],
    [{ beta2: 1 }],
    [{ maxGradientNorm: 0 }],
    [{ seed: 2 ** 32 }],
    [{ keepCheckpoints: 0 }],
    [{ lengthBuckets: 0 }],
    [{ learningrate: 1e-3 }],
  ])('refuse %o', (settings) => {
    expect(finetuneConfigSchema.safeParse(settings).success).toBe(false);
  });
});
