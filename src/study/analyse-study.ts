/**
 * Answers the contrasts of a design from its results: a pure function of the design and the lines of the file. Each side of a
 * contrast is the mean of the cells of the design that it names, and both sides must be the same combinations of the other
 * factors, so that nothing else differs between them. A cell without a result is an error: none is left out.
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
import type { DeclaredContrast, Levels, StudyDesign } from './design.ts';
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
 * @throws LexrayError BAD_INPUT when a run is missing, the sides of a contrast do not match, or runs have different queries
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
  readonly contrast: DeclaredContrast;
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
  contrasts: readonly DeclaredContrast[],
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
  { measure, collection }: Pick<DeclaredContrast, 'measure' | 'collection'>,
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
function contrastCells(contrast: DeclaredContrast, design: StudyDesign, lines: readonly ResultLine[]): WeightedCell[] {
  const runs = designRuns(design).map((run) => ({ ...run, seeds: contrast.seeds ?? run.seeds }));
  const sides = [contrast.plus, contrast.minus].map((side) => runs.filter(({ levels }) => matches(levels, side)));
  const named = new Set([...Object.keys(contrast.plus), ...Object.keys(contrast.minus)]);
  const [others, against] = sides.map((side) =>
    side.map(({ levels, seeds }) => `${describe(levels, named)} with seeds ${seeds.join(', ')}`).sort(),
  );
  if (others!.length === 0 || others!.join() !== against!.join()) {
    throw badInput(
      `the sides of ${JSON.stringify(contrast.name)} differ in more than they name: ${others!.join(' | ') || 'no runs'} against ${against!.join(' | ') || 'no runs'}`,
      { cure: 'name the levels of the other factors on both sides, or add the runs to the design' },
    );
  }
  let order: readonly string[] | undefined;
  return sides.flatMap((side, i) =>
    side.map(({ levels, seeds }) => {
      const found = cellScores(lines, levels, contrast);
      const missing = seeds.filter((seed) => !found.seeds.includes(seed));
      if (missing.length > 0 || (contrast.seeds === undefined && found.seeds.length !== seeds.length)) {
        throw badInput(`${describe(levels)} has the seeds ${found.seeds.join(', ')}, not ${seeds.join(', ')}`, {
          cure: 'run the study to its end',
        });
      }
      order ??= found.qids;
      const scores = found.scores
        .filter((_, i) => seeds.includes(found.seeds[i]!))
        .map((values) => inOrder({ qids: found.qids, values }, order!));
      return { scores, weight: (i === 0 ? 1 : -1) / side.length };
    }),
  );
}

function matches(levels: Levels, wanted: Levels): boolean {
  return Object.entries(wanted).every(([factor, level]) => levels[factor] === level);
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

function describe(levels: Levels, without: ReadonlySet<string> = new Set()): string {
  return Object.entries(levels)
    .filter(([factor]) => !without.has(factor))
    .map(([factor, level]) => `${factor}=${level}`)
    .sort()
    .join(', ');
}
