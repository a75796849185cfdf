/**
 * The lines of a study as the data of its report: a pure function of the lines, and of the design where contrasts are asked.
 *
 * A run has collapsed when its median document has less than one active dimension or more than half of the vocabulary, or when
 * its score on dev (the first collection, not pruned) is below half of the best mean of its backbone's cells.
 */
import type { ReportCell, ReportExplored, ReportFamily, ReportStudy } from '../../report/study/data.ts';
import { shownScores } from '../../report/study/sweep.ts';
import type { Estimate } from '../../report/table.ts';
import { LexrayError } from '../../util/errors.ts';
import { mean } from '../../util/mean.ts';
import { analyseStudy, exploreStudy } from '../analyse-study.ts';
import { crossedInterval } from '../analysis/crossed-interval.ts';
import { verdictsInWords } from '../analysis/in-words.ts';
import { seedInterval } from '../analysis/seed-interval.ts';
import type { AskedContrast, StudyDesign } from '../design.ts';
import type { ResultLine } from '../result-line.ts';
import { bestGains } from './best-gains.ts';
import { collapsePredictions } from './collapse-predictions.ts';
import { pretrainingCorrelations } from './pretraining-correlations.ts';
import { ruleRegrets } from './rule-regrets.ts';
import { backboneOf, cellOf } from './study-cells.ts';
import { sweepAxes } from './sweep-axes.ts';
import type { RegretQuestion } from './swept-heads.ts';

/** Options of {@link summariseStudy}. */
export interface SummariseOptions {
  /** The study's design: without it no contrast is answered. */
  readonly design?: StudyDesign | undefined;
  /** Contrasts of the design that were asked after the runs were seen. */
  readonly exploratory?: readonly AskedContrast[] | undefined;
  /** What collapse, regret and the frontier are measured by. @default nDCG@10 */
  readonly measure?: string | undefined;
}

/**
 * Summarises a study.
 * @throws LexrayError BAD_INPUT when a run that a contrast needs is missing; USAGE when the runs have no such measure
 */
export function summariseStudy(lines: readonly ResultLine[], options: SummariseOptions = {}): ReportStudy {
  const { design, exploratory = [], measure = 'nDCG@10' } = options;
  const names = Object.keys(lines[0]?.scores ?? {});
  const [dev = ''] = names;
  checkMeasure(lines, measure, dev);
  const groups = new Map<string, ResultLine[]>();
  for (const line of lines) {
    groups.set(cellOf(line), [...(groups.get(cellOf(line)) ?? []), line]);
  }
  const best = bestOfBackbones([...groups.values()], `${dev} ${measure}`);
  const factors = variedFactors(lines);
  const questions = questionsOf(names, measure);
  const collapsed = (line: ResultLine): boolean => hasCollapsed(line, best, `${dev} ${measure}`);
  const cells = [...groups.values()].map((members) => reportCell(members, collapsed));
  return {
    name: lines[0]?.study ?? design?.name ?? '',
    runs: lines.length,
    seconds: lines.reduce((sum, { seconds }) => sum + seconds, 0),
    queries: Object.fromEntries(names.map((name) => [name, lines[0]!.scores[name]!.qids.length])),
    factors,
    cells,
    sweep: sweepAxes(factors),
    families: design === undefined ? [] : familiesOf(design, lines),
    explored: design === undefined ? [] : exploredIn(design, exploratory, lines),
    regrets: questions.flatMap((question) => ruleRegrets(lines, question) ?? []),
    bestGains: questions.flatMap((question) => bestGains(lines, question, collapsed)),
    predictors: collapsePredictions(lines, collapsed),
    correlations: pretrainingCorrelations(cells, shownScores({ cells })),
    tools: [...new Set(lines.map(({ tool }) => tool))],
  };
}

/** Every run must have a mean of the measure on dev; FLOPS are a cost, and have none by that name. */
function checkMeasure(lines: readonly ResultLine[], measure: string, dev: string): void {
  const [first] = lines;
  if (first === undefined || lines.every(({ metrics }) => metrics[`${dev} ${measure}`] !== undefined)) return;
  const known = Object.keys(first.scores[dev]?.measures ?? {}).filter((name) =>
    lines.every(({ metrics }) => metrics[`${dev} ${name}`] !== undefined),
  );
  throw new LexrayError(
    'USAGE',
    `the runs of ${first.study} have no ${measure}; they have ${known.join(', ') || 'none'}`,
    {
      cure: 'name one of them with --measure',
    },
  );
}

/** At the strictest pruning, where all have the same number of terms, and at the first: chosen on the first collection, judged on the last. */
function questionsOf(names: readonly string[], measure: string): RegretQuestion[] {
  const collectionOf = (name: string): string => name.slice(0, name.lastIndexOf(' '));
  const of = (collection: string): string[] => names.filter((name) => collectionOf(name) === collection);
  const [dev, judged] = [of(collectionOf(names[0] ?? '')), of(collectionOf(names.at(-1) ?? ''))];
  const places = dev.length > 1 ? [dev.length - 1, 0] : [0];
  return places.map((i) => ({ measure, dev: dev[i] ?? '', eval: judged[i] ?? dev[i] ?? '' }));
}

/** Levels of the factors that have several, in the order of the lines. */
function variedFactors(lines: readonly ResultLine[]): Record<string, readonly string[]> {
  const names = Object.keys(lines[0]?.levels ?? {});
  const all = names.map((name) => [name, [...new Set(lines.map(({ levels }) => levels[name] ?? ''))]] as const);
  return Object.fromEntries(all.filter(([, levels]) => levels.length > 1));
}

