/**
 * Training and dev data in the form that the generated script reads: `train.jsonl`, a row a line with the same columns in
 * each, in the order that sentence-transformers goes by,
 *
 *     {"anchor": …, "positive": …, "negative_1": …, …}
 *     {…, "label": [s(positive), s(negative_1), …]}          for a loss that learns from a teacher's scores
 *
 * and `dev/` as a BEIR folder whose titles and texts are joined the way the model wants them.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { joinTitle } from '../../data/document.ts';
import type { BeirCollection } from '../../data/load-beir.ts';
import { streamTrainingExamples, type TrainingExample } from '../../data/read-training-examples.ts';
import { badInput, throwIfAborted } from '../../util/errors.ts';
import type { ProgressListener, WarningListener } from '../../util/progress.ts';
import { writeFileAtomic } from '../../util/write-atomic.ts';
import type { StTrainConfig } from './settings.ts';

/** Training data on this machine. */
export interface LocalData {
  /** BEIR folder, TSV or JSONL file, as for `finetune`. */
  readonly path: string;
  /** The qrels of a BEIR folder. @default 'train' */
  readonly split?: string | undefined;
  /** Where ids are looked up, and a teacher's scores of them, as for `readTrainingExamples`. */
  readonly corpus?: string | undefined;
  readonly queries?: string | undefined;
  readonly teacherScores?: string | undefined;
}

/** Options of {@link writeTrainingRows}. */
export interface TrainingRowsOptions {
  /** Negatives of a row at most. */
  readonly negativesPerQuery: number;
  /** Whether rows have a teacher's scores. @default 'info-nce', without */
  readonly loss?: StTrainConfig['loss'] | undefined;
  readonly titleSeparator: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** What was written. */
export interface TrainingRows {
  readonly rows: number;
  /** Names of the columns, in order. */
  readonly columns: readonly string[];
}

/**
 * Writes `train.jsonl`. Rows need the same number of negatives: as many as asked for, or as the example with the fewest has.
 * With a teacher's scores only negatives that have one count.
 * @throws LexrayError BAD_INPUT when the data do not fit, have fewer than two examples, or lack scores that the loss needs
 */
export async function writeTrainingRows(
  path: string,
  data: LocalData,
  options: TrainingRowsOptions,
): Promise<TrainingRows> {
  const { negativesPerQuery, loss = 'info-nce', titleSeparator, signal, onProgress, onWarning } = options;
  const { split = 'train', corpus, queries, teacherScores } = data;
  const reading = { split, corpus, queries, teacherScores, titleSeparator, signal };
  const taught = loss !== 'info-nce';
  let rows = 0;
  let negatives = negativesPerQuery;
  let most = 0;
  let scored = 0;
  for await (const example of streamTrainingExamples(data.path, { ...reading, onWarning })) {
    const usable = taught ? scoredNegatives(example).length : example.negatives.length;
    negatives = Math.min(negatives, usable);
    most = Math.max(most, usable);
    if (example.scores !== undefined) scored++;
    rows++;
  }
  if (rows < 2) {
    throw badInput(`training needs at least two examples, got ${rows}`, {
      where: data.path,
      cure: 'in-batch negatives come from the other examples of a batch; give more data',
    });
  }
  if (taught && (scored < rows || negatives < 1)) {
    const lack =
      scored < rows ? `${rows - scored} of ${rows} examples have no scores` : 'an example has no scored negative';
    throw badInput(`the loss ${loss} learns from a teacher's scores of each positive and its negatives: ${lack}`, {
      where: data.path,
      cure: 'leave such examples out, give --teacher-scores and at least one of --negatives, or use --loss info-nce',
    });
  }
  if (!taught && scored > 0) {
    onWarning?.(
      `${data.path}: ${scored} of ${rows} examples have a teacher's scores, which InfoNCE does not use: they are left out; --loss margin-mse or kl takes them`,
    );
  }
  if (negatives < Math.min(negativesPerQuery, most)) {
    onWarning?.(
      `${data.path}: some examples have ${negatives} negatives and others ${most}; rows need the same number, so ${negatives} of each are used`,
    );
  }
  const columns = ['anchor', 'positive', ...Array.from({ length: negatives }, (_, i) => `negative_${i + 1}`)];
  const lines = async function* (): AsyncGenerator<string> {
    let done = 0;
    for await (const example of streamTrainingExamples(data.path, reading)) {
      const { query, positive } = example;
      const others = taught ? scoredNegatives(example) : example.negatives.map((text) => ({ text, score: 0 }));
      const used = others.slice(0, negatives);
      const texts = [query, positive, ...used.map(({ text }) => text)];
      const label = taught ? { label: [example.scores![0]!, ...used.map(({ score }) => score)] } : {};
      yield `${JSON.stringify({ ...Object.fromEntries(columns.map((column, i) => [column, texts[i]])), ...label })}\n`;
      if (++done % 1000 === 0) onProgress?.({ phase: 'write examples', done, total: rows, unit: 'examples' });
    }
  };
  await writeFileAtomic(path, chunks(lines()));
  return { rows, columns: taught ? [...columns, 'label'] : columns };
}

/** Negatives that the teacher scored beside the positive, in their order. */
function scoredNegatives({ negatives, scores }: TrainingExample): { readonly text: string; readonly score: number }[] {
  const [positive, ...others] = scores ?? [];
  if (positive === undefined || Number.isNaN(positive)) return [];
  return negatives.flatMap((text, i) => {
    const score = others[i] ?? Number.NaN;
    return Number.isNaN(score) ? [] : [{ text, score }];
  });
}

/** Writes a collection as `corpus.jsonl`, `queries.jsonl` and `qrels/dev.tsv` into a folder. */
export async function writeDevCollection(
  folder: string,
  collection: BeirCollection,
  { titleSeparator, signal }: { readonly titleSeparator: string; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  await mkdir(join(folder, 'qrels'), { recursive: true });
  const documents = async function* (): AsyncGenerator<string> {
    for await (const document of collection.documents({ signal })) {
      throwIfAborted(signal);
      const text = joinTitle(document, titleSeparator);
      yield `${JSON.stringify({ _id: document.docid, title: '', text })}\n`;
    }
  };
  await writeFileAtomic(join(folder, 'corpus.jsonl'), chunks(documents()));
  const queries = collection.queries.map(({ qid, text }) => `${JSON.stringify({ _id: qid, text })}\n`);
  await writeFileAtomic(join(folder, 'queries.jsonl'), queries.join(''));
  const qrels = ['query-id\tcorpus-id\tscore\n'];
  for (const [qid, grades] of collection.qrels) {
    for (const [docid, grade] of grades) qrels.push(`${qid}\t${docid}\t${grade}\n`);
  }
  await writeFileAtomic(join(folder, 'qrels', 'dev.tsv'), qrels.join(''));
}

const chunkLength = 1 << 16;

async function* chunks(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let chunk = '';
  for await (const line of lines) {
    chunk += line;
    if (chunk.length < chunkLength) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk;
}
