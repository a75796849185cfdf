/**
 * A kind of cell: what one run of a study does with its settings. One file a kind; the setting `cell` of a design names it.
 * To add one: a file here with a {@link CellKind}, and its line in `registry.ts`.
 */
import type { Settings } from '../design.ts';
import type { CellResult } from '../result-line.ts';
import type { CellContext } from '../runner.ts';

/** SHA-256 of files and folders, by the path that the settings name. */
export type InputDigests = ReadonlyMap<string, string>;

/** Where a run works, beside what the runner says. */
export interface CellWork extends CellContext {
  /** A path of the settings as one of this machine. */
  readonly at: (path: string) => string;
  /** An empty folder of the run's own. */
  readonly folder: string;
  /** A folder that the runs of a study share and that stays; without one nothing is shared. */
  readonly cache?: string | undefined;
  readonly digests: InputDigests;
  readonly threads: number;
}

/** What a run would take. */
export interface CellForecast {
  readonly seconds: number;
  readonly memoryBytes: number;
  /** What was measured, in a few words. */
  readonly basis: string;
}

/** What the scores of a run are named by. */
export interface MeasuredNames {
  readonly collections: readonly string[];
  readonly measures: readonly string[];
}

/** A kind of cell. */
export interface CellKind {
  readonly name: string;
  /** Files and folders that the settings name: their digests become part of what a cell is known by. */
  inputs(settings: Settings): readonly string[];
  /**
   * All settings that the run will have, defaults and digests included, without its seed.
   * @throws LexrayError CONFIG when a setting is not known or does not fit
   */
  resolve(settings: Settings, digests: InputDigests): Settings;
  /** What queries will have scores of. */
  measured(settings: Settings): MeasuredNames;
  /** Does the run. The same settings and seed give the same metrics and scores on one thread. */
  run(settings: Settings, work: CellWork): Promise<CellResult>;
  /** Measures a little of a run, and writes nothing. */
  forecast(settings: Settings, work: Omit<CellWork, 'folder' | 'cache'>): Promise<CellForecast>;
}
