/** Loss and accuracy on what is held out, and the statistics of its logits: within a run, or of a model as it is. */
import { LexrayError } from '../../util/errors.ts';
import type { ProgressListener } from '../../util/progress.ts';
import { type PretrainSettings, resolvePretrainConfig } from './pretrain-config.ts';
import { openPretrainSession, type PretrainSession, type PretrainSessionOptions } from './pretrain-session.ts';

/** Evaluates a session's model; empty where nothing is held out. */
export async function evaluateHeldOut(
  { heldOut: { masked, texts }, step, observer }: Pick<PretrainSession, 'heldOut' | 'step' | 'observer'>,
  { batchSize, onProgress }: { readonly batchSize: number; readonly onProgress?: ProgressListener | undefined },
): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  const sum = { loss: 0, correct: 0, maskedCount: 0 };
  for (let start = 0; start < masked.length; start += batchSize) {
    const found = await step.evaluate(masked.slice(start, start + batchSize));
    sum.loss += found.loss;
    sum.correct += found.correct;
    sum.maskedCount += found.maskedCount;
    onProgress?.({ phase: 'evaluate', done: start, total: masked.length, unit: 'sequences' });
  }
  if (sum.maskedCount > 0) {
    figures.loss = sum.loss / sum.maskedCount;
    figures.accuracy = sum.correct / sum.maskedCount;
  }
  return { ...figures, ...(texts.length === 0 ? {} : await observer.observe(texts)) };
}

/** Options of {@link measureHeldOut}. */
export interface MeasureHeldOutOptions extends Omit<PretrainSessionOptions, 'start' | 'texts' | 'heldOutTexts'> {
  /** Model folder. */
  readonly model: string;
  /** Files to measure on, all of them held out. */
  readonly texts: readonly string[];
  /** How texts are cut and masked; what concerns training does not count. */
  readonly settings: Omit<PretrainSettings, 'tokens' | 'steps' | 'repeat'>;
}

/**
 * Measures a model that is there, with the masks and the sequences that a run with the same settings would be measured with.
 * @throws LexrayError BAD_INPUT when model and texts do not fit, CONFIG when settings do not
 */
export async function measureHeldOut(options: MeasureHeldOutOptions): Promise<Record<string, number>> {
  const { model, texts, settings, onProgress, ...others } = options;
  const config = resolvePretrainConfig({ ...settings, steps: 1, repeat: 1 });
  const session = await openPretrainSession(config, { ...others, start: { model }, texts, heldOutTexts: texts });
  try {
    const figures = await evaluateHeldOut(session, { batchSize: config.batchSize, onProgress });
    const broken = Object.entries(figures).find(([, value]) => !Number.isFinite(value));
    if (broken !== undefined) throw new LexrayError('GATE', `${broken[0]} is ${broken[1]}`, { where: model });
    return figures;
  } finally {
    await session.close();
  }
}
