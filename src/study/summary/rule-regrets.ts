/** Rules for the factor judged by regret, from the sweeps of a study and from the runs whose head a statistic corrected. */
import type { ReportRegrets, ReportRule } from '../../report/study/data.ts';
import type { Estimate } from '../../report/table.ts';
import { LexrayError } from '../../util/errors.ts';
import { cellScores } from '../analyse-study.ts';
import type { CrossedInterval } from '../analysis/crossed-interval.ts';
import {
  type BackboneChoice,
  type BackboneSweep,
  choiceDifference,
  judgeChoices,
  judgeRule,
  judgeRules,
  type RuleRegret,
} from '../analysis/regret.ts';
import type { ResultLine } from '../result-line.ts';
import { factorRules } from './factor-rules.ts';
import { learnedFrom } from './learned-from.ts';
import { backboneOf, gainOf } from './study-cells.ts';
import {
  correctedRuns,
  type RegretQuestion,
  type SweptFacts,
  sweepGroups,
  sweepsOf,
  withCommonSeeds,
} from './swept-heads.ts';

type Sweeps = readonly BackboneSweep<SweptFacts>[];

/** The rules judged on the largest sweep, or why they cannot be; undefined where nothing was swept. */
export function ruleRegrets(lines: readonly ResultLine[], question: RegretQuestion): ReportRegrets | undefined {
  const [group] = sweepGroups(lines);
  if (group === undefined) return undefined;
  const { measure, dev, eval: judged } = question;
  const label = `${measure}, chosen on ${dev}, judged on ${judged}`;
  try {
    const corrected = correctedRuns(group, lines).filter((line) => gainOf(line) === 1 && statisticOf(line));
    const common = withCommonSeeds([...group.lines, ...corrected]);
    const sweeps = sweepsOf(
      common.filter((line) => !corrected.includes(line)),
      question,
    );
    if (sweeps.length < 2)
      return { question: label, rules: [], reason: 'leaving one backbone out needs two backbones' };
    const runs = common.filter((line) => corrected.includes(line));
    return {
      question: label,
      rules: [...judgedRules(sweeps, lines[0]?.study), ...judgedRuns(sweeps, runs, question)],
      reason: undefined,
    };
  } catch (error) {
    if (error instanceof LexrayError) return { question: label, rules: [], reason: error.message };
    throw error;
  }
}

function judgedRules(sweeps: Sweeps, study: string | undefined): ReportRule[] {
  const rules = factorRules(sweeps);
  const toTarget = rules.filter((rule) => rule.toTarget);
  const gains = gainsOf(sweeps);
  return [
    ...rules.map((rule) => ({
      ...reportRule(
        judgeRule(sweeps, rule.from(1)),
        (gain) => judgeRule(sweeps, rule.from(gain)).backbones,
        sweeps,
        gains,
      ),
      ...(rule.learned && study === learnedFrom && { inSample: true }),
    })),
    ...(toTarget.length === 0
      ? []
      : [
          reportRule(
            judgeRules(
              sweeps,
              'figure and target chosen on the others',
              toTarget.map((rule) => rule.from(1)),
            ),
            undefined,
            sweeps,
            gains,
          ),
        ]),
  ];
}

/** Heads that were corrected to a target and trained: no nearest factor stands for them. */
function judgedRuns(sweeps: Sweeps, runs: readonly ResultLine[], question: RegretQuestion): ReportRule[] {
  const names = [...new Set(runs.map((line) => statisticOf(line)!))];
  return names.flatMap((name) => {
    const own = runs.filter((line) => statisticOf(line) === name);
    const choices = sweeps.flatMap(({ backbone }): BackboneChoice[] => {
      const line = own.find((one) => backboneOf(one) === backbone);
      if (line === undefined) return [];
      const { measure, eval: collection } = question;
      const factor = line.metrics.factor ?? Number.NaN;
      return [{ backbone, wanted: factor, factor, eval: cellScores(own, line.levels, { measure, collection }).scores }];
    });
    if (choices.length < sweeps.length) return [];
    return [reportRule(judgeChoices(sweeps, `${name}, as run`, choices), undefined, sweeps, gainsOf(sweeps))];
  });
}

/** `score-spread to 500, arm C`; undefined for a correction that follows no statistic, or is not stored in the weights. */
function statisticOf({ settings: { correction } }: ResultLine): string | undefined {
  if (typeof correction !== 'object' || correction === null || Array.isArray(correction)) return undefined;
  const { statistic, target, arm, by = 'weights' } = correction as Readonly<Record<string, unknown>>;
  if (typeof statistic !== 'string' || by !== 'weights') return undefined;
  return `${statistic}${typeof target === 'number' ? ` to ${target}` : ''}, arm ${String(arm)}`;
}

/** Gains that every backbone was run with, ascending. */
function gainsOf(sweeps: Sweeps): number[] {
  const [first] = sweeps;
  return [...first!.facts.keys()].filter((gain) => sweeps.every(({ facts }) => facts.has(gain))).sort((a, b) => a - b);
}

/**
 * @param from what the rule chooses for heads that come with a gain; undefined where that is always the same
 */
function reportRule(
  { rule, mean, worst, backbones }: RuleRegret,
  from: ((gain: number) => readonly BackboneChoice[]) | undefined,
  sweeps: Sweeps,
  gains: readonly number[],
): ReportRule {
  return {
    rule,
    mean: interval(mean),
    worst: worst.backbone,
    backbones: backbones.map(({ backbone, rule: chosen, constant, wanted, factor, bestFactor, regret }) => ({
      ...{ backbone, wanted, factor, bestFactor, constant },
      chosenRule: chosen === rule ? undefined : chosen,
      regret: interval(regret),
    })),
    gained: gains.map((gain) => {
      const started = sweeps.map(({ settings }) => settings.find(({ factor }) => factor === 1 / gain)!);
      return { gain, difference: interval(choiceDifference(from?.(gain) ?? backbones, started)) };
    }),
  };
}

function interval({ mean, low, high }: CrossedInterval): Required<Estimate> {
  return { mean, low, high };
}
