/**
 * Arm A, the fix of arXiv 2606.18811, changes the encoder at every factor: each needs a pass of its own. A sweep runs one for
 * each of the paper's factors and chooses the one whose statistic is nearest to its target.
 */
import type { ModelFolder } from '../checkpoint/layouts/model-folder.ts';
import { LexrayError } from '../util/errors.ts';
import { ownTarget } from './calibrate.ts';
import { correctCheckpoint } from './corrected-checkpoint.ts';
import { type Correction, noCorrection } from './correction.ts';
import type { DiagnoseOptions, TextFacts } from './diagnose.ts';
import { encodeForDiagnosis } from './diagnose.ts';
import { headKind } from './head-kind.ts';
import { type ObservedFigures, observe } from './observed.ts';
import { SeenScores } from './seen-scores.ts';
import { defaultStatistic, findStatistic } from './targets/registry.ts';
import type { StatisticName } from './targets/statistic-names.ts';

/** The factors of arXiv 2606.18811. */
export const sweepFactors: readonly number[] = [1, 2, 4, 8, 16];

/** Options of {@link sweep}. */
export interface SweepOptions extends Omit<DiagnoseOptions, 'recipe' | 'rules' | 'curves' | 'engine'> {
  /** @default 'exact-deviation' */
  readonly statistic?: StatisticName | undefined;
  /** Another target than the statistic's own. */
  readonly target?: number | undefined;
  /** @default 1, 2, 4, 8, 16 */
  readonly factors?: readonly number[] | undefined;
}

/** What a sweep found. */
export interface Sweep {
  readonly statistic: StatisticName;
  readonly target: number | undefined;
  readonly origin: string;
  readonly texts: TextFacts;
  readonly rows: readonly { readonly factor: number; readonly value: number; readonly observed: ObservedFigures }[];
  readonly chosen: Correction;
}

/**
 * Tries factors of arm A.
 * @throws LexrayError USAGE for a statistic that vectors have no part in, or a target that cannot be
 */
export async function sweep(model: ModelFolder, options: SweepOptions = {}): Promise<Sweep> {
  const statistic = options.statistic === undefined ? defaultStatistic('A') : findStatistic(options.statistic);
  const { goal } = statistic;
  if (goal.kind === 'shift' || (goal.kind === 'direct' && statistic.needs === 'checkpoint')) {
    throw new LexrayError('USAGE', `${statistic.name} cannot be swept: it does not look at vectors`, {
      cure: 'use score-spread, entropy, info-nce or exact-deviation',
    });
  }
  let target = ownTarget(statistic, options.target);
  const rows: Sweep['rows'][number][] = [];
  let texts: TextFacts | undefined;
  for (const factor of options.factors ?? sweepFactors) {
    const corrected = await correctCheckpoint(model.checkpoint, { arm: 'A', factor, shift: 0 });
    const scaled = { ...model, checkpoint: { ...model.checkpoint, loadWeights: corrected.loadWeights } };
    const encoded = await encodeForDiagnosis(scaled, {
      ...options,
      onProgress: (event) => options.onProgress?.({ ...event, phase: `k = ${factor}: ${event.phase}` }),
    });
    const { cache } = encoded;
    const value = goal.kind === 'direct' ? goal.value(encoded) : goal.measure(cache, noCorrection, new SeenScores());
    const observed = observe(cache, noCorrection);
    // The kind of head is that of the first factor, which is the model itself unless the user says otherwise.
    if (goal.kind === 'value') target ??= goal.target(headKind(observed.activeDims.mean));
    if (goal.kind === 'direct') target ??= goal.target;
    rows.push({ factor, value, observed });
    texts = encoded.texts;
  }
  const distance = (value: number): number =>
    target === undefined ? value : Math.abs(Math.log(Math.max(value, 1e-300) / target));
  const best = rows.reduce((a, b) => (distance(b.value) < distance(a.value) ? b : a));
  return {
    statistic: statistic.name,
    target,
    origin: options.target === undefined ? statistic.origin : 'given by the user',
    texts: texts!,
    rows,
    chosen: { arm: 'A', factor: best.factor, shift: 0 },
  };
}
