import { describe, expect, it } from 'vitest';
import { calibrate, shiftFor } from './calibrate.ts';
import type { CorrectionArm } from './correction.ts';
import { observe, observePairs, observeScores } from './observed.ts';
import { syntheticCache } from './synthetic-cache.suite.ts';
import { findStatistic, targetStatistics } from './targets/registry.ts';
import { type StatisticName, statisticNames } from './targets/statistic-names.ts';
import type { CalibrationInputs } from './targets/target-statistic.ts';

function inputsAt(scale: number, scaledBias = true): CalibrationInputs {
  const norm = { mean: 2.5 * scale, std: 0.1 * scale, min: scale, max: 4 * scale };
  return {
    head: { norm, closedFormDeviation: 3 * scale },
    cache: syntheticCache({ scale, scaledBias, bias: -0.2, terms: 120 }),
  };
}

const inputs = inputsAt(1);
const scales = [-4, -3, -2, -1, 1, 2, 3, 4, 5].map((power) => 2 ** power);

describe('calibrate', () => {
  it.each(['B', 'C', 'D', 'E'] as const)('brings the score spread of arm %s to its target', (arm) => {
    for (const target of [undefined, 0.3, 4]) {
      const { correction, after, before } = calibrate(inputs, { statistic: 'score-spread', arm, target });
      expect(after).toBeCloseTo(target ?? 1, 4);
      expect(observeScores(inputs.cache!, correction).std).toBeCloseTo(target ?? 1, 4);
      expect(before).toBe(observeScores(inputs.cache!, { arm: 'C', factor: 1, shift: 0 }).std);
    }
  });

  it('has another target for heads with thousands of active dimensions', () => {
    const dense = { ...inputs, cache: syntheticCache({ terms: 3000, texts: 64, scale: 8 }) };
    const spread = { statistic: 'score-spread' } as const;
    const { target, after } = calibrate(dense, spread);
    expect(target).toBe(500);
    expect(after).toBeCloseTo(500, 1);
    expect(calibrate(dense, { ...spread, target: 1 }).after).toBeCloseTo(1, 4);
    // The shift counts: what is left active decides.
    expect(calibrate(dense, { ...spread, arm: 'D', activationRate: 0.01 }).target).toBe(1);
  });

  it('brings the entropy to its target', () => {
    const { correction, after } = calibrate(inputs, { statistic: 'entropy' });
    expect(after).toBeCloseTo(0.8, 5);
    expect(observeScores(inputs.cache!, correction).entropy).toBeCloseTo(0.8, 5);
  });

  it('finds the least InfoNCE', () => {
    const { correction, after } = calibrate(inputs, { statistic: 'info-nce' });
    for (const step of [-2, -1, -0.25, -0.05, 0.05, 0.25, 1, 2]) {
      const factor = correction.factor * 2 ** step;
      expect(observePairs(inputs.cache!, { ...correction, factor })!.infoNce).toBeGreaterThanOrEqual(after);
    }
  });

  it('shifts by the activation rate, and scales from there', () => {
    const alone = calibrate(inputs, { arm: 'D', statistic: 'activation-rate' });
    expect(alone.correction.factor).toBe(1);
    expect(alone.after).toBeCloseTo(0.1, 2);
    expect(observe(inputs.cache!, alone.correction).tokenActivation).toBe(alone.after);
    const both = calibrate(inputs, { arm: 'D' });
    expect(both.correction.shift).toBe(alone.correction.shift);
    expect(calibrate(inputs, { arm: 'D', activationRate: 0.03 }).correction.shift).toBe(shiftFor(inputs.cache!, 0.03));
    expect(shiftFor(inputs.cache!, 0.03)).toBeGreaterThan(alone.correction.shift);
  });

  it('follows the rules from the checkpoint alone', () => {
    const { head } = inputs;
    const factor = (statistic: StatisticName, target?: number): number =>
      calibrate({ head, cache: undefined }, { statistic, target }).correction.factor;
    expect(factor('closed-form')).toBe(6);
    expect(factor('closed-form', 2)).toBe(1.5);
    expect(factor('norm-above-2')).toBe(8);
    expect(factor('bert-norm')).toBeCloseTo(2.5 / 1.401, 12);
    const small = { head: { ...head, norm: { ...head.norm, mean: 1.9 } }, cache: undefined };
    expect(calibrate(small, { statistic: 'norm-above-2' }).correction.factor).toBe(1);
  });

  it('is deterministic', () => {
    expect(calibrate(inputs, { arm: 'D' })).toEqual(calibrate(inputsAt(1), { arm: 'D' }));
  });
});

