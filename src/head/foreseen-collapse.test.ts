/** The rules by which a collapse is foreseen, on figures made up around their thresholds. */
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
    expect(headKind(7600)).toBe('language-model');
    expect(foreseen(figures())).toBeUndefined();
    expect(foreseen(figures({ flops: 6000 }, 7700))).toBe('overscaled');
    expect(foreseen(figures({ flops: 34 }, 52))).toBeUndefined();
    expect(foreseen(figures({ flops: 2 }, 2))).toBeUndefined();
    expect(foreseen(figures({ flops: 0.5 }, 1))).toBe('dense');
  });

  it('may be larger the further a run can move them', () => {
    const third = { ...recipe, learningRate: recipe.learningRate / 3 };
    expect(foreseen(figures(), undefined, third)).toBe('overscaled');
    expect(foreseen(figures({ flops: 6000 }, 7700), undefined, { ...recipe, steps: 600 })).toBeUndefined();
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
    expect(headKind(62)).toBe('sparse');
    expect(sparse(5.6)).toBeUndefined();
    expect(sparse(13)).toBe('dying');
    expect(sparse(0.03)).toBe('dense');
  });

  it('die when texts are without a dimension, or the penalty is far above the ranking loss', () => {
    expect(sparse(1, { zeroTexts: 20 })).toBe('dying');
    expect(sparse(1, { flops: 2000 })).toBe('dying');
  });
});
