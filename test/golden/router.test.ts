/**
 * Models whose queries have an encoder or token weights of their own: folders that sentence-transformers 5.0 and 6.2 wrote,
 * with the vectors that it gives (`scripts/golden/router.py`).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ModelFolder, openModelFolder } from '../../src/checkpoint/layouts/model-folder.ts';
import { writeModelFolder } from '../../src/checkpoint/layouts/write-model-folder.ts';
import { type EncodeOptions, SparseEncoder } from '../../src/model/sparse-encoder.ts';
import { tokenWeights } from '../../src/model/token-weights.ts';
import { loadTokenizer } from '../../src/tokenizer/load-tokenizer.ts';
import { readJsonLines } from '../../src/util/jsonl.ts';
import { hasShared, shared } from '../fixtures/model-folders.ts';

const goldens = fileURLToPath(new URL('../fixtures/goldens/router', import.meta.url));

interface GoldenVector {
  readonly text: string;
  readonly kind: EncodeOptions['kind'];
  readonly indices: readonly number[];
  readonly values: readonly number[];
}

let temporary = '';
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'lexray-router-'));
});
afterAll(() => rm(temporary, { recursive: true }));

/** Encodes every text of a golden and compares. */
async function expectVectors(folder: string, vectors: string): Promise<string[]> {
  const warnings: string[] = [];
  await using encoder = await SparseEncoder.load(folder, {
    threads: 1,
    onWarning: (message) => warnings.push(message),
  });
  let count = 0;
  for await (const { value } of readJsonLines(vectors)) {
    const { text, kind, indices, values } = value as GoldenVector;
    const vector = await encoder.encodeOne(text, { kind });
    const found = new Map(Array.from(vector.indices, (term, i) => [term, vector.values[i]!]));
    const wanted = new Map(indices.map((term, i) => [term, values[i]!]));
    for (const term of new Set([...found.keys(), ...wanted.keys()])) {
      expect(
        Math.abs((found.get(term) ?? 0) - (wanted.get(term) ?? 0)),
        `${kind} ${JSON.stringify(text.slice(0, 40))}, dimension ${term}`,
      ).toBeLessThanOrEqual(1e-5);
    }
    expect([...vector.indices]).toEqual([...vector.indices].sort((a, b) => a - b));
    count++;
  }
  expect(count).toBe(8);
  return warnings;
}

/** Opens a folder and writes what it holds to another one. */
async function rewrite(source: string, target: string): Promise<void> {
  const model = await openModelFolder(source);
  const { checkpoint, tokenizerFolder: tokenizer, pooling, maxSequenceLength, policy } = model;
  await writeModelFolder(target, {
    config: checkpoint.config,
    weights: checkpoint.loadWeights(),
    tokenizer,
    pooling,
    maxSequenceLength,
    policy,
    query: await queryContent(model),
  });
  await model.close();
}

async function queryContent({
  query,
  checkpoint,
}: ModelFolder): Promise<Parameters<typeof writeModelFolder>[1]['query']> {
  if (query.kind === 'shared') return undefined;
  const { kind, tokenizerFolder } = query;
  if (kind === 'encoder') {
    const { config } = query.checkpoint;
    return { ...query, config, weights: query.checkpoint.loadWeights(), tokenizer: tokenizerFolder };
  }
  const tokenizer = await loadTokenizer(tokenizerFolder);
  const weights = tokenWeights(query, tokenizer, checkpoint.config.vocab_size);
  return { kind, weights, tokenizer: tokenizerFolder, frozen: query.frozen };
}

const names = ['static-5.0', 'static-6.2', 'pair-5.0', 'pair-6.2', 'idf'] as const;

describe('routers of sentence-transformers', () => {
  it.each(names)('gives the vectors of %s', async (name) => {
    expect(await expectVectors(join(goldens, name), join(goldens, name, 'vectors.jsonl'))).toEqual([]);
  });

  it.each(names)('gives the same vectors when %s is written and read back', async (name) => {
    const copy = join(temporary, name);
    await rewrite(join(goldens, name), copy);
    expect(await expectVectors(copy, join(goldens, name, 'vectors.jsonl'))).toEqual([]);
  });

  it.skipIf(!hasShared).each(['if50', 'if62'])('gives the vectors of %s (needs ../shared)', async (name) => {
    // Their tokenizer has a gap: 54 tokens, the last of which has the id 54.
    expect(await expectVectors(join(shared, 'goldens', name), join(goldens, `${name}.jsonl`))).toEqual([]);
  });
});
