/** The kinds of cells, and how a study runs them: by the setting `cell`, each in a folder of its own that goes when it is done. */
import { rm, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LexrayError } from '../../util/errors.ts';
import { makeFolder } from '../../util/make-folder.ts';
import type { ResolveSettings } from '../cells.ts';
import type { Settings } from '../design.ts';
import type { RunCell } from '../runner.ts';
import type { CellForecast, CellKind, CellWork, MeasuredNames } from './cell-kind.ts';
import { finetuneCell } from './finetune-cell.ts';
import { digestInput } from './input-digests.ts';
import { pretrainCell } from './pretrain-cell.ts';

const kinds: readonly CellKind[] = [finetuneCell, pretrainCell];

/** Options of {@link openCells}. */
export interface CellsOptions {
  /** Where the paths of settings begin. @default the current folder */
  readonly root?: string | undefined;
  /** Working folders of runs are made below it. */
  readonly workFolder: string;
  /** What runs share is kept here: pre-trained models. @default nothing is shared */
  readonly cacheFolder?: string | undefined;
  /** Whether they stay. @default false */
  readonly keep?: boolean | undefined;
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
}

/** What a study needs of its cells. */
export interface OpenCells {
  readonly resolve: ResolveSettings;
  measured(settings: Settings): MeasuredNames;
  readonly run: RunCell;
  forecast(settings: Settings, work: Pick<CellWork, 'signal' | 'onProgress'>): Promise<CellForecast>;
}

/**
 * Opens the cells of settings: reads the digests of all that they name.
 * @throws LexrayError CONFIG when a kind is not known or a setting does not fit; BAD_INPUT when a path is not there
 */
export async function openCells(all: Iterable<Settings>, options: CellsOptions): Promise<OpenCells> {
  const { root = '.', keep = false, threads, signal } = options;
  const workFolder = resolve(options.workFolder);
  const cache = options.cacheFolder === undefined ? undefined : resolve(options.cacheFolder);
  const at = (path: string): string => resolve(root, path);
  const digests = new Map<string, string>();
  // Seeds of a combination share their settings.
  for (const settings of new Set(all)) {
    for (const path of kindOf(settings).inputs(settings)) {
      if (!digests.has(path)) digests.set(path, await digestInput(at(path), signal));
    }
  }
  return {
    resolve: (settings) => kindOf(settings).resolve(settings, digests),
    measured: (settings) => kindOf(settings).measured(settings),
    async run(settings, context) {
      const folder = join(workFolder, context.id);
      await rm(folder, { recursive: true, force: true });
      await makeFolder(folder);
      try {
        return await kindOf(settings).run(settings, { ...context, at, folder, cache, digests, threads });
      } catch (error) {
        // What a run says of going on does not hold for one whose folder goes.
        if (!(error instanceof LexrayError) || error.code !== 'INTERRUPTED') throw error;
        throw new LexrayError('INTERRUPTED', 'interrupted; the study goes on with the same command', { cause: error });
      } finally {
        if (!keep) {
          await rm(folder, { recursive: true, force: true });
          await rmdir(workFolder).catch(() => {});
        }
      }
    },
    forecast: (settings, work) =>
      kindOf(settings).forecast(settings, { ...work, at, digests, threads, id: 'forecast', levels: {}, seed: 0 }),
  };
}

function kindOf({ cell }: Settings): CellKind {
  const kind = kinds.find(({ name }) => name === cell);
  if (kind !== undefined) return kind;
  throw new LexrayError(
    'CONFIG',
    `expected the setting "cell" to be one of ${kinds.map(({ name }) => name).join(', ')}, got ${JSON.stringify(cell)}`,
    { cure: 'write it under "fixed"' },
  );
}
