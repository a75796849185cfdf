/** Proposals for heads of made-up logits. */
import { describe, expect, it } from 'vitest';
import { noCorrection } from './correction.ts';
import type { EncodingCache } from './encoding-cache.ts';
import { observe, observeScores } from './observed.ts';
import { type ProposedCorrection, proposeCorrection } from './propose-correction.ts';
import { findRecipe, type JudgedRecipe } from './recipes.ts';
import { type SyntheticOptions, syntheticCache } from './synthetic-cache.suite.ts';
import type { Verdict } from './verdicts.ts';

const recipe = { ...findRecipe('rescaling-2606.18811'), steps: 200 };
const norm = { mean: 2.5, std: 0.1, min: 1, max: 4 };

/** What is proposed for logits of that deviation; a cache of 3,000 terms is that of a language model. */
function proposed(
  options: SyntheticOptions,
  collapse?: Verdict['kind'],
  changes: Partial<EncodingCache> = {},
  judged: JudgedRecipe = recipe,
): ProposedCorrection | string | undefined {
  const cache = { ...syntheticCache({ texts: 64, bias: -1.5, ...options }), ...changes };
  const verdict: Verdict = { kind: collapse ?? 'healthy', title: '', collapse: collapse !== undefined, reason: '' };
  const observed = observe(cache, noCorrection);
  return proposeCorrection({ head: { norm, closedFormDeviation: 3 }, cache, observed, recipe: judged }, [verdict]);
}

/** A quarter of 6,000 logits above 0. */
const languageModel = { terms: 6000 } as const;

describe('the head of a language model', () => {
  it.each([
    [0.26, false],
    [0.99, false],
    [1.01, true],
    [0.24, true],
  ])('that deviates by %f and would not collapse is brought to .5 beyond a factor of 2', (deviation, wanted) => {
    const proposal = proposed({ ...languageModel, scale: deviation });
    if (!wanted) {
      expect(proposal).toBeUndefined();
      return;
    }
    const { calibration } = proposal as ProposedCorrection;
    expect(calibration).toMatchObject({ statistic: 'exact-deviation', target: 0.5, correction: { arm: 'C' } });
    expect(calibration.correction.factor).toBeCloseTo(2 * deviation, 12);
  });

  it('is never made larger where it is too large, and is told what is wrong after a correction', () => {
    expect(proposed({ ...languageModel, scale: 0.4 }, 'overscaled')).toMatch(/^logits deviate by 0\.4 only: /);
    const { after, remaining } = proposed({ ...languageModel, scale: 8 }, 'overscaled') as ProposedCorrection;
    // Six thousand independent terms of weights around .5 have a FLOPS of their own, above a third of the limit.
    const third = { ...recipe, learningRate: recipe.learningRate / 3 };
    const slower = proposed({ ...languageModel, scale: 8 }, 'overscaled', {}, third) as ProposedCorrection;
    expect(after.flops).toBe(slower.after.flops);
    expect(after.flops).toBeLessThan(3000);
    expect(remaining).toBeUndefined();
    const large = { terms: 60_000, texts: 32, scale: 8 } as const;
    expect(proposed(large, 'overscaled', {}, third)).toMatchObject({ remaining: { kind: 'overscaled' } });
  });

  it('is shifted too where everything is active and all vectors are alike', () => {
    const alike = proposed({ ...languageModel, bias: 4 }, 'dense') as ProposedCorrection;
    expect(alike.calibration.correction.arm).toBe('D');
    expect(alike.calibration.correction.shift).toBeGreaterThan(1);
    // Dense by its small scale: nothing to shift.
    expect(proposed({ ...languageModel, scale: 0.01, bias: -1.5 }, 'dense')).toMatchObject({
      calibration: { correction: { arm: 'C' } },
    });
  });

  it('that no factor may bring to the target gets none', () => {
    expect(proposed({ ...languageModel }, 'overscaled', { exactDeviation: 1e20 })).toMatch(
      /a factor from 1e-12 to 1e12/,
    );
  });

  it('that was never trained gets none', () => {
    expect(proposed(languageModel, 'untrained')).toMatch(/never trained/);
  });
});

describe('a head that is sparse already', () => {
  it('is left alone where it is well', () => {
    expect(proposed({ scale: 100 })).toBeUndefined();
  });

  it.each([1, 0.05])('is brought to a spread of the temperature, %f', (temperature) => {
    const cache = syntheticCache({ texts: 64, bias: -1.5, scale: 100 });
    const judged = { ...recipe, temperature };
    const { calibration, remaining } = proposed({ scale: 100 }, 'dying', {}, judged) as ProposedCorrection;
    expect(calibration).toMatchObject({ statistic: 'score-spread', target: temperature });
    expect(calibration.origin).toContain('the temperature');
    expect(observeScores(cache, calibration.correction).std).toBeCloseTo(temperature, 3);
    expect(remaining).toBeUndefined();
  });
});
