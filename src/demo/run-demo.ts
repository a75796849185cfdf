/**
 * The demo, start to end: read the API symbols of a project, train a vocabulary and a sparse retriever on them, and
 * compare it with BM25 on symbols it has not seen. The folder it writes holds ordinary artifacts, for the other verbs:
 *
 *     data/ (BEIR)   start/ (random model)   model/   model.training/   index/   runs/*.trec   report.html
 */
import { join, resolve } from 'node:path';
import { buildRetrievalTask, prepareProject, splitIdentifiers } from '../data/api-symbols.ts';
import type { Document } from '../data/document.ts';
import { loadBeir } from '../data/load-beir.ts';
import { readTrainingExamples } from '../data/read-training-examples.ts';
import { writeRun } from '../data/run.ts';
import { writeBeirFolder } from '../data/write-beir.ts';
import { SparseEncoder } from '../model/sparse-encoder.ts';
import type { DemoComparison, DemoReportData, DemoSystem } from '../report/demo/data.ts';
import { demoReport } from '../report/demo-report.ts';
import { writeIndex } from '../search/index-folder.ts';
import { reciprocalRankFusion } from '../search/reciprocal-rank-fusion.ts';
import type { Hit } from '../search/searcher.ts';
import { finetune, forecastFinetune } from '../train/finetune.ts';
import { readMetrics } from '../train/metrics-log.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';
import { toolName } from '../util/version.ts';
import { writeFileAtomic } from '../util/write-atomic.ts';
import { makeStartModel } from './make-start-model.ts';
import { checkDemoFolder, folderSize, replaceDemoFolder } from './output-folder.ts';
import { demoModel, demoSettings, leastSteps, trainingSeconds } from './recipe.ts';
import * as report from './report-data.ts';
import { bm25System, lexraySystem, queryLatency } from './systems.ts';

