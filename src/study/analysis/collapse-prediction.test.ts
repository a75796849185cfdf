import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeChosenPredictor } from './chosen-predictor.ts';
import { judgePredictor, type PredictedCell } from './collapse-prediction.ts';
import { areaUnderCurve, balancedAccuracy, confusionOf } from './discrimination.ts';
import { bestWindow } from './healthy-range.ts';

/** Nine net scales of a backbone, of which those outside 1/4 … 4 collapse in all three seeds; its values are shifted by `shift`. */
function sweep(backbone: string, shift: number, arm?: string): PredictedCell[] {
  return [-4, -3, -2, -1, 0, 1, 2, 3, 4].map((octave) => ({
    value: octave + shift,
    collapsed: Math.abs(octave) > 2 ? 3 : 0,
    healthy: Math.abs(octave) > 2 ? 0 : 3,
    groups: arm === undefined ? [backbone] : [backbone, arm],
    side: octave === 0 ? 'neither' : octave > 0 ? 'larger' : 'smaller',
  }));
}

describe('areaUnderCurve and balancedAccuracy', () => {
  it('equal what is counted by hand', () => {
    // Pairs of one that collapsed and one that did not: (2, 1) won, (2, 2) tied, (2, 3) lost, twice each way for 3 runs.
    const units = [
      { value: 1, collapsed: 0, healthy: 1 },
      { value: 2, collapsed: 2, healthy: 1 },
      { value: 3, collapsed: 1, healthy: 1 },
    ];
    expect(areaUnderCurve(units)).toBeCloseTo((2 * 1.5 + 1 * 2.5) / (3 * 3), 12);
    const confusion = confusionOf(units.map((unit) => ({ ...unit, judged: unit.value > 1 })));
    expect(confusion).toEqual({ yes: { collapsed: 3, healthy: 2 }, no: { collapsed: 0, healthy: 1 } });
    expect(balancedAccuracy(confusion)).toBeCloseTo((1 + 1 / 3) / 2, 12);
  });

  it('are unknown where only one kind came', () => {
    expect(areaUnderCurve([{ value: 1, collapsed: 2, healthy: 0 }])).toBeUndefined();
    expect(balancedAccuracy({ yes: { collapsed: 0, healthy: 1 }, no: { collapsed: 0, healthy: 3 } })).toBeUndefined();
  });
});

describe('bestWindow', () => {
  it('is the widest of the best', () => {
    expect(bestWindow(sweep('a', 0))).toEqual({ window: { low: -2.5, high: 2.5 }, accuracy: 1 });
    const one = sweep('a', 0).filter(({ value }) => value >= 0);
    expect(bestWindow(one)?.window).toEqual({ low: Number.NEGATIVE_INFINITY, high: 2.5 });
    expect(bestWindow(sweep('a', 0).filter(({ healthy }) => healthy > 0))).toBeUndefined();
  });

  it('is as good as any', () => {
    const unit = fc.record({
      value: fc.integer({ min: 0, max: 6 }),
      collapsed: fc.integer({ min: 0, max: 2 }),
      healthy: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(unit, { minLength: 1, maxLength: 8 }), (units) => {
        const accuracy = (low: number, high: number): number =>
          balancedAccuracy(
            confusionOf(units.map((one) => ({ ...one, judged: one.value < low || one.value > high }))),
          ) ?? -1;
        const found = bestWindow(units);
        const cuts = [Number.NEGATIVE_INFINITY, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, Number.POSITIVE_INFINITY];
        const best = Math.max(
          ...cuts.flatMap((low) => cuts.filter((high) => high > low).map((high) => accuracy(low, high))),
        );
        if (found === undefined) {
          expect(best).toBe(-1);
          return;
        }
        expect(found.accuracy).toBeCloseTo(best, 12);
        expect(accuracy(found.window.low, found.window.high)).toBeCloseTo(best, 12);
      }),
    );
  });
});

