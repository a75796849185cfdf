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
  const resolved = designRuns(design).map((run): ResolvedRun => {
    const settings = settingsOf(design, run.levels);
    const { seed: _seed, ...all } = resolve(settings);
    return { ...run, settings, resolved: all };
  });
  checkDifferences(design, resolved);
  return resolved.flatMap(({ levels, seeds, settings, resolved: all }) => {
    const ids = cellIds(levels, seeds, all);
    return seeds.map((seed, i) => ({ id: ids[i]!, levels, seed, settings, resolved: all }));
  });
}

/** A combination of levels, with its seeds. */
export interface DesignRun {
  readonly levels: Levels;
  readonly seeds: readonly number[];
}

/** The same with its settings. */
interface ResolvedRun extends DesignRun, Pick<StudyCell, 'settings' | 'resolved'> {}

/** More are a mistake in the design. */
const mostRuns = 100_000;

/**
 * Combinations of levels with their seeds, in the order of the design's runs.
 * @throws LexrayError CONFIG when a run is listed twice, or there are too many
 */
export function designRuns(design: StudyDesign, where: string = 'the design'): DesignRun[] {
  const count = countRuns(design);
  if (count > mostRuns) {
    throw new LexrayError('CONFIG', `the design ${design.name} has ${count} runs, more than ${mostRuns}`, {
      where,
      cure: 'list the runs that are needed under "runs", or take fewer levels and seeds',
    });
  }
  const names = new Set<string>();
  return design.runs.flatMap(({ levels: named, seeds = design.seeds }) =>
    [...combinations(design, named)].map((levels) => {
      for (const seed of seeds) {
        const name = cellName({ levels, seed });
        if (names.has(name)) {
          throw new LexrayError('CONFIG', `the run ${name} is listed twice`, {
            where,
            cure: 'list it once in the design',
          });
        }
        names.add(name);
      }
      return { levels, seeds };
    }),
  );
}

function countRuns({ factors, runs, seeds: all }: StudyDesign): number {
  const ofEach = runs.map(({ levels: named, seeds = all }) =>
    Object.entries(factors).reduce(
      (count, [name, { levels }]) => count * (named[name] ?? Object.keys(levels)).length,
      seeds.length,
    ),
  );
  return ofEach.reduce((sum, count) => sum + count, 0);
}

/** `scale=4, arm=B, seed 3`. */
export function cellName({ levels, seed }: Pick<StudyCell, 'levels' | 'seed'>): string {
  return [...Object.entries(levels).map(([factor, level]) => `${factor}=${level}`), `seed ${seed}`].join(', ');
}

/** The digest of a cell. */
export function cellId(levels: Levels, seed: number, resolved: Settings): string {
  return cellIds(levels, [seed], resolved)[0]!;
}

/** The digests of `{ levels, resolved, seed }` for several seeds; the last is written behind what they share. */
function cellIds(levels: Levels, seeds: readonly number[], resolved: Settings): string[] {
  const shared = canonical({ levels, resolved }).slice(0, -1);
  return seeds.map((seed) => digestOfText(`${shared},"seed":${seed}}`));
}

/** The first 16 digits of the SHA-256 of a value; the order of names in it does not count. */
export function digestOf(value: SettingValue): string {
  return digestOfText(canonical(value));
}

function digestOfText(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
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

/** Every setting must be the same in all runs, or follow from the levels of the factors that declare it. */
function checkDifferences({ factors }: StudyDesign, runs: readonly ResolvedRun[]): void {
  const names = new Set<string>();
  for (const { resolved } of runs) for (const [name] of flatten(resolved)) names.add(name);
  const settings = [...names].map((name) => {
    const declaring = Object.entries(factors).filter(([, factor]) => declares(factor, name));
    return { name, declaring: declaring.map(([factor]) => factor), first: new Map<string, Found>() };
  });
  for (const run of runs) {
    const values = new Map(flatten(run.resolved));
    for (const { name, declaring, first } of settings) {
      const group = JSON.stringify(declaring.map((factor) => run.levels[factor]));
      const found = { run, value: values.get(name) };
      const other = first.get(group);
      if (other === undefined) first.set(group, found);
      else if (found.value !== other.value) throw undeclared(name, declaring, other, found);
    }
  }
}

/** The value of a setting in a run, as JSON. */
interface Found {
  readonly run: DesignRun;
  readonly value: string | undefined;
}

function declares(factor: StudyDesign['factors'][string], name: string): boolean {
  const owned = [...factor.implies, ...Object.values(factor.levels).flatMap((settings) => Object.keys(settings))];
  return owned.some((setting) => name === setting || name.startsWith(`${setting}.`));
}

function undeclared(name: string, declaring: readonly string[], a: Found, b: Found): LexrayError {
  const told = ({ run: { levels, seeds }, value }: Found): string =>
    `${value ?? 'absent'} in (${cellName({ levels, seed: seeds[0]! })})`;
  const why =
    declaring.length === 0
      ? 'and no factor declares it'
      : `though both have the same level of ${declaring.join(' and ')}`;
  return new LexrayError('CONFIG', `${name} is ${told(a)} and ${told(b)}, ${why}`, {
    cure: 'fix the setting for all runs, or name it under the factor that it follows from (implies)',
  });
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