/** Options of {@link runDemo}. */
export interface DemoOptions {
  /** The project whose packages are learned from. */
  readonly project: string;
  /** Where everything is written; an earlier demo there is replaced. */
  readonly output: string;
  readonly seed: number;
  readonly threads: number;
  /** Train for so many steps only: a quick look. */
  readonly maxSteps?: number | undefined;
  /** A project with fewer documented symbols is not learned from. @default 4000 */
  readonly minSymbols?: number | undefined;
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** What the demo made. */
export interface DemoResult {
  readonly report: string;
  readonly documents: number;
  readonly trainQueries: number;
  readonly testQueries: number;
  readonly systems: readonly DemoSystem[];
  readonly comparisons: readonly DemoComparison[];
  /** Seconds of each phase, in order. */
  readonly phases: readonly { readonly name: string; readonly seconds: number }[];
  /** The trained model's answer to a text. */
  search(text: string, k: number): Promise<readonly (Hit & { readonly title: string })[]>;
  dispose(): Promise<void>;
}

/**
 * Runs the demo. The caller disposes of the result.
 * @throws LexrayError USAGE when the output is in the way; NETWORK when packages must be installed and cannot be;
 * INTERRUPTED; and what {@link finetune} throws
 */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const { output, seed, threads, signal, onProgress, onWarning } = options;
  const listeners = { signal, onProgress, onWarning };
  const phases: { name: string; seconds: number }[] = [];
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await work();
    phases.push({ name, seconds: (performance.now() - start) / 1000 });
    return result;
  };
  await checkDemoFolder(output, options.project, options.force ?? false);

  const dataFolder = join(output, 'data');
  const { project, task } = await timed('read declarations', async () => {
    const found = await prepareProject(
      options.project,
      withoutUndefined({ ...listeners, minSymbols: options.minSymbols }),
    );
    await replaceDemoFolder(output, { seed, threads, project: resolve(options.project) });
    const built = buildRetrievalTask(found.symbols);
    await writeBeirFolder(dataFolder, built);
    return { project: found, task: built };
  });
  const documents: Document[] = task.documents.map(({ docid, title }) => ({ docid, title, text: '' }));
  const titles = new Map(documents.map(({ docid, title }) => [docid, title]));
  const examples = await readTrainingExamples(dataFolder);
  const test = await loadBeir(dataFolder, { split: 'test' });
  const dev = await loadBeir(dataFolder, { split: 'dev' });
  const trainQueries = task.queries.filter(({ split }) => split === 'train');

  const start = join(output, 'start');
  const vocabulary = await timed('train the vocabulary', () =>
    makeStartModel(start, [...titles.values(), ...trainQueries.map(({ text }) => text)], { seed, signal, onProgress }),
  );
  const model = join(output, 'model');
  const trained = await timed('train the model', async () => {
    const training = { model: start, examples, threads, ...listeners };
    const maxSteps = options.maxSteps ?? (await stepsInTime({ ...training, settings: { ...demoSettings, seed } }));
    return finetune({ ...training, settings: { ...demoSettings, seed, maxSteps }, output: model, dev, force: true });
  });

  const sources = { collection: test, documents, signal, onProgress };
  const encoder = await SparseEncoder.load(model, { threads, ...listeners });
  try {
    const lexray = await timed('encode, index and search', () => lexraySystem(encoder, sources));
    const [plain, stemmed] = await timed('BM25', async () => [
      await bm25System(false, sources),
      await bm25System(true, sources),
    ]);
    const fusion = {
      name: 'Lexray + BM25 stemmed',
      run: reciprocalRankFusion([lexray.run, stemmed!.run], { k: 100 }),
    };
    const single = [lexray, plain!, stemmed!];

    const systems: DemoSystem[] = await timed('measure', async () => {
      const texts = test.queries.slice(0, 200).map(({ text }) => text);
      const rows: DemoSystem[] = [];
      for (const system of single) {
        const folder = join(output, 'index', system.name.toLowerCase().replaceAll(' ', '-'));
        await writeIndex(folder, system.index, { config: {}, parents: {} });
        rows.push(
          report.systemRow(system, test, {
            queryActiveDims: system.cost.queryActiveDims,
            documentActiveDims: system.cost.documentActiveDims,
            flops: system.cost.flops,
            indexBytes: await folderSize(folder),
            queryMilliseconds: await queryLatency(system, texts),
          }),
        );
      }
      rows.push(report.systemRow(fusion, test, {}));
      for (const { name, run } of [...single, fusion]) {
        const file = `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.trec`;
        await writeRun(join(output, 'runs', file), run, { tag: name.replaceAll(/\s+/g, '-'), force: true });
      }
      return rows;
    });
    const comparisons = await timed('test for significance', async () => [
      report.comparison(plain!, lexray, test),
      report.comparison(stemmed!, lexray, test),
      report.comparison(lexray, fusion, test),
    ]);

    const metrics = await readMetrics(join(trained.trainingFolder, 'metrics.jsonl'));
    const data: DemoReportData = {
      created: new Date().toISOString(),
      tool: toolName,
      task: {
        source: project.source === 'project' ? 'the packages of this project' : 'typescript and @types/node',
        packages: new Set(project.symbols.map((symbol) => symbol.package)).size,
        documents: documents.length,
        trainQueries: trainQueries.length,
        devQueries: dev.queries.length,
        testQueries: test.queries.length,
      },
      systems,
      measures: report.demoMeasures,
      comparisons,
      training: {
        steps: report.trainingSteps(metrics),
        dev: report.devCurve(metrics),
        devMeasure: report.demoMeasures[0],
        ...(trained.best && { keptStep: trained.best.step }),
        recipe: {
          layers: demoModel.layers,
          'hidden size': demoModel.hiddenSize,
          vocabulary,
          steps: trained.steps,
          'batch size': trained.config.batchSize,
          'learning rate': trained.config.learningRate,
          λq: trained.config.queryRegularizerWeight,
          λd: trained.config.documentRegularizerWeight,
        },
      },
      postings: [lexray, plain!].map(report.postingsLengths),
      examples: report.examples(test, [...single, fusion], titles, 8),
      queryTexts: new Map(test.queries.map(({ qid, text }) => [qid, text])),
      expansions: report.expansions(documents, lexray.documents, encoder.tokenizer, 6),
      environment: report.environment(threads, seed, phases),
    };
    const reportPath = join(output, 'report.html');
    await writeFileAtomic(reportPath, demoReport(data));

    return {
      report: reportPath,
      documents: documents.length,
      trainQueries: trainQueries.length,
      testQueries: test.queries.length,
      systems,
      comparisons,
      phases,
      search: async (text, k) =>
        (await lexray.search(splitIdentifiers(text), k)).map((hit) => ({
          ...hit,
          title: titles.get(hit.docid) ?? hit.docid,
        })),
      dispose: async () => {
        for (const system of single) await system.dispose();
        await encoder.dispose();
      },
    };
  } catch (error) {
    await encoder.dispose();
    throw error;
  }
}

/** Options without the keys whose value is undefined. */
function withoutUndefined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}

/** The recipe's steps, or as many as fit into the time for training on this machine, judged by a few trial steps. */
async function stepsInTime(options: Parameters<typeof forecastFinetune>[0]): Promise<number> {
  const { steps, secondsPerStep } = await forecastFinetune(options);
  return Math.max(leastSteps, Math.min(steps, Math.floor(trainingSeconds / secondsPerStep)));
}
