/** `lexray export MODEL --to FORMAT -o OUT`: a model in the form that another program takes. */
import { existsSync } from 'node:fs';
import { z } from 'zod';
import type { BeirCollection } from '../../data/load-beir.ts';
import type { HubDataset } from '../../export/st-train/script.ts';
import { stTrainSettingsSchema, trainingLosses, trainingPrecisions } from '../../export/st-train/settings.ts';
import type { LocalData } from '../../export/st-train/training-data.ts';
import { badInput, LexrayError } from '../../util/errors.ts';
import { checkOutput } from '../check-output.ts';
import { formatCount } from '../format.ts';
import { modelDescription, modelFolder } from '../model-folder.ts';
import {
  choice,
  decimal,
  flag,
  integer,
  type OptionValues,
  optionalInteger,
  optionalText,
  text,
  textWithDefault,
  words,
} from '../option.ts';
import { defineVerb, type Verb, type VerbContext, type VerbResult } from '../verb.ts';

const defaults = stTrainSettingsSchema.parse({});
const share = { min: 0, max: 1 };

const options = {
  to: choice(
    'st-train: a training run for sentence-transformers, on GPUs or many machines; onnx: the model with ONNX graphs, for Transformers.js and other runtimes; sentence-transformers: a model of lexray expand as a folder that it opens',
    ['st-train', 'onnx', 'sentence-transformers'],
  ),
  data: optionalText(
    'BEIR folder with training qrels, TSV triples, JSONL pairs, or hf://org/name[@revision]; this and all below is for st-train',
    { placeholder: 'DATA' },
  ),
  dataSplit: textWithDefault('split of a BEIR folder or of a data set on the hub', { default: 'train' }),
  subset: optionalText('subset of a data set on the hub'),
  corpus: optionalText('BEIR folder or file with the documents that DATA names by docid', { placeholder: 'PATH' }),
  queries: optionalText('BEIR folder or file with the queries that DATA names by qid', { placeholder: 'PATH' }),
  teacherScores: optionalText("file with a teacher's scores of pairs by id", { placeholder: 'FILE' }),
  loss: choice("ranking loss; margin-mse and kl learn from a teacher's scores", trainingLosses, {
    default: defaults.loss,
  }),
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
  temperature: decimal('temperature of InfoNCE and of kl', { default: defaults.temperature, min: 0 }),
  lambdaQ: decimal('λ_q, weight of FLOPS on queries', { default: defaults.queryRegularizerWeight, min: 0 }),
  lambdaD: decimal('λ_d, weight of FLOPS on documents', { default: defaults.documentRegularizerWeight, min: 0 }),
  ramp: decimal('share of the steps in which λ rises', { default: defaults.regularizerRampRatio, ...share }),
  maxLength: optionalInteger(`tokens of a text (default: ${defaults.maxLength}, or what the model has)`, { min: 1 }),
  precision: choice('what the GPUs compute in', trainingPrecisions, { default: defaults.precision }),
  gather: flag("documents of the other GPUs' batches are negatives too"),
  saveEvery: integer('steps between two checkpoints', { default: defaults.saveEvery, min: 1 }),
  keep: integer('checkpoints that are kept', { default: defaults.keepCheckpoints, min: 1 }),
};

type Settings = { readonly model: string } & OptionValues<typeof options>;

export const exportVerb: Verb = defineVerb({
  name: 'export',
  group: 'Models:',
  summary: 'write a model for another program',
  arguments: { model: text(modelDescription, { placeholder: 'MODEL' }) },
  options,
  output: { placeholder: 'OUT', description: 'folder to write', required: true },
  examples: [
    'lexray export my-splade --to onnx -o my-splade-onnx',
    'lexray export my-expanded --to sentence-transformers -o for-python',
    'lexray export rescaled --to st-train --data triples.tsv -o run',
    'lexray export rescaled --to st-train --data hf://sentence-transformers/msmarco-bm25 --subset triplet -o run',
  ],
  result: z.strictObject({
    output: z.string(),
    to: z.enum(['st-train', 'onnx', 'sentence-transformers']),
    /** st-train: rows of `train.jsonl`; absent for a data set on the hub. */
    rows: z.int().optional(),
    /** st-train */
    maxLength: z.int().optional(),
    /** onnx: files of the graphs, by path in the folder. */
    files: z.array(z.string()).optional(),
    /** onnx: inputs of the graphs. */
    inputs: z.array(z.string()).optional(),
    /** sentence-transformers: dimensions of the vectors. */
    dimensions: z.int().optional(),
  }),
  async run(settings, context) {
    await checkOutput(context.output, context.force);
    if (settings.to === 'sentence-transformers') return toSentenceTransformers(settings, context);
    return settings.to === 'onnx' ? toOnnx(settings, context) : toStTrain(settings, context);
  },
});

