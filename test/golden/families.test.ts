/**
 * The logits of every model family against transformers (`scripts/golden/families.py`, float64): of each token of ragged
 * batches, and max-pooled; as one batch, with more length buckets, and one sequence at a time.
 */
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import type { ModelConfig } from '../../src/checkpoint/families/model-family.ts';
import { findFamily, modelShape } from '../../src/checkpoint/families/registry.ts';
import { Graph } from '../../src/compute/graph/graph.ts';
import type { Engine } from '../../src/compute/runtime/engine.ts';
import { openOrtEngine } from '../../src/compute/runtime/ort-engine.ts';
import { buildSpladeGraph, modelVariables } from '../../src/model/splade-graph.ts';
import { packTokens } from '../../src/model/token-layout.ts';
import { maxPooled, modelOf, ownCases, readFamilyGolden, sharedCases } from '../fixtures/family-goldens.ts';
import { hasShared } from '../fixtures/model-folders.ts';

const tolerance = 1e-5;
const skipped = hasShared ? '' : ' (skipped: ../shared is not there)';

describe('logits of the model families', () => {
  it.each(ownCases)('%s', compare);
});

describe.skipIf(!hasShared)(`logits of models that transformers wrote${skipped}`, () => {
  it.each(sharedCases)('%s', compare);
});

async function compare(name: string): Promise<void> {
  const golden = await readFamilyGolden(name);
  const { config, engine } = await load(modelOf(name));
  try {
    const { vocabularySize } = modelShape(config);
    const near = (found: number, wanted: number, where: string): void => {
      expect(Math.abs(found - wanted), `${where}: ${found}, expected ${wanted}`).toBeLessThanOrEqual(
        tolerance * golden.largest,
      );
    };
    const pooled = maxPooled(golden);
    for (const buckets of [1, 2, 4]) {
      const found = await logitsOf(engine, config, golden.sequences, buckets);
      found.pooled.forEach((z, at) => {
        near(z, pooled[at]!, `${buckets} buckets, term and sequence ${at}`);
      });
      found.tokens.forEach((z, at) => {
        near(z, golden.logits[at]!, `${buckets} buckets, token and term ${at}`);
      });
      expect(found.tokens).toHaveLength(golden.logits.length);
    }
    let token = 0;
    for (const sequence of golden.sequences) {
      const { tokens } = await logitsOf(engine, config, [sequence], 1);
      tokens.forEach((z, at) => {
        near(z, golden.logits[token * vocabularySize + at]!, `alone, token and term ${at}`);
      });
      token += sequence.length;
    }
  } finally {
    await engine.dispose();
  }
}

async function load(folder: string): Promise<{ config: ModelConfig; engine: Engine }> {
  const warnings: string[] = [];
  const checkpoint = await openCheckpoint(folder, { onWarning: (warning) => warnings.push(warning) });
  const engine = await openOrtEngine({ threads: 2 });
  await engine.createVariables(modelVariables(checkpoint.config, false));
  for await (const { name, data } of checkpoint.loadWeights()) await engine.writeVariable(name, 'value', data);
  await checkpoint.close();
  expect(warnings).toEqual([]);
  return { config: checkpoint.config, engine };
}

/** Token logits [tokens, V] in the order of the sequences, and pooled logits [V, S]. */
async function logitsOf(
  engine: Engine,
  config: ModelConfig,
  sequences: readonly Int32Array[],
  buckets: number,
): Promise<{ tokens: Float64Array; pooled: Float64Array }> {
  const shape = modelShape(config);
  const packed = packTokens(sequences, { buckets, ...shape });
  const graph = new Graph();
  const options = { activation: 'relu', buckets: packed.bucketCount, trained: false, dropoutRate: 0 } as const;
  const splade = buildSpladeGraph(graph, config, options);
  graph.output('logits', splade.logits);
  graph.output('hidden', splade.hidden);
  const program = await engine.compile(graph);
  const { logits, hidden } = await program.run(packed.feeds);
  await program.dispose();

  const { embeddings, decoder, bias } = findFamily(config.model_type, '').tied;
  const weight = await engine.readVariable(config.tie_word_embeddings ? embeddings : decoder, 'value');
  const biases = shape.outputBias ? await engine.readVariable(bias, 'value') : undefined;
  const starts = sequenceStarts(packed.columns, sequences);
  const tokens = sequences.flatMap((sequence, s) =>
    Array.from(sequence).flatMap((_, j) => {
      const row = (hidden!.data as Float32Array).subarray((starts[s]! + j) * shape.decoderWidth);
      return Array.from({ length: shape.vocabularySize }, (_, term) => {
        let z = biases?.[term] ?? 0;
        for (let i = 0; i < shape.decoderWidth; i++) z += row[i]! * weight[term * shape.decoderWidth + i]!;
        return z;
      });
    }),
  );
  const pooled = new Float64Array(shape.vocabularySize * sequences.length);
  for (let at = 0; at < pooled.length; at++) {
    const [term, s] = [Math.floor(at / sequences.length), at % sequences.length];
    pooled[at] = Number(logits!.data[term * sequences.length + packed.columns[s]!]);
  }
  return { tokens: Float64Array.from(tokens), pooled };
}

/** The first packed token of each sequence: they lie in the order of their columns. */
function sequenceStarts(columns: Int32Array, sequences: readonly Int32Array[]): number[] {
  return sequences.map((_, s) =>
    sequences.reduce((sum, { length }, other) => sum + (columns[other]! < columns[s]! ? length : 0), 0),
  );
}
