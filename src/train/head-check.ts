/**
 * The check of a model's head before the first step, on texts of the training data and for the settings of the run: whether
 * training from it would collapse, which correction would help, and, if the run asks for it, that correction.
 */
import type { ModelFolder } from '../checkpoint/layouts/model-folder.ts';
import type { TrainingExample } from '../data/read-training-examples.ts';
import type { Correction } from '../head/correction.ts';
import {
  type CorrectionOrigin,
  calibrationOrigin,
  type RecordedFigures,
  type RecordedTexts,
  recordedFigures,
} from '../head/correction-record.ts';
import { type Diagnosis, diagnose } from '../head/diagnose.ts';
import { matchedRegularizerFactor } from '../head/matched-regularizers.ts';
import { type ObservedFigures, observe } from '../head/observed.ts';
import { type JudgedRecipe, judgedRecipe } from '../head/recipes.ts';
import { judge } from '../head/verdicts.ts';
import { LexrayError } from '../util/errors.ts';
import type { ProgressListener } from '../util/progress.ts';
import { Random } from '../util/random.ts';
import type { FinetuneConfig } from './finetune-config.ts';

/** What was done to a head before training; plain data, kept beside the run's settings. */
export interface HeadCorrection extends Correction {
  readonly found: CorrectionOrigin;
  readonly texts: RecordedTexts;
  readonly before: RecordedFigures;
  readonly after: RecordedFigures;
  /** By how much λ_q and λ_d were multiplied, so that the penalty weighs beside the ranking loss what it weighed before. */
  readonly regularizerFactor: number;
}

/** What the check found. */
export interface HeadCheck {
  /** What a user should know, in a few sentences; undefined for a healthy head that is left as it is. */
  readonly message: string | undefined;
  /** The correction that a run without calibration should have, for a run that dies all the same; undefined: none. */
  readonly proposal: string | undefined;
  /** What is done to the head; undefined: nothing. */
  readonly correction: HeadCorrection | undefined;
  /** For a head that is divided while it is trained: by how much λ_q and λ_d are multiplied. */
  readonly regularizerFactor?: number | undefined;
}

