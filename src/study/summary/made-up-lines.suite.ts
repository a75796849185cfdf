/** Made-up lines of two studies, with effects that are known: for tests of summaries and reports. */
import { Random } from '../../util/random.ts';
import type { ResultLine } from '../result-line.ts';

const prunings: readonly (readonly [name: string, kept: number])[] = [
  ['0/0', 1],
  ['7/20', 0.95],
  ['5/20', 0.92],
  ['5/10', 0.85],
];
const qids = Array.from({ length: 30 }, (_, i) => `q${i}`);
export const madeUpGains: readonly number[] = [0.0625, 0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32];
/** Octaves by which the best gain of a backbone lies above 1; its norm is 2 whatever that is, its score spread is not. */
export const madeUpBest: Readonly<Record<string, number>> = { uncased: 0, bpe: -2, cased: 1 };

interface MadeUp {
  readonly levels: Readonly<Record<string, string>>;
  readonly settings: ResultLine['settings'];
  readonly metrics: Readonly<Record<string, number>>;
  readonly seed: number;
  /** Quality without pruning, and cost. */
  readonly level: number;
  readonly flops: number;
  readonly dims: number;
}

function madeUpLine(study: string, { levels, settings, metrics, seed, level, flops, dims }: MadeUp): ResultLine {
  const random = new Random(seed * 7919 + Math.round(level * 1000) + JSON.stringify(levels).length);
  const scores: Record<string, ResultLine['scores'][string]> = {};
  const means: Record<string, number> = {};
  for (const collection of ['dev', 'eval']) {
    for (const [pruning, kept] of prunings) {
      const values = qids.map((_, q) =>
        Math.max(0, Math.min(1, level * kept + 0.1 * Math.sin(5 * q) + 0.02 * random.normal() + 0.01 * Math.sin(seed))),
      );
      const place = `${collection} ${pruning}`;
      scores[place] = { qids, measures: { 'nDCG@10': values, 'RR@10': values.map((value) => 0.9 * value) } };
      means[`${place} nDCG@10`] = values.reduce((sum, value) => sum + value, 0) / values.length;
      means[`${place} flops`] = flops * kept ** 12;
      means[`${place} documentDims`] = pruning === '0/0' ? dims : Math.min(dims, 20);
      means[`${place} postings cv2`] = 4 * kept;
      means[`${place} maxDF`] = 0.6;
    }
  }
  const step = Array.from({ length: 20 }, (_, i) => 15 * (i + 1));
  return {
    ...{ schema: 1, study, id: '0123456789abcdef', levels, seed, settings },
    resolved: { backbone: { path: levels.backbone ?? '', sha256: levels.backbone ?? '' } },
    metrics: {
      ...means,
      ...metrics,
      'dev medianDocumentDims': dims,
      collapsed: dims < 1 || dims > 8192 ? 1 : 0,
      guardCollapse: 0,
    },
    scores,
    curves: {
      step,
      loss: step.map((at) => 3.4 * Math.exp(-at / 200) + 0.5 + 0.05 * Math.sin(at + seed)),
      negative_score_std: step.map((at) => (metrics['head scoreSpread'] ?? 1) * Math.exp(-at / 400)),
      document_active_dims: step.map((at) => dims * (1 + 3 * Math.exp(-at / 60))),
      dev: step.map((at) => (at % 60 === 0 ? level * (1 - Math.exp(-at / 100)) : null)),
    },
    ...{ seconds: 90, finished: '2025-01-01T00:00:00.000Z', tool: 'lexray 0.0.0' },
  };
}

/**
 * A calibration study: quality falls with the octaves between a gain and the backbone's best, and is halved and collapsed from
 * three octaves on. The score spread is 1 at the best gain of every backbone, the norm says nothing of it.
 */
export function madeUpCalibration(): ResultLine[] {
  const corrections = ['none', 'spread-C'];
  return Object.entries(madeUpBest).flatMap(([backbone, best]) =>
    corrections.flatMap((correction) =>
      (correction === 'none' ? madeUpGains : [1]).flatMap((gain) =>
        [1, 2, 3].map((seed) => {
          const away = correction === 'none' ? Math.log2(gain) - best : 0;
          const collapsed = Math.abs(away) >= 3;
          return madeUpLine('made-up-calibration', {
            levels: { backbone, gain: String(gain), correction },
            settings: {
              ...{ backbone, gain },
              correction: correction === 'none' ? 'none' : { arm: 'C', statistic: 'score-spread' },
            },
            seed,
            level: collapsed ? 0.1 : 0.6 - 0.04 * Math.abs(away),
            flops: collapsed ? 0.05 : 2 ** (1 - away),
            dims: away >= 3 ? 0 : 60 * 2 ** -away,
            metrics: {
              predictedCollapse: collapsed ? 1 : 0,
              'head rowNorm': 2 * gain,
              'head scoreSpread': 2 ** (2 * away),
              'head entropy': 1 / (1 + 2 ** away),
              'backbone anisotropy': 0.1 + 0.1 * best,
              ...(correction !== 'none' && { factor: 2 ** -best }),
              ...(gain === 1 && correction === 'none' && { 'k score-spread@1': 2 ** -best, 'k bert-norm': 1 }),
            },
          });
        }),
      ),
    ),
  );
}

/** A study of pre-training: two rates on two corpora; quality grows with the spread of the logits and falls with accuracy. */
export function madeUpPretraining(): ResultLine[] {
  return ['low', 'high'].flatMap((rate) =>
    ['general', 'titles'].flatMap((corpus) =>
      ['1', '4', '16'].flatMap((repeat) =>
        [1, 2, 3, 4, 5].map((seed) => {
          const level =
            0.4 + (rate === 'high' ? 0.1 : 0) + (corpus === 'general' ? 0.03 : 0) - 0.01 * Math.log2(Number(repeat));
          const step = [0, 50, 100, 150, 200];
          const line = madeUpLine('made-up-pretraining', {
            levels: { rate, corpus, repeat },
            settings: { cell: 'pretrain' },
            seed,
            level,
            flops: rate === 'high' ? 2 : 1,
            dims: 40,
            metrics: {
              'mlm titles accuracy': 0.6 - level / 2 + 0.001 * seed,
              'mlm titles logit_score_std': 10 * level,
              'mlm titles non_neg_terms_avg': 4000 + (seed % 2) + (corpus === 'general' ? 100 : 0),
            },
          });
          return {
            ...line,
            pretrainingCurves: {
              step,
              loss: step.map((at) => 6 - level * Math.log1p(at)),
              eval_loss: step.map((at) => 6.5 - level * Math.log1p(at)),
              eval_accuracy: step.map((at) => 0.08 * Math.log1p(at) - level / 10),
            },
          };
        }),
      ),
    ),
  );
}
