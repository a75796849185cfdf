/**
 * The demo's recipe: a small BERT from random weights, with batch size, learning rate and regularizer
 * weights chosen on the dev queries (docs/log.md has the trials). What is not named is fine-tuning's default.
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
  epochs: 7,
  batchSize: 128,
  learningRate: 3e-3,
  warmupRatio: 0.06,
  learningRateFloor: 0.02,
  queryRegularizerWeight: 5e-3,
  documentRegularizerWeight: 5e-3,
  dropoutRate: 0.1,
  queryMaxLength: 32,
  documentMaxLength: 40,
  devMeasure: 'RR@10',
  devDocuments: 3000,
  evaluateEvery: 150,
  // The start has random weights, and was made for this.
  headCheck: false,
};

/** Seconds for training, so that the whole demo stays within three minutes; a slower machine takes fewer steps. */
export const trainingSeconds = 125;

/** Steps below which there is nothing to see. */
export const leastSteps = 60;
