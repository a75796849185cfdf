/**
 * The guard of a training run: stops it when queries or documents have gone dense, dead, constant or NaN, or when it ranks worse than
 * chance after six tenths of its steps, and says why.
 *
 * A figure that is not finite stops at once: the next update would spoil the weights. All else needs patience, since
 * many runs recover: figures are smoothed over a window; a sign of collapse (`collapse-signs.ts`) must last for
 * `patience` steps in which it does not get better by a twentieth; and density, and terms that all vectors share, count only after the
 * regularizer weights have risen, equal scores only after the learning rate has. A side whose vectors are all zero has no gradient through ReLU,
 * so that it is given up sooner.
 */
import { LexrayError } from '../../util/errors.ts';
import type { WarningListener } from '../../util/progress.ts';
import { collapseCure } from './collapse-cure.ts';
import { type CollapseSign, collapseSigns, scoreSigns } from './collapse-signs.ts';
import type { GuardSettings } from './guard-settings.ts';
import {
  emptyGuardState,
  type GuardAlarm,
  type GuardState,
  type Side,
  type SideFigures,
  smoothedNames,
  type Watch,
} from './guard-state.ts';
import type { SideHealth, StepHealth } from './step-health.ts';

/** Options of {@link TrainingGuard}. */
export interface TrainingGuardOptions {
  readonly settings: GuardSettings;
  /** Steps of the run. */
  readonly steps: number;
  /** Steps in which the regularizer weights rise. */
  readonly rampSteps: number;
  /** Steps in which the learning rate rises. */
  readonly warmupSteps: number;
  /** Whether queries, and documents, have a top-k mask. @default neither */
  readonly masked?: Readonly<Partial<Record<Side, boolean>>> | undefined;
  /** Whether the loss is a softmax over the documents of a batch: only then is there a chance to compare it with. @default false */
  readonly ranksBatch?: boolean | undefined;
  /** Where the state of the run is, for messages. */
  readonly where?: string | undefined;
  /** What `diagnose` proposes for the model that the run started from: a command. */
  readonly proposal?: string | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** Steps in which every vector of a side is zero after which it will not come back: Adam's momentum is down to .9^25 = .07. */
const hopelessSteps = 25;
/** A sign gets better when its figure falls by this share. */
const improvement = 0.05;
/**
 * Share of the steps from which on a ranking loss above chance counts. Of the runs of the calibration study that were not collapsed at the end, some
 * were above chance after half of their steps, none after six tenths (scripts/loss-above-chance.mjs).
 */
const chanceRatio = 0.6;
const sides: readonly Side[] = ['queries', 'documents'];

/** Watches one run. */
export class TrainingGuard {
  readonly #options: TrainingGuardOptions;
  #state: GuardState = emptyGuardState;

  constructor(options: TrainingGuardOptions) {
    this.#options = options;
  }

  /** A copy of what it remembers, for a checkpoint. */
  get state(): GuardState {
    return structuredClone(this.#state);
  }

  /** Goes on from a checkpoint. */
  restore(state: GuardState): void {
    this.#state = structuredClone(state);
  }

  /** What it found so far; in a run that went on, with the step at which it was over. */
  get alarms(): readonly GuardAlarm[] {
    return this.#state.alarms;
  }

  /**
   * Takes in a step, and tells what it finds.
   * @throws LexrayError GATE in the mode `stop` when the run has collapsed, and in `warn` when a figure is not finite;
   * FAILED for the latter when the guard is off
   */
  check(step: number, health: StepHealth): void {
    const { settings, onWarning } = this.#options;
    const alarms = this.observe(step, health);
    const [fatal] = alarms.filter(({ kind }) => settings.mode === 'stop' || kind === 'not-finite');
    if (fatal !== undefined) throw this.#error(fatal);
    for (const { reason } of alarms) onWarning?.(`step ${step}: ${reason}`);
  }

  /** Takes in a step. A collapse is returned at the step at which patience ends, and only once where the run goes on. */
  observe(step: number, health: StepHealth): readonly GuardAlarm[] {
    if (health.notFinite.length > 0) {
      const reason = `not finite: ${health.notFinite.join(', ')}`;
      return this.#record([{ kind: 'not-finite', step, since: step, reason }]);
    }
    const { mode } = this.#options.settings;
    if (mode === 'off') return [];
    this.#smooth(health);
    const found: GuardAlarm[] = [];
    const watches: Watch[] = [];
    for (const [side, sign] of this.#signs(health)) {
      const watch = this.#watch(step, side, sign);
      // A run that was stopped and resumed under the same guard is stopped again.
      const raises = (mode === 'stop' || !watch.alarmed) && this.#isHopeless(step, watch, sign);
      watches.push(raises ? { ...watch, alarmed: true } : watch);
      if (raises) {
        const reason = this.#reason(step, watch, sign);
        found.push({ kind: sign.kind, ...(side && { side }), step, since: watch.since, reason });
      }
    }
    const over = this.#state.watches.filter((old) => !watches.some((watch) => isSame(watch, old)));
    const alarms = this.#state.alarms.map((alarm) =>
      alarm.recovered === undefined && over.some((watch) => isSame(watch, alarm))
        ? { ...alarm, recovered: step }
        : alarm,
    );
    this.#state = { ...this.#state, watches, alarms };
    return this.#record(found);
  }

  #record(found: readonly GuardAlarm[]): readonly GuardAlarm[] {
    if (found.length > 0) this.#state = { ...this.#state, alarms: [...this.#state.alarms, ...found] };
    return found;
  }

