/** The settings of a pre-training run, with their defaults and limits. The resolved settings are kept beside every result. */
import { z } from 'zod';
import { LexrayError } from '../../util/errors.ts';
import { schemaComplaint } from '../../util/schema-complaint.ts';

const rate = z.number().min(0).max(1e6);
const share = z.number().min(0).max(1);
const count = z
  .int()
  .min(1)
  .max(2 ** 31);
const seed = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);

/** The schema of {@link PretrainConfig}. */
export const pretrainConfigSchema: z.ZodType<PretrainConfig, PretrainSettings> = z
  .strictObject({
    tokens: z.int().min(1).max(1e15).optional(),
    steps: count.optional(),
    repeat: count.default(1),
    length: z.int().min(8).max(65536).default(128),
    arrangement: z.enum(['pack', 'cut']).default('pack'),
    batchSize: z.int().min(1).max(65536).default(32),
    accumulationSteps: z.int().min(1).max(65536).default(1),
    units: z.enum(['pieces', 'words', 'unigrams']).optional(),
    labels: z.enum(['first', 'last', 'all']).default('first'),
    maskingRate: z.number().gt(0).lt(1).default(0.15),
    replacement: z.enum(['bert', 'mask']).default('bert'),
    learningRate: z.number().min(0).default(5e-4),
    schedule: z.enum(['linear', 'cosine', 'constant']).default('linear'),
    warmupRatio: share.default(0.06),
    learningRateFloor: share.default(0),
    weightDecay: rate.default(0.01),
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.98),
    epsilon: z.number().positive().max(1).default(1e-6),
    maxGradientNorm: z.number().positive().default(1),
    dropoutRate: z.number().min(0).max(0.9).default(0.1),
    lengthBuckets: z.int().min(1).max(32).default(4),
    heldOutShare: z.number().gt(0).max(0.5).default(0.01),
    heldOutSeed: seed.default(0),
    heldOutSequences: z.int().min(0).max(1e6).default(256),
    statisticsTexts: z.int().min(0).max(65536).default(128),
    seed: seed.default(0),
    logEvery: count.default(20),
    evaluateEvery: count.optional(),
    saveEvery: count.default(500),
    keepCheckpoints: z.int().min(1).max(1000).default(2),
  })
  .refine(({ tokens, steps }) => (tokens === undefined) !== (steps === undefined), {
    error: 'expected either tokens or steps',
    path: ['tokens'],
  })
  .refine(({ tokens, repeat }) => repeat === 1 || tokens !== undefined, {
    error: 'a repetition needs a number of tokens',
    path: ['repeat'],
  });

/** Settings as a user gives them; what is absent has its default. */
export type PretrainSettings = { readonly [Key in keyof PretrainConfig]?: PretrainConfig[Key] | undefined };

/** Resolved settings of a run. */
export interface PretrainConfig {
  /** Tokens of all sequences that are trained on, special tokens included; or else `steps`. */
  readonly tokens?: number | undefined;
  readonly steps?: number | undefined;
  /** How often texts are repeated: `tokens` / `repeat` different ones. @default 1: as many as there are */
  readonly repeat: number;
  /** Tokens of a sequence at most. @default 128 */
  readonly length: number;
  /** Whether texts are packed into full sequences or kept apart. @default 'pack' */
  readonly arrangement: 'pack' | 'cut';
  /** Sequences of a batch. @default 32 */
  readonly batchSize: number;
  /** Batches whose gradients are averaged for one step. @default 1 */
  readonly accumulationSteps: number;
  /** What is masked together, and so what is predicted. @default unigrams for a model of unigrams, else pieces */
  readonly units?: 'pieces' | 'words' | 'unigrams' | undefined;
  /** At which pieces a masked unigram is predicted. @default 'first' */
  readonly labels: 'first' | 'last' | 'all';
  /** Share of the tokens that are masked. @default 0.15 */
  readonly maskingRate: number;
  /** What stands in their place: [MASK], random tokens or the tokens themselves (80, 10 and 10 %), or always [MASK]. @default 'bert' */
  readonly replacement: 'bert' | 'mask';
  /** Peak learning rate of AdamW. @default 5e-4 */
  readonly learningRate: number;
  /** How the learning rate falls after the warm-up. @default 'linear' */
  readonly schedule: 'linear' | 'cosine' | 'constant';
  /** Share of the run in which the learning rate rises linearly. @default 0.06 */
  readonly warmupRatio: number;
  /** Share of the peak rate at which it ends. @default 0 */
  readonly learningRateFloor: number;
  /** On matrices only, not on biases and LayerNorm. @default 0.01 */
  readonly weightDecay: number;
  readonly beta1: number;
  /** @default 0.98, as RoBERTa */
  readonly beta2: number;
  readonly epsilon: number;
  /** Global norm to which gradients are clipped. @default 1 */
  readonly maxGradientNorm: number;
  /** @default 0.1 */
  readonly dropoutRate: number;
  /** Length buckets of a batch. @default 4 */
  readonly lengthBuckets: number;
  /** Share of the texts that are never trained on, by a hash of the text. @default 0.01 */
  readonly heldOutShare: number;
  /** Which of them; apart from `seed`, so that runs can be compared. @default 0 */
  readonly heldOutSeed: number;
  /** Sequences of them on which loss and accuracy are measured; 0: not measured. @default 256 */
  readonly heldOutSequences: number;
  /** Held-out texts whose pooled logits are looked at; 0: not looked at. @default 128 */
  readonly statisticsTexts: number;
  readonly seed: number;
  /** Steps between two lines of metrics. @default 20 */
  readonly logEvery: number;
  /** Steps between two evaluations. @default ten in a run */
  readonly evaluateEvery?: number | undefined;
  /** Steps between two checkpoints. @default 500 */
  readonly saveEvery: number;
  readonly keepCheckpoints: number;
}

/**
 * Fills in defaults.
 * @throws LexrayError CONFIG that names the setting
 */
export function resolvePretrainConfig(settings: PretrainSettings): PretrainConfig {
  const parsed = pretrainConfigSchema.safeParse(settings);
  if (parsed.success) return parsed.data;
  throw new LexrayError('CONFIG', `setting ${schemaComplaint(parsed.error, settings, '(all)')}`, {
    cure: 'see lexray pretrain --help',
  });
}

/**
 * Factor of the learning rate at a place of the run: a linear rise to 1, then a fall to `floor`.
 * @param progress share of the run that is done, in the middle of the step, so that no step is without effect
 */
export function rateAt(
  progress: number,
  {
    schedule,
    warmupRatio,
    learningRateFloor: floor,
  }: Pick<PretrainConfig, 'schedule' | 'warmupRatio' | 'learningRateFloor'>,
): number {
  if (progress < warmupRatio) return progress / warmupRatio;
  if (schedule === 'constant') return 1;
  const left = Math.max(0, Math.min(1, (1 - progress) / (1 - warmupRatio)));
  return floor + (1 - floor) * (schedule === 'linear' ? left : (1 - Math.cos(Math.PI * left)) / 2);
}
