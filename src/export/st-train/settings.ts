/**
 * The recipe of an exported training run. The defaults are those of arXiv 2606.18811, as far as they are known: one epoch of
 * triplets, InfoNCE with τ = 1 and FLOPS, AdamW at 1e-4 with linear decay after 10 % warm-up, λ_q 5e-2 and λ_d 3e-3 rising
 * quadratically over the first third, 64 queries a GPU, 256 tokens, bfloat16, no distillation.
 */
import { z } from 'zod';
import type { FinetuneConfig } from '../../train/finetune-config.ts';

/** Number formats in which a run can compute. */
export const trainingPrecisions = ['bf16', 'fp16', 'fp32'] as const;

/** Ranking losses of a run: of a batch's documents, or after a teacher's scores of each row. */
export const trainingLosses = ['info-nce', 'margin-mse', 'kl'] as const;

/** The settings that mean the same here as in Lexray's own training. */
type FinetunePart = Pick<
  FinetuneConfig,
  | 'epochs'
  | 'maxSteps'
  | 'batchSize'
  | 'negativesPerQuery'
  | 'learningRate'
  | 'warmupRatio'
  | 'weightDecay'
  | 'maxGradientNorm'
  | 'temperature'
  | 'queryRegularizerWeight'
  | 'documentRegularizerWeight'
  | 'regularizerRampRatio'
  | 'seed'
  | 'logEvery'
  | 'saveEvery'
  | 'keepCheckpoints'
>;

/** Resolved settings of an exported run. */
export interface StTrainConfig extends FinetunePart {
  /** `margin-mse` and `kl` learn from a teacher's scores, which the data must have. @default 'info-nce' */
  readonly loss: (typeof trainingLosses)[number];
  /**
   * Batches of a GPU whose gradients are averaged for one step. Without `gatherAcrossDevices`, one GPU with 8 makes the steps
   * of eight GPUs. @default 1
   */
  readonly accumulation: number;
  /** Tokens of a text, query or document. @default 256, or what the model has positions for */
  readonly maxLength: number;
  /** Where a GPU does not support it, the script computes in float32 and says so. @default 'bf16' */
  readonly precision: (typeof trainingPrecisions)[number];
  /** Documents of the other GPUs' batches are negatives too; the paper does not say. @default false */
  readonly gatherAcrossDevices: boolean;
  /** Measure on NanoBEIR, from the hub, ten times in the run. @default false */
  readonly nanoBeir: boolean;
}

/** Settings as a user gives them; what is absent has its default. */
export type StTrainSettings = { readonly [Key in keyof StTrainConfig]?: StTrainConfig[Key] | undefined };

const rate = z.number().min(0).max(1e6);
const share = z.number().min(0).max(1);
const count = z
  .int()
  .min(1)
  .max(2 ** 31 - 1);

/** The schema of {@link StTrainConfig}. */
export const stTrainSettingsSchema: z.ZodType<StTrainConfig, StTrainSettings> = z.strictObject({
  loss: z.enum(trainingLosses).default('info-nce'),
  epochs: z.number().positive().max(1e6).default(1),
  maxSteps: count.optional(),
  batchSize: z.int().min(2).max(65536).default(64),
  negativesPerQuery: z.int().min(0).max(1000).default(1),
  learningRate: rate.default(1e-4),
  warmupRatio: share.default(0.1),
  weightDecay: rate.default(0),
  maxGradientNorm: z.number().positive().max(1e6).default(1),
  temperature: z.number().min(1e-6).max(1e6).default(1),
  queryRegularizerWeight: rate.default(5e-2),
  documentRegularizerWeight: rate.default(3e-3),
  regularizerRampRatio: share.default(1 / 3),
  accumulation: z.int().min(1).max(65536).default(1),
  maxLength: count.default(256),
  precision: z.enum(trainingPrecisions).default('bf16'),
  gatherAcrossDevices: z.boolean().default(false),
  nanoBeir: z.boolean().default(false),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(42),
  logEvery: count.default(10),
  saveEvery: count.default(500),
  keepCheckpoints: z.int().min(1).max(1000).default(2),
});
