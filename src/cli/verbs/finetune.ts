/** `lexray finetune MODEL --data DATA -o OUT`: trains a masked language model into a sparse retriever. */
import { join } from 'node:path';
import { z } from 'zod';
import type { BeirCollection } from '../../data/load-beir.ts';
import type { TrainingExample } from '../../data/read-training-examples.ts';
import { recipeNames } from '../../recipes/recipe-names.ts';
import type { DataSources } from '../../train/data-sources.ts';
import { type FinetuneConfig, type FinetuneSettings, finetuneConfigSchema } from '../../train/finetune-config.ts';
import { LexrayError } from '../../util/errors.ts';
import { formatCount, formatDuration, formatFixed } from '../format.ts';
import { modelDescription, modelFolder } from '../model-folder.ts';
import {
  flag,
  integer,
  optionalChoice,
  optionalChoiceOrNumber,
  optionalDecimal,
  optionalInteger,
  optionalText,
  text,
  texts,
  textWithDefault,
} from '../option.ts';
import { defineVerb, type Verb, type VerbContext } from '../verb.ts';

const defaults = finetuneConfigSchema.parse({});
const share = { min: 0, max: 1 };
/** What the recipe says unless the flag is given. */
const fromRecipe = { shownDefault: "the recipe's" };

export const finetuneVerb: Verb = defineVerb({
  name: 'finetune',
  group: 'Models:',
  summary: 'train a masked language model into a sparse retriever',
  arguments: { model: text(`${modelDescription}, to start from`, { placeholder: 'MODEL' }) },
  options: {
    data: text('BEIR folder with qrels/train.tsv, TSV triples, or JSONL pairs', { placeholder: 'DATA' }),
    corpus: optionalText('BEIR folder or file with the documents that DATA names by docid', { placeholder: 'PATH' }),
    queries: optionalText('BEIR folder or file with the queries that DATA names by qid (default: the corpus folder)', {
      placeholder: 'PATH',
    }),
    teacherScores: optionalText("file with a teacher's scores of the queries and documents that DATA names by id", {
      placeholder: 'FILE',
    }),
    dev: optionalText('BEIR folder whose dev split chooses the best step (default: DATA, if it has one)', {
      placeholder: 'DIR',
    }),
    devSplit: textWithDefault('which qrels of it', { default: 'dev' }),
    devMeasure: textWithDefault('what chooses the best step', { default: defaults.devMeasure }),
    devDocuments: optionalInteger('judged documents and a sample of the others, so many at most', { min: 1 }),
    recipe: textWithDefault(`settings by name (${recipeNames.join(', ')}) or YAML file`, { default: 'lexray' }),
    set: texts('change a setting of the recipe, NAME=VALUE, as in losses.0.temperature=0.5; may be repeated', {
      placeholder: 'NAME=VALUE',
    }),
    epochs: optionalDecimal('passes over the queries', { ...fromRecipe, min: 0 }),
    maxSteps: optionalInteger('steps of the run, whatever the epochs', { min: 1 }),
    batchSize: optionalInteger('queries of a batch', { ...fromRecipe, min: 2 }),
    negatives: optionalInteger('hard negatives of a query', fromRecipe),
    learningRate: optionalDecimal('peak learning rate of AdamW', { ...fromRecipe, min: 0 }),
    warmupRatio: optionalDecimal('share of the steps with rising learning rate', { ...fromRecipe, ...share }),
    weightDecay: optionalDecimal('decay of matrices', { ...fromRecipe, min: 0 }),
    maxGradientNorm: optionalDecimal('gradients are clipped to this norm', { ...fromRecipe, min: 0 }),
    dropout: optionalDecimal('dropout rate', { ...fromRecipe, min: 0, max: 0.9 }),
    temperature: optionalDecimal('temperature of InfoNCE', { ...fromRecipe, min: 0 }),
    lambdaQ: optionalDecimal('λ_q, weight of the regularizer on queries', { ...fromRecipe, min: 0 }),
    lambdaD: optionalDecimal('λ_d, weight of the regularizer on documents', { ...fromRecipe, min: 0 }),
    lambdaJoint: optionalDecimal('λ of joint FLOPS, on queries and documents together', { ...fromRecipe, min: 0 }),
    ramp: optionalDecimal('share of the steps in which λ rises', { ...fromRecipe, ...share }),
    targetQueryDims: optionalInteger('active dimensions of a query that λ_q is steered to', { min: 1 }),
    targetDocumentDims: optionalInteger('active dimensions of a document that λ_d is steered to', { min: 1 }),
    queryTopTerms: optionalInteger('heaviest terms of a query that are kept in training (q_K)', { min: 1 }),
    documentTopTerms: optionalInteger('heaviest terms of a document that are kept in training (d_K)', { min: 1 }),
    queryMaxLength: optionalInteger("tokens of a query (default: the recipe's, else the model's)", { min: 1 }),
    documentMaxLength: optionalInteger("tokens of a document (default: the recipe's, else the model's)", { min: 1 }),
    queryEncoder: optionalChoice('who encodes queries', ['shared', 'separate', 'static'], fromRecipe),
    calibrate: optionalChoiceOrNumber(
      'before the first step, bring the head to the scale that training likes if it is that of a masked language model or would collapse, or divide its logits by a number',
      ['auto', 'off'],
      { shownDefault: 'off, with a warning and the proposed command' },
    ),
    matchLambda: flag('multiply λ so that it weighs after the correction of the head what it weighed before'),
    headDivisor: optionalDecimal('divide the logits by this number while training, not the weights before it', {
      shownDefault: '1',
      min: 0,
    }),
    headLearningRateFactor: optionalDecimal("learning rate of the head, in units of the model's", {
      shownDefault: '1',
      min: 0,
    }),
    headScaleRate: optionalDecimal('learn a scale of the head with this learning rate', { min: 0 }),
    gradCache: optionalInteger('texts in memory at a time, with the gradient of the whole batch', { min: 1 }),
    accumulate: optionalInteger('batches whose gradients make one step; each has its own negatives only', {
      ...fromRecipe,
      min: 1,
    }),
    guard: optionalChoice('what a collapse does', ['stop', 'warn', 'off'], { shownDefault: defaults.guard.mode }),
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
    const sources = await sourcesOf(settings, context);
    const { examples, dev } = await readData({ ...settings, ...sources }, context);
    const result = await finetune({
      model: await modelFolder(settings.model, context),
      output,
      examples,
      dev,
      settings: await settingsOf(settings, context),
      sources,
      recipe: {
        recipe: (await import('../../recipes/load-recipe.ts')).loadRecipe(settings.recipe),
        overrides: settings.set,
      },
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
      settings: await settingsOf(settings, context),
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
  readonly data: string;
  readonly corpus: string | undefined;
  readonly queries: string | undefined;
  readonly teacherScores: string | undefined;
  readonly dev: string | undefined;
  readonly devSplit: string;
  readonly devMeasure: string;
  readonly devDocuments: number | undefined;
  readonly recipe: string;
  readonly set: readonly string[];
  readonly epochs: number | undefined;
  readonly maxSteps: number | undefined;
  readonly batchSize: number | undefined;
  readonly negatives: number | undefined;
  readonly learningRate: number | undefined;
  readonly warmupRatio: number | undefined;
  readonly weightDecay: number | undefined;
  readonly maxGradientNorm: number | undefined;
  readonly dropout: number | undefined;
  readonly temperature: number | undefined;
  readonly lambdaQ: number | undefined;
  readonly lambdaD: number | undefined;
  readonly lambdaJoint: number | undefined;
  readonly ramp: number | undefined;
  readonly targetQueryDims: number | undefined;
  readonly targetDocumentDims: number | undefined;
  readonly queryTopTerms: number | undefined;
  readonly documentTopTerms: number | undefined;
  readonly queryMaxLength: number | undefined;
  readonly documentMaxLength: number | undefined;
  readonly queryEncoder: FinetuneConfig['queryEncoder'] | undefined;
  readonly calibrate: FinetuneConfig['calibrate'] | undefined;
  readonly matchLambda: boolean;
  readonly headDivisor: number | undefined;
  readonly headLearningRateFactor: number | undefined;
  readonly headScaleRate: number | undefined;
  readonly gradCache: number | undefined;
  readonly accumulate: number | undefined;
  readonly guard: FinetuneConfig['guard']['mode'] | undefined;
  readonly evaluateEvery: number | undefined;
  readonly saveEvery: number;
  readonly keep: number;
  readonly resume: boolean;
}

/** Flags over `--set` over the recipe. */
async function settingsOf(given: Settings, { seed }: VerbContext): Promise<FinetuneSettings> {
  const [{ loadRecipe }, { recipeSettings }] = await Promise.all([
    import('../../recipes/load-recipe.ts'),
    import('../../train/recipe-settings.ts'),
  ]);
  const recipe = recipeSettings(loadRecipe(given.recipe), given.set);
  const flags: FinetuneSettings = {
    epochs: given.epochs,
    maxSteps: given.maxSteps,
    batchSize: given.batchSize,
    negativesPerQuery: given.negatives,
    learningRate: given.learningRate,
    warmupRatio: given.warmupRatio,
    weightDecay: given.weightDecay,
    maxGradientNorm: given.maxGradientNorm,
    dropoutRate: given.dropout,
    temperature: given.temperature,
    queryRegularizerWeight: given.lambdaQ,
    documentRegularizerWeight: given.lambdaD,
    jointRegularizerWeight: given.lambdaJoint,
    regularizerRampRatio: given.ramp,
    targetQueryActiveDims: given.targetQueryDims,
    targetDocumentActiveDims: given.targetDocumentDims,
    queryTopTerms: given.queryTopTerms,
    documentTopTerms: given.documentTopTerms,
    queryMaxLength: given.queryMaxLength,
    documentMaxLength: given.documentMaxLength,
    queryEncoder: given.queryEncoder,
    calibrate: given.calibrate,
    matchRegularizers: given.matchLambda || undefined,
    headDivisor: given.headDivisor,
    headLearningRateFactor: given.headLearningRateFactor,
    headScaleLearningRate: given.headScaleRate,
    gradientCacheChunk: given.gradCache,
    accumulationSteps: given.accumulate,
    guard: given.guard && { ...recipe.guard, mode: given.guard },
    evaluateEvery: given.evaluateEvery,
    saveEvery: given.saveEvery,
    keepCheckpoints: given.keep,
    devMeasure: given.devMeasure,
    devDocuments: given.devDocuments,
    seed,
  };
  const named = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  const losses =
    given.temperature === undefined
      ? recipe.losses
      : recipe.losses?.map((loss) => (loss.name === 'info-nce' ? { ...loss, temperature: given.temperature } : loss));
  return { ...recipe, ...named, ...(losses && { losses }) };
}

function listenersOf({
  threads,
  signal,
  onProgress,
  onWarning,
}: VerbContext): Pick<VerbContext, 'threads' | 'signal' | 'onProgress' | 'onWarning'> {
  return { threads, signal, onProgress, onWarning };
}

type DataSettings = Pick<Settings, 'data' | 'corpus' | 'queries' | 'teacherScores' | 'dev' | 'devSplit'>;

/** Where the training data are, to be kept with the settings of the run; a resumed run reads what it read before. */
async function sourcesOf(
  { data, corpus, queries, teacherScores, resume }: DataSettings & Pick<Settings, 'resume'>,
  { output }: VerbContext,
): Promise<DataSources> {
  const { readSources, trainingFolderOf } = await import('../../train/run-folder.ts');
  const before = resume ? await readSources(trainingFolderOf(output)) : undefined;
  const given = { data, corpus, queries, teacherScores };
  const named = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ...before, ...Object.fromEntries(named), data };
}

/** Training examples and the dev collection; warns when training queries are also held-out queries. */
async function readData(
  { data, corpus, queries: queriesPath, teacherScores, dev, devSplit }: DataSettings,
  { onWarning, signal }: VerbContext,
): Promise<{ examples: TrainingExample[]; dev: BeirCollection | undefined }> {
  const [{ isBeirFolder, readTrainingExamples }, { listSplits, loadBeir }, { findLeakage }] = await Promise.all([
    import('../../data/read-training-examples.ts'),
    import('../../data/load-beir.ts'),
    import('../../data/find-leakage.ts'),
  ]);
  for (const [flag, given] of Object.entries({ corpus, queries: queriesPath, 'teacher-scores': teacherScores })) {
    if (given === undefined || !isBeirFolder(data)) continue;
    throw new LexrayError(
      'USAGE',
      `--${flag} is for data in files; ${data} is a BEIR folder, which has all that is read`,
      {
        cure: 'leave it out, or give a file of ids as --data',
      },
    );
  }
  const examples = await readTrainingExamples(data, {
    corpus,
    queries: queriesPath,
    teacherScores,
    onWarning,
    signal,
  });
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
