/** `lexray export MODEL --to FORMAT -o OUT`: a model in the form that another program takes. */
import { existsSync } from 'node:fs';
import { z } from 'zod';
import type { BeirCollection } from '../../data/load-beir.ts';
import type { HubDataset } from '../../export/st-train/script.ts';
import { stTrainSettingsSchema, trainingPrecisions } from '../../export/st-train/settings.ts';
import type { LocalData } from '../../export/st-train/training-data.ts';
import { badInput } from '../../util/errors.ts';
import { checkOutput } from '../check-output.ts';
import { formatCount } from '../format.ts';
import { modelDescription, modelFolder } from '../model-folder.ts';
import {
  choice,
  decimal,
  flag,
  integer,
  optionalInteger,
  optionalText,
  text,
  textWithDefault,
  words,
} from '../option.ts';
import { defineVerb, type Verb, type VerbContext } from '../verb.ts';

const defaults = stTrainSettingsSchema.parse({});
const share = { min: 0, max: 1 };

export const exportVerb: Verb = defineVerb({
  name: 'export',
  group: 'Models:',
  summary: 'write a model for another program',
  arguments: { model: text(modelDescription, { placeholder: 'MODEL' }) },
  options: {
    to: choice('st-train: a training run for sentence-transformers, on GPUs or many machines', ['st-train']),
    data: text('BEIR folder with training qrels, TSV triples, JSONL pairs, or hf://org/name[@revision]', {
      placeholder: 'DATA',
    }),
    dataSplit: textWithDefault('split of a BEIR folder or of a data set on the hub', { default: 'train' }),
    subset: optionalText('subset of a data set on the hub'),
    columns: words('its columns to use: query, positive, negatives (default: all, in their order)', { default: [] }),
    dev: optionalText('BEIR folder to measure on in the run', { placeholder: 'DIR' }),
    devSplit: textWithDefault('which qrels of it', { default: 'dev' }),
    nanoBeir: flag('measure on NanoBEIR in the run, from the hub'),
    epochs: decimal('passes over the rows', { default: defaults.epochs, min: 0 }),
    maxSteps: optionalInteger('stop after so many steps', { min: 1 }),
    batchSize: integer('rows of a batch, of each GPU', { default: defaults.batchSize, min: 2 }),
    accumulate: integer('batches of a GPU averaged for one step', { default: defaults.accumulation, min: 1 }),
    negatives: integer('hard negatives of a row', { default: defaults.negativesPerQuery }),
    learningRate: decimal('peak learning rate of AdamW', { default: defaults.learningRate, min: 0 }),
    warmupRatio: decimal('share of the steps with rising learning rate', { default: defaults.warmupRatio, ...share }),
    weightDecay: decimal('decay of matrices', { default: defaults.weightDecay, min: 0 }),
    maxGradientNorm: decimal('gradients are clipped to this norm', { default: defaults.maxGradientNorm, min: 0 }),
    temperature: decimal('temperature of InfoNCE', { default: defaults.temperature, min: 0 }),
    lambdaQ: decimal('λ_q, weight of FLOPS on queries', { default: defaults.queryRegularizerWeight, min: 0 }),
    lambdaD: decimal('λ_d, weight of FLOPS on documents', { default: defaults.documentRegularizerWeight, min: 0 }),
    ramp: decimal('share of the steps in which λ rises', { default: defaults.regularizerRampRatio, ...share }),
    maxLength: optionalInteger(`tokens of a text (default: ${defaults.maxLength}, or what the model has)`, { min: 1 }),
    precision: choice('what the GPUs compute in', trainingPrecisions, { default: defaults.precision }),
    gather: flag("documents of the other GPUs' batches are negatives too"),
    saveEvery: integer('steps between two checkpoints', { default: defaults.saveEvery, min: 1 }),
    keep: integer('checkpoints that are kept', { default: defaults.keepCheckpoints, min: 1 }),
  },
  output: { placeholder: 'OUT', description: 'folder to write', required: true },
  examples: [
    'lexray export rescaled --to st-train --data triples.tsv -o run',
    'lexray export rescaled --to st-train --data hf://sentence-transformers/msmarco-bm25 --subset triplet -o run',
  ],
  result: z.strictObject({
    output: z.string(),
    to: z.literal('st-train'),
    /** Rows of `train.jsonl`; absent for a data set on the hub. */
    rows: z.int().optional(),
    maxLength: z.int(),
  }),
  async run(settings, context) {
    const { output, force, seed, signal, onProgress, onWarning } = context;
    await checkOutput(output, force);
    const data = trainingData(settings);
    const [{ exportStTrain }, { modelParents }] = await Promise.all([
      import('../../export/st-train.ts'),
      import('../model-parents.ts'),
    ]);
    const dev = await devCollection(settings, context);
    const model = await modelFolder(settings.model, context);
    const { config, rows } = await exportStTrain({
      model,
      output,
      data,
      dev,
      settings: {
        epochs: settings.epochs,
        maxSteps: settings.maxSteps,
        batchSize: settings.batchSize,
        accumulation: settings.accumulate,
        negativesPerQuery: settings.negatives,
        learningRate: settings.learningRate,
        warmupRatio: settings.warmupRatio,
        weightDecay: settings.weightDecay,
        maxGradientNorm: settings.maxGradientNorm,
        temperature: settings.temperature,
        queryRegularizerWeight: settings.lambdaQ,
        documentRegularizerWeight: settings.lambdaD,
        regularizerRampRatio: settings.ramp,
        maxLength: settings.maxLength,
        precision: settings.precision,
        gatherAcrossDevices: settings.gather,
        nanoBeir: settings.nanoBeir,
        saveEvery: settings.saveEvery,
        keepCheckpoints: settings.keep,
        seed,
      },
      parents: await modelParents(model),
      force,
      signal,
      onProgress,
      onWarning,
    });
    const source = rows === undefined ? 'rows from the hub, fetched by the script' : `${formatCount(rows)} rows`;
    return {
      data: { output, to: settings.to, ...(rows !== undefined && { rows }), maxLength: config.maxLength },
      text: [
        `${source}, texts of at most ${config.maxLength} tokens`,
        `wrote ${output}; run there: pip install -r requirements.txt && torchrun --nproc-per-node 8 train.py`,
      ].join('\n'),
    };
  },
});

