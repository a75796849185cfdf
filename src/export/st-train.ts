/**
 * Exports a training run: a folder with a model and a generated script for sentence-transformers, for those who train on
 * GPUs or many machines.
 *
 *     model/             the model, weights in float32, as sentence-transformers 5.0 and later open it
 *     train.py           the recipe as values, the data, the trainer
 *     train.jsonl        the rows, unless they come from the hub
 *     dev/               a BEIR folder to measure on, if one was given
 *     requirements.txt  README.md  manifest.json
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelFolder, openModelFolder, requireSharedEncoder } from '../checkpoint/layouts/model-folder.ts';
import { writeModelFolder } from '../checkpoint/layouts/write-model-folder.ts';
import type { BeirCollection } from '../data/load-beir.ts';
import { badInput, LexrayError } from '../util/errors.ts';
import { hashFile, writeManifest } from '../util/manifest.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';
import { schemaComplaint } from '../util/schema-complaint.ts';
import { toolName } from '../util/version.ts';
import { writeFolderAtomic } from '../util/write-atomic.ts';
import { trainingGuide, trainingRequirements } from './st-train/guide.ts';
import { type HubDataset, trainingScript } from './st-train/script.ts';
import { type StTrainConfig, type StTrainSettings, stTrainSettingsSchema } from './st-train/settings.ts';
import { type LocalData, type TrainingRows, writeDevCollection, writeTrainingRows } from './st-train/training-data.ts';

/** `format` in the manifest of such a folder. */
export const stTrainFormat = 'lexray-st-train';

/** What is exported. */
export interface StTrainOptions {
  /** Model folder of any layout; a corrected one too. */
  readonly model: string;
  /** Folder to write. */
  readonly output: string;
  /** Data on this machine, which are copied, or the name of a data set on the hub, which is not fetched here. */
  readonly data: LocalData | HubDataset;
  /** A collection to measure on in the run. */
  readonly dev?: BeirCollection | undefined;
  readonly settings?: StTrainSettings | undefined;
  /** SHA-256 of what the folder is made from, for the manifests. */
  readonly parents?: Readonly<Record<string, string>> | undefined;
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** What was written. */
export interface StTrainExport {
  readonly config: StTrainConfig;
  /** Rows of `train.jsonl`; undefined for a data set of the hub. */
  readonly rows: number | undefined;
}

/**
 * Writes the folder, whole or not at all.
 * @throws LexrayError CONFIG when a setting is out of range; USAGE when the output exists and `force` is not set;
 * BAD_INPUT when model or data do not fit
 */
export async function exportStTrain(options: StTrainOptions): Promise<StTrainExport> {
  const { data, dev, onWarning, signal } = options;
  const model = await openModelFolder(options.model, { onWarning });
  try {
    requireSharedEncoder(model, 'export --to st-train');
    const config = resolveConfig(options.settings ?? {}, model, onWarning);
    if (model.policy.specialTokens === 'drop') {
      onWarning?.(
        `${options.model} sets the dimensions of special tokens to zero; sentence-transformers keeps them, in training and after it`,
      );
    }
    const { titleSeparator } = model.policy;
    const hubDataset = 'name' in data ? data : undefined;
    let written: TrainingRows | undefined;
    await writeFolderAtomic(
      options.output,
      async (folder) => {
        const parents: Record<string, string> = { ...options.parents };
        if ('path' in data) {
          const path = join(folder, 'train.jsonl');
          written = await writeTrainingRows(path, data, { ...options, ...config, titleSeparator });
          parents['train.jsonl'] = await hashFile(path);
        }
        if (dev) await writeDevCollection(join(folder, 'dev'), dev, { titleSeparator, signal });
        await copyModel(join(folder, 'model'), model, config, options);
        const { prompts } = model.policy;
        await writeFile(
          join(folder, 'train.py'),
          trainingScript({ config, hubDataset, hasDev: dev !== undefined, prompts }),
        );
        await writeFile(join(folder, 'requirements.txt'), trainingRequirements);
        await writeFile(
          join(folder, 'README.md'),
          trainingGuide({
            config,
            architecture: model.checkpoint.family.architecture,
            parameters: parameterCount(model),
            rows: written?.rows,
            columns: written?.columns,
            hubDataset,
            hasDev: dev !== undefined,
            corrected: model.manifest?.config.head !== undefined,
          }),
        );
        await writeManifest(folder, {
          format: stTrainFormat,
          version: 1,
          config: { ...config, ...(hubDataset && { dataset: hubDataset }) },
          seed: config.seed,
          parents,
          created: new Date().toISOString(),
          tool: toolName,
        });
      },
      { force: options.force ?? false },
    );
    return { config, rows: written?.rows };
  } finally {
    await model.close();
  }
}

function resolveConfig(
  settings: StTrainSettings,
  { checkpoint, folder }: ModelFolder,
  onWarning: WarningListener | undefined,
): StTrainConfig {
  const parsed = stTrainSettingsSchema.safeParse(settings);
  if (!parsed.success) {
    throw new LexrayError('CONFIG', schemaComplaint(parsed.error, settings), {
      cure: 'lexray export --help shows the limits and defaults',
    });
  }
  const { maxPositions } = checkpoint.family.shape(checkpoint.config);
  const { maxLength } = parsed.data;
  if (maxLength <= maxPositions) return parsed.data;
  if (settings.maxLength === undefined) {
    onWarning?.(`${folder} has ${maxPositions} positions: texts are cut there, not at ${maxLength} tokens`);
    return { ...parsed.data, maxLength: maxPositions };
  }
  throw badInput(`expected a maximum length of at most the ${maxPositions} positions of the model, got ${maxLength}`, {
    where: folder,
    cure: 'lower it',
  });
}

/** In float32: half-precision weights lose the small updates. The record of corrections stays with the model. */
async function copyModel(
  folder: string,
  model: ModelFolder,
  { maxLength }: StTrainConfig,
  { parents, signal, onProgress }: StTrainOptions,
): Promise<void> {
  const head = model.manifest?.config.head;
  await writeModelFolder(
    folder,
    {
      config: model.checkpoint.config,
      weights: model.checkpoint.loadWeights(),
      tokenizer: model.tokenizerFolder,
      pooling: model.pooling,
      maxSequenceLength: maxLength,
      maxActiveDims: model.maxActiveDims,
      policy: { ...model.policy, maxLength: { query: maxLength, document: maxLength } },
      origin: { config: head === undefined ? {} : { head }, parents },
    },
    { signal, onProgress },
  );
}

function parameterCount({ checkpoint }: ModelFolder): number {
  let count = 0;
  for (const { shape } of checkpoint.tensors.values()) count += shape.reduce((a, b) => a * b, 1);
  return count;
}