describe('equivariance: a head m times as large gets m times the factor', () => {
  const sought = ['score-spread', 'entropy', 'info-nce', 'exact-deviation', 'closed-form', 'bert-norm'] as const;
  const scalesFor = (statistic: StatisticName): number[] => (statistic === 'info-nce' ? [2 ** -4, 2 ** 5] : scales);

  it.each(sought)('%s, arms C and D, and E where it can, where W and b are scaled', (statistic) => {
    const { arms } = findStatistic(statistic);
    for (const arm of (['C', 'D', 'E'] as const).filter((one) => arms.includes(one))) {
      const base = calibrate(inputs, { arm, statistic });
      for (const m of scalesFor(statistic)) {
        const { correction, after } = calibrate(inputsAt(m), { arm, statistic });
        expect(correction.factor).toBe(m * base.correction.factor);
        expect(correction.shift).toBe(m * base.correction.shift);
        expect(after).toBe(base.after);
      }
    }
  });

  it.each(sought)('%s, arm B, where W alone is scaled', (statistic) => {
    const base = calibrate(inputs, { arm: 'B', statistic });
    for (const m of scalesFor(statistic)) {
      const { correction } = calibrate(inputsAt(m, false), { arm: 'B', statistic });
      expect(correction.factor).toBe(m * base.correction.factor);
    }
  });

  it('does not hold for the rule of the norm alone', () => {
    const factors = [1, 2 ** 5].map((m) => calibrate(inputsAt(m), { statistic: 'norm-above-2' }).correction.factor);
    expect(factors).toEqual([8, 8]);
  });
});

describe('what cannot be calibrated', () => {
  it('refuses arm A, and says what to do', () => {
    expect(() => calibrate(inputs, { arm: 'A' })).toThrow(/arm A cannot be calibrated/);
    try {
      calibrate(inputs, { arm: 'A' });
    } catch (error) {
      expect(error).toMatchObject({ code: 'USAGE', cure: expect.stringContaining('--sweep') as string });
    }
  });

  it.each([
    ['a shift for an arm without one', { arm: 'C', statistic: 'activation-rate' }, /finds no factor for arm C/],
    ['an unknown statistic', { statistic: 'luck' as StatisticName }, /expected a statistic from exact-deviation/],
    ['a target of a minimum', { statistic: 'info-nce', target: 1 }, /takes no target/],
    ['a target of 0', { target: 0 }, /a target above 0, got 0/],
    ['a target that is not a number', { target: Number.NaN }, /got NaN/],
    ['a rate of 1', { arm: 'D', activationRate: 1 }, /between 0 and 1, got 1/],
    ['an unreachable entropy', { statistic: 'entropy', target: 2 }, /no factor of arm C brings the statistic to 2/],
  ] as const)('refuses %s', (_title, options, message) => {
    expect(() => calibrate(inputs, options)).toThrow(message);
  });

  it('says that a dead head has no scale', () => {
    const dead = { ...inputs, cache: syntheticCache({ bias: -100 }) };
    expect(() => calibrate(dead)).toThrow(/no dimension of any text is active/);
    expect(() => calibrate(dead, { statistic: 'score-spread' })).toThrow(/no dimension of any text is active/);
    expect(calibrate(dead, { statistic: 'score-spread', arm: 'D' }).after).toBeCloseTo(1, 4);
    // The checkpoint alone says nothing of texts, encoded or not.
    expect(calibrate(dead, { statistic: 'closed-form' }).correction.factor).toBe(6);
  });

  it('says that logits that never vary have no scale either', () => {
    const flat = { ...inputs, cache: { ...inputs.cache!, exactDeviation: 0 } };
    expect(() => calibrate(flat)).toThrow(/exact-deviation of this head is 0, which no factor changes/);
    // What is left of a deviation in 32 bits, next to logits around 1.
    const rounded = { ...inputs, cache: { ...inputs.cache!, exactDeviation: 1e-7 } };
    expect(() => calibrate(rounded)).toThrow(/exact-deviation of this head is 1e-7, which no factor changes/);
    expect(calibrate({ ...inputs, cache: { ...inputs.cache!, exactDeviation: 1e-4 } }).correction.factor).toBe(2e-4);
  });

  it('says that info-nce needs halves', () => {
    const cache = { ...inputs.cache!, pairs: [] };
    expect(() => calibrate({ ...inputs, cache }, { statistic: 'info-nce' })).toThrow(/six words/);
  });
});

describe('the statistics', () => {
  it('are all listed, and say where their target comes from and when they fail', () => {
    expect(targetStatistics.map(({ name }) => name)).toEqual(statisticNames);
    for (const { name, origin, failsWhen, title } of targetStatistics) {
      expect(findStatistic(name).name).toBe(name);
      for (const text of [origin, failsWhen, title]) expect(text.length).toBeGreaterThan(10);
    }
    const onePass: CorrectionArm[] = ['B', 'C', 'D', 'E'];
    expect(findStatistic('score-spread').arms).toEqual(onePass);
  });

  it('that follow from a mean over terms find no factor for arm E, which divides each term by another number', () => {
    for (const statistic of ['exact-deviation', 'closed-form', 'norm-above-2', 'bert-norm'] as const) {
      expect(() => calibrate(inputs, { arm: 'E', statistic })).toThrow(`${statistic} finds no factor for arm E`);
    }
    expect(calibrate(inputs, { arm: 'E' })).toMatchObject({ statistic: 'score-spread' });
  });
});
