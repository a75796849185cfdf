import { describe, expect, it } from 'vitest';
import { LexrayError } from '../../util/errors.ts';
import { type GivenGuardSettings, guardSettingsSchema } from './guard-settings.ts';
import { type GuardState, guardStateSchema } from './guard-state.ts';
import { type Look, simulateStep } from './simulated-step.suite.ts';
import { type StepFigures, stepHealth } from './step-health.ts';
import { TrainingGuard, type TrainingGuardOptions } from './training-guard.ts';

/** A run of 600 steps whose weights λ rise over 200, and whose learning rate rises over 60: patience is 50. */
const run = { steps: 600, rampSteps: 200, warmupSteps: 60 };
const healthy: Look = { density: 0.08 };

function guardOf(settings: GivenGuardSettings = {}, options: Partial<TrainingGuardOptions> = {}): TrainingGuard {
  return new TrainingGuard({ ...run, settings: guardSettingsSchema.parse(settings), ...options });
}

/** A trajectory: how queries and documents look at each step. */
type Trajectory = (step: number) => readonly [queries: Look, documents: Look];

interface Stop {
  readonly step: number;
  readonly error: LexrayError;
}

/** Runs a guard over a trajectory until it stops, if it does. */
function follow(guard: TrainingGuard, trajectory: Trajectory, topTerms?: number): Stop | undefined {
  for (let step = 1; step <= run.steps; step++) {
    const [queries, documents] = trajectory(step);
    const figures = simulateStep(step, queries, documents, topTerms);
    try {
      guard.check(step, stepHealth(figures, { queryTopTerms: topTerms, documentTopTerms: topTerms }));
    } catch (error) {
      return { step, error: error as LexrayError };
    }
  }
  return undefined;
}

/** Below half of the vocabulary, and the same terms in every vector, with weights of their own. */
const shared: Look = { density: 0.4, sameTerms: true };

/** From a to b between two steps, constant outside. */
const between = (step: number, from: number, to: number, a: number, b: number): number =>
  a + (b - a) * Math.min(1, Math.max(0, (step - from) / (to - from)));

const falling = (step: number): Look => ({ density: between(step, 20, 260, 1, 0.05) });

describe('a run that is let go on', () => {
  it.each<[string, Trajectory]>([
    ['is healthy from the start', () => [healthy, healthy]],
    ['starts dense and thins out as λ rises', (step) => [falling(step), falling(step)]],
    ['thins out after the ramp, but steadily', (step) => [healthy, { density: between(step, 150, 600, 1, 0.3) }]],
    [
      'is dense until the ramp has ended, and thins out at once',
      (step) => [{ density: step < 220 ? 1 : 0.1 }, healthy],
    ],
    [
      'begins with vectors that are nearly all alike',
      (step) =>
        [
          { density: 0.9, alike: between(step, 30, 90, 1e-5, 1) },
          { density: 0.9, alike: between(step, 30, 90, 1e-5, 1) },
        ].map((look) => (step < 90 ? look : falling(step + 100))) as [Look, Look],
    ],
    [
      'has terms that all vectors share until the ramp has ended',
      (step) => (step < 220 ? [shared, shared] : [healthy, healthy]),
    ],
    ['has a third of its queries at zero', () => [{ ...healthy, zero: 0.34 }, healthy]],
    [
      'loses most of its documents for a while',
      (step) => [healthy, { ...healthy, zero: step > 100 && step < 140 ? 0.8 : 0 }],
    ],
    [
      'has all queries at zero for a few steps',
      (step) => [{ ...healthy, zero: step > 100 && step < 120 ? 1 : 0 }, healthy],
    ],
    ['has dense batches now and then', (step) => [healthy, { density: step % 5 === 0 ? 1 : 0.1 }]],
  ])('%s', (_title, trajectory) => {
    const guard = guardOf();
    expect(follow(guard, trajectory)).toBeUndefined();
    expect(guard.alarms).toEqual([]);
  });
});

