import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { studentQuantile } from '../../evaluate/significance/student-quantile.ts';
import { crossedBootstrap } from './crossed-bootstrap.ts';
import { crossedInterval } from './crossed-interval.ts';
import { areaUnderCurve, balancedAccuracy, confusionOf } from './discrimination.ts';
import { meanSquares } from './mean-squares.ts';
import { rankCorrelation } from './rank-correlation.ts';

interface Golden {
  readonly quantiles: readonly (readonly [number, number, number])[];
  readonly tables: readonly {
    readonly table: number[][];
    readonly meanSquares: readonly [number, number, number];
    readonly error: number;
    readonly df: number;
    readonly p: number;
    readonly interval: readonly [number, number];
    readonly bootstrap: readonly [number, number];
  }[];
  readonly correlations: readonly {
    readonly x: number[];
    readonly y: number[];
    readonly rho: number;
    readonly interval?: readonly [number, number];
  }[];
  readonly discriminations: readonly {
    readonly value: number[];
    readonly collapsed: number[];
    readonly healthy: number[];
    readonly judged: boolean[];
    readonly area: number;
    readonly accuracy: number;
  }[];
}

const path = new URL('../../../test/fixtures/goldens/study.json', import.meta.url);
const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;

describe('equals SciPy and NumPy', () => {
  it('quantiles of Student’s distribution, with fractions of degrees of freedom', () => {
    expect(golden.quantiles.length).toBe(72);
    for (const [share, freedom, value] of golden.quantiles) {
      expect(Math.abs(studentQuantile(share, freedom) - value)).toBeLessThan(1e-9 * (1 + Math.abs(value)));
    }
  });

  it.each(golden.tables.map((item) => [`${item.table.length} × ${item.table[0]!.length}`, item] as const))(
    'variances and interval of a table of %s',
    (_, item) => {
      const squares = meanSquares(item.table);
      for (const [i, name] of (['seed', 'query', 'residual'] as const).entries()) {
        expect(squares[name]).toBeCloseTo(item.meanSquares[i]!, 10);
      }
      const interval = crossedInterval(item.table);
      expect(interval.standardError).toBeCloseTo(item.error, 12);
      expect(interval.degreesOfFreedom / item.df).toBeCloseTo(1, 9);
      expect(interval.pValue / item.p).toBeCloseTo(1, 8);
      expect(interval.low).toBeCloseTo(item.interval[0], 8);
      expect(interval.high).toBeCloseTo(item.interval[1], 8);
    },
  );

  it('the two-way bootstrap, to Monte Carlo error', () => {
    for (const { table, bootstrap } of golden.tables.filter((item) => item.table.length > 2)) {
      const { low, high } = crossedBootstrap(table, { samples: 40_000, seed: 1 });
      const width = bootstrap[1] - bootstrap[0];
      expect(Math.abs(low - bootstrap[0])).toBeLessThan(0.03 * width);
      expect(Math.abs(high - bootstrap[1])).toBeLessThan(0.03 * width);
    }
  });

  it('areas under ROC curves with ties and weights, and balanced accuracy', () => {
    expect(golden.discriminations.length).toBe(4);
    for (const { value, collapsed, healthy, judged, area, accuracy } of golden.discriminations) {
      const units = value.map((one, i) => ({
        ...{ value: one, judged: judged[i]! },
        ...{ collapsed: collapsed[i]!, healthy: healthy[i]! },
      }));
      expect(areaUnderCurve(units)).toBeCloseTo(area, 12);
      expect(balancedAccuracy(confusionOf(units))).toBeCloseTo(accuracy, 12);
    }
  });

  it('rank correlation with ties', () => {
    for (const { x, y, rho, interval } of golden.correlations) {
      const result = rankCorrelation(x, y, { samples: interval ? 20_000 : 100, seed: 2 });
      expect(result.mean).toBeCloseTo(rho, 12);
      if (interval === undefined) continue;
      expect(Math.abs(result.low - interval[0])).toBeLessThan(0.05);
      expect(Math.abs(result.high - interval[1])).toBeLessThan(0.05);
    }
  });
});
