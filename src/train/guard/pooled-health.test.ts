import { describe, expect, it } from 'vitest';
import { guardSettingsSchema } from './guard-settings.ts';
import { pooledHealth } from './pooled-health.ts';
import { figuresOf, type Look, simulateStep } from './simulated-step.suite.ts';
import { type StepFigures, stepHealth } from './step-health.ts';
import { TrainingGuard } from './training-guard.ts';

const healthy: Look = { density: 0.08 };
const pool = (batches: readonly StepFigures[]) =>
  pooledHealth(
    batches,
    batches.map((batch) => stepHealth(batch)),
  );

describe('the health of several batches', () => {
  it('is that of one batch where there is one', () => {
    const one = simulateStep(1, healthy, healthy);
    expect(pool([one])).toEqual(stepHealth(one));
  });

  it('counts the vectors of all batches as those of one', () => {
    const vector = (...terms: number[]): Float32Array =>
      Float32Array.from({ length: 6 }, (_, v) => (terms.includes(v) ? 1 : 0));
    const first = { queries: [vector(0, 1), vector(0, 2)], documents: [vector(0), vector(0), vector()] };
    const second = { queries: [vector(0, 1, 2, 3), vector(3)], documents: [vector(4), vector(), vector(5)] };
    const pooled = pool([figuresOf(first.queries, first.documents), figuresOf(second.queries, second.documents)]);
    const together = stepHealth(
      figuresOf([...first.queries, ...second.queries], [...first.documents, ...second.documents]),
    );
    expect(pooled.queries).toEqual(together.queries);
    expect(pooled.documents).toEqual(together.documents);
    // In the first batch alone, term 0 is in every query.
    expect(stepHealth(figuresOf(first.queries, first.documents)).queries.sharedTerms).toBe(0.5);
    expect(pooled.queries.sharedTerms).toBe(0);
  });

  it('names what is not finite in any of them, once', () => {
    const batches = [
      simulateStep(1, healthy, healthy),
      { ...simulateStep(2, healthy, healthy), loss: Number.NaN, gradientNorm: Number.NaN },
      { ...simulateStep(3, healthy, healthy), gradientNorm: Number.NaN },
    ];
    expect(pool(batches).notFinite).toEqual(['loss (NaN)', 'grad_norm (NaN)']);
  });

  it.each([
    ['the first batch', [0]],
    ['all but the last', [0, 1, 2]],
  ])('shows the guard what %s looks like', (_title, ill) => {
    const guard = new TrainingGuard({
      settings: guardSettingsSchema.parse({ zeroShare: 0.2 }),
      steps: 600,
      rampSteps: 0,
      warmupSteps: 0,
    });
    const alarms: string[] = [];
    for (let step = 1; step <= 100 && alarms.length === 0; step++) {
      const batches = [0, 1, 2, 3].map((i) =>
        simulateStep(4 * step + i, ill.includes(i) ? { ...healthy, zero: 1 } : healthy, healthy),
      );
      alarms.push(...guard.observe(step, pool(batches)).map(({ reason }) => reason));
    }
    expect(alarms[0]).toMatch(/^queries are dead/);
  });
});