describe('a run that is stopped', () => {
  it.each<[string, Trajectory, number, number, RegExp]>([
    [
      'dense queries',
      () => [{ density: 1 }, healthy],
      250,
      250,
      /^step 250: queries are dense: half .* 120 active .* 50 % of the vocabulary of 120; so since step 1, at full regularizer weight since step 200$/,
    ],
    ['dense documents', () => [healthy, { density: 0.9 }], 250, 250, /^step 250: documents are dense/],
    [
      'documents that go dense late',
      (step) => [healthy, { density: step < 400 ? 0.1 : 1 }],
      450,
      475,
      /documents are dense/,
    ],
    [
      'queries that stop thinning out',
      (step) => [{ density: between(step, 1, 300, 1, 0.6) }, healthy],
      320,
      360,
      /queries are dense.*no better since step 2\d\d/,
    ],
    [
      'dead queries',
      (step) => [{ ...healthy, zero: step < 100 ? 0 : 1 }, healthy],
      124,
      124,
      /^step 124: queries are dead: in the last 25 steps all of them were zero/,
    ],
    ['dead documents', (step) => [healthy, { ...healthy, zero: step < 100 ? 0 : 1 }], 124, 124, /documents are dead/],
    [
      'documents of which most are dead',
      (step) => [healthy, { ...healthy, zero: step < 100 ? 0 : 0.75 }],
      150,
      200,
      /documents are dead: 7\d(\.\d)? % of them are all zero/,
    ],
    [
      'documents that die slowly',
      (step) => [healthy, { ...healthy, zero: between(step, 100, 300, 0, 0.95) }],
      250,
      330,
      /documents are dead/,
    ],
    [
      'documents that are all alike',
      () => [healthy, { density: 0.1, alike: 1e-4 }],
      110,
      110,
      /^step 110: documents are all alike: whichever/,
    ],
    ['queries that are all alike', () => [{ density: 0.1, alike: 1e-4 }, healthy], 110, 110, /queries are all alike/],
    [
      'documents with the same terms only',
      () => [healthy, { density: 0.1, sameTerms: true }],
      250,
      250,
      /documents are all alike: 100 % of their active dimensions/,
    ],
    [
      'dense vectors that are all alike, before the ramp ends',
      () => [
        { density: 1, alike: 1e-5 },
        { density: 1, alike: 1e-5 },
      ],
      110,
      110,
      /queries are all alike/,
    ],
  ])('%s', (_title, trajectory, earliest, latest, message) => {
    const stop = follow(guardOf(), trajectory);
    expect(stop).toBeDefined();
    expect(stop!.step).toBeGreaterThanOrEqual(earliest);
    expect(stop!.step).toBeLessThanOrEqual(latest);
    expect(stop!.error).toBeInstanceOf(LexrayError);
    expect(stop!.error.code).toBe('GATE');
    expect(stop!.error.message).toMatch(message);
  });

  it.each<[string, Partial<StepFigures>, RegExp]>([
    ['a loss that is NaN', { loss: Number.NaN }, /^step 7: not finite: loss \(NaN\)$/],
    ['a score that is infinite', { scores: new Float32Array(96).fill(Number.POSITIVE_INFINITY) }, /not finite: scores/],
    ['a gradient that is infinite', { gradientNorm: Number.POSITIVE_INFINITY }, /grad_norm \(Infinity\)/],
  ])('%s, at once, in every mode', (_title, change, message) => {
    const figures = { ...simulateStep(7, healthy, healthy), ...change };
    for (const [mode, code] of [
      ['stop', 'GATE'],
      ['warn', 'GATE'],
      ['off', 'FAILED'],
    ] as const) {
      const guard = guardOf({ mode });
      for (let step = 1; step < 7; step++) guard.check(step, stepHealth(simulateStep(step, healthy, healthy)));
      let thrown: unknown;
      try {
        guard.check(7, stepHealth(figures));
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ code, message: expect.stringMatching(message) });
    }
  });

  it('knows the top-k mask', () => {
    const options = { masked: { queries: true, documents: true } };
    const full: Trajectory = () => [{ density: 0.3 }, { density: 0.3 }];
    // 12 of 120 terms: few for a vocabulary, all that the mask leaves.
    expect(follow(guardOf({}, options), full, 12)?.error.message).toMatch(
      /above 95 % of the 12 that top-k masking leaves/,
    );
    expect(follow(guardOf({}, options), () => [{ density: 0.05 }, { density: 0.05 }], 12)).toBeUndefined();
    expect(follow(guardOf({ denseShare: 1 }, options), full, 12)).toBeUndefined();
  });
});

