/** The settings of a fine-tuning run, with their defaults and limits. The resolved settings are kept beside every result. */
import { z } from 'zod';
import { type GivenGuardSettings, type GuardSettings, guardSettingsSchema } from './guard/guard-settings.ts';
import { type HeadPart, headParts } from './head-variables.ts';

const rate = z.number().min(0).max(1e6);
const share = z.number().min(0).max(1);
const count = z
  .int()
  .min(1)
  .max(2 ** 31);

/** A ranking loss by name, its share, and its own options; `losses/registry.ts` knows the names. */
export interface LossSettings {
  readonly name: string;
  /** Share of the loss in the sum. @default 1 */
  readonly weight?: number | undefined;
  readonly [option: string]: unknown;
}

/** A regularizer by name, and its own options; `regularizers/registry.ts` knows the names. */
export interface RegularizerSettings {
  readonly name: string;
  readonly [option: string]: unknown;
}

const lossSettings: z.ZodType<LossSettings, LossSettings> = z.looseObject({
  name: z.string().min(1),
  weight: z.number().positive().max(1e6).optional(),
});
const regularizerSettings: z.ZodType<RegularizerSettings, RegularizerSettings> = z.looseObject({
  name: z.string().min(1),
});

/** The schema of {@link FinetuneConfig}. */
export const finetuneConfigSchema: z.ZodType<FinetuneConfig, FinetuneSettings> = z.strictObject({
  epochs: z.number().positive().max(1e6).default(1),
  maxSteps: count.optional(),
  batchSize: z.int().min(2).max(65536).default(32),
  negativesPerQuery: z.int().min(0).max(1000).default(1),
  learningRate: z.number().min(0).default(2e-5),
  warmupRatio: share.default(0.1),
  learningRateFloor: share.default(0),
  weightDecay: rate.default(0.01),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: z.number().positive().max(1).default(1e-8),
  maxGradientNorm: z.number().positive().default(1),
  losses: z.array(lossSettings).min(1).max(8).optional(),
  temperature: z.number().positive().default(1),
  queryRegularizer: regularizerSettings.default({ name: 'flops' }),
  documentRegularizer: regularizerSettings.default({ name: 'flops' }),
  queryRegularizerWeight: rate.default(5e-5),
  documentRegularizerWeight: rate.default(1e-3),
  jointRegularizer: regularizerSettings.default({ name: 'joint-flops' }),
  jointRegularizerWeight: rate.default(0),
  antiZeroWeight: rate.default(0),
  regularizerRampRatio: share.default(1 / 3),
  targetQueryActiveDims: z.number().positive().optional(),
  targetDocumentActiveDims: z.number().positive().optional(),
  activation: z.enum(['relu', 'log1p_relu']).optional(),
  queryTopTerms: count.optional(),
  documentTopTerms: count.optional(),
  queryEncoder: z.enum(['shared', 'separate', 'static']).default('shared'),
  guard: guardSettingsSchema.prefault({}),
  headCheck: z.boolean().default(true),
  calibrate: z.union([z.enum(['auto', 'off']), z.number().positive()]).default('off'),
  matchRegularizers: z.boolean().default(false),
  headScaleLearningRate: z.number().min(0).optional(),
  headDivisor: z.number().min(1e-12).max(1e12).optional(),
  headLearningRateFactor: rate.optional(),
  headLearningRateOf: z.enum(headParts).optional(),
  gradientCacheChunk: count.optional(),
  accumulationSteps: z.int().min(1).max(65536).default(1),
  dropoutRate: z.number().min(0).max(0.9).default(0.1),
  queryMaxLength: count.optional(),
  documentMaxLength: count.optional(),
  lengthBuckets: z.int().min(1).max(32).default(4),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0),
  logEvery: count.default(10),
  evaluateEvery: count.optional(),
  saveEvery: count.default(200),
  keepCheckpoints: z.int().min(1).max(1000).default(2),
  devMeasure: z.string().default('nDCG@10'),
  devDocuments: count.optional(),
});

/** Settings as a user gives them; what is absent has its default. */
export type FinetuneSettings = {
  readonly [Key in Exclude<keyof FinetuneConfig, 'guard'>]?: FinetuneConfig[Key] | undefined;
} & { readonly guard?: GivenGuardSettings | undefined };

