/** Fine-tuning a model with an output vocabulary of its own. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openModelFolder } from '../../src/checkpoint/layouts/model-folder.ts';
import { SparseEncoder } from '../../src/model/sparse-encoder.ts';
import { finetune } from '../../src/train/finetune.ts';
import { readMetrics } from '../../src/train/metrics-log.ts';
import { writeExpandedModel } from '../fixtures/expanded-model.ts';
import { examples } from './training-data.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray expanded '));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('trains rows for its terms, and keeps the terms', async () => {
  const [model, output] = [join(folder, 'model'), join(folder, 'trained')];
  await writeExpandedModel(model);
  const settings = {
    epochs: 6,
    batchSize: 10,
    learningRate: 1e-3,
    temperature: 0.2,
    dropoutRate: 0,
    logEvery: 1,
    seed: 1,
  };
  await finetune({ model, output, examples, threads: 1, settings });
  const losses = (await readMetrics(join(`${output}.training`, 'metrics.jsonl'))).map((row) => row.base_loss!);
  expect(losses.at(-1)).toBeLessThan(0.9 * losses[0]!);

  const read = async (
    path: string,
  ): Promise<{ terms: readonly string[]; decoder: Float32Array; bias: Float32Array }> => {
    const { checkpoint, outputVocabulary, close } = await openModelFolder(path);
    const decoder = await checkpoint.readTensor('cls.predictions.decoder.weight');
    const bias = await checkpoint.readTensor('cls.predictions.bias');
    await close();
    return { terms: outputVocabulary!.terms, decoder, bias };
  };
  const [before, after] = [await read(model), await read(output)];
  expect(after.terms).toEqual(before.terms);
  expect(after.decoder).toHaveLength(before.decoder.length);
  expect(after.decoder).not.toEqual(before.decoder);
  expect(after.bias).not.toEqual(before.bias);
  expect(await readFile(join(output, 'output_vocabulary.json'))).toEqual(
    await readFile(join(model, 'output_vocabulary.json')),
  );
  const encoder = await SparseEncoder.load(output, { threads: 1 });
  const { indices } = await encoder.encodeOne('rain', { kind: 'query' });
  expect(encoder.dimensions).toBe(before.terms.length);
  expect([...indices].every((dimension) => before.terms.includes(encoder.term(dimension)!))).toBe(true);
  await encoder.dispose();
});

it('refuses queries by token weights', async () => {
  const model = join(folder, 'again');
  await writeExpandedModel(model);
  const settings = { epochs: 1, batchSize: 5, queryEncoder: 'static' as const };
  await expect(finetune({ model, output: join(folder, 'none'), examples, threads: 1, settings })).rejects.toMatchObject(
    { code: 'BAD_INPUT', message: expect.stringContaining('token weights') },
  );
});
