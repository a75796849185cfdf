/**
 * Random weights for a model trained from scratch. Plain BERT initialisation lets short SPLADE runs die (every dimension
 * zero); the options below kept them alive: larger word embeddings, value and output projections near the identity, so
 * that a token's own embedding reaches the head, and a negative output bias, so that vectors start sparse.
 */

import type { NamedWeight } from '../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import { findFamily } from '../checkpoint/families/registry.ts';
import { Random } from '../util/random.ts';

/** Options of {@link initializeWeights}. */
export interface InitializeOptions {
  readonly seed: number;
  /** Standard deviation of word embeddings. @default the config's initializer_range */
  readonly embeddingDeviation?: number;
  /** Adds the identity to the attention's value and output projections and to the head's transform. @default false */
  readonly nearIdentity?: boolean;
  /** The decoder's bias. @default 0 */
  readonly outputBias?: number;
}

/** Weights in canonical order: matrices normal with standard deviation `initializer_range`, LayerNorm 1 and 0, biases 0. */
export function* initializeWeights(config: ModelConfig, options: InitializeOptions): Generator<NamedWeight> {
  const family = findFamily(config.model_type, 'config');
  const random = new Random(options.seed);
  for (const { name, shape, identityFrom } of family.weights(config)) {
    const data = new Float32Array(shape.reduce((product, dim) => product * dim, 1));
    if (shape.length >= 2) {
      const isEmbedding = name === family.tied.embeddings;
      const deviation = (isEmbedding ? options.embeddingDeviation : undefined) ?? config.initializer_range;
      for (let i = 0; i < data.length; i++) data[i] = random.normal() * deviation;
      if (options.nearIdentity && identityFrom !== undefined) {
        const [rows, columns] = shape as [number, number];
        for (let i = 0; i < Math.min(rows - identityFrom, columns); i++) data[(identityFrom + i) * columns + i]! += 1;
      }
    } else if (name === family.tied.bias) {
      data.fill(options.outputBias ?? 0);
    } else if (name.endsWith('.weight')) {
      data.fill(1);
    }
    yield { name, shape, data };
  }
}
