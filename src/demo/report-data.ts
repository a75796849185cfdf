/** Turns what the demo did into the data of its report. */
import { availableParallelism } from 'node:os';
import type { Document } from '../data/document.ts';
import type { BeirCollection } from '../data/load-beir.ts';
import { compareScoredDocuments, type Run } from '../data/run.ts';
import { compareRuns } from '../evaluate/compare-runs.ts';
import { evaluateRun } from '../evaluate/evaluate-run.ts';
import { bootstrapInterval } from '../evaluate/significance/bootstrap-interval.ts';
import type {
  DemoComparison,
  DemoEnvironment,
  DemoExample,
  DemoExpansion,
  DemoSystem,
  DemoTrainingStep,
} from '../report/demo/data.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { evaluationKey, type MetricsRow } from '../train/metrics-log.ts';
import type { SparseVectors } from '../vectors/sparse-vectors.ts';
import { documentFrequency } from '../vectors/statistics.ts';
import { cpuName, type DemoSearchSystem } from './systems.ts';

/** The measures of the table; the first is the main one. */
export const demoMeasures = ['RR@10', 'nDCG@10', 'R@10'] as const;

/** A run with a name. */
export interface NamedRun {
  readonly name: string;
  readonly run: Run;
}

/** The table's row of a run: means with bootstrap intervals over the held-out queries. */
export function systemRow(
  { name, run }: NamedRun,
  collection: BeirCollection,
  more: Omit<DemoSystem, 'name' | 'measures'>,
): DemoSystem {
  const { perQuery } = evaluateRun(collection.qrels, run, demoMeasures);
  const measures = Object.fromEntries(
    [...perQuery].map(([measure, values]) => [measure, bootstrapInterval([...values.values()])]),
  );
  return { name, measures, ...more };
}

/** A paired comparison of two runs. */
export function comparison(a: NamedRun, b: NamedRun, collection: BeirCollection): DemoComparison {
  return { a: a.name, b: b.name, measures: compareRuns(collection.qrels, a.run, b.run, demoMeasures).measures };
}

/** Lengths of an index's postings lists that are not empty. */
export function postingsLengths(system: DemoSearchSystem): { system: string; lengths: number[] } {
  return { system: system.name, lengths: [...documentFrequency(system.documents)].filter((length) => length > 0) };
}

/** Training metrics as the report draws them. */
export function trainingSteps(rows: readonly MetricsRow[]): DemoTrainingStep[] {
  return rows
    .filter((row) => row.base_loss !== undefined)
    .map((row) => ({
      step: row.step,
      seconds: row.seconds!,
      loss: row.loss!,
      baseLoss: row.base_loss!,
      queryRegularizerLoss: row.query_regularizer_loss!,
      documentRegularizerLoss: row.document_regularizer_loss!,
      queryActiveDims: row.query_active_dims!,
      documentActiveDims: row.document_active_dims!,
      learningRate: row.learning_rate!,
    }));
}

/** The main measure on the dev queries, step by step. */
export function devCurve(rows: readonly MetricsRow[]): { step: number; value: number }[] {
  const key = evaluationKey(demoMeasures[0]);
  return rows.flatMap((row) => (row[key] === undefined ? [] : [{ step: row.step, value: row[key] }]));
}

/** Every n-th held-out query with the first documents of each system: chosen by position, not by result. */
export function examples(
  collection: BeirCollection,
  runs: readonly NamedRun[],
  titles: ReadonlyMap<string, string>,
  count: number,
): DemoExample[] {
  const step = Math.max(1, Math.floor(collection.queries.length / count));
  return collection.queries
    .filter((_, i) => i % step === 0)
    .slice(0, count)
    .map(({ qid, text }) => {
      const relevant = collection.qrels.get(qid)!;
      const rankings = runs.map(({ name, run }) => {
        const ranked = [...(run.get(qid) ?? [])].sort(compareScoredDocuments);
        const rank = ranked.findIndex(({ docid }) => (relevant.get(docid) ?? 0) > 0);
        const hits = ranked
          .slice(0, 3)
          .map(({ docid }) => ({ title: titles.get(docid) ?? docid, relevant: (relevant.get(docid) ?? 0) > 0 }));
        return { system: name, hits, ...(rank === -1 ? {} : { rank: rank + 1 }) };
      });
      return { query: text, relevant: [...relevant.keys()].map((docid) => titles.get(docid) ?? docid), rankings };
    });
}

/** Some documents with the terms that the model gives them. */
export function expansions(
  documents: readonly Document[],
  vectors: SparseVectors,
  tokenizer: Tokenizer,
  count: number,
): DemoExpansion[] {
  const step = Math.max(1, Math.floor(vectors.length / count));
  const titles = new Map(documents.map(({ docid, title }) => [docid, title]));
  return Array.from({ length: Math.min(count, vectors.length) }, (_, i) => {
    const row = i * step;
    const title = titles.get(vectors.ids[row]!)!;
    const inText = new Set(tokenizer.encode(title, { addSpecialTokens: false }));
    const { indices, values } = vectors.row(row);
    const terms = Array.from(indices, (term, j) => ({
      token: tokenizer.token(term) ?? `#${term}`,
      weight: values[j]!,
      inText: inText.has(term),
    }));
    return { title, terms: terms.sort((a, b) => b.weight - a.weight).slice(0, 15) };
  });
}

/** Processor, versions and threads. */
export function environment(threads: number, seed: number, phases: DemoEnvironment['phases']): DemoEnvironment {
  return {
    cpu: cpuName(),
    cores: availableParallelism(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    threads,
    seed,
    phases,
  };
}
