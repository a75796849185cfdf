/**
 * A cell that fine-tunes: a backbone with its logits multiplied by a gain, its head corrected or not, trained by a recipe, and
 * measured on collections at prunings, with per-query scores. Before training the head is judged, so that the judgement can be
 * compared with what became of the run.
 *
 * A run that collapses goes on to its end and is measured like any other. One whose weights or gradients are no numbers any
 * more counts 0 on every query.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { readTrainingExamples, type TrainingExample } from '../../data/read-training-examples.ts';
import { encodeAll } from '../../model/retrieve.ts';
import { SparseEncoder } from '../../model/sparse-encoder.ts';
import { type FinetuneResult, finetune, forecastFinetune } from '../../train/finetune.ts';
import { evaluationKey, type MetricsRow } from '../../train/metrics-log.ts';
import { LexrayError } from '../../util/errors.ts';
import type { CellResult } from '../result-line.ts';
import { measureModel, measureNothing, openCollection } from './cell-collections.ts';
import { type CellHead, prepareHead } from './cell-head.ts';
import type { CellForecast, CellKind, CellWork } from './cell-kind.ts';
import { type FinetuneCellSettings, measuredBy, parseFinetuneCell, resolvedFinetuneCell } from './finetune-settings.ts';

/** Figures of metrics.jsonl that are kept; the dev measure comes to them. */
const keptFigures = [
  ...['loss', 'base_loss', 'grad_norm'],
  ...['positive_score', 'negative_score', 'negative_score_std', 'score_entropy'],
];

export const finetuneCell: CellKind = {
  name: 'finetune',
  inputs(settings) {
    const { backbone, data, dev, evaluate } = parseFinetuneCell(settings);
    return [...new Set([backbone, data, ...(dev ? [dev.folder] : []), ...evaluate.map(({ folder }) => folder)])];
  },
  resolve: (settings, digests) => resolvedFinetuneCell(parseFinetuneCell(settings), digests),
  measured: (settings) => measuredBy(parseFinetuneCell(settings)),
  async run(given, work) {
    const settings = parseFinetuneCell(given);
    const { signal, onWarning } = work;
    const examples = await readTrainingExamples(work.at(settings.data), { signal, onWarning });
    const head = await prepareHead(settings, examples, work);
    const trained = await train(settings, { examples, ...head }, work);
    const { alarms, rows, broken } = trained;
    const measured =
      broken === undefined ? await measureModel(trained.model, settings, work) : await measureNothing(settings, work);
    const unrecovered = alarms.filter(({ recovered }) => recovered === undefined);
    const said = [
      ...alarms.map(({ step, reason }) => `step ${step}: ${reason}`),
      ...(broken === undefined ? [] : [broken]),
    ];
    return {
      metrics: {
        ...head.metrics,
        guardAlarms: alarms.length,
        guardCollapse: unrecovered.length > 0 || broken !== undefined ? 1 : 0,
        broken: broken === undefined ? 0 : 1,
        ...(trained.best && { bestStep: trained.best.step, bestOnDev: trained.best.value }),
        ...measured.metrics,
      },
      scores: measured.scores,
      facts: {
        ...head.facts,
        ...(said.length > 0 && { guard: said.join('; ') }),
        node: process.version,
        platform: `${process.platform} ${process.arch}`,
        threads: String(work.threads),
      },
      curves: curvesOf(rows, evaluationKey(settings.training.devMeasure)),
    };
  },
  forecast: async (given, work) => forecastOf(parseFinetuneCell(given), work),
};

interface Trained extends Pick<FinetuneResult, 'alarms' | 'best'> {
  readonly model: string;
  readonly rows: readonly MetricsRow[];
  /** Why the run could not go on to its end. */
  readonly broken: string | undefined;
}