type ExportResult = VerbResult<{
  output: string;
  to: 'st-train' | 'onnx' | 'sentence-transformers';
  dimensions?: number;
  rows?: number;
  maxLength?: number;
  files?: string[];
  inputs?: string[];
}>;

async function toOnnx(settings: Settings, context: VerbContext): Promise<ExportResult> {
  const { output, force, signal, onProgress, onWarning } = context;
  if (settings.data !== undefined) {
    throw new LexrayError('USAGE', '--to onnx takes no data', { cure: 'leave --data out' });
  }
  const [{ exportOnnx }, { modelParents }] = await Promise.all([
    import('../../export/onnx.ts'),
    import('../model-parents.ts'),
  ]);
  const model = await modelFolder(settings.model, context);
  const parents = await modelParents(model);
  const { files, inputs } = await exportOnnx({ model, output, parents, force, signal, onProgress, onWarning });
  return {
    data: { output, to: 'onnx', files: [...files], inputs: [...inputs] },
    text: `wrote ${output}: the model with ${files.join(', ')} (inputs: ${inputs.join(', ')})`,
  };
}

async function toSentenceTransformers(settings: Settings, context: VerbContext): Promise<ExportResult> {
  const { output, force, signal, onProgress, onWarning } = context;
  if (settings.data !== undefined) {
    throw new LexrayError('USAGE', '--to sentence-transformers takes no data', { cure: 'leave --data out' });
  }
  const [{ exportSentenceTransformers }, { modelParents }] = await Promise.all([
    import('../../export/sentence-transformers.ts'),
    import('../model-parents.ts'),
  ]);
  const model = await modelFolder(settings.model, context);
  const parents = await modelParents(model);
  const exported = await exportSentenceTransformers({ model, output, parents, force, signal, onProgress, onWarning });
  const { dimensions, embeddingRows, decoderRows } = exported;
  return {
    data: { output, to: 'sentence-transformers', dimensions },
    text: [
      `vectors of ${formatCount(dimensions)} dimensions; ${formatCount(embeddingRows)} empty rows were added to the word embeddings, ${formatCount(decoderRows)} terms that are never active to the decoder`,
      `wrote ${output}; terms by dimension are in its output_vocabulary.json`,
    ].join('\n'),
  };
}

async function toStTrain(settings: Settings, context: VerbContext): Promise<ExportResult> {
  const { output, force, seed, signal, onProgress, onWarning } = context;
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
      loss: settings.loss,
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
    data: { output, to: 'st-train', ...(rows !== undefined && { rows }), maxLength: config.maxLength },
    text: [
      `${source}, texts of at most ${config.maxLength} tokens`,
      `wrote ${output}; run there: pip install -r requirements.txt && torchrun --nproc-per-node 8 train.py`,
    ].join('\n'),
  };
}
/** A path that exists, or a name on the hub after `hf://`. */
function trainingData({
  data,
  dataSplit,
  subset,
  columns,
  corpus,
  queries,
  teacherScores,
}: Settings): LocalData | HubDataset {
  if (data === undefined) {
    throw new LexrayError('USAGE', '--to st-train needs --data', {
      cure: 'give a BEIR folder, a file of triples or pairs, or hf://org/name',
    });
  }
  if (!data.startsWith('hf://') && existsSync(data)) {
    if (subset === undefined && columns.length === 0) {
      return { path: data, split: dataSplit, corpus, queries, teacherScores };
    }
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
  if (corpus !== undefined || queries !== undefined || teacherScores !== undefined) {
    throw new LexrayError('USAGE', '--corpus, --queries and --teacher-scores are for data on this machine', {
      cure: 'leave them out; a data set on the hub has its scores in a column label',
    });
  }
  return { name, revision, subset, split: dataSplit, ...(columns.length > 0 && { columns }) };
}

async function devCollection(
  { dev, devSplit }: Settings,
  { onWarning, signal }: VerbContext,
): Promise<BeirCollection | undefined> {
  if (dev === undefined) return undefined;
  const { loadBeir } = await import('../../data/load-beir.ts');
  return loadBeir(dev, { split: devSplit, onWarning, signal });
}
