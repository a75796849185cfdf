/**
 * The cells of a design: one run each, a combination of levels with a seed. A cell is known by a digest of its levels, its seed
 * and its resolved settings, so that a result belongs to exactly what was run.
 *
 * Cells may differ in nothing but what the design declares. What is compared are the *resolved* settings, after defaults and
 * recipes: a recipe that brings another learning rate, or a default that depends on the vocabulary, is found here and not by a
 * reader of the findings.
 */
import { createHash } from 'node:crypto';
import { LexrayError } from '../util/errors.ts';
import type { Levels, Settings, SettingValue, StudyDesign } from './design.ts';

/** One run of a study. */
export interface StudyCell {
  /** The first 16 digits of the digest. */
  readonly id: string;
  readonly levels: Levels;
  readonly seed: number;
  /** Fixed settings and those of the levels. */
  readonly settings: Settings;
  /** All settings that the run will have, defaults included. */
  readonly resolved: Settings;
}

/** From the settings of a cell to all that its run will have. */
export type ResolveSettings = (settings: Settings) => Settings;

/**
 * The cells of a design, in the order of its runs: by levels, then by seed.
 * @throws LexrayError CONFIG when a run is listed twice, or resolved settings differ outside the declared factors
 */
export function designCells(design: StudyDesign, resolve: ResolveSettings = (settings) => settings): StudyCell[] {
  const cells = designRuns(design).flatMap(({ levels, seeds }) => {
    const settings = settingsOf(design, levels);
    const { seed: _seed, ...resolved } = resolve(settings);
    return seeds.map((seed) => ({ id: cellId(levels, seed, resolved), levels, seed, settings, resolved }));
  });
  checkDifferences(design, cells);
  return cells;
}

/** Combinations of levels with their seeds, in the order of the design's runs. */
export function designRuns(design: StudyDesign): { readonly levels: Levels; readonly seeds: readonly number[] }[] {
  const names = new Set<string>();
  return design.runs.flatMap(({ levels: named, seeds = design.seeds }) =>
    [...combinations(design, named)].map((levels) => {
      for (const seed of seeds) {
        const name = cellName({ levels, seed });
        if (names.has(name)) {
          throw new LexrayError('CONFIG', `the run ${name} is listed twice`, { cure: 'list it once in the design' });
        }
        names.add(name);
      }
      return { levels, seeds };
    }),
  );
}

/** `scale=4, arm=B, seed 3`. */
export function cellName({ levels, seed }: Pick<StudyCell, 'levels' | 'seed'>): string {
  return [...Object.entries(levels).map(([factor, level]) => `${factor}=${level}`), `seed ${seed}`].join(', ');
}

/** The digest of a cell. */
export function cellId(levels: Levels, seed: number, resolved: Settings): string {
  return digestOf({ levels, seed, resolved });
}

/** The first 16 digits of the SHA-256 of a value; the order of names in it does not count. */
export function digestOf(value: SettingValue): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16);
}

function* combinations(design: StudyDesign, named: Readonly<Record<string, readonly string[]>>): Generator<Levels> {
  const factors = Object.entries(design.factors).map(
    ([name, { levels }]) => [name, named[name] ?? Object.keys(levels)] as const,
  );
  const walk = function* (from: number, levels: Levels): Generator<Levels> {
    const next = factors[from];
    if (next === undefined) yield levels;
    else for (const level of next[1]) yield* walk(from + 1, { ...levels, [next[0]]: level });
  };
  yield* walk(0, {});
}

function settingsOf({ fixed, factors }: StudyDesign, levels: Levels): Settings {
  const ofLevels = Object.entries(levels).map(([factor, level]) => factors[factor]!.levels[level]!);
  return Object.assign({}, fixed, ...ofLevels) as Settings;
}

/** Every setting must be the same in all cells, or follow from the levels of the factors that declare it. */
function checkDifferences({ factors }: StudyDesign, cells: readonly StudyCell[]): void {
  const flat = cells.map((cell) => new Map(flatten(cell.resolved)));
  const names = new Set(flat.flatMap((settings) => [...settings.keys()]));
  for (const name of names) {
    const declaring = Object.entries(factors)
      .filter(([, factor]) => declares(factor, name))
      .map(([factor]) => factor);
    const first = new Map<string, number>();
    for (const [i, cell] of cells.entries()) {
      const group = JSON.stringify(declaring.map((factor) => cell.levels[factor]));
      const other = first.get(group);
      if (other === undefined) first.set(group, i);
      else if (flat[i]!.get(name) !== flat[other]!.get(name)) {
        throw undeclared(name, declaring, [cells[other]!, flat[other]!.get(name)], [cell, flat[i]!.get(name)]);
      }
    }
  }
}

function declares(factor: StudyDesign['factors'][string], name: string): boolean {
  const owned = [...factor.implies, ...Object.values(factor.levels).flatMap((settings) => Object.keys(settings))];
  return owned.some((setting) => name === setting || name.startsWith(`${setting}.`));
}

function undeclared(
  name: string,
  declaring: readonly string[],
  [a, valueA]: readonly [StudyCell, string | undefined],
  [b, valueB]: readonly [StudyCell, string | undefined],
): LexrayError {
  const why =
    declaring.length === 0
      ? 'and no factor declares it'
      : `though both have the same level of ${declaring.join(' and ')}`;
  return new LexrayError(
    'CONFIG',
    `${name} is ${valueA ?? 'absent'} in (${cellName(a)}) and ${valueB ?? 'absent'} in (${cellName(b)}), ${why}`,
    { cure: 'fix the setting for all runs, or name it under the factor that it follows from (implies)' },
  );
}

/** Settings by path, nested ones with dots; values as JSON. */
function flatten(settings: Settings, path = ''): [string, string][] {
  return Object.entries(settings).flatMap(([name, value]): [string, string][] => {
    const at = `${path}${name}`;
    return isMapping(value) ? flatten(value, `${at}.`) : [[at, JSON.stringify(value)]];
  });
}

function isMapping(value: SettingValue): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON with the names of every object in order. */
function canonical(value: SettingValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isMapping(value)) return JSON.stringify(value);
  const entries = Object.keys(value)
    .filter((name) => value[name] !== undefined)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name]!)}`);
  return `{${entries.join(',')}}`;
}