describe('a ranking loss above chance', () => {
  /** Healthy vectors whose scores say the wrong thing, by so much. */
  const stepWith = (seed: number, wrong: number): StepFigures => {
    const figures = simulateStep(seed, healthy, healthy);
    const documents = figures.documentActiveDims.length;
    const scores = figures.scores.map(
      (score, at) => score - (at % documents === Math.floor(at / documents) ? wrong : 0),
    );
    return { ...figures, scores };
  };
  const stopOf = (
    wrong: (step: number) => number,
    settings: GivenGuardSettings = {},
    ranksBatch = true,
  ): Stop | undefined => {
    const guard = guardOf(settings, { ranksBatch });
    for (let step = 1; step <= run.steps; step++) {
      try {
        guard.check(step, stepHealth(stepWith(step, wrong(step))));
      } catch (error) {
        return { step, error: error as LexrayError };
      }
    }
    return undefined;
  };

  it('stops a run that is too short for patience', () => {
    const steps = 80;
    const guard = guardOf({}, { ranksBatch: true, steps, rampSteps: 20, warmupSteps: 8 });
    const next = (step: number): void => guard.check(step, stepHealth(stepWith(step, 8)));
    for (let step = 1; step < steps - 1; step++) next(step);
    expect(() => next(steps - 1)).toThrow(/^step 79: the scores say less than chance/);
  });

  it.each<[string, (step: number) => number, GivenGuardSettings, boolean, number | undefined]>([
    ['from the start to the end', () => 5, {}, true, 410],
    ['that falls, but not below chance', (step) => 5000 / step, {}, true, 410],
    ['in the first half only', (step) => (step < 300 ? 5000 / step : -2), {}, true, undefined],
    ['until shortly after six tenths', (step) => (step < 380 ? 9 : -2), {}, true, undefined],
    ['from three quarters on', (step) => (step < 450 ? -2 : 9), {}, true, 501],
    ['of another loss', () => 5, {}, false, undefined],
    ['of another loss, but asked for', () => 5, { chanceRatio: 0.25 }, false, 200],
    ['that is switched off', () => 5, { chanceRatio: 1 }, true, undefined],
    ['with a guard that is off', () => 5, { mode: 'off' }, true, undefined],
  ])('%s', (_title, wrong, settings, ranksBatch, wanted) => {
    expect(stopOf(wrong, settings, ranksBatch)?.step).toBe(wanted);
  });

  it('is told with its size and a cure', () => {
    const { error } = stopOf(() => 5)!;
    expect(error.code).toBe('GATE');
    expect(error.message).toMatch(
      /^step 410: the scores say less than chance: the ranking loss is [\d.]+ times that of a model without preference; so since step 1$/,
    );
    expect(error.cure).toMatch(/--calibrate/);
  });

  it('is watched on from a checkpoint of a guard that did not know of it', () => {
    const guard = guardOf({}, { ranksBatch: true });
    for (let step = 1; step <= 300; step++) guard.check(step, stepHealth(stepWith(step, 5)));
    const { ranking: _, ...old } = guard.state;
    const resumed = guardOf({}, { ranksBatch: true });
    resumed.restore(guardStateSchema.parse({ ...old, watches: [] }));
    const next = (): void => {
      for (let step = 301; step <= 450; step++) resumed.check(step, stepHealth(stepWith(step, 5)));
    };
    expect(next).toThrow(/^step 4[1-4]\d: the scores say less than chance/);
  });
});

describe('settings of the guard', () => {
  it.each<[GivenGuardSettings, number | undefined]>([
    [{}, 250],
    [{ graceRatio: 0 }, 51],
    [{ graceRatio: 0.5 }, 350],
    [{ minPatience: 10 }, 230],
    [{ minPatience: 10, patienceRatio: 0 }, 210],
    [{ denseShare: 0.95 }, undefined],
    [{ mode: 'warn' }, undefined],
    [{ mode: 'off' }, undefined],
  ])('%o', (settings, wanted) => {
    expect(follow(guardOf(settings), () => [healthy, { density: 0.9 }])?.step).toBe(wanted);
  });

  it('are checked', () => {
    for (const wrong of [
      { mode: 'halt' },
      { window: 0 },
      { denseShare: 2 },
      { patience: 3 },
      { zeroShare: Number.NaN },
    ]) {
      expect(guardSettingsSchema.safeParse(wrong).success).toBe(false);
    }
  });
});

