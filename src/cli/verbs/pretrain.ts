/** `lexray pretrain TEXTS… -o OUT`: trains a masked language model on texts. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { PretrainOptions } from '../../train/pretrain/pretrain.ts';
import { type PretrainSettings, pretrainConfigSchema } from '../../train/pretrain/pretrain-config.ts';
import type { StartModel } from '../../train/pretrain/start-model.ts';
import { badInput, LexrayError } from '../../util/errors.ts';
import { formatCount, formatDuration, formatFixed } from '../format.ts';
import { modelDescription, modelFolder } from '../model-folder.ts';
import {
  choice,
  decimal,
  flag,
  integer,
  optionalChoice,
  optionalDecimal,
  optionalInteger,
  optionalText,
  words,
} from '../option.ts';
import { textFilesDescription, textStreamOptions } from '../text-stream-options.ts';
import { defineVerb, type Verb, type VerbContext } from '../verb.ts';

const defaults = pretrainConfigSchema.parse({ steps: 1 });
const share = { min: 0, max: 1 };

export const pretrainVerb: Verb = defineVerb({
  name: 'pretrain',
  group: 'Models:',
  summary: 'train a masked language model on texts',
  arguments: { texts: words(textFilesDescription, { placeholder: 'FILES', default: [], required: true }) },
  options: {
    model: optionalText(`${modelDescription}, to go on from`, { placeholder: 'MODEL' }),
    new: optionalChoice('or make a model with random weights', ['bert', 'roberta', 'modernbert']),
    tokenizer: optionalText('folder of its tokenizer', { placeholder: 'DIR' }),
    layers: integer('its layers', { default: 2, min: 1, max: 1024 }),
    hidden: integer('width of its tokens between layers', { default: 128, min: 1, max: 65536 }),
    heads: optionalInteger('its attention heads', { min: 1, shownDefault: 'hidden / 64' }),
    intermediate: optionalInteger('width of its feed-forward layers', {
      min: 1,
      shownDefault: '4 · hidden, or 1.5 · hidden',
    }),
    positions: integer('its longest input in tokens', { default: 512, min: 8 }),
    untied: flag('give it a decoder of its own instead of the word embeddings'),
    attentionStart: optionalChoice('what its heads look at before training', ['neighbours', 'random'], {
      shownDefault: 'neighbours where positions are learned',
    }),
    tokens: optionalInteger('train on so many tokens, special ones included', { min: 1, max: 1e15 }),
    steps: optionalInteger('or for so many steps', { min: 1 }),
    repeat: integer('how often texts are repeated: --tokens / N different ones', { default: defaults.repeat, min: 1 }),
    length: integer('tokens of a sequence at most', { default: defaults.length, min: 8 }),
    arrangement: choice('whether texts are packed into full sequences, or cut and kept apart', ['pack', 'cut'], {
      default: defaults.arrangement,
    }),
    batchSize: integer('sequences of a batch', { default: defaults.batchSize, min: 1 }),
    accumulate: integer('batches whose gradients make one step', { default: defaults.accumulationSteps, min: 1 }),
    units: optionalChoice('what is masked together, and so what is predicted', ['pieces', 'words', 'unigrams'], {
      shownDefault: 'unigrams for an expanded model, else pieces',
    }),
    labels: choice('at which of its pieces a masked unigram is predicted', ['first', 'last', 'all'], {
      default: defaults.labels,
    }),
    maskingRate: decimal('share of the tokens that are masked', { default: defaults.maskingRate, ...share }),
    replacement: choice('in their place: 80 % [MASK], 10 % random, 10 % kept, or always [MASK]', ['bert', 'mask'], {
      default: defaults.replacement,
    }),
    learningRate: decimal('peak learning rate of AdamW', { default: defaults.learningRate, min: 0 }),
    schedule: choice('how it falls after the warm-up', ['linear', 'cosine', 'constant'], {
      default: defaults.schedule,
    }),
    warmupRatio: decimal('share of the run in which it rises', { default: defaults.warmupRatio, ...share }),
    rateFloor: decimal('share of the peak at which it ends', { default: defaults.learningRateFloor, ...share }),
    weightDecay: decimal('decay of matrices', { default: defaults.weightDecay, min: 0 }),
    maxGradientNorm: decimal('gradients are clipped to this norm', { default: defaults.maxGradientNorm, min: 0 }),
    dropout: decimal('dropout rate', { default: defaults.dropoutRate, min: 0, max: 0.9 }),
    heldOut: words('texts to hold out (default: a share of FILES)', { placeholder: 'FILES', default: [] }),
    heldOutShare: optionalDecimal('share of the texts that is held out, by a hash of the text', {
      min: 0,
      max: 0.5,
      shownDefault: `${defaults.heldOutShare}`,
    }),
    heldOutSequences: integer('sequences of them that loss and accuracy are measured on', {
      default: defaults.heldOutSequences,
      min: 0,
    }),
    statisticsTexts: integer('held-out texts whose logits are looked at', {
      default: defaults.statisticsTexts,
      min: 0,
    }),
    evaluateEvery: optionalInteger('steps between two evaluations (default: ten in a run)', { min: 1 }),
    saveEvery: integer('steps between two checkpoints', { default: defaults.saveEvery, min: 1 }),
    keep: integer('checkpoints that are kept', { default: defaults.keepCheckpoints, min: 1 }),
    dtype: choice('element type of the written weights', ['f32', 'f16', 'bf16'], { default: 'f32' }),
    title: optionalText('title of the model card'),
    license: optionalText('licence of the model, as the hub spells it', { placeholder: 'SPDX' }),
    about: optionalText('Markdown file on the texts and their licences, for the model card', { placeholder: 'FILE' }),
    resume: flag('go on from the newest checkpoint in OUT.training'),
    ...textStreamOptions,
  },
  output: {
    placeholder: 'OUT',
    description: 'model folder to write; the state of the run is in OUT.training',
    required: true,
  },
  examples: [
    'lexray pretrain wiki.jsonl.gz --new bert --tokenizer tokenizer --tokens 20000000 -o backbone',
    'lexray pretrain titles.tsv --model backbone --steps 1000 --learning-rate 1e-4 --arrangement cut -o adapted',
  ],
  result: z.strictObject({
    output: z.string(),
    trainingFolder: z.string(),
    parameters: z.int(),
    steps: z.int(),
    tokens: z.int(),
    /** Passes over the texts that were begun. */
    passes: z.int(),
    seconds: z.number(),
    /** On what is held out, at the end: loss, accuracy, statistics of the logits. */
    evaluation: z.record(z.string(), z.number()),
  }),
  async run(settings, context) {
    const { pretrain } = await import('../../train/pretrain/pretrain.ts');
    const { output, force } = context;
    const result = await pretrain({
      ...(await optionsOf(settings, context)),
      output,
      force,
      resume: settings.resume,
      dtype: settings.dtype.toUpperCase() as 'F32' | 'F16' | 'BF16',
      card: { title: settings.title, license: settings.license, data: await readAbout(settings.about) },
    });
    const { config: _, ...data } = result;
    const { trainingFolder, parameters, steps, tokens, seconds, evaluation } = data;
    return {
      data,
      text: [
        `${formatCount(steps)} steps, ${formatCount(tokens)} tokens in ${formatDuration(seconds)} with ${formatCount(parameters)} parameters`,
        ...(evaluation.loss === undefined
          ? []
          : [`held out: loss ${formatFixed(evaluation.loss)}, accuracy ${formatFixed(evaluation.accuracy!)}`]),
        `metrics: ${trainingFolder}/metrics.jsonl`,
        `wrote ${output}`,
      ].join('\n'),
    };
  },
  async forecast(settings, context) {
    const { forecastPretrain } = await import('../../train/pretrain/pretrain.ts');
    const forecast = await forecastPretrain(await optionsOf(settings, context));
    return {
      seconds: forecast.seconds,
      memoryBytes: forecast.memoryBytes,
      outputBytes: forecast.parameters * 4 * (1 + 3 * settings.keep),
      basis: `3 trial steps at ${formatCount(Math.round(forecast.tokensPerSecond))} tokens/s, evaluations not counted; ${formatCount(forecast.parameters)} parameters`,
    };
  },
});