/** Resolved settings of a run. */
export interface FinetuneConfig {
  /** Passes over the queries. @default 1 */
  readonly epochs: number;
  /** Steps of the run, whatever `epochs` says. @default as many as the epochs have */
  readonly maxSteps?: number | undefined;
  /** Queries of a batch. @default 32 */
  readonly batchSize: number;
  /** Hard negatives of each query, where the data have some. @default 1 */
  readonly negativesPerQuery: number;
  /** Peak learning rate of AdamW. @default 2e-5 */
  readonly learningRate: number;
  /** Share of the steps in which the learning rate rises linearly. @default 0.1 */
  readonly warmupRatio: number;
  /** Share of the peak rate towards which it falls linearly until the end. @default 0 */
  readonly learningRateFloor: number;
  /** On matrices only, not on biases and LayerNorm. @default 0.01 */
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Global norm to which gradients are clipped. @default 1 */
  readonly maxGradientNorm: number;
  /** Ranking losses that are added up. @default InfoNCE */
  readonly losses?: readonly LossSettings[] | undefined;
  /** Temperature τ of InfoNCE, unless `losses` gives it one. @default 1 */
  readonly temperature: number;
  /** @default FLOPS */
  readonly queryRegularizer: RegularizerSettings;
  /** @default FLOPS */
  readonly documentRegularizer: RegularizerSettings;
  /** λ_q. @default 5e-5 */
  readonly queryRegularizerWeight: number;
  /** λ_d. @default 1e-3 */
  readonly documentRegularizerWeight: number;
  /** On queries and documents together (arXiv 2605.01407). @default joint FLOPS */
  readonly jointRegularizer: RegularizerSettings;
  /** Its λ. @default 0 */
  readonly jointRegularizerWeight: number;
  /** Weight of the term against vectors of zeros (SPLADE-v3); it has no ramp. @default 0 */
  readonly antiZeroWeight: number;
  /** Share of the steps in which λ rises quadratically from 0. @default 1/3 */
  readonly regularizerRampRatio: number;
  /** Active dimensions of a query towards which a controller steers λ_q, from the given λ_q on. @default λ_q as it is */
  readonly targetQueryActiveDims?: number | undefined;
  /** The same for documents and λ_d. @default λ_d as it is */
  readonly targetDocumentActiveDims?: number | undefined;
  /** @default the model's */
  readonly activation?: 'relu' | 'log1p_relu' | undefined;
  /** Heaviest terms of a query that are kept in training, q_K. @default all */
  readonly queryTopTerms?: number | undefined;
  /** Heaviest terms of a document that are kept in training, d_K. @default all */
  readonly documentTopTerms?: number | undefined;
  /**
   * Who encodes queries: the documents' encoder; one of its own, which starts as a copy; or a table of token weights, which
   * starts as inverse document frequencies of the training documents. @default 'shared'
   */
  readonly queryEncoder: 'shared' | 'separate' | 'static';
  /** When a run that has collapsed is stopped. */
  readonly guard: GuardSettings;
  /** Whether the head is checked before the first step; `calibrate` needs it. @default true */
  readonly headCheck: boolean;
  /** What is done to a head that would collapse: nothing, the proposed correction, or division of the logits by a factor. @default 'off' */
  readonly calibrate: 'auto' | 'off' | number;
  /** Whether λ is multiplied so that it weighs after a correction of the head what it weighed before. @default false */
  readonly matchRegularizers: boolean;
  /** Peak learning rate of a learned scale of the head, see `splade-graph.ts`. @default no learned scale */
  readonly headScaleLearningRate?: number | undefined;
  /**
   * k: logits are divided by it while training, at every step, and the weights are not; it is folded into the model that is
   * written. With `headScaleLearningRate` it is only where the learned scale starts. @default 1
   */
  readonly headDivisor?: number | undefined;
  /** The learning rate of the head is that of the model times this, see `head-variables.ts`. @default 1 */
  readonly headLearningRateFactor?: number | undefined;
  /** What of the head that is: the LayerNorm before the decoder and the bias, or an untied decoder and the bias. @default 'norm' */
  readonly headLearningRateOf?: HeadPart | undefined;
  /** Texts whose activations are in memory at a time, with the gradient of the whole batch; see `split-step.ts`. @default all, in one graph */
  readonly gradientCacheChunk?: number | undefined;
  /** Batches whose gradients are averaged for one step; each has only its own documents as negatives. @default 1 */
  readonly accumulationSteps: number;
  /** Dropout after embeddings and sublayers. @default 0.1 */
  readonly dropoutRate: number;
  /** Tokens of a query. @default the model's */
  readonly queryMaxLength?: number | undefined;
  /** Tokens of a document. @default the model's */
  readonly documentMaxLength?: number | undefined;
  /** Length buckets of a batch. @default 4 */
  readonly lengthBuckets: number;
  readonly seed: number;
  /** Steps between two lines of metrics.jsonl. @default 10 */
  readonly logEvery: number;
  /** Steps between two evaluations on the dev split. @default ten times in a run */
  readonly evaluateEvery?: number | undefined;
  /** Steps between two checkpoints. @default 200 */
  readonly saveEvery: number;
  /** Checkpoints that are kept. @default 2 */
  readonly keepCheckpoints: number;
  /** The measure by which the best step is chosen. @default nDCG@10 */
  readonly devMeasure: string;
  /** Documents of the dev collection at most: the judged ones and a sample of the others. @default all */
  readonly devDocuments?: number | undefined;
}
