/**
 * What could be known of collapse before training, judged on the cells that were trained with the head as it was: figures of the
 * head as rules with thresholds from other backbones (and, by themselves, from other backbones and other arms), and rules that
 * have their threshold already.
 */
import type { ReportPredictor } from '../../report/study/data.ts';
import { judgeChosenPredictor } from '../analysis/chosen-predictor.ts';
import {
  judgeFixedRule,
  judgeHeldOutRange,
  judgePredictor,
  type PredictedCell,
} from '../analysis/collapse-prediction.ts';
import type { ResultLine } from '../result-line.ts';
import { foreseenOf } from './foreseen-of.ts';
import { headFigures } from './head-figures.ts';
import { learnedFrom } from './learned-from.ts';
import { backboneOf, cellOf, gainOf, isCorrected } from './study-cells.ts';

/** What is known of a run before it: figures of the head, and one that knows how far training can move it. */
const figures: readonly { readonly name: string; value(line: ResultLine): number }[] = [
  ...headFigures.map(({ name, value }) => ({ name, value: ({ metrics }: ResultLine) => value(metrics) })),
  {
    name: 'FLOPS over learning rate × steps',
    value: ({ metrics: { 'head flops': flops = Number.NaN }, resolved: { learningRate, maxSteps } }) =>
      flops / (Number(learningRate) * Number(maxSteps)),
  },
];

/** A rule that has its threshold already. */
interface FixedRule {
  readonly name: string;
  /** Whether it sees a collapse; undefined where it cannot say. */
  judge(line: ResultLine): boolean | undefined;
  /** Whether its thresholds were learned from the calibration study. */
  readonly learned?: boolean;
}

const rules: readonly FixedRule[] = [
  {
    name: 'diagnose, as it was for these runs',
    judge: ({ metrics: { predictedCollapse } }) =>
      predictedCollapse === undefined ? undefined : predictedCollapse === 1,
  },
  { name: 'diagnose, as it is now', judge: foreseenOf, learned: true },
  {
    name: 'norm above 2',
    judge: ({ metrics: { 'head rowNorm': norm } }) => (norm === undefined ? undefined : norm > 2),
  },
];

/**
 * Judges all that can be judged; nothing where there are fewer than two backbones or only one outcome.
 * @param collapsed whether a run did
 */
export function collapsePredictions(
  lines: readonly ResultLine[],
  collapsed: (line: ResultLine) => boolean,
): readonly ReportPredictor[] {
  const cells = new Map<string, ResultLine[]>();
  for (const line of lines) {
    if (isCorrected(line)) continue;
    cells.set(cellOf(line), [...(cells.get(cellOf(line)) ?? []), line]);
  }
  const units = [...cells.values()].map((members) => {
    const [line] = members as [ResultLine];
    const gain = gainOf(line);
    const count = members.filter(collapsed).length;
    return {
      line,
      groups: [backboneOf(line), String(line.settings.gainArm ?? 'C')],
      side: gain === 1 ? ('neither' as const) : gain > 1 ? ('larger' as const) : ('smaller' as const),
      ...{ collapsed: count, healthy: members.length - count },
    };
  });
  const outcomes = {
    collapsed: units.some((unit) => unit.collapsed > 0),
    healthy: units.some((unit) => unit.healthy > 0),
  };
  const several = new Set(units.map(({ groups }) => groups[0])).size > 1;
  if (!several || !outcomes.collapsed || !outcomes.healthy) return [];
  const arms = new Set(units.map(({ groups }) => groups[1])).size;
  const complete = figures.filter(({ value }) => units.every(({ line }) => Number.isFinite(value(line))));
  const chosen = (count: number): ReturnType<typeof judgeChosenPredictor> =>
    judgeChosenPredictor(
      units.map((unit) => ({
        ...unit,
        groups: unit.groups.slice(0, count),
        values: complete.map(({ value }) => value(unit.line)),
      })),
    );
  const chosenRow = (): ReportPredictor => {
    const { accuracy, chosen: ranges } = chosen(1);
    return {
      name: 'figure and range chosen on the others',
      accuracy,
      otherArm: arms > 1 ? chosen(2).accuracy : undefined,
      windows: ranges.map(({ groups, figure, window }) => ({
        backbone: groups[0]!,
        window,
        ...(figure !== undefined && { figure: complete[figure]!.name }),
      })),
    };
  };
  return [
    ...(complete.length > 0 ? [chosenRow()] : []),
    ...complete.map(({ name, value }): ReportPredictor => {
      const valued = units.map((unit): PredictedCell => ({ ...unit, value: value(unit.line) }));
      const judged = judgePredictor(valued.map((unit) => ({ ...unit, groups: unit.groups.slice(0, 1) })));
      const { areaLarger, areaSmaller, accuracy } = judged;
      return {
        ...{ name, areaLarger, areaSmaller, accuracy },
        otherArm: arms > 1 ? judgeHeldOutRange(valued) : undefined,
        windows: judged.judged.map(({ groups, window }) => ({ backbone: groups[0]!, window })),
      };
    }),
    ...rules.flatMap(({ name, judge, learned }): ReportPredictor[] => {
      const judged = units.map((unit) => ({ ...unit, judged: judge(unit.line) }));
      if (!judged.every((unit): unit is typeof unit & { judged: boolean } => unit.judged !== undefined)) return [];
      const inSample = learned && lines[0]?.study === learnedFrom;
      return [{ name, accuracy: judgeFixedRule(judged), windows: [], ...(inSample && { inSample }) }];
    }),
  ];
}
