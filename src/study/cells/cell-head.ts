/**
 * The head of a cell: the backbone with its logits multiplied by the gain g, judged on texts of the training data, and corrected.
 *
 * Gain and correction act on the same tensors, so that only g/k counts in arm C (the net scale); a gain is an arm, C unless
 * said, with the factor 1/g. Texts are the same for every seed, so that seeds of a cell start from the same head.
 */
import { join } from 'node:path';
import { type ModelFolder, openModelFolder } from '../../checkpoint/layouts/model-folder.ts';
import type { TrainingExample } from '../../data/read-training-examples.ts';
import { calibrate, shiftFor } from '../../head/calibrate.ts';
import type { Correction } from '../../head/correction.ts';
import { recordedFigures } from '../../head/correction-record.ts';
import { type Diagnosis, diagnose, encodeForDiagnosis } from '../../head/diagnose.ts';
import type { CollapseRules } from '../../head/foreseen-collapse.ts';
import { headStatistics } from '../../head/head-statistics.ts';
import { matchedRegularizerFactor } from '../../head/matched-regularizers.ts';
import { type ObservedFigures, observe } from '../../head/observed.ts';
import { rescale } from '../../head/rescale.ts';
import { SeenScores } from '../../head/seen-scores.ts';
import type { StatisticName } from '../../head/targets/statistic-names.ts';
import { judge, type Verdict } from '../../head/verdicts.ts';
import type { FinetuneConfig } from '../../train/finetune-config.ts';
import { headSample, settingsRecipe } from '../../train/head-sample.ts';
import { LexrayError } from '../../util/errors.ts';
import type { CellWork } from './cell-kind.ts';
import type { FinetuneCellSettings } from './finetune-settings.ts';

/** A head that is ready to be trained, and what is known of it. */
export interface CellHead {
  /** The model folder to train from. */
  readonly model: string;
  /** Settings of training that follow from the head. */
  readonly training: Partial<Omit<FinetuneConfig, 'seed'>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly facts: Readonly<Record<string, string>>;
}

/**
 * Defaults that the designs of committed results do not name. Cells stay at what they were then, whatever becomes of those of the
 * product, so that a line gives the same again.
 */
const pinned = { rules: 'first-look', activationRate: 0.4 } as const;
/** Targets for which the factor of a statistic is recorded; a statistic without is at its own. */
const proposedTargets: Readonly<Partial<Record<StatisticName, readonly number[]>>> = {
  'score-spread': [0.25, 0.5, 1, 2, 4],
  entropy: [0.6, 0.7, 0.8, 0.9],
  'exact-deviation': [0.5, 1, 2],
  'closed-form': [0.5, 1, 2],
};
const proposedStatistics: readonly StatisticName[] = [
  'score-spread',
  'entropy',
  'info-nce',
  'exact-deviation',
  'closed-form',
  'norm-above-2',
  'bert-norm',
];

/**
 * Makes the head of a cell.
 * @throws LexrayError BAD_INPUT when a statistic finds no factor, or there are too few texts for it
 */
export async function prepareHead(
  settings: FinetuneCellSettings,
  examples: readonly TrainingExample[],
  work: CellWork,
): Promise<CellHead> {
  const { backbone, gain, gainArm, proposals } = settings;
  let folder = work.at(backbone);
  const { norm } = await withModel(folder, ({ checkpoint }) => headStatistics(checkpoint));
  // What takes the gain away again.
  let undo: Correction = { arm: gainArm, factor: gain, shift: 0 };
  if (gain !== 1 || gainArm === 'D') {
    const scaled = join(work.folder, 'scaled');
    await withModel(folder, async (model) => {
      const shift = gainArm === 'D' ? await ownShift(model, examples, work) : 0;
      undo = { arm: gainArm, factor: gain, shift: -shift * gain };
      await rescale(model, scaled, { arm: gainArm, factor: 1 / gain, shift });
    });
    folder = scaled;
  }
  return withModel(folder, async (model) => {
    const diagnosis = await diagnoseFor(model, settings, examples, work);
    const { head, cache, recipe } = diagnosis;
    const corrected = await correctHead(settings, diagnosis, { model, folder, examples }, work);
    const { applied, again } = corrected;
    const observed = again?.observed ?? (applied === undefined ? diagnosis.observed : observe(cache, applied));
    const { vocabularySize, tokenizerSize } = diagnosis;
    const { rivals } = model.checkpoint;
    const verdicts =
      again?.verdicts ??
      (applied === undefined
        ? diagnosis.verdicts
        : judge({ head, observed, vocabularySize, tokenizerSize, rivals, recipe }, rulesFor(settings)));
    const lambda = settings.matchLambda ? matchedRegularizerFactor(observe(cache, undo), observed, recipe) : 1;
    const { queryRegularizerWeight, documentRegularizerWeight } = settings.training;
    const { metrics, facts } = judged(observed, verdicts);
    return {
      model: corrected.model,
      training: {
        ...corrected.training,
        queryRegularizerWeight: queryRegularizerWeight * lambda,
        documentRegularizerWeight: documentRegularizerWeight * lambda,
      },
      metrics: {
        ...prefixed('backbone', figuresOf(diagnosis.observed)),
        'backbone rowNorm': head.norm.mean,
        'backbone anisotropy': head.anisotropy,
        'backbone closedForm': head.closedFormDeviation,
        'backbone exactDeviation': diagnosis.exactDeviation,
        ...(proposals && settings.correction === 'none' ? proposedFactors(diagnosis) : {}),
        ...corrected.metrics,
        lambdaFactor: lambda,
        // Of the logits: by which route the scale is stored makes no difference.
        'head rowNorm': (norm.mean * gain) / (applied?.factor ?? again?.factor ?? 1),
        ...metrics,
      },
      facts,
    };
  });
}

