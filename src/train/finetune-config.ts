/** The settings of a fine-tuning run, with their defaults and limits. The resolved settings are kept beside every result. */
import { z } from 'zod';

const rate = z.number().min(0).max(1e6);
const share = z.number().min(0).max(1);
const count = z
  .int()
  .min(1)
  .max(2 ** 31);

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
  temperature: z.number().positive().default(1),
  queryRegularizerWeight: rate.default(5e-5),
  documentRegularizerWeight: rate.default(1e-3),
  regularizerRampRatio: share.default(1 / 3),
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
export type FinetuneSettings = { readonly [Key in keyof FinetuneConfig]?: FinetuneConfig[Key] | undefined };

/** Resolved settings of a run. */
export interface FinetuneConfig {
  /** Passes over the queries. @default 1 */
  readonly epochs: number;
  /** Stop after so many steps, whatever `epochs` says. @default none */
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
  /** Temperature τ of InfoNCE. @default 1 */
  readonly temperature: number;
  /** λ_q of FLOPS. @default 5e-5 */
  readonly queryRegularizerWeight: number;
  /** λ_d of FLOPS. @default 1e-3 */
  readonly documentRegularizerWeight: number;
  /** Share of the steps in which λ rises quadratically from 0. @default 1/3 */
  readonly regularizerRampRatio: number;
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
