/**
 * Answers the contrasts of a design from its results: a pure function of the design and the lines of the file. Each side of a
 * contrast is the mean of the cells of the design that it names. A cell without a result is an error: none is left out.
 */
import { badInput } from '../util/errors.ts';
import {
  analyseFamily,
  type ContrastResult,
  detectableEffect,
  type FamilyOptions,
} from './analysis/contrast-family.ts';
import { type CrossedInterval, crossedInterval } from './analysis/crossed-interval.ts';
import { contrastTable, type ScoreTable, seedMeans, type WeightedCell } from './analysis/score-table.ts';
import { designRuns } from './cells.ts';
import { contrastSides, describe, matches } from './contrast-sides.ts';
import type { AskedContrast, DeclaredContrast, Levels, StudyDesign } from './design.ts';
import type { ResultLine } from './result-line.ts';

/** The contrasts of one family, answered. */
export interface FamilyResult {
  readonly family: string;
  readonly contrasts: readonly (ContrastResult & {
    /** The least effect that the design finds with a power of .8; infinite where it finds none. */
    readonly detectable: number;
  })[];
}

/**
 * Answers every family of a design, each corrected by itself.
 * @throws LexrayError BAD_INPUT when a run is missing or runs have different queries; CONFIG when the sides of a contrast do not match
 */
export function analyseStudy(
  design: StudyDesign,
  lines: readonly ResultLine[],
  options: FamilyOptions = {},
): FamilyResult[] {
  const families = new Map<string, DeclaredContrast[]>();
  for (const contrast of design.contrasts) {
    families.set(contrast.family, [...(families.get(contrast.family) ?? []), contrast]);
  }
  return [...families].map(([family, declared]) => {
    const contrasts = declared.map((contrast) => {
      const { name, claim, matters } = contrast;
      return { name, claim, matters, cells: contrastCells(contrast, design, lines) };
    });
    const results = analyseFamily(contrasts, options);
    return {
      family,
      contrasts: results.map((result, i) => ({
        ...result,
        detectable: detectableEffect(contrasts[i]!.cells, contrasts.length, options),
      })),
    };
  });
}

/** A difference that was asked after the runs were seen: an interval, and no test. */
export interface ExploredContrast {
  readonly contrast: AskedContrast;
  readonly effect: CrossedInterval;
  readonly seeds: number;
  /** Seeds whose mean is above 0. */
  readonly positive: number;
}

/**
 * Answers exploratory contrasts.
 * @throws LexrayError as {@link analyseStudy}
 */
export function exploreStudy(
  design: StudyDesign,
  contrasts: readonly AskedContrast[],
  lines: readonly ResultLine[],
): ExploredContrast[] {
  return contrasts.map((contrast) => {
    const table = contrastTable(contrastCells(contrast, design, lines));
    const positive = seedMeans(table).filter((mean) => mean > 0).length;
    return { contrast, effect: crossedInterval(table), seeds: table.length, positive };
  });
}

/**
 * The scores of one combination of levels: a row a seed, ascending.
 * @param levels of every factor
 * @throws LexrayError BAD_INPUT when there is no such run, or its seeds have different queries
 */
export function cellScores(
  lines: readonly ResultLine[],
  levels: Levels,
  { measure, collection }: Pick<AskedContrast, 'measure' | 'collection'>,
): { readonly scores: ScoreTable; readonly seeds: readonly number[]; readonly qids: readonly string[] } {
  const runs = lines.filter((line) => matches(line.levels, levels)).sort((a, b) => a.seed - b.seed);
  const found = runs.map((line) => {
    const names = Object.keys(line.scores);
    const name = collection ?? (names.length === 1 ? names[0]! : '');
    const scores = line.scores[name];
    const values = scores?.measures[measure];
    if (scores === undefined || values === undefined) {
      throw badInput(
        `the run ${describe(line.levels)}, seed ${line.seed} has no ${measure} on ${name || 'one collection'}`,
        {
          cure: `it has ${names.map((one) => `${one}: ${Object.keys(line.scores[one]!.measures).join(', ')}`).join('; ')}`,
        },
      );
    }
    return { qids: scores.qids, values };
  });
  const [first] = found;
  if (first === undefined)
    throw badInput(`there is no run of ${describe(levels)}`, { cure: 'run the study to its end' });
  return {
    scores: found.map((run) => inOrder(run, first.qids)),
    seeds: runs.map(({ seed }) => seed),
    qids: first.qids,
  };
}

/** The cells of both sides, each side weighted to one. */
function contrastCells(contrast: AskedContrast, design: StudyDesign, lines: readonly ResultLine[]): WeightedCell[] {
  const { plus, minus } = contrastSides(contrast, designRuns(design));
  let order: readonly string[] | undefined;
  return [plus, minus].flatMap((side, i) =>
    side.map(({ levels, seeds }) => {
      const found = cellScores(lines, levels, contrast);
      const missing = seeds.filter((seed) => !found.seeds.includes(seed));
      if (missing.length > 0 || (contrast.seeds === undefined && found.seeds.length !== seeds.length)) {
        throw badInput(`${describe(levels)} has the seeds ${found.seeds.join(', ')}, not ${seeds.join(', ')}`, {
          cure: 'run the study to its end',
        });
      }
      order ??= found.qids;
      if (order.length < 2) {
        throw badInput(`the contrast ${JSON.stringify(contrast.name)} has one query only, and an interval needs two`, {
          cure: 'measure on more queries, or leave out the contrast',
        });
      }
      const scores = found.scores
        .filter((_, i) => seeds.includes(found.seeds[i]!))
        .map((values) => inOrder({ qids: found.qids, values }, order!));
      return { scores, weight: (i === 0 ? 1 : -1) / side.length };
    }),
  );
}

function inOrder(
  { qids, values }: { readonly qids: readonly string[]; readonly values: readonly number[] },
  order: readonly string[],
): readonly number[] {
  if (qids.length === order.length && qids.every((qid, i) => qid === order[i])) return values;
  const places = new Map(qids.map((qid, i) => [qid, i]));
  if (places.size !== order.length || !order.every((qid) => places.has(qid))) {
    throw badInput(`runs were measured on different queries: ${qids.length} and ${order.length}`);
  }
  return order.map((qid) => values[places.get(qid)!]!);
}