interface Settings {
  readonly texts: readonly string[];
  readonly model: string | undefined;
  readonly new: 'bert' | 'roberta' | 'modernbert' | undefined;
  readonly tokenizer: string | undefined;
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number | undefined;
  readonly intermediate: number | undefined;
  readonly positions: number;
  readonly untied: boolean;
  readonly attentionStart: 'neighbours' | 'random' | undefined;
  readonly tokens: number | undefined;
  readonly steps: number | undefined;
  readonly repeat: number;
  readonly length: number;
  readonly arrangement: 'pack' | 'cut';
  readonly batchSize: number;
  readonly accumulate: number;
  readonly units: 'pieces' | 'words' | 'unigrams' | undefined;
  readonly labels: 'first' | 'last' | 'all';
  readonly maskingRate: number;
  readonly replacement: 'bert' | 'mask';
  readonly learningRate: number;
  readonly schedule: 'linear' | 'cosine' | 'constant';
  readonly warmupRatio: number;
  readonly rateFloor: number;
  readonly weightDecay: number;
  readonly maxGradientNorm: number;
  readonly dropout: number;
  readonly heldOut: readonly string[];
  readonly heldOutShare: number | undefined;
  readonly heldOutSequences: number;
  readonly statisticsTexts: number;
  readonly evaluateEvery: number | undefined;
  readonly saveEvery: number;
  readonly keep: number;
  readonly format: 'jsonl' | 'tsv' | 'txt' | undefined;
  readonly field: readonly string[];
  readonly column: number | undefined;
  readonly invalidUtf8: 'skip' | 'replace';
}

