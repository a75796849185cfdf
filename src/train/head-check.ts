/**
 * The check of a model's head before the first step, on texts of the training data and for the settings of the run: whether
 * training from it would collapse, which correction would help, and, if the run asks for it, that correction.
 */
import type { ModelFolder } from '../checkpoint/layouts/model-folder.ts';
import type { TrainingExample } from '../data/read-training-examples.ts';
import { type Correction, checkCorrection } from '../head/correction.ts';
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
import { rescaleCommand, rescaleOptions } from '../head/rescale-command.ts';
import { shortFigure } from '../head/short-figure.ts';
import { judge, type Verdict } from '../head/verdicts.ts';
import { LexrayError } from '../util/errors.ts';
import type { ProgressListener } from '../util/progress.ts';
import type { FinetuneConfig } from './finetune-config.ts';
import { headSample, settingsRecipe } from './head-sample.ts';

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
  const recipe = settingsRecipe(config, options.examples, 'this run');
  const { threads, signal, onProgress } = options;
  const texts = { texts: headSample(options.examples, config.seed), source: 'the training data' };
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
  const command = proposal && rescaleCommand(options.model, 'CORRECTED', proposal.calibration.correction);
  const told = collapse
    ? `the head ${collapse.title}: ${collapse.reason}`
    : proposal &&
      `the head is that of a masked language model, and its logits deviate by ${shortFigure(diagnosis.exactDeviation)}: runs of few steps were better with about ${proposal.calibration.target}`;

  if (typeof config.calibrate === 'number') {
    const correction: Correction = { arm: 'C', factor: config.calibrate, shift: 0 };
    checkCorrection(correction);
    return corrected(correction, { by: 'user' });
  }
  if (config.calibrate === 'auto' && proposal !== undefined) {
    return corrected(proposal.calibration.correction, calibrationOrigin(proposal.calibration), proposal.after);
  }
  const cure = command
    ? `pass --calibrate auto, or run: ${command}${proposal?.remaining ? `; even so it ${proposal.remaining.title}` : ''}`
    : noProposal && `no correction is proposed: ${noProposal}`;
  return {
    message: told && [told, cure].filter((part) => part !== undefined).join('\n'),
    proposal: command,
    correction: undefined,
  };

  /** A head whose weights stay: judged as it is trained, divided. */
  function dividedHead(factor: number): HeadCheck {
    const { cache, observed } = diagnosis;
    const after = observe(cache, { arm: 'C', factor, shift: 0 });
    const bad = collapseOf(after);
    const regularizerFactor = config.matchRegularizers ? matchedRegularizerFactor(observed, after, recipe) : 1;
    const parts = [
      ...(bad ? [`the head, divided by ${shortFigure(factor)}, ${bad.title}: ${bad.reason}`] : []),
      ...matchedWords(regularizerFactor),
    ];
    return {
      message: parts.length === 0 ? undefined : parts.join('\n'),
      proposal: undefined,
      correction: undefined,
      regularizerFactor,
    };
  }

  /** The collapse of a head with these figures instead. */
  function collapseOf(observed: ObservedFigures): Verdict | undefined {
    const { head, vocabularySize, tokenizerSize } = diagnosis;
    const { rivals } = model.checkpoint;
    const verdicts = judge({ head, observed, vocabularySize, tokenizerSize, rivals, recipe });
    return verdicts.find((verdict) => verdict.collapse);
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
    const remaining = collapseOf(after);
    const parts = [
      ...(told ? [told] : []),
      `the head is corrected: ${rescaleOptions(correction).replaceAll('--', '')}; active dimensions ${shortFigure(diagnosis.observed.activeDims.mean)} → ${shortFigure(after.activeDims.mean)}, FLOPS ${shortFigure(diagnosis.observed.flops)} → ${shortFigure(after.flops)}, spread of scores ${shortFigure(diagnosis.observed.scores.std)} → ${shortFigure(after.scores.std)}`,
      ...(remaining ? [`even so it ${remaining.title}: ${remaining.reason}`] : []),
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
  return factor === 1 ? [] : [`λ_q and λ_d are multiplied by ${shortFigure(factor)}`];
}
