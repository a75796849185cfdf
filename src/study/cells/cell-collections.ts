/** The collections that a cell is measured on, opened once a cell; and a trained model measured on them at each pruning. */
import { type BeirCollection, loadBeir } from '../../data/load-beir.ts';
import { encodeCollection } from '../../model/retrieve.ts';
import { SparseEncoder } from '../../model/sparse-encoder.ts';
import { sampleCollection } from '../../train/dev-evaluation.ts';
import { mean } from '../../util/mean.ts';
import { Random } from '../../util/random.ts';
import type { SparseVectors } from '../../vectors/sparse-vectors.ts';
import { rowLengths } from '../../vectors/statistics.ts';
import { measureFrontier } from '../measure-frontier.ts';
import { parseGridPoint } from '../pruning-grid.ts';
import type { CellResult, QueryScores } from '../result-line.ts';
import type { CellWork } from './cell-kind.ts';
import type { CellCollection, FinetuneCellSettings } from './finetune-settings.ts';

/** Metrics and scores of a model. */
export type Measured = Pick<CellResult, 'metrics' | 'scores'>;

/** Opens a collection of a cell; samples of queries and documents are the same for every cell. */
export async function openCollection(
  { folder, split, documents, queries }: CellCollection,
  { at, signal, onWarning }: Pick<CellWork, 'at' | 'signal' | 'onWarning'>,
): Promise<BeirCollection> {
  const whole = await loadBeir(at(folder), { split, signal, onWarning });
  const collection = queries === undefined ? whole : sampleQueries(whole, queries);
  return documents === undefined ? collection : sampleCollection(collection, documents, 0);
}

/** So many of the queries, with their judgements, the same whoever asks; their order stays. */
function sampleQueries(collection: BeirCollection, count: number): BeirCollection {
  const { queries, qrels } = collection;
  if (count >= queries.length) return collection;
  const order = new Random(0).shuffle(Uint32Array.from(queries, (_, i) => i));
  const chosen = new Set(order.subarray(0, count));
  const kept = queries.filter((_, i) => chosen.has(i));
  return {
    ...collection,
    queries: kept,
    qrels: new Map(kept.flatMap(({ qid }) => (qrels.has(qid) ? [[qid, qrels.get(qid)!] as const] : []))),
  };
}

/**
 * Measures a model on each collection at each pruning. Scores are named `COLLECTION PRUNING`, as in `eval 7/20`, and so are
 * the metrics, with what is measured behind; FLOPS have a score a query too. Collapse is judged on the documents of the first collection: the median document
 * has less than one active dimension, or more than half of the vocabulary.
 */
export async function measureModel(model: string, settings: FinetuneCellSettings, work: CellWork): Promise<Measured> {
  const { threads, signal, onProgress, onWarning } = work;
  const { evaluate, prunings, measures } = settings;
  const k = Math.max(...measures.map((name) => Number(/@(\d+)$/.exec(name)?.[1] ?? 1000)));
  const grid = prunings.map(parseGridPoint);
  const metrics: Record<string, number> = {};
  const scores: Record<string, QueryScores> = {};
  const encoder = await SparseEncoder.load(model, { threads, signal, onWarning });
  try {
    for (const [place, { name, ...which }] of evaluate.entries()) {
      const collection = await openCollection(which, work);
      const { queries, documents } = await encodeCollection(encoder, collection, { signal, onProgress });
      const medians = { queries: medianOf(queries), documents: medianOf(documents) };
      metrics[`${name} medianQueryDims`] = medians.queries;
      metrics[`${name} medianDocumentDims`] = medians.documents;
      if (place === 0) {
        metrics.vocabulary = documents.dimensions;
        metrics.collapsed = medians.documents < 1 || medians.documents > documents.dimensions / 2 ? 1 : 0;
      }
      const input = { label: name, queries, documents, qrels: collection.qrels };
      const frontier = await measureFrontier(input, { grid, measures, k, passes: 0, signal, onProgress, onWarning });
      for (const [i, { cost, measures: values, postingsTouched }] of frontier.points.entries()) {
        const at = `${name} ${prunings[i]!}`;
        // FLOPS of a query: the terms that a document shares with it, on average. Their mean is the frontier's FLOPS.
        const flops = postingsTouched.map((touched) => touched / frontier.documents);
        scores[at] = { qids: frontier.qids, measures: { ...values, FLOPS: flops } };
        for (const [measure, each] of Object.entries(values)) metrics[`${at} ${measure}`] = mean(each);
        metrics[`${at} flops`] = cost.flops;
        metrics[`${at} queryDims`] = cost.queryActiveDims;
        metrics[`${at} documentDims`] = cost.documentActiveDims;
        metrics[`${at} emptyQueries`] = cost.emptyQueries;
        metrics[`${at} emptyDocuments`] = cost.emptyDocuments;
        metrics[`${at} postings cv2`] = cost.postings.cv2;
        metrics[`${at} postings cv2WithEmpty`] = cost.postingsWithEmpty.cv2;
        metrics[`${at} postings p99`] = cost.postings.p99;
        metrics[`${at} postings p99WithEmpty`] = cost.postingsWithEmpty.p99;
        metrics[`${at} maxDF`] = cost.postings.largest / frontier.documents;
      }
    }
  } finally {
    await encoder.dispose();
  }
  return { metrics, scores };
}

/** What a run counts whose weights are no numbers: it finds nothing, on every query. */
export async function measureNothing(settings: FinetuneCellSettings, work: CellWork): Promise<Measured> {
  const { evaluate, prunings, measures } = settings;
  const metrics: Record<string, number> = { collapsed: 1 };
  const scores: Record<string, QueryScores> = {};
  for (const { name, ...which } of evaluate) {
    const { queries, qrels } = await openCollection(which, work);
    const qids = queries.map(({ qid }) => qid).filter((qid) => qrels.has(qid));
    for (const pruning of prunings) {
      scores[`${name} ${pruning}`] = {
        qids,
        measures: Object.fromEntries([...measures, 'FLOPS'].map((one) => [one, qids.map(() => 0)])),
      };
      for (const one of measures) metrics[`${name} ${pruning} ${one}`] = 0;
    }
  }
  return { metrics, scores };
}

/** Median number of active dimensions; the lower one of two. */
function medianOf(vectors: SparseVectors): number {
  const lengths = rowLengths(vectors).sort();
  return lengths[Math.floor((lengths.length - 1) / 2)] ?? 0;
}
