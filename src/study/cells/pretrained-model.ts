/**
 * A pre-trained model of a study, made once: a folder below the study's cache, named by a digest of its resolved settings and
 * its seed, with
 *
 *     model/          the model folder
 *     record.json     what was measured at the end, and curves; written last: without it the model is not there
 *
 * A run that was interrupted goes on from its checkpoint. One whose loss is no number any more leaves no model, but a record.
 */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type MetricsRow, readMetrics } from '../../train/metrics-log.ts';
import { measureHeldOut } from '../../train/pretrain/evaluate-held-out.ts';
import { pretrain } from '../../train/pretrain/pretrain.ts';
import { trainingFolderOf } from '../../train/run-folder.ts';
import { LexrayError, throwIfAborted } from '../../util/errors.ts';
import { makeFolder } from '../../util/make-folder.ts';
import { lockOutput } from '../../util/output-lock.ts';
import { toolName } from '../../util/version.ts';
import { writeFileAtomic } from '../../util/write-atomic.ts';
import { digestOf } from '../cells.ts';
import type { CellResult } from '../result-line.ts';
import type { CellWork } from './cell-kind.ts';
import { type CellPretraining, resolvedPretraining } from './pretrain-settings.ts';

/** What is kept of a pre-training. */
interface PretrainingRecord {
  readonly metrics: Readonly<Record<string, number>>;
  readonly curves: NonNullable<CellResult['curves']>;
  readonly seconds: number;
  /** Why there is no model. */
  readonly broken?: string | undefined;
}

/** A model, and how it came about. */
export interface PretrainedModel extends PretrainingRecord {
  /** The model folder; there is none where the run broke. */
  readonly model: string;
  /** The digest by which it is known. */
  readonly key: string;
}

/** Figures of metrics.jsonl that are kept. */
const keptFigures = ['tokens', 'loss', 'grad_norm', 'learning_rate'];

/**
 * Finds the model, or makes it.
 * @param seed of the pre-training
 * @throws LexrayError INTERRUPTED after a checkpoint when the signal fires; BAD_INPUT when model and texts do not fit
 */
export async function pretrainedModel(
  pretraining: CellPretraining,
  seed: number,
  work: CellWork,
): Promise<PretrainedModel> {
  const key = digestOf({ ...resolvedPretraining(pretraining, work.digests), seed, tool: toolName });
  const folder = join(work.cache ?? work.folder, key);
  const path = join(folder, 'record.json');
  // A learning rate of 0 leaves the checkpoint as it is, whatever the tokens.
  const model = pretraining.config.learningRate === 0 ? work.at(pretraining.model) : join(folder, 'model');
  const made = async (): Promise<PretrainedModel | undefined> => {
    if (!existsSync(path)) return undefined;
    const record = JSON.parse(await readFile(path, 'utf8')) as PretrainingRecord;
    return record.broken !== undefined || existsSync(model) ? { ...record, model, key } : undefined;
  };
  const unlock = await lockWhenFree(folder, work);
  try {
    return (await made()) ?? (await makeRecorded(pretraining, seed, { folder, path, model, key }, work));
  } finally {
    await unlock();
  }
}

/** Takes a folder for this process; waits while another makes the same model. */
async function lockWhenFree(folder: string, { signal, onWarning }: CellWork): Promise<() => Promise<void>> {
  for (let attempt = 0; ; attempt++) {
    throwIfAborted(signal);
    try {
      return await lockOutput(folder);
    } catch (error) {
      if (!(error instanceof LexrayError) || error.code !== 'USAGE') throw error;
      if (attempt === 0) onWarning?.(`waiting for the same pre-training: ${error.message}`);
      await setTimeout(500);
    }
  }
}

/** What a pre-trained model is and where. */
interface PretrainedPlace extends Pick<PretrainedModel, 'model' | 'key'> {
  readonly folder: string;
  /** Of its record. */
  readonly path: string;
}

async function makeRecorded(
  pretraining: CellPretraining,
  seed: number,
  { folder, path, model, key }: PretrainedPlace,
  work: CellWork,
): Promise<PretrainedModel> {
  await makeFolder(folder);
  const record =
    pretraining.config.learningRate === 0
      ? { metrics: {}, curves: {}, seconds: 0 }
      : await make(pretraining, { seed, model }, work);
  const metrics = { ...record.metrics };
  if (record.broken === undefined) {
    for (const [name, texts] of Object.entries(pretraining.heldOut ?? {})) {
      if (metrics[`mlm ${name} loss`] !== undefined) continue;
      Object.assign(metrics, named(name, await measure(pretraining, { model, texts }, work)));
    }
  }
  await writeFileAtomic(path, `${JSON.stringify({ ...record, metrics })}\n`);
  return { ...record, metrics, model, key };
}

async function make(
  { model: start, texts, heldOut, form, config }: CellPretraining,
  { seed, model: output }: { readonly seed: number; readonly model: string },
  { at, threads, signal, onProgress, onWarning }: CellWork,
): Promise<PretrainingRecord> {
  const trainingFolder = trainingFolderOf(output);
  const resume = existsSync(trainingFolder) && !existsSync(output);
  const [first = 'own', files] = Object.entries(heldOut ?? {})[0] ?? [];
  try {
    const { steps, tokens, passes, seconds, evaluation } = await pretrain({
      start: { model: at(start) },
      texts: texts.map(at),
      heldOutTexts: files?.map(at),
      form,
      settings: { ...config, seed },
      output,
      resume,
      force: !resume,
      threads,
      signal,
      onProgress,
      onWarning,
    });
    const rows = await readMetrics(join(trainingFolder, 'metrics.jsonl'));
    await rm(trainingFolder, { recursive: true, force: true });
    return {
      metrics: {
        'pretrain steps': steps,
        'pretrain tokens': tokens,
        'pretrain passes': passes,
        ...named(first, evaluation),
      },
      curves: curvesOf(rows),
      seconds,
    };
  } catch (error) {
    if (!(error instanceof LexrayError) || error.code !== 'GATE') throw error;
    const rows = await readMetrics(join(trainingFolder, 'metrics.jsonl'));
    await rm(trainingFolder, { recursive: true, force: true });
    return { metrics: {}, curves: curvesOf(rows), seconds: 0, broken: error.message };
  }
}

function measure(
  { form, config }: CellPretraining,
  { model, texts }: { readonly model: string; readonly texts: readonly string[] },
  { at, threads, signal, onProgress }: CellWork,
): Promise<Record<string, number>> {
  const { tokens: _tokens, steps: _steps, repeat: _repeat, ...settings } = config;
  return measureHeldOut({ model, texts: texts.map(at), form, settings, threads, signal, onProgress });
}

function named(name: string, figures: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([figure, value]) => [`mlm ${name} ${figure}`, value]));
}

/** Columns of what was logged; steps without a figure have null. */
function curvesOf(rows: readonly MetricsRow[]): NonNullable<CellResult['curves']> {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const kept = names.filter((name) => keptFigures.includes(name) || name.startsWith('eval_'));
  const column = (name: string): (number | null)[] =>
    rows.map((row) => (Number.isFinite(row[name]) ? Number(row[name]!.toPrecision(6)) : null));
  return Object.fromEntries(['step', ...kept].map((name) => [name, column(name)]));
}