interface DataSettings {
  readonly data: string;
  readonly dataSplit: string;
  readonly subset: string | undefined;
  readonly columns: readonly string[];
}

/** A path that exists, or a name on the hub after `hf://`. */
function trainingData({ data, dataSplit, subset, columns }: DataSettings): LocalData | HubDataset {
  if (!data.startsWith('hf://') && existsSync(data)) {
    if (subset === undefined && columns.length === 0) return { path: data, split: dataSplit };
    throw badInput(`${data} is on this machine: it has no subset and no columns`, {
      where: data,
      cure: 'leave --subset and --columns out',
    });
  }
  const [, name, revision] = /^hf:\/\/([\w.-]+\/[\w.-]+)(?:@([\w./+-]+))?$/.exec(data) ?? [];
  if (name === undefined) {
    throw badInput(`there is no file or folder ${data}`, {
      where: data,
      cure: 'check the path; a data set on the hub is hf://org/name[@revision]',
    });
  }
  return { name, revision, subset, split: dataSplit, ...(columns.length > 0 && { columns }) };
}

async function devCollection(
  { dev, devSplit }: { readonly dev: string | undefined; readonly devSplit: string },
  { onWarning, signal }: VerbContext,
): Promise<BeirCollection | undefined> {
  if (dev === undefined) return undefined;
  const { loadBeir } = await import('../../data/load-beir.ts');
  return loadBeir(dev, { split: devSplit, onWarning, signal });
}