describe('judgePredictor', () => {
  it('is right where the backbones agree, and pays where they are shifted', () => {
    const same = judgePredictor([...sweep('a', 0), ...sweep('b', 0)], { samples: 200 });
    expect(same).toMatchObject({ cells: 18, areaLarger: { mean: 1 }, areaSmaller: { mean: 1 }, accuracy: { mean: 1 } });
    expect(same.judged.map(({ groups, window }) => [groups[0], window])).toEqual([
      ['a', { low: -2.5, high: 2.5 }],
      ['b', { low: -2.5, high: 2.5 }],
    ]);

    // b is three octaves above a: of a, −1 … 4 lie below b's window or in it, of b the like.
    const shifted = judgePredictor([...sweep('a', 0), ...sweep('b', 3)], { samples: 200 });
    // Window of b: 0.5 … 5.5. Of a: −4 … 0 are judged to collapse (6 runs rightly, 9 wrongly), 1 … 4 not (6 runs collapse).
    expect(shifted.judged[0]).toMatchObject({
      window: { low: 0.5, high: 5.5 },
      confusion: { yes: { collapsed: 6, healthy: 9 }, no: { collapsed: 6, healthy: 6 } },
    });
    expect(shifted.accuracy!.mean).toBeCloseTo((6 / 12 + 6 / 15) / 2, 12);
    expect(shifted.accuracy!.low).toBeLessThan(shifted.accuracy!.mean);
    // Larger side, a: 0 1 2 healthy, 3 4 collapsed; b: 3 4 5 healthy, 6 7 collapsed. Of 4 × 6 pairs three are lost (3 against 4
    // and 5, 4 against 5) and two tied.
    expect(shifted.areaLarger!.mean).toBeCloseTo((24 - 3 - 2 / 2) / 24, 12);
  });

  it('takes no threshold from what shares a group', () => {
    const cells = [...sweep('a', 0, 'B'), ...sweep('a', 1, 'C'), ...sweep('b', 2, 'B'), ...sweep('b', 4, 'C')];
    const { judged } = judgePredictor(cells, { samples: 10 });
    expect(judged.map(({ groups, window }) => [groups.join(), window!.low])).toEqual([
      ['a,B', 1.5],
      ['a,C', -0.5],
      ['b,B', -1.5],
      ['b,C', -2.5],
    ]);
  });

  it('says nothing where nothing collapsed, and refuses one backbone', () => {
    const healthy = [...sweep('a', 0), ...sweep('b', 0)].map((cell) => ({ ...cell, collapsed: 0, healthy: 3 }));
    expect(judgePredictor(healthy, { samples: 10 })).toMatchObject({ accuracy: undefined, areaLarger: undefined });
    expect(() => judgePredictor(sweep('a', 0))).toThrow(/leaving one backbone out needs two/);
  });
});

describe('judgeChosenPredictor', () => {
  /** Two figures a cell: one that means the same on every backbone, and one that does not. */
  const cells = ['a', 'b', 'c'].flatMap((backbone, shift) =>
    sweep(backbone, 0).map(({ value, ...cell }) => ({ ...cell, values: [value + 5 * shift, value] })),
  );

  it('takes the figure that means the same elsewhere, and is judged on cells that did not choose it', () => {
    const { accuracy, chosen } = judgeChosenPredictor(cells, { samples: 200 });
    expect(accuracy!.mean).toBe(1);
    expect(chosen.map(({ figure }) => figure)).toEqual([1, 1, 1]);
    expect(chosen[0]!.window).toEqual({ low: -2.5, high: 2.5 });
  });

  it('pays for a choice that fits the others only', () => {
    // On a and b figure 0 is perfect; on c it says the opposite.
    const misled = cells.map((cell) => ({
      ...cell,
      values: [cell.groups[0] === 'c' ? (cell.collapsed > 0 ? 0 : 1) : cell.collapsed > 0 ? 1 : 0],
    }));
    const { accuracy, chosen } = judgeChosenPredictor(misled, { samples: 200 });
    expect(chosen.find(({ groups }) => groups[0] === 'c')!.window).toEqual({
      low: Number.NEGATIVE_INFINITY,
      high: 0.5,
    });
    expect(accuracy!.mean).toBeLessThan(0.7);
  });

  it('judges nothing to collapse where the others knew one outcome', () => {
    const healthy = cells.filter(({ groups, healthy: runs }) => groups[0] === 'a' || runs > 0);
    const ofA = judgeChosenPredictor(healthy, { samples: 50 }).chosen.find(({ groups }) => groups[0] === 'a')!;
    expect(ofA).toMatchObject({ figure: undefined, window: undefined });
  });
});
