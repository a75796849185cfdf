/**
 * The sweeps of a study: cells that differ in backbone and net scale alone and whose head was not corrected. A cell with the gain
 * g is one whose head was divided by k = 1/g.
 */
import { LexrayError } from '../../util/errors.ts';
import { cellScores } from '../analyse-study.ts';
import type { BackboneSweep, SweptSetting } from '../analysis/regret.ts';
import type { ResultLine } from '../result-line.ts';
import { backboneOf, cellOf, gainOf, isCorrected } from './study-cells.ts';

/** Where settings are chosen and judged, and by what. */
export interface RegretQuestion {
  readonly measure: string;
  /** Names of scores: `dev 0/0`, `eval 0/0`. */
  readonly dev: string;
  readonly eval: string;
}

/** The metrics of a backbone's swept cells by gain; what is known before training is the same for all seeds. */
export type SweptFacts = ReadonlyMap<number, ResultLine['metrics']>;

/** One sweep: the same settings for several backbones. */
export interface SweepGroup {
  /** Levels of the factors that are one for the whole group. */
  readonly levels: ResultLine['levels'];
  readonly lines: readonly ResultLine[];
}

/** The sweeps with at least three gains, the largest first. */
export function sweepGroups(lines: readonly ResultLine[]): readonly SweepGroup[] {
  const groups = new Map<string, ResultLine[]>();
  for (const line of lines) {
    if (isCorrected(line)) continue;
    const key = othersOf(line);
    groups.set(key, [...(groups.get(key) ?? []), line]);
  }
  return [...groups.values()]
    .filter((members) => new Set(members.map(gainOf)).size >= 3)
    .sort((a, b) => b.length - a.length)
    .map((members) => ({ levels: commonLevels(members), lines: members }));
}

/** Runs whose settings are those of a sweep, but for their correction. */
export function correctedRuns({ lines: [first] }: SweepGroup, lines: readonly ResultLine[]): readonly ResultLine[] {
  return first === undefined ? [] : lines.filter((line) => isCorrected(line) && othersOf(line) === othersOf(first));
}

/** Runs with the seeds that every cell has: some cells have more than others. */
export function withCommonSeeds(lines: readonly ResultLine[]): readonly ResultLine[] {
  const cells = new Map<string, Set<number>>();
  for (const line of lines) {
    cells.set(cellOf(line), (cells.get(cellOf(line)) ?? new Set()).add(line.seed));
  }
  return lines.filter(({ seed }) => [...cells.values()].every((seeds) => seeds.has(seed)));
}

/**
 * The sweep of each backbone, factors ascending.
 * @throws LexrayError BAD_INPUT when a backbone was not run as it is
 */
export function sweepsOf(
  lines: readonly ResultLine[],
  { measure, dev, eval: judged }: RegretQuestion,
): BackboneSweep<SweptFacts>[] {
  const backbones = new Map<string, ResultLine[]>();
  for (const line of lines) backbones.set(backboneOf(line), [...(backbones.get(backboneOf(line)) ?? []), line]);
  return [...backbones].map(([backbone, members]) => {
    const byGain = new Map([...members].sort((a, b) => gainOf(b) - gainOf(a)).map((line) => [gainOf(line), line]));
    if (!byGain.has(1)) throw new LexrayError('BAD_INPUT', `${backbone} was not run with gain 1`);
    return {
      backbone,
      facts: new Map([...byGain].map(([gain, { metrics }]) => [gain, metrics])),
      settings: [...byGain].map(([gain, { levels }]): SweptSetting => {
        const scores = (collection: string): SweptSetting['dev'] =>
          cellScores(lines, levels, { measure, collection }).scores;
        return { factor: 1 / gain, dev: scores(dev), eval: scores(judged) };
      }),
    };
  });
}

function othersOf({ resolved }: ResultLine): string {
  const { backbone: _backbone, gain: _gain, correction: _correction, ...others } = resolved;
  return JSON.stringify(others);
}

function commonLevels(lines: readonly ResultLine[]): ResultLine['levels'] {
  const [first] = lines;
  return Object.fromEntries(
    Object.entries(first?.levels ?? {}).filter(([name, level]) => lines.every(({ levels }) => levels[name] === level)),
  );
}