/** The largest mean over seeds of a metric, for each backbone. */
function bestOfBackbones(groups: readonly (readonly ResultLine[])[], metric: string): ReadonlyMap<string, number> {
  const best = new Map<string, number>();
  for (const members of groups) {
    const value = mean(members.map(({ metrics }) => metrics[metric] ?? 0));
    const name = backboneOf(members[0]!);
    best.set(name, Math.max(value, best.get(name) ?? 0));
  }
  return best;
}

function hasCollapsed(line: ResultLine, best: ReadonlyMap<string, number>, metric: string): boolean {
  const value = line.metrics[metric];
  return line.metrics.collapsed === 1 || (value !== undefined && value < best.get(backboneOf(line))! / 2);
}

function reportCell(lines: readonly ResultLine[], collapsed: (line: ResultLine) => boolean): ReportCell {
  const [first] = lines;
  const scores: Record<string, Estimate> = {};
  for (const [name, { qids, measures }] of Object.entries(first!.scores)) {
    for (const measure of Object.keys(measures)) {
      const table = lines.map((line) => line.scores[name]?.measures[measure] ?? []);
      const whole = table.every((row) => row.length === qids.length);
      if (whole) scores[`${name} ${measure}`] = estimate(table);
    }
  }
  const shared = Object.keys(first!.metrics).filter((name) =>
    lines.every(({ metrics }) => metrics[name] !== undefined),
  );
  const count = (metric: string): number => lines.filter(({ metrics }) => metrics[metric] === 1).length;
  return {
    levels: first!.levels,
    seeds: lines.map(({ seed }) => seed).sort((a, b) => a - b),
    scores,
    metrics: Object.fromEntries(shared.map((name) => [name, mean(lines.map(({ metrics }) => metrics[name]!))])),
    figures: figuresOf(lines, shared),
    collapsed: lines.filter(collapsed).length,
    guarded: count('guardCollapse'),
    predicted: shared.includes('predictedCollapse') ? count('predictedCollapse') : undefined,
    curves: lines.flatMap(({ curves }) => (curves === undefined ? [] : [curves])),
    pretrainingCurves: lines.flatMap(({ pretrainingCurves: curves }) => (curves === undefined ? [] : [curves])),
  };
}

/** Figures of runs with t intervals over the seeds. */
function figuresOf(lines: readonly ResultLine[], shared: readonly string[]): ReportCell['figures'] {
  const wanted = shared.filter((name) => /^mlm | postings (cv2|p99)$| maxDF$/.test(name));
  const falls = lines.map(({ pretrainingCurves: curves }) => lossOfLastFifth(curves));
  const known = falls.filter((fall) => fall !== undefined);
  return {
    ...Object.fromEntries(wanted.map((name) => [name, seedInterval(lines.map(({ metrics }) => metrics[name]!))])),
    ...(known.length === lines.length && { lastFifth: seedInterval(known) }),
  };
}

/** By which share the loss on held-out texts fell over the last fifth of the steps; undefined where it was not looked at twice. */
function lossOfLastFifth(curves: ResultLine['pretrainingCurves']): number | undefined {
  const { step = [], eval_loss: losses = [] } = curves ?? {};
  const seen = step.flatMap((at, i) => {
    const loss = losses[i];
    return at === null || loss === null || loss === undefined ? [] : [{ at, loss }];
  });
  const end = seen.at(-1);
  const before = seen.findLast(({ at }) => end !== undefined && at <= 0.8 * end.at);
  return end === undefined || before === undefined ? undefined : 1 - end.loss / before.loss;
}

/** One seed says nothing of seeds to come: it has no interval. */
function estimate(table: readonly (readonly number[])[]): Estimate {
  if (table.length < 2 || table[0]!.length < 2) return { mean: mean(table.flat()) };
  const { mean: value, low, high } = crossedInterval(table);
  return { mean: value, low, high };
}

function familiesOf(design: StudyDesign, lines: readonly ResultLine[]): ReportFamily[] {
  const declared = new Map(design.contrasts.map((contrast) => [contrast.name, contrast]));
  return analyseStudy(design, lines).map(({ family, contrasts }) => ({
    name: family,
    words: verdictsInWords(contrasts),
    contrasts: contrasts.map(({ name, effect, bootstrap, signFlip, verdict, detectable }) => {
      const { claim, measure, collection } = declared.get(name)!;
      return {
        name,
        claim,
        measure: collection === undefined ? measure : `${measure}, ${collection}`,
        effect: { mean: effect.mean, low: effect.low, high: effect.high },
        bootstrap: { mean: bootstrap.mean, low: bootstrap.low, high: bootstrap.high },
        effectP: effect.pHolm,
        signFlipP: signFlip.pHolm,
        detectable,
        seeds: signFlip.seeds,
        positive: signFlip.positive,
        verdict,
      };
    }),
  }));
}

function exploredIn(
  design: StudyDesign,
  contrasts: readonly AskedContrast[],
  lines: readonly ResultLine[],
): ReportExplored[] {
  return exploreStudy(design, contrasts, lines).map(({ contrast, effect, seeds, positive }) => {
    const { name, family, measure, collection } = contrast;
    return {
      ...{ name, family, seeds, positive },
      measure: collection === undefined ? measure : `${measure}, ${collection}`,
      effect: { mean: effect.mean, low: effect.low, high: effect.high },
    };
  });
}