/** What became of a head. */
interface CorrectedHead {
  readonly model: string;
  readonly training: CellHead['training'];
  readonly metrics: Readonly<Record<string, number>>;
  /** What stands between the diagnosis and the head that is trained; undefined where nothing does. */
  readonly applied?: Correction | undefined;
  /** A head whose inputs changed too, diagnosed again. */
  readonly again?: {
    readonly observed: ObservedFigures;
    readonly verdicts: readonly Verdict[];
    readonly factor: number;
  };
}

async function correctHead(
  settings: FinetuneCellSettings,
  diagnosis: Diagnosis,
  {
    model,
    folder,
    examples,
  }: { readonly model: ModelFolder; readonly folder: string; readonly examples: readonly TrainingExample[] },
  work: CellWork,
): Promise<CorrectedHead> {
  const { correction: wanted, training } = settings;
  const correction = correctionOf(wanted, diagnosis);
  if (correction === undefined) {
    const divisor = training.headDivisor;
    const applied: Correction | undefined = divisor === undefined ? undefined : { arm: 'C', factor: divisor, shift: 0 };
    return { model: folder, training: {}, metrics: {}, applied };
  }
  const { factor, shift } = correction;
  const metrics = { factor, shift };
  const { by = 'weights', route = undefined } = typeof wanted === 'object' ? wanted : {};
  if (by === 'divisor') return { model: folder, training: { headDivisor: factor }, metrics, applied: correction };
  if (by === 'learning-rate') return { model: folder, training: { headLearningRateFactor: factor }, metrics };
  const output = join(work.folder, 'corrected');
  await rescale(model, output, correction, { route });
  if (correction.arm !== 'A') return { model: output, training: {}, metrics, applied: correction };
  const { observed, verdicts } = await withModel(output, (after) => diagnoseFor(after, settings, examples, work));
  return { model: output, training: {}, metrics, again: { observed, verdicts, factor } };
}

/** c of arm D for the backbone as it is. */
async function ownShift(
  model: ModelFolder,
  examples: readonly TrainingExample[],
  { threads, signal, onProgress }: CellWork,
): Promise<number> {
  const texts = { texts: headSample(examples, 0), source: 'the training data' };
  const { cache } = await encodeForDiagnosis(model, { texts, seed: 0, threads, signal, onProgress });
  return shiftFor(cache, pinned.activationRate);
}

function diagnoseFor(
  model: ModelFolder,
  settings: FinetuneCellSettings,
  examples: readonly TrainingExample[],
  { threads, signal, onProgress }: CellWork,
): Promise<Diagnosis> {
  return diagnose(model, {
    texts: { texts: headSample(examples, 0), source: 'the training data' },
    recipe: settingsRecipe(settings.training, examples, 'this cell'),
    rules: rulesFor(settings),
    seed: 0,
    threads,
    signal,
    onProgress,
  });
}

/** Rules of the verdicts: of today where the cell does what `finetune --calibrate auto` does. */
function rulesFor({ correction }: FinetuneCellSettings): CollapseRules {
  return correction === 'auto' ? 'calibration-study' : pinned.rules;
}

/** What is done to the head; undefined for nothing. */
function correctionOf(wanted: FinetuneCellSettings['correction'], diagnosis: Diagnosis): Correction | undefined {
  if (wanted === 'none') return undefined;
  if (wanted === 'auto') return diagnosis.proposal?.calibration.correction;
  const { arm, factor, statistic, target, shift, activationRate = pinned.activationRate } = wanted;
  if (factor === undefined) return calibrate(diagnosis, { arm, statistic, target, activationRate }).correction;
  const own = arm === 'D' ? (shift ?? shiftFor(diagnosis.cache, activationRate)) : (shift ?? 0);
  return { arm, factor, shift: own };
}

/** The factors of arm C that the statistics would choose; one that finds none is left out. */
function proposedFactors(diagnosis: Diagnosis): Record<string, number> {
  const found: Record<string, number> = {};
  const seen = new SeenScores();
  for (const statistic of proposedStatistics) {
    for (const target of proposedTargets[statistic] ?? [undefined]) {
      try {
        const { correction } = calibrate(diagnosis, { arm: 'C', statistic, target }, seen);
        found[`k ${statistic}${target === undefined ? '' : `@${target}`}`] = correction.factor;
      } catch (error) {
        if (!(error instanceof LexrayError) || (error.code !== 'BAD_INPUT' && error.code !== 'USAGE')) throw error;
      }
    }
  }
  return found;
}

function judged(observed: ObservedFigures, verdicts: readonly Verdict[]): Pick<CellHead, 'metrics' | 'facts'> {
  const collapse = verdicts.find((verdict) => verdict.collapse);
  return {
    metrics: { ...prefixed('head', figuresOf(observed)), predictedCollapse: collapse ? 1 : 0 },
    facts: { predicted: collapse?.kind ?? 'healthy', ...(collapse && { predictedBecause: collapse.reason }) },
  };
}

/** Figures that are numbers: what is undefined for these texts is left out. */
function figuresOf(observed: ObservedFigures): Record<string, number> {
  const figures = { ...recordedFigures(observed), activeShare: observed.activeShare, infoNce: observed.pairs?.infoNce };
  return Object.fromEntries(
    Object.entries(figures).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  );
}

function prefixed(prefix: string, figures: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${prefix} ${name}`, value]));
}

async function withModel<T>(folder: string, use: (model: ModelFolder) => Promise<T>): Promise<T> {
  const model = await openModelFolder(folder);
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}
