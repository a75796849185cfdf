/** `lexray finetune MODEL --data DATA -o OUT`: trains a masked language model into a sparse retriever. */
import { join } from 'node:path';
import { z } from 'zod';
import type { BeirCollection } from '../../data/load-beir.ts';
import type { TrainingExample } from '../../data/read-training-examples.ts';
import { type FinetuneSettings, finetuneConfigSchema } from '../../train/finetune-config.ts';
import { formatCount, formatDuration, formatFixed } from '../format.ts';
import { modelDescription, modelFolder } from '../model-folder.ts';
import { decimal, flag, integer, optionalInteger, optionalText, text, textWithDefault } from '../option.ts';
import { defineVerb, type Verb, type VerbContext } from '../verb.ts';

const defaults = finetuneConfigSchema.parse({});
const share = { min: 0, max: 1 };

export const finetuneVerb: Verb = defineVerb({
  name: 'finetune',
  group: 'Models:',
  summary: 'train a masked language model into a sparse retriever',
  arguments: { model: text(`${modelDescription}, to start from`, { placeholder: 'MODEL' }) },
  options: {
    data: text('BEIR folder with qrels/train.tsv, TSV triples, or JSONL pairs', { placeholder: 'DATA' }),
    dev: optionalText('BEIR folder whose dev split chooses the best step (default: DATA, if it has one)', {
      placeholder: 'DIR',
    }),
    devSplit: textWithDefault('which qrels of it', { default: 'dev' }),
    devMeasure: textWithDefault('what chooses the best step', { default: defaults.devMeasure }),
    devDocuments: optionalInteger('judged documents and a sample of the others, so many at most', { min: 1 }),
    epochs: decimal('passes over the queries', { default: defaults.epochs, min: 0 }),
    maxSteps: optionalInteger('stop after so many steps', { min: 1 }),
    batchSize: integer('queries of a batch', { default: defaults.batchSize, min: 2 }),
    negatives: integer('hard negatives of a query', { default: defaults.negativesPerQuery }),
    learningRate: decimal('peak learning rate of AdamW', { default: defaults.learningRate, min: 0 }),
    warmupRatio: decimal('share of the steps with rising learning rate', { default: defaults.warmupRatio, ...share }),
    weightDecay: decimal('decay of matrices', { default: defaults.weightDecay, min: 0 }),
    maxGradientNorm: decimal('gradients are clipped to this norm', { default: defaults.maxGradientNorm, min: 0 }),
    dropout: decimal('dropout rate', { default: defaults.dropoutRate, min: 0, max: 0.9 }),
    temperature: decimal('temperature of InfoNCE', { default: defaults.temperature, min: 0 }),
    lambdaQ: decimal('λ_q, weight of FLOPS on queries', { default: defaults.queryRegularizerWeight, min: 0 }),
    lambdaD: decimal('λ_d, weight of FLOPS on documents', { default: defaults.documentRegularizerWeight, min: 0 }),
    ramp: decimal('share of the steps in which λ rises', { default: defaults.regularizerRampRatio, ...share }),
    queryMaxLength: optionalInteger("tokens of a query (default: the model's)", { min: 1 }),
    documentMaxLength: optionalInteger("tokens of a document (default: the model's)", { min: 1 }),
    evaluateEvery: optionalInteger('steps between two evaluations (default: ten in a run)', { min: 1 }),
    saveEvery: integer('steps between two checkpoints', { default: defaults.saveEvery, min: 1 }),
    keep: integer('checkpoints that are kept', { default: defaults.keepCheckpoints, min: 1 }),
    resume: flag('go on from the newest checkpoint in OUT.training'),
  },
  output: {
    placeholder: 'OUT',
    description: 'model folder to write; the state of the run is in OUT.training',
    required: true,
  },
  examples: [
    'lexray finetune bert-tiny --data scifact -o my-splade',
    'lexray finetune bert-tiny --data triples.tsv -o my-splade --learning-rate 1e-4 --lambda-q 1e-3',
  ],
  result: z.strictObject({
    output: z.string(),
    trainingFolder: z.string(),
    steps: z.int(),
    seconds: z.number(),
    best: z.strictObject({ step: z.int(), value: z.number(), measure: z.string() }).optional(),
  }),
  async run(settings, context) {
    const { finetune } = await import('../../train/finetune.ts');
    const { output, force } = context;
    const { examples, dev } = await readData(settings, context);
    const result = await finetune({
      model: await modelFolder(settings.model, context),
      output,
      examples,
      dev,
      settings: settingsOf(settings, context),
      resume: settings.resume,
      force,
      ...listenersOf(context),
    });
    const { trainingFolder, steps, seconds, config } = result;
    const best = result.best && { ...result.best, measure: config.devMeasure };
    return {
      data: { output, trainingFolder, steps, seconds, ...(best && { best }) },
      text: [
        `${formatCount(steps)} steps in ${formatDuration(seconds)}`,
        ...(best ? [`best step ${best.step}: ${best.measure} ${formatFixed(best.value)} on dev`] : []),
        `metrics: ${trainingFolder}/metrics.jsonl`,
        `wrote ${output}`,
      ].join('\n'),
    };
  },
  async forecast(settings, context) {
    const { forecastFinetune } = await import('../../train/finetune.ts');
    const { examples } = await readData(settings, context);
    const { steps, seconds, secondsPerStep, memoryBytes, parameters } = await forecastFinetune({
      model: await modelFolder(settings.model, context),
      examples,
      settings: settingsOf(settings, context),
      ...listenersOf(context),
    });
    return {
      seconds,
      memoryBytes,
      outputBytes: parameters * 4 * (1 + 3 * settings.keep + 1),
      basis: `3 trial steps of ${secondsPerStep.toFixed(2)} s; ${steps} steps, evaluations not counted`,
    };
  },
});