describe('messages', () => {
  it('name the correction that diagnose proposes', () => {
    const proposal = 'lexray rescale bert -o bert-calibrated --factor 8 --arm C';
    const stop = follow(guardOf({}, { proposal, where: 'out.training' }), () => [{ density: 1 }, healthy]);
    expect(stop!.error).toMatchObject({ where: 'out.training', cure: expect.stringContaining(proposal) });
    expect(stop!.error.cure).toMatch(/raise the regularizer weight of queries; --guard warn goes on regardless/);
    const without = follow(guardOf(), (step) => [healthy, { ...healthy, zero: step < 100 ? 0 : 1 }]);
    expect(without!.error.cure).toMatch(/lexray diagnose.*lower the regularizer weight of documents/);
  });

  it('warn once for each collapse and side, and say later what recovered', () => {
    const warnings: string[] = [];
    const guard = guardOf({ mode: 'warn' }, { onWarning: (message) => warnings.push(message) });
    follow(guard, (step) => [{ density: step < 400 ? 1 : 0.1 }, { ...healthy, zero: step < 100 ? 0 : 1 }]);
    expect(warnings).toEqual([
      expect.stringMatching(/^step 124: documents are dead/),
      expect.stringMatching(/^step 250: queries are dense/),
    ]);
    const [dead, dense] = guard.alarms;
    expect(dead).toMatchObject({ kind: 'dead', side: 'documents', step: 124 });
    expect(dead!.recovered).toBeUndefined();
    expect(dense).toMatchObject({ kind: 'dense', side: 'queries', step: 250, since: 1 });
    expect(dense!.recovered).toBeGreaterThan(400);
    expect(dense!.recovered).toBeLessThan(430);
  });
});

describe('the state of a guard', () => {
  it('goes on from a checkpoint as if nothing had happened', () => {
    const trajectory: Trajectory = (step) => [{ ...healthy, zero: between(step, 100, 300, 0, 0.95) }, falling(step)];
    const whole = follow(guardOf(), trajectory)!;
    for (const kill of [1, 60, 130, whole.step - 20, whole.step - 1]) {
      const before = guardOf();
      for (let step = 1; step <= kill; step++) before.check(step, stepHealth(simulateStep(step, ...trajectory(step))));
      const saved = JSON.stringify(before.state);
      const after = guardOf();
      after.restore(guardStateSchema.parse(JSON.parse(saved)) as GuardState);
      expect(JSON.stringify(after.state)).toBe(saved);
      let stopped: number | undefined;
      for (let step = kill + 1; step <= run.steps && stopped === undefined; step++) {
        try {
          after.check(step, stepHealth(simulateStep(step, ...trajectory(step))));
        } catch (error) {
          stopped = step;
          expect((error as LexrayError).message).toBe(whole.error.message);
        }
      }
      expect(stopped).toBe(whole.step);
    }
  });

  it('stops a resumed run again, unless it is resumed to go on', () => {
    const trajectory: Trajectory = () => [{ density: 1 }, healthy];
    const stopped = guardOf();
    const stop = follow(stopped, trajectory)!;
    const [again, goesOn] = [guardOf(), guardOf({ mode: 'warn' })];
    const next = stepHealth(simulateStep(stop.step + 1, ...trajectory(stop.step + 1)));
    again.restore(stopped.state);
    expect(() => again.check(stop.step + 1, next)).toThrow(/queries are dense/);
    goesOn.restore(stopped.state);
    goesOn.check(stop.step + 1, next);
    expect(goesOn.alarms).toHaveLength(1);
  });

  it('is a copy', () => {
    const guard = guardOf();
    const state = guard.state;
    guard.check(1, stepHealth(simulateStep(1, { density: 1 }, healthy)));
    expect(state.watches).toEqual([]);
    expect(guard.state.watches).toHaveLength(1);
  });

  it.each([[{}], [null], [{ sums: 1 }]])('is refused when it is damaged: %o', (state) => {
    expect(guardStateSchema.safeParse(state).success).toBe(false);
  });
});
