/** The rules by which a collapse is foreseen, on made-up figures just below and just above their limits. */
import { describe, expect, it } from 'vitest';
import { foreseenCollapse } from './foreseen-collapse.ts';
import { headKind } from './head-kind.ts';
import type { ObservedFigures } from './observed.ts';
import { findRecipe } from './recipes.ts';

/** As in the calibration study: 200 steps at 1e-4. */
const recipe = { ...findRecipe('rescaling-2606.18811'), steps: 200 };

/** Figures as the uncased backbone of the calibration study has them at g = 1. */
function figures(changes: Partial<ObservedFigures> = {}, spread = 3691): ObservedFigures {
  return {
    texts: 256,
    batch: 64,
    activeDims: { mean: 7600, min: 4000, max: 9000 },
    activeShare: 0.46,
    zeroTexts: 0,
    tokenActivation: 0.07,
    meanWeight: 0.75,
    scores: { mean: 3700, std: spread, entropy: 0.1, cosine: 0.46, bins: [] },
    pairs: { infoNce: 3500, chance: Math.log(64) },
    flops: 2400,
    retrievalFlops: 3600,
    largestDocumentFrequency: 1,
    sinks: [],
    sinkCount: 0,
    sinkScoreShare: 0,
    ...changes,
  };
}

const foreseen = (
  observed: ObservedFigures,
  rules?: Parameters<typeof foreseenCollapse>[1],
  judged = recipe,
): string | undefined => foreseenCollapse({ observed, vocabularySize: 16384, recipe: judged }, rules)?.kind;

describe('heads of masked language models', () => {
  it('are judged by the FLOPS of their texts, not by a spread of scores that trains well', () => {
    expect(foreseen(figures())).toBeUndefined();
    expect(foreseen(figures({ flops: 2999 }, 7700))).toBeUndefined();
    expect(foreseen(figures({ flops: 3001 }, 7700))).toBe('overscaled');
    expect(foreseen(figures({ flops: 34 }, 52))).toBeUndefined();
    expect(foreseen(figures({ flops: 0.5 }, 1.41))).toBeUndefined();
    expect(foreseen(figures({ flops: 0.5 }, 1.4))).toBe('dense');
  });

  it('may be larger the further a run can move them, as far as was studied', () => {
    const half = { ...recipe, learningRate: recipe.learningRate / 2 };
    expect(foreseen(figures({ flops: 1499 }), undefined, half)).toBeUndefined();
    expect(foreseen(figures({ flops: 1501 }), undefined, half)).toBe('overscaled');
    for (const [steps, limit] of [
      [20, 1000],
      [600, 9000],
      [200_000, 9000],
    ] as const) {
      const other = { ...recipe, steps };
      const judged = (flops: number): ReturnType<typeof foreseenCollapse> =>
        foreseenCollapse({ observed: figures({ flops }), vocabularySize: 16384, recipe: other });
      expect(judged(limit - 1)).toBeUndefined();
      expect(judged(limit + 1)).toMatchObject({
        kind: 'overscaled',
        title: steps > 600 ? 'may collapse' : 'is likely to collapse',
        reason: expect.stringContaining(
          steps === 600 ? '9000 is about the limit.' : `0.006667 to 0.06, not ${String(steps * 1e-4)}`,
        ) as string,
      });
    }
  });

  it('are told of a loss that was not studied', () => {
    const reason = (changes: Partial<typeof recipe>): string | undefined =>
      foreseenCollapse({ observed: figures({ flops: 9001 }), vocabularySize: 16384, recipe: { ...recipe, ...changes } })
        ?.reason;
    expect(reason({})).not.toContain('learned from');
    expect(reason({ temperature: 0.05 })).toContain('was learned from InfoNCE at temperature 1');
    expect(reason({ loss: 'margin-mse' })).toContain('was learned from InfoNCE at temperature 1');
  });

  it('were judged like all others by the rules of the first look, which cells keep', () => {
    expect(foreseen(figures(), 'first-look')).toBe('dying');
    expect(foreseen(figures({ flops: 0.2, pairs: { infoNce: 4, chance: 4.16 } }, 0.05), 'first-look')).toBe('dense');
  });

  it('are dense whatever their scale when all vectors are alike', () => {
    const alike = { mean: 10, std: 1, entropy: 1, cosine: 0.99, bins: [] };
    expect(foreseen(figures({ activeShare: 0.99, scores: alike, flops: 10 }))).toBe('dense');
  });
});

describe('sparse heads', () => {
  const sparse = (spread: number, changes: Partial<ObservedFigures> = {}): string | undefined =>
    foreseen(
      figures(
        {
          activeDims: { mean: 62, min: 10, max: 133 },
          activeShare: 0.004,
          flops: 2.6,
          pairs: { infoNce: 4.6, chance: 4.16 },
          ...changes,
        },
        spread,
      ),
    );

  it('have a window of their score spread', () => {
    expect([62, 1000, 1001, 7600].map(headKind)).toEqual(['sparse', 'sparse', 'language-model', 'language-model']);
    expect(sparse(11.4)).toBeUndefined();
    expect(sparse(11.6)).toBe('dying');
    expect(sparse(0.101)).toBeUndefined();
    expect(sparse(0.099)).toBe('dense');
  });

  it('die when texts are without a dimension, or the penalty is far above the ranking loss', () => {
    expect(sparse(1, { zeroTexts: 13 })).toBe('dying');
    expect(sparse(1, { zeroTexts: 12 })).toBeUndefined();
    expect(sparse(1, { flops: 2000 })).toBe('dying');
  });
});
