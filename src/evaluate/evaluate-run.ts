/**
 * Evaluates a run with relevance judgements, query by query and on average, as trec_eval does with `-c`:
 *
 * - documents are ranked by score (as float32), ties by docid descending, whatever their order in the run;
 * - the queries are those of the qrels: one that the run lacks counts 0, one that only the run has is left out;
 * - a query without relevant documents counts 0 and is part of the mean (ir_measures' rule); qrels without any are refused;
 * - a document that is not judged is not relevant.
 */
import type { Qrels } from '../data/qrels.ts';
import { compareScoredDocuments, type Run, type ScoredDocument } from '../data/run.ts';
import { badInput } from '../util/errors.ts';
import type { WarningListener } from '../util/progress.ts';
import type { JudgedRanking, Measure } from './measures/measure.ts';
import { parseMeasure } from './measures/parse-measure.ts';

/** Values of measures, on average and for each query. */
export interface Evaluation {
  /** Means over the queries of the qrels, by measure name. */
  readonly mean: ReadonlyMap<string, number>;
  /** Values by measure name and qid, in the order of the qrels. */
  readonly perQuery: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Number of queries: those of the qrels. */
  readonly queries: number;
  /** Queries of the qrels that the run lacks; they count 0. */
  readonly missingQueries: readonly string[];
  /** Queries of the run without judgements; they are left out. */
  readonly unjudgedQueries: readonly string[];
  /** Queries without a document of grade 1 or more. */
  readonly queriesWithoutRelevant: readonly string[];
}

/** Options of {@link evaluateRun}. */
export interface EvaluateOptions {
  /**
   * Leave out the document whose docid is the qid, as BEIR does for collections whose queries are documents
   * (ArguAna, Quora). @default false
   */
  readonly dropSameId?: boolean | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/**
 * Evaluates a run.
 * @param measures measures, or their names
 * @throws LexrayError BAD_INPUT when the qrels are empty, have no query of the run or no relevant document, a document occurs twice for a query, or a
 * score is NaN
 */
export function evaluateRun(
  qrels: Qrels,
  run: Run,
  measures: readonly (Measure | string)[],
  options: EvaluateOptions = {},
): Evaluation {
  if (qrels.size === 0) throw badInput('the qrels are empty', { cure: 'check the qrels file' });
  const parsed = new Map<string, Measure>();
  for (const given of measures) {
    const measure = typeof given === 'string' ? parseMeasure(given) : given;
    parsed.set(measure.name, measure);
  }
  const perQuery = new Map<string, Map<string, number>>();
  for (const name of parsed.keys()) perQuery.set(name, new Map());
  const missingQueries: string[] = [];
  const queriesWithoutRelevant: string[] = [];
  for (const [qid, grades] of qrels) {
    const documents = run.get(qid);
    if (documents === undefined) missingQueries.push(qid);
    const ranking = judgeRanking(qid, documents ?? [], grades, options.dropSameId ?? false);
    if (!ranking.judged.some((grade) => grade > 0)) queriesWithoutRelevant.push(qid);
    for (const [name, measure] of parsed) perQuery.get(name)?.set(qid, measure.compute(ranking));
  }
  if (queriesWithoutRelevant.length === qrels.size && [...parsed.values()].some(({ name }) => !isOfJudgement(name))) {
    throw badInput(`no query of the qrels (${nameSome(queriesWithoutRelevant)}) has a relevant document`, {
      cure: 'a relevant document has a grade of 1 or more: check the column of grades',
    });
  }
  const unjudgedQueries = [...run.keys()].filter((qid) => !qrels.has(qid));
  if (run.size > 0 && unjudgedQueries.length === run.size) {
    throw badInput(
      `no query of the run (${nameSome(unjudgedQueries)}) is in the qrels (${nameSome([...qrels.keys()])})`,
      { cure: 'check that qrels and run belong to one collection' },
    );
  }
  const mean = new Map<string, number>();
  for (const [name, values] of perQuery) {
    let sum = 0;
    for (const value of values.values()) sum += value;
    mean.set(name, sum / qrels.size);
  }
  const evaluation = {
    mean,
    perQuery,
    queries: qrels.size,
    missingQueries,
    unjudgedQueries,
    queriesWithoutRelevant,
  };
  if (options.onWarning !== undefined) warn(evaluation, options.onWarning);
  return evaluation;
}

/** Ranks the documents of a query as trec_eval does, and looks up their grades. */
function judgeRanking(
  qid: string,
  documents: readonly ScoredDocument[],
  grades: ReadonlyMap<string, number>,
  dropSameId: boolean,
): JudgedRanking {
  const docids = new Set<string>();
  for (const { docid, score } of documents) {
    if (docids.has(docid)) {
      throw badInput(`document ${docid} occurs twice for query ${qid}`, {
        cure: 'keep the best score of each document',
      });
    }
    if (Number.isNaN(score)) throw badInput(`the score of document ${docid} for query ${qid} is NaN`);
    docids.add(docid);
  }
  const ranked = [...documents].sort(compareScoredDocuments);
  const kept = dropSameId ? ranked.filter(({ docid }) => docid !== qid) : ranked;
  return { ranked: kept.map(({ docid }) => grades.get(docid)), judged: [...grades.values()] };
}

/** Judged@k says how much of a ranking was judged, relevant or not. */
function isOfJudgement(measure: string): boolean {
  return measure.startsWith('Judged');
}

function warn(evaluation: Evaluation, onWarning: WarningListener): void {
  const { missingQueries, unjudgedQueries, queriesWithoutRelevant, queries } = evaluation;
  if (missingQueries.length > 0) {
    onWarning(
      `${missingQueries.length} of ${queries} judged queries are not in the run and count 0: ${nameSome(missingQueries)}`,
    );
  }
  if (unjudgedQueries.length > 0) {
    onWarning(
      `${unjudgedQueries.length} queries of the run have no judgements and are left out: ${nameSome(unjudgedQueries)}`,
    );
  }
  if (queriesWithoutRelevant.length > 0) {
    onWarning(
      `${queriesWithoutRelevant.length} of ${queries} queries have no relevant document and count 0: ${nameSome(queriesWithoutRelevant)}`,
    );
  }
}

function nameSome(qids: readonly string[]): string {
  return qids.slice(0, 3).join(', ') + (qids.length > 3 ? ', …' : '');
}