/** Options of {@link checkHead}. */
export interface HeadCheckOptions {
  /** Where the model is, for the command that is proposed. */
  readonly model: string;
  readonly examples: readonly TrainingExample[];
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** Texts that are encoded at most. */
const mostTexts = 256;

/**
 * Checks a head.
 * @throws LexrayError CONFIG when a factor is asked for that cannot be, or λ to be matched without a ranking loss that the
 * pass can compute, or a correction beside a divisor; INTERRUPTED when the signal fires
 */
export async function checkHead(
  model: ModelFolder,
  config: FinetuneConfig,
  options: HeadCheckOptions,
): Promise<HeadCheck> {
  if (config.headDivisor !== undefined && config.calibrate !== 'off') {
    throw new LexrayError('CONFIG', 'a head is corrected before training, or divided while it is trained, not both', {
      cure: 'leave out --calibrate or --head-divisor',
    });
  }
  const recipe = recipeOf(config, options.examples.length);
  const { threads, signal, onProgress } = options;
  const texts = { texts: sampleOf(options.examples, config.seed), source: 'the training data' };
  let diagnosis: Diagnosis;
  try {
    diagnosis = await diagnose(model, { texts, recipe, seed: config.seed, threads, signal, onProgress });
  } catch (error) {
    // Too few texts for a diagnosis are no reason not to train.
    if (!(error instanceof LexrayError) || error.code !== 'BAD_INPUT' || config.calibrate !== 'off') throw error;
    return { message: `the head was not checked: ${error.message}`, proposal: undefined, correction: undefined };
  }
  if (config.headDivisor !== undefined) return dividedHead(config.headDivisor);
  const collapse = diagnosis.verdicts.find((verdict) => verdict.collapse);
  const { proposal, noProposal } = diagnosis;
  const command =
    proposal && `lexray rescale ${options.model} -o CORRECTED ${correctionFlags(proposal.calibration.correction)}`;
  const told = collapse
    ? `the head ${collapse.title}: ${collapse.reason}`
    : proposal &&
      `the head is that of a masked language model, and its logits deviate by ${round(diagnosis.exactDeviation)}: short runs were better with about ${proposal.calibration.target}`;

  if (typeof config.calibrate === 'number') {
    const correction: Correction = { arm: 'C', factor: config.calibrate, shift: 0 };
    return corrected(correction, { by: 'user' });
  }
  if (config.calibrate === 'auto' && proposal !== undefined) {
    return corrected(proposal.calibration.correction, calibrationOrigin(proposal.calibration), proposal.after);
  }
  const cure = command
    ? `pass --calibrate auto, or run: ${command}`
    : noProposal && `no correction is proposed: ${noProposal}`;
  return {
    message: told && [told, cure].filter((part) => part !== undefined).join('\n'),
    proposal: command,
    correction: undefined,
  };

  /** A head whose weights stay: judged as it is trained, divided. */
  function dividedHead(factor: number): HeadCheck {
    const { head, cache, observed, vocabularySize, tokenizerSize } = diagnosis;
    const after = observe(cache, { arm: 'C', factor, shift: 0 });
    const { rivals } = model.checkpoint;
    const verdicts = judge({ head, observed: after, vocabularySize, tokenizerSize, rivals, recipe });
    const bad = verdicts.find((verdict) => verdict.collapse);
    const regularizerFactor = config.matchRegularizers ? matchedRegularizerFactor(observed, after, recipe) : 1;
    const parts = [
      ...(bad ? [`the head, divided by ${round(factor)}, ${bad.title}: ${bad.reason}`] : []),
      ...matchedWords(regularizerFactor),
    ];
    return {
      message: parts.length === 0 ? undefined : parts.join('\n'),
      proposal: undefined,
      correction: undefined,
      regularizerFactor,
    };
  }

  async function corrected(
    correction: Correction,
    found: CorrectionOrigin,
    known?: ObservedFigures,
  ): Promise<HeadCheck> {
    const after = known ?? observe(diagnosis.cache, correction);
    const regularizerFactor = config.matchRegularizers
      ? matchedRegularizerFactor(diagnosis.observed, after, recipe)
      : 1;
    const parts = [
      ...(told ? [told] : []),
      `the head is corrected: ${correctionFlags(correction).replaceAll('--', '')}; active dimensions ${round(diagnosis.observed.activeDims.mean)} → ${round(after.activeDims.mean)}, spread of scores ${round(diagnosis.observed.scores.std)} → ${round(after.scores.std)}`,
      ...matchedWords(regularizerFactor),
    ];
    const { count, sha256, source } = diagnosis.texts;
    return {
      message: parts.join('\n'),
      proposal: undefined,
      correction: {
        ...correction,
        found,
        texts: { count, sha256, source },
        before: recordedFigures(diagnosis.observed),
        after: recordedFigures(after),
        regularizerFactor,
      },
    };
  }
}

function matchedWords(factor: number): string[] {
  return factor === 1 ? [] : [`λ_q and λ_d are multiplied by ${round(factor)}`];
}

/** `--factor 8 --arm D --shift 1.5` */
function correctionFlags({ arm, factor, shift }: Correction): string {
  const figure = (x: number): string => String(Number(x.toPrecision(6)));
  return `--factor ${figure(factor)} --arm ${arm}${shift === 0 ? '' : ` --shift ${figure(shift)}`}`;
}

/** The run as a recipe that a head is judged for. */
function recipeOf(config: FinetuneConfig, examples: number): JudgedRecipe {
  const epochSteps = Math.ceil((examples * config.epochs) / (config.batchSize * config.accumulationSteps));
  return judgedRecipe({
    name: 'this run',
    title: 'the settings of this run',
    source: 'the settings of this run',
    needs: [],
    settings: { ...config },
    usualSteps: config.maxSteps ?? epochSteps,
    origins: [],
    expected: [],
    notes: [],
  });
}

/** Queries and positives of some examples, drawn by the seed. */
function sampleOf(examples: readonly TrainingExample[], seed: number): string[] {
  const order = new Random(seed).shuffle(Uint32Array.from(examples, (_, i) => i));
  const texts = new Set<string>();
  for (const i of order) {
    if (texts.size >= mostTexts) break;
    const { query, positive } = examples[i]!;
    for (const text of [positive, query]) if (text.trim() !== '') texts.add(text);
  }
  return [...texts];
}

function round(x: number): string {
  return String(Number(x.toPrecision(4)));
}
