/** Where the sweep of each backbone is best on dev, and how far apart the backbones are there: by the gain, and by figures of the head. */
import type { ReportBest, ReportBestGains } from '../../report/study/data.ts';
import { LexrayError } from '../../util/errors.ts';
import { mean } from '../../util/mean.ts';
import { type CrossedInterval, crossedInterval } from '../analysis/crossed-interval.ts';
import { type BackboneSweep, choiceDifference } from '../analysis/regret.ts';
import { seedMeans } from '../analysis/score-table.ts';
import type { ResultLine } from '../result-line.ts';
import { headFigures } from './head-figures.ts';
import { backboneOf, gainOf } from './study-cells.ts';
import { type RegretQuestion, type SweptFacts, sweepGroups, sweepsOf, withCommonSeeds } from './swept-heads.ts';

/** One for each sweep; sweeps without a cell at gain 1 are left out. */
export function bestGains(
  lines: readonly ResultLine[],
  question: RegretQuestion,
  collapsed: (line: ResultLine) => boolean,
): ReportBestGains[] {
  return sweepGroups(lines).flatMap(({ levels, lines: members }): ReportBestGains[] => {
    const common = withCommonSeeds(members);
    if (common.length === 0 || new Set(common.map(({ seed }) => seed)).size < 2) return [];
    try {
      const backbones = sweepsOf(common, question).map((sweep) => {
        const own = members.filter((line) => backboneOf(line) === sweep.backbone);
        return bestOf(sweep, own, collapsed);
      });
      const { measure, dev, eval: judged } = question;
      return [
        {
          question: `${measure}, chosen on ${dev}, judged on ${judged}`,
          levels,
          backbones,
          octaves: octavesOf(backbones),
        },
      ];
    } catch (error) {
      if (error instanceof LexrayError) return [];
      throw error;
    }
  });
}

function bestOf(
  { backbone, facts, settings }: BackboneSweep<SweptFacts>,
  lines: readonly ResultLine[],
  collapsed: (line: ResultLine) => boolean,
): ReportBest {
  const quality = settings.map(({ dev }) => mean(seedMeans(dev)));
  const best = settings[quality.indexOf(Math.max(...quality))]!;
  const start = settings.find(({ factor }) => factor === 1)!;
  const gain = 1 / best.factor;
  const gains = [...facts.keys()].sort((a, b) => a - b);
  return {
    backbone,
    gain,
    score: interval(crossedInterval(best.eval)),
    above: interval(choiceDifference([{ backbone, wanted: best.factor, ...best }], [start])),
    healthy: gains.filter((one) => !lines.some((line) => gainOf(line) === one && collapsed(line))),
    figures: Object.fromEntries(
      headFigures
        .filter(({ ofScale }) => ofScale)
        .map(({ name, value }) => [name, value(facts.get(gain)!)] as const)
        .filter(([, value]) => Number.isFinite(value)),
    ),
  };
}

/** Largest over smallest, as powers of two; what is not above 0 for a backbone has none. */
function octavesOf(backbones: readonly ReportBest[]): Record<string, number> {
  const columns = new Map<string, number[]>([['gain', backbones.map(({ gain }) => gain)]]);
  for (const name of Object.keys(backbones[0]?.figures ?? {})) {
    columns.set(
      name,
      backbones.map(({ figures }) => figures[name] ?? Number.NaN),
    );
  }
  return Object.fromEntries(
    [...columns]
      .filter(([, values]) => values.every((value) => value > 0))
      .map(([name, values]) => [name, Math.log2(Math.max(...values) / Math.min(...values))]),
  );
}

function interval({ mean: value, low, high }: CrossedInterval): ReportBest['score'] {
  return { mean: value, low, high };
}
