/**
 * The runs on the two sides of a contrast. Each side is the cells that its levels name, and both sides must be the same combinations
 * of the other factors with the same seeds, so that nothing else differs between them.
 */
import { LexrayError } from '../util/errors.ts';
import type { MeasuredNames } from './cells/cell-kind.ts';
import type { DesignRun, StudyCell } from './cells.ts';
import type { AskedContrast, Levels, Settings } from './design.ts';

/** Runs of the two sides; their seeds are those that count. */
export interface ContrastSides {
  readonly plus: readonly DesignRun[];
  readonly minus: readonly DesignRun[];
}

/** Between fewer there is no variance. */
const fewestSeeds = 2;

/**
 * Finds the sides of a contrast.
 * @param runs of the design
 * @throws LexrayError CONFIG when they cannot be compared: a side without runs, both the same, different combinations or seeds, one seed
 */
export function contrastSides(
  contrast: AskedContrast,
  runs: readonly DesignRun[],
  where: string = 'the design',
): ContrastSides {
  const { seeds } = contrast;
  const refuse = (message: string, cure: string): LexrayError =>
    new LexrayError('CONFIG', `the contrast ${JSON.stringify(contrast.name)}: ${message}`, { where, cure });
  if (seeds !== undefined && new Set(seeds).size < seeds.length) throw refuse('a seed occurs twice', 'list it once');
  const [plus, minus] = (['plus', 'minus'] as const).map((side) => {
    const found = runs.filter(({ levels }) => matches(levels, contrast[side]));
    if (found.length === 0) {
      throw refuse(`no run of the design has ${describe(contrast[side])}`, 'add the runs, or name levels that are run');
    }
    return found.map(({ levels, seeds: ofRun }) => {
      const unknown = seeds?.find((seed) => !ofRun.includes(seed));
      if (unknown !== undefined) {
        throw refuse(
          `the design has no seed ${unknown} for ${describe(levels)}, but ${ofRun.join(', ')}`,
          'name seeds that both sides have',
        );
      }
      return { levels, seeds: seeds ?? ofRun };
    });
  }) as [DesignRun[], DesignRun[]];
  const difference = differenceOf(contrast, { plus, minus });
  if (difference !== undefined) {
    throw refuse(
      `its sides differ in more than they name: ${difference}`,
      'name the levels of the other factors on both sides, or add the runs to the design',
    );
  }
  if (plus.every(({ levels }) => matches(levels, contrast.minus))) {
    throw refuse('both sides are the same runs', 'name levels that differ');
  }
  const few = plus.find((run) => run.seeds.length < fewestSeeds);
  if (few !== undefined) {
    throw refuse(
      `${describe(few.levels)} has the seed ${few.seeds.join()} only, and an interval needs two`,
      'give the runs more seeds, or leave out the contrast: a report has the means without it',
    );
  }
  return { plus, minus };
}

/**
 * Checks that the runs of a contrast will have what it asks for.
 * @param cells of the design
 * @param measured what the runs of settings will have scores of
 * @throws LexrayError CONFIG naming what they will have
 */
export function checkMeasured(
  { name, plus, minus, measure, collection }: AskedContrast,
  cells: readonly StudyCell[],
  measured: (settings: Settings) => MeasuredNames,
): void {
  const asked = cells.filter(({ levels }) => matches(levels, plus) || matches(levels, minus));
  // Seeds of a combination share their settings.
  for (const settings of new Set(asked.map((cell) => cell.settings))) {
    const { collections, measures } = measured(settings);
    const known = collection === undefined ? collections.length === 1 : collections.includes(collection);
    if (known && measures.includes(measure)) continue;
    const what = `${measure} on ${collection ?? 'one collection'}`;
    throw new LexrayError('CONFIG', `the contrast ${JSON.stringify(name)}: its runs will have no ${what}`, {
      cure: `they will have ${measures.join(', ')} on ${collections.join(', ')}`,
    });
  }
}

/** Whether a combination has the levels that are wanted. */
export function matches(levels: Levels, wanted: Levels): boolean {
  return Object.entries(wanted).every(([factor, level]) => levels[factor] === level);
}

/** `gain=4, size=large`. */
export function describe(levels: Levels, without: ReadonlySet<string> = new Set()): string {
  return Object.entries(levels)
    .filter(([factor]) => !without.has(factor))
    .map(([factor, level]) => `${factor}=${level}`)
    .sort()
    .join(', ');
}

/** What differs between the sides beside the factors that they name; undefined for nothing. */
function differenceOf(contrast: AskedContrast, { plus, minus }: ContrastSides): string | undefined {
  const named = new Set([...Object.keys(contrast.plus), ...Object.keys(contrast.minus)]);
  const [others, against] = [plus, minus].map((side) =>
    side
      .map(({ levels, seeds }) =>
        [describe(levels, named), `seeds ${seeds.join(', ')}`].filter((part) => part !== '').join(' with '),
      )
      .sort(),
  ) as [string[], string[]];
  if (others.join() === against.join()) return undefined;
  for (const factor of named) {
    for (const [side, runs, other] of [
      ['plus', plus, 'minus'],
      ['minus', minus, 'plus'],
    ] as const) {
      const levels = new Set(runs.map(({ levels: of }) => of[factor]));
      if (contrast[side][factor] === undefined && levels.size > 1) {
        return `${side} leaves ${factor} open (${[...levels].slice(0, 10).join(', ')}), ${other} has ${contrast[other][factor]}`;
      }
    }
  }
  return `${without(others, against)} against ${without(against, others)}`;
}

/** What is among some and not among others, the first few. */
function without(some: readonly string[], others: readonly string[]): string {
  const known = new Set(others);
  const only = some.filter((one) => !known.has(one));
  if (only.length === 0) return 'nothing else';
  return [...only.slice(0, 4), ...(only.length > 4 ? [`${only.length - 4} more`] : [])].join(' | ');
}
