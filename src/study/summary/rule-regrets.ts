/**
 * The rules for the factor judged by regret, from the cells that sweep the net scale of a backbone without a correction: a cell
 * with the gain g is one whose head was divided by k = 1/g. What a rule chooses comes from the factors that the statistics
 * proposed for the backbone as it is (gain 1), at several targets; the target is the constant that the other backbones choose.
 */
import type { ReportRule } from '../../report/study/data.ts';
import { LexrayError } from '../../util/errors.ts';
import { cellScores } from '../analyse-study.ts';
import { type BackboneSweep, type FactorRule, judgeRule } from '../analysis/regret.ts';
import type { Levels } from '../design.ts';
import type { ResultLine } from '../result-line.ts';

/** Where settings are chosen and judged, and by what. */
export interface RegretQuestion {
  readonly measure: string;
  /** Names of scores: `dev 0/0`, `eval 0/0`. */
  readonly dev: string;
  readonly eval: string;
}

type Facts = Readonly<Record<string, number>>;

/** The rules judged, or why they cannot be; undefined where nothing was swept. */
export function ruleRegrets(
  lines: readonly ResultLine[],
  question: RegretQuestion,
): { readonly rules: readonly ReportRule[]; readonly reason: string | undefined } | undefined {
  const uncorrected = lines.filter(({ settings }) => (settings.correction ?? 'none') === 'none');
  const swept = withMostCommonSettings(uncorrected);
  if (new Set(swept.map(gainOf)).size < 3) return undefined;
  const groups = new Map<string, ResultLine[]>();
  for (const line of withCommonSeeds(swept)) {
    const name = backboneOf(line);
    groups.set(name, [...(groups.get(name) ?? []), line]);
  }
  try {
    const sweeps = [...groups].map(([name, members]) => sweepOf(name, members, question));
    if (sweeps.length < 2) return { rules: [], reason: 'leaving one backbone out needs two backbones' };
    return { rules: rulesOf(sweeps).map((rule) => reportRule(judgeRule(sweeps, rule))), reason: undefined };
  } catch (error) {
    if (error instanceof LexrayError) return { rules: [], reason: error.message };
    throw error;
  }
}

function gainOf({ settings }: ResultLine): number {
  return typeof settings.gain === 'number' ? settings.gain : 1;
}

function backboneOf({ levels, settings }: ResultLine): string {
  return levels.backbone ?? String(settings.backbone);
}

/** Sweeps of other learning rates or arms are other sweeps: the settings with the most runs count. */
function withMostCommonSettings(lines: readonly ResultLine[]): readonly ResultLine[] {
  const groups = new Map<string, ResultLine[]>();
  for (const line of lines) {
    const { backbone: _backbone, gain: _gain, ...others } = line.resolved;
    const key = JSON.stringify(others);
    groups.set(key, [...(groups.get(key) ?? []), line]);
  }
  return [...groups.values()].reduce((a, b) => (b.length > a.length ? b : a), []);
}

/** The seeds that every setting was run with: primary cells have more than the others. */
function withCommonSeeds(lines: readonly ResultLine[]): readonly ResultLine[] {
  const settings = new Map<string, Set<number>>();
  for (const line of lines) {
    const key = JSON.stringify([backboneOf(line), gainOf(line)]);
    settings.set(key, (settings.get(key) ?? new Set()).add(line.seed));
  }
  return lines.filter(({ seed }) => [...settings.values()].every((seeds) => seeds.has(seed)));
}

function sweepOf(backbone: string, lines: readonly ResultLine[], question: RegretQuestion): BackboneSweep<Facts> {
  const own = lines.find((line) => gainOf(line) === 1);
  if (own === undefined) throw new LexrayError('BAD_INPUT', `${backbone} was not run with gain 1`);
  const combinations = new Map<number, Levels>(lines.map((line) => [gainOf(line), line.levels]));
  return {
    backbone,
    facts: own.metrics,
    settings: [...combinations]
      .sort(([a], [b]) => b - a)
      .map(([gain, levels]) => {
        const scores = (collection: string) =>
          cellScores(lines, levels, { measure: question.measure, collection }).scores;
        return { factor: 1 / gain, dev: scores(question.dev), eval: scores(question.eval) };
      }),
  };
}

/** Trivial rules, and every statistic whose factor is known for all backbones at a target. */
function rulesOf(sweeps: readonly BackboneSweep<Facts>[]): FactorRule<Facts>[] {
  const [first] = sweeps;
  const names = Object.keys(first!.facts).filter(
    (name) => name.startsWith('k ') && sweeps.every(({ facts }) => facts[name] !== undefined),
  );
  const targets = new Map<string, string[]>();
  for (const name of names) {
    const statistic = name.slice(2).replace(/@.*/, '');
    targets.set(statistic, [...(targets.get(statistic) ?? []), name]);
  }
  return [
    { name: 'always 1', constants: [1], choose: () => 1 },
    ...[...targets].map(([name, each]): FactorRule<Facts> => {
      const keys = new Map(each.map((key) => [Number(/@(.*)$/.exec(key)?.[1] ?? 1), key]));
      return { name, constants: [...keys.keys()], choose: (facts, constant) => facts[keys.get(constant)!]! };
    }),
  ];
}

function reportRule({ rule, mean, worst, backbones }: ReturnType<typeof judgeRule>): ReportRule {
  const interval = ({ mean: value, low, high }: typeof mean): { mean: number; low: number; high: number } => ({
    mean: value,
    low,
    high,
  });
  return {
    rule,
    mean: interval(mean),
    worst: worst.backbone,
    backbones: backbones.map(({ backbone, wanted, factor, bestFactor, regret }) => ({
      backbone,
      wanted,
      factor,
      bestFactor,
      regret: interval(regret),
    })),
  };
}