async function train(
  { dev, training }: FinetuneCellSettings,
  { examples, model, training: ofHead }: { readonly examples: readonly TrainingExample[] } & CellHead,
  work: CellWork,
): Promise<Trained> {
  const { folder, seed, threads, signal, onProgress, onWarning } = work;
  const output = join(folder, 'trained');
  const rows: MetricsRow[] = [];
  try {
    const { alarms, best } = await finetune({
      model,
      output,
      examples,
      dev: dev && (await openCollection(dev, work)),
      // Lines of studies from before the guard knew of chance stay comparable: a design may ask for it.
      settings: { ...training, ...ofHead, guard: { chanceRatio: 1, ...training.guard }, seed },
      threads,
      signal,
      onProgress,
      onWarning,
      onMetrics: (row) => rows.push(row),
    });
    return { model: output, alarms, best, rows, broken: undefined };
  } catch (error) {
    if (!isBroken(error)) throw error;
    return { model: output, alarms: [], best: undefined, rows, broken: error.message };
  }
}

/** Whether training ended because its numbers are none any more. */
function isBroken(error: unknown): error is LexrayError {
  if (!(error instanceof LexrayError)) return false;
  return (
    error.code === 'GATE' || (error.code === 'FAILED' && error.message.startsWith('the trained model cannot encode'))
  );
}

/** Columns of what was logged; steps without a figure have null. */
function curvesOf(rows: readonly MetricsRow[], devKey: string): NonNullable<CellResult['curves']> {
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  const kept = [...names].filter((name) => keptFigures.includes(name) || name === devKey || /active_dims$/.test(name));
  const column = (name: string): (number | null)[] =>
    rows.map((row) => (Number.isFinite(row[name]) ? Number(row[name]!.toPrecision(6)) : null));
  return {
    step: column('step'),
    ...Object.fromEntries(kept.map((name) => [name === devKey ? 'dev' : name, column(name)])),
  };
}

/** Texts of a collection that are encoded for a forecast. */
const forecastTexts = 64;

/** A few steps without updates, and some texts of each collection, with the backbone as it is. */
async function forecastOf(
  settings: FinetuneCellSettings,
  work: Omit<CellWork, 'folder' | 'cache'>,
): Promise<CellForecast> {
  const { threads, signal, onProgress } = work;
  const { backbone, data, dev, evaluate, training } = settings;
  const model = work.at(backbone);
  const examples = await readTrainingExamples(work.at(data), { signal });
  const forecast = await forecastFinetune({ model, examples, settings: training, threads, signal, onProgress });
  const evaluations = dev ? Math.ceil(forecast.steps / (training.evaluateEvery ?? Math.ceil(forecast.steps / 10))) : 0;
  const encoder = await SparseEncoder.load(model, { threads, signal });
  let seconds = forecast.seconds;
  try {
    const all = Number.POSITIVE_INFINITY;
    const places = [
      ...evaluate.map((one) => ({ ...one, times: 1, most: all })),
      ...(dev ? [{ ...dev, times: evaluations, most: training.devDocuments ?? all }] : []),
    ];
    for (const { times, most, ...which } of places) {
      const collection = await openCollection(which, { at: work.at, signal });
      const count = Math.min(await collection.countDocuments(), most);
      const texts: { id: string; text: string }[] = [];
      for await (const { docid, title, text } of collection.documents(signal ? { signal } : {})) {
        texts.push({ id: docid, text: `${title ?? ''} ${text}` });
        if (texts.length === forecastTexts) break;
      }
      const start = performance.now();
      await encodeAll(encoder, texts, { kind: 'document', signal });
      seconds += (((performance.now() - start) / 1000 / texts.length) * count + 0.5) * times;
    }
  } finally {
    await encoder.dispose();
  }
  return {
    seconds,
    memoryBytes: process.memoryUsage().rss,
    basis: `three steps of training and ${forecastTexts} documents of each collection with the first cell's backbone, ${threads} of ${availableParallelism()} threads; diagnosis and search are not counted`,
  };
}
