/**
 * The demo's recipe: a small BERT from random weights, chosen on the dev queries (see docs/log.md). Batch, lengths and
 * regularizer weights as in the first trials; everything else is fine-tuning's default.
 */
import type { FinetuneSettings } from '../train/finetune-config.ts';

/** Shape and initialisation of the demo's model. */
export const demoModel = {
  vocabularySize: 8192,
  hiddenSize: 128,
  layers: 2,
  heads: 2,
  maxPositions: 128,
  embeddingDeviation: 0.05,
  outputBias: -2.5,
} as const;

/** How it is trained. */
export const demoSettings: FinetuneSettings = {
  epochs: 5,
  batchSize: 64,
  learningRate: 1e-3,
  warmupRatio: 0.06,
  learningRateFloor: 0.02,
  queryRegularizerWeight: 1e-3,
  documentRegularizerWeight: 1e-3,
  dropoutRate: 0.1,
  queryMaxLength: 32,
  documentMaxLength: 40,
  devMeasure: 'RR@10',
  devDocuments: 3000,
};