  /** The signs of each side, and of the whole step. */
  #signs(health: StepHealth): readonly (readonly [side: Side | undefined, sign: CollapseSign])[] {
    const { settings, ranksBatch = false } = this.#options;
    const { ranking, weight } = this.#state;
    const ofScores = ranksBatch || settings.chanceRatio !== undefined ? scoreSigns(ranking / weight) : [];
    return [
      ...sides.flatMap((side) =>
        collapseSigns(this.#figures(side), this.#limits(side, health[side]), settings).map(
          (sign) => [side, sign] as const,
        ),
      ),
      ...ofScores.map((sign) => [undefined, sign] as const),
    ];
  }

  /** Adds the step to the exponentially weighted sums. */
  #smooth({ queries, documents, scores }: StepHealth): void {
    const weight = 2 / (this.#options.settings.window + 1);
    const before = this.#state;
    const add = (old: SideFigures, { median, zero, vectors, sharedTerms }: SideHealth, spread: number): SideFigures => {
      const now: SideFigures = { median, zeroShare: zero / vectors, sharedTerms, spread };
      return mapFigures((name) => old[name] + weight * (now[name] - old[name]));
    };
    const zeroSteps = (side: Side, { zero, vectors }: SideHealth): number =>
      zero === vectors ? before.zeroSteps[side] + 1 : 0;
    this.#state = {
      ...before,
      sums: {
        queries: add(before.sums.queries, queries, scores.querySpread),
        documents: add(before.sums.documents, documents, scores.documentSpread),
      },
      ranking: before.ranking + weight * (scores.ranking - before.ranking),
      weight: before.weight + weight * (1 - before.weight),
      zeroSteps: { queries: zeroSteps('queries', queries), documents: zeroSteps('documents', documents) },
    };
  }

  /** Smoothed figures, as if the first step had not begun at 0. */
  #figures(side: Side): SideFigures {
    const { sums, weight } = this.#state;
    return mapFigures((name) => sums[side][name] / weight);
  }

  #limits(side: Side, { limit }: SideHealth): { side: Side; limit: number; masked: boolean } {
    return { side, limit, masked: this.#options.masked?.[side] ?? false };
  }

  #watch(step: number, side: Side | undefined, { kind, figure = 0 }: CollapseSign): Watch {
    const old = this.#state.watches.find((watch) => watch.kind === kind && watch.side === side);
    if (old === undefined) {
      return { kind, ...(side && { side }), since: step, improved: step, best: figure, alarmed: false };
    }
    return figure > 0 && figure <= old.best * (1 - improvement) ? { ...old, improved: step, best: figure } : old;
  }

  #isHopeless(step: number, { kind, side, improved }: Watch, { waitsFor }: CollapseSign): boolean {
    if (kind === 'dead' && side && this.#state.zeroSteps[side] >= hopelessSteps) return true;
    const grace = this.#grace(waitsFor);
    // What counts only late in a run must not wait for longer than the run goes on, if that is long enough to know.
    const rest = Math.max(this.#options.settings.window, this.#options.steps - grace - 1);
    const patience = waitsFor === 'chance' ? Math.min(this.#patience, rest) : this.#patience;
    return step - Math.max(improved, grace) >= patience;
  }

  get #patience(): number {
    const { settings, steps } = this.#options;
    return Math.max(settings.minPatience, Math.round(settings.patienceRatio * steps));
  }

  /** The step until which a sign does not count. */
  #grace(waitsFor: CollapseSign['waitsFor']): number {
    const { settings, steps, rampSteps, warmupSteps } = this.#options;
    const graceSteps = settings.graceRatio === undefined ? undefined : Math.round(settings.graceRatio * steps);
    if (waitsFor === 'ramp') return graceSteps ?? rampSteps;
    if (waitsFor === 'chance') return Math.round((settings.chanceRatio ?? chanceRatio) * steps);
    return waitsFor === 'warmup' ? warmupSteps : 0;
  }

  #reason(step: number, { kind, side, since, improved }: Watch, { waitsFor, words }: CollapseSign): string {
    if (kind === 'dead' && side && this.#state.zeroSteps[side] >= hopelessSteps) {
      return `${side} are dead: in the last ${hopelessSteps} steps all of them were zero, and no gradient comes back through ReLU`;
    }
    const { rampSteps } = this.#options;
    const better = improved > since ? `, no better since step ${improved}` : '';
    const ramp =
      waitsFor === 'ramp' && rampSteps > 0 && step >= rampSteps
        ? `, at full regularizer weight since step ${rampSteps}`
        : '';
    return `${side ?? 'the scores'} ${words}; so since step ${since}${better}${ramp}`;
  }

  #error(alarm: GuardAlarm): LexrayError {
    const { settings, where, proposal } = this.#options;
    return new LexrayError(settings.mode === 'off' ? 'FAILED' : 'GATE', `step ${alarm.step}: ${alarm.reason}`, {
      ...(where !== undefined && { where }),
      cure: collapseCure(alarm, proposal),
    });
  }
}

function isSame(a: Pick<GuardAlarm, 'kind' | 'side'>, b: Pick<GuardAlarm, 'kind' | 'side'>): boolean {
  return a.kind === b.kind && a.side === b.side;
}

function mapFigures(value: (name: keyof SideFigures) => number): SideFigures {
  return Object.fromEntries(smoothedNames.map((name) => [name, value(name)])) as SideFigures;
}