async function optionsOf(settings: Settings, context: VerbContext): Promise<Omit<PretrainOptions, 'output'>> {
  const { signal, threads, onProgress, onWarning } = context;
  const { format, field: fields, column, invalidUtf8 } = settings;
  return {
    start: await startOf(settings, context),
    texts: settings.texts,
    heldOutTexts: settings.heldOut.length > 0 ? settings.heldOut : undefined,
    form: { format, fields, column, invalidUtf8 },
    settings: pretrainSettings(settings, context.seed),
    threads,
    signal,
    onProgress,
    onWarning,
  };
}

function pretrainSettings(settings: Settings, seed: number): PretrainSettings {
  const { tokens, steps, repeat, length, arrangement, batchSize, units, labels, maskingRate, replacement } = settings;
  const { learningRate, schedule, warmupRatio, weightDecay, maxGradientNorm } = settings;
  const { heldOutShare, heldOutSequences, statisticsTexts, evaluateEvery, saveEvery } = settings;
  return {
    ...{ tokens, steps, repeat, length, arrangement, batchSize, units, labels, maskingRate, replacement },
    ...{ learningRate, schedule, warmupRatio, weightDecay, maxGradientNorm },
    ...{ heldOutShare, heldOutSequences, statisticsTexts, evaluateEvery, saveEvery, seed },
    accumulationSteps: settings.accumulate,
    learningRateFloor: settings.rateFloor,
    dropoutRate: settings.dropout,
    keepCheckpoints: settings.keep,
  };
}

async function startOf(settings: Settings, context: VerbContext): Promise<StartModel> {
  const { model, new: type, tokenizer, layers, hidden, heads, intermediate, positions, untied } = settings;
  const { attentionStart } = settings;
  if ((model === undefined) === (type === undefined)) {
    throw new LexrayError('USAGE', 'expected either --model or --new', {
      cure: 'give a model to go on from, or the type of a new one',
    });
  }
  if (model !== undefined) {
    const shape = { tokenizer, heads, intermediate, 'attention-start': attentionStart, untied: untied || undefined };
    const given = Object.entries(shape).find(([, value]) => value !== undefined);
    if (given !== undefined) {
      throw new LexrayError('USAGE', `--${given[0]} is for a new model, and --model has its own`, {
        cure: 'leave it out, or make a model with --new',
      });
    }
    return { model: await modelFolder(model, context) };
  }
  if (tokenizer === undefined) {
    throw new LexrayError('USAGE', '--new needs --tokenizer', { cure: 'make one with lexray tokenizer train' });
  }
  return { create: { type: type!, tokenizer, layers, hidden, heads, intermediate, positions, untied, attentionStart } };
}

async function readAbout(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw badInput(`cannot read the file: ${(cause as Error).message}`, { where: path, cause, cure: 'check the path' });
  }
}
