/**
 * The head of a run: checked before the first step, and perhaps corrected. What was found is kept in `head.json` beside the
 * state of the run, so that a resumed run goes on with the same head.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type ModelFolder, openModelFolder } from '../checkpoint/layouts/model-folder.ts';
import type { TrainingExample } from '../data/read-training-examples.ts';
import { composeCorrections, earlierCorrections, type HeadHistory } from '../head/correction-record.ts';
import { badInput } from '../util/errors.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';
import type { FinetuneConfig } from './finetune-config.ts';
import { checkHead, type HeadCorrection } from './head-check.ts';

/** The head of a run. */
export interface RunHead {
  /** What is done to the model's head. */
  readonly correction?: HeadCorrection | undefined;
  /** The command that would correct it, where nothing is done. */
  readonly proposal?: string | undefined;
  /** By how much λ_q and λ_d are multiplied for a head that is divided while it is trained. @default the correction's */
  readonly regularizerFactor?: number | undefined;
}

/** Options of {@link headOfRun}. */
export interface RunHeadOptions {
  readonly model: string;
  readonly examples: readonly TrainingExample[];
  readonly resume?: boolean | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** The file of a run's head, in its training folder. */
export const headFileName = 'head.json';

const origin = z.union([
  z.strictObject({ by: z.literal('user') }),
  z.strictObject({ by: z.string(), target: z.number().optional(), targetOrigin: z.string() }),
]);
const figures = z.record(z.string(), z.number());
const headSchema = z.strictObject({
  correction: z
    .strictObject({
      arm: z.enum(['B', 'C', 'D', 'E']),
      factor: z.number().positive(),
      shift: z.number(),
      found: origin,
      texts: z.strictObject({ count: z.number(), sha256: z.string(), source: z.string() }),
      before: figures,
      after: figures,
      regularizerFactor: z.number().positive(),
    })
    .optional(),
  proposal: z.string().optional(),
  regularizerFactor: z.number().positive().optional(),
});

/**
 * Checks the head of a new run, or reads what was found when a resumed one began. What a user should know is warned of.
 * @throws LexrayError as `checkHead`; BAD_INPUT when the file of a resumed run is damaged
 */
export async function headOfRun(
  config: FinetuneConfig,
  trainingFolder: string,
  options: RunHeadOptions,
): Promise<RunHead> {
  const path = join(trainingFolder, headFileName);
  if (options.resume && existsSync(path)) return readHead(path);
  if (!config.headCheck) return {};
  const { examples, threads, signal, onProgress, onWarning } = options;
  const model = await openModelFolder(options.model);
  try {
    const found = await checkHead(model, config, { model: options.model, examples, threads, signal, onProgress });
    if (found.message !== undefined) onWarning?.(found.message);
    const { correction, proposal, regularizerFactor } = found;
    return { correction, proposal, regularizerFactor };
  } finally {
    await model.close();
  }
}

/** The corrections of a trained model's head, for its manifest; empty where there is none. */
export function headHistory(model: Pick<ModelFolder, 'manifest'>, { correction }: RunHead): { head?: HeadHistory } {
  const earlier = earlierCorrections(model.manifest);
  if (correction === undefined && earlier.length === 0) return {};
  const { regularizerFactor: _, ...record } = correction ?? { regularizerFactor: 1 };
  const added = correction === undefined ? [] : [{ ...(record as HeadCorrection), route: 'norm' as const }];
  const corrections = [...earlier, ...added];
  return { head: { corrections, together: composeCorrections(corrections) } };
}

async function readHead(path: string): Promise<RunHead> {
  try {
    return headSchema.parse(JSON.parse(await readFile(path, 'utf8'))) as RunHead;
  } catch (cause) {
    throw badInput('what was found of the head of the run to resume cannot be read', {
      where: path,
      cause,
      cure: 'start anew with --force',
    });
  }
}