interface Settings {
  readonly model: string;
  readonly data: string;
  readonly dev: string | undefined;
  readonly devSplit: string;
  readonly devMeasure: string;
  readonly devDocuments: number | undefined;
  readonly epochs: number;
  readonly maxSteps: number | undefined;
  readonly batchSize: number;
  readonly negatives: number;
  readonly learningRate: number;
  readonly warmupRatio: number;
  readonly weightDecay: number;
  readonly maxGradientNorm: number;
  readonly dropout: number;
  readonly temperature: number;
  readonly lambdaQ: number;
  readonly lambdaD: number;
  readonly ramp: number;
  readonly queryMaxLength: number | undefined;
  readonly documentMaxLength: number | undefined;
  readonly evaluateEvery: number | undefined;
  readonly saveEvery: number;
  readonly keep: number;
}

function settingsOf(settings: Settings, { seed }: VerbContext): FinetuneSettings {
  return {
    epochs: settings.epochs,
    maxSteps: settings.maxSteps,
    batchSize: settings.batchSize,
    negativesPerQuery: settings.negatives,
    learningRate: settings.learningRate,
    warmupRatio: settings.warmupRatio,
    weightDecay: settings.weightDecay,
    maxGradientNorm: settings.maxGradientNorm,
    dropoutRate: settings.dropout,
    temperature: settings.temperature,
    queryRegularizerWeight: settings.lambdaQ,
    documentRegularizerWeight: settings.lambdaD,
    regularizerRampRatio: settings.ramp,
    queryMaxLength: settings.queryMaxLength,
    documentMaxLength: settings.documentMaxLength,
    evaluateEvery: settings.evaluateEvery,
    saveEvery: settings.saveEvery,
    keepCheckpoints: settings.keep,
    devMeasure: settings.devMeasure,
    devDocuments: settings.devDocuments,
    seed,
  };
}

function listenersOf({
  threads,
  signal,
  onProgress,
  onWarning,
}: VerbContext): Pick<VerbContext, 'threads' | 'signal' | 'onProgress' | 'onWarning'> {
  return { threads, signal, onProgress, onWarning };
}

/** Training examples and the dev collection; warns when training queries are also held-out queries. */
async function readData(
  { data, dev, devSplit }: Settings,
  { onWarning, signal }: VerbContext,
): Promise<{ examples: TrainingExample[]; dev: BeirCollection | undefined }> {
  const [{ readTrainingExamples }, { listSplits, loadBeir }, { findLeakage }] = await Promise.all([
    import('../../data/read-training-examples.ts'),
    import('../../data/load-beir.ts'),
    import('../../data/find-leakage.ts'),
  ]);
  const examples = await readTrainingExamples(data, { onWarning, signal });
  // A split that was asked for must be there; only the usual one may be missing.
  const hasDev = dev !== undefined || devSplit !== 'dev' || (await listSplits(data)).includes(devSplit);
  const collection = hasDev ? await loadBeir(dev ?? data, { split: devSplit, onWarning, signal }) : undefined;
  const queries = examples.map(({ query }) => query);
  for (const folder of new Set([data, ...(dev === undefined ? [] : [dev])])) {
    for (const split of await listSplits(folder)) {
      if (split === 'train') continue;
      const heldOut = await loadBeir(folder, { split, signal });
      const texts = heldOut.queries.map((query) => query.text);
      const warn = (message: string): void => onWarning(`${join(folder, 'qrels', split)}: ${message}`);
      findLeakage(queries, texts, { what: 'queries', onWarning: warn });
    }
  }
  return { examples, dev: collection };
}
