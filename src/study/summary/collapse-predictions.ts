/**
 * What could be known of collapse before training, judged on the cells that were trained with the head as it was: figures of the
 * head as rules with thresholds from other backbones (and, by themselves, from other backbones and other arms), and rules that
 * have their threshold already.
 */
import type { ReportPredictor } from '../../report/study/data.ts';
import { judgeChosenPredictor } from '../analysis/chosen-predictor.ts';
import { judgeFixedRule, judgePredictor, type PredictedCell } from '../analysis/collapse-prediction.ts';
import type { ResultLine } from '../result-line.ts';
import { foreseenOf } from './foreseen-of.ts';
import { headFigures } from './head-figures.ts';

/** What is known of a run before it: figures of the head, and one that knows how far training can move it. */
const figures: readonly { readonly name: string; value(line: ResultLine): number }[] = [
  ...headFigures.map(({ name, value }) => ({ name, value: ({ metrics }: ResultLine) => value(metrics) })),
  {
    name: 'FLOPS over learning rate × steps',
    value: ({ metrics: { 'head flops': flops = Number.NaN }, resolved: { learningRate, maxSteps } }) =>
      flops / (Number(learningRate) * Number(maxSteps)),
  },
];

/** Rules by name: whether they see a collapse. */
const rules: readonly (readonly [name: string, judged: (line: ResultLine) => boolean | undefined])[] = [
  [
    'diagnose, as it was for these runs',
    ({ metrics: { predictedCollapse } }) => (predictedCollapse === undefined ? undefined : predictedCollapse === 1),
  ],
  ['diagnose, as it is now', foreseenOf],
  ['norm above 2', ({ metrics: { 'head rowNorm': norm } }) => (norm === undefined ? undefined : norm > 2)],
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
    if ((line.settings.correction ?? 'none') !== 'none') continue;
    const key = JSON.stringify(Object.entries(line.levels).sort());
    cells.set(key, [...(cells.get(key) ?? []), line]);
  }
  const units = [...cells.values()].map((members) => {
    const [line] = members as [ResultLine];
    const { settings, levels } = line;
    const gain = typeof settings.gain === 'number' ? settings.gain : 1;
    const count = members.filter(collapsed).length;
    return {
      line,
      groups: [levels.backbone ?? String(settings.backbone), String(settings.gainArm ?? 'C')],
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
  const ofBackbones = chosen(1);
  return [
    {
      name: 'figure and range chosen on the others',
      accuracy: ofBackbones.accuracy,
      otherArm: arms > 1 ? chosen(2).accuracy : undefined,
      windows: ofBackbones.chosen.map(({ groups, figure, window }) => ({
        backbone: groups[0]!,
        window,
        ...(figure !== undefined && { figure: complete[figure]!.name }),
      })),
    },
    ...complete.map(({ name, value }): ReportPredictor => {
      const valued = units.map((unit): PredictedCell => ({ ...unit, value: value(unit.line) }));
      const judged = judgePredictor(valued.map((unit) => ({ ...unit, groups: unit.groups.slice(0, 1) })));
      const { areaLarger, areaSmaller, accuracy } = judged;
      return {
        ...{ name, areaLarger, areaSmaller, accuracy },
        otherArm: arms > 1 ? judgePredictor(valued).accuracy : undefined,
        windows: judged.judged.map(({ groups, window }) => ({ backbone: groups[0]!, window })),
      };
    }),
    ...rules.flatMap(([name, judge]): ReportPredictor[] => {
      const judged = units.map((unit) => ({ ...unit, judged: judge(unit.line) }));
      if (!judged.every((unit): unit is typeof unit & { judged: boolean } => unit.judged !== undefined)) return [];
      return [{ name, accuracy: judgeFixedRule(judged), windows: [] }];
    }),
  ];
}
