/**
 * Training and dev data in the form that the generated script reads: `train.jsonl`, a row a line with the same columns in
 * each, in the order that sentence-transformers goes by,
 *
 *     {"anchor": …, "positive": …, "negative_1": …, …}
 *
 * and `dev/` as a BEIR folder whose titles and texts are joined the way the model wants them.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { joinTitle } from '../../data/document.ts';
import type { BeirCollection } from '../../data/load-beir.ts';
import { streamTrainingExamples } from '../../data/read-training-examples.ts';
import { badInput, throwIfAborted } from '../../util/errors.ts';
import type { ProgressListener, WarningListener } from '../../util/progress.ts';
import { writeFileAtomic } from '../../util/write-atomic.ts';

/** Training data on this machine. */
export interface LocalData {
  /** BEIR folder, TSV or JSONL file, as for `finetune`. */
  readonly path: string;
  /** The qrels of a BEIR folder. @default 'train' */
  readonly split?: string | undefined;
}

/** Options of {@link writeTrainingRows}. */
export interface TrainingRowsOptions {
  /** Negatives of a row at most. */
  readonly negativesPerQuery: number;
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
 * @throws LexrayError BAD_INPUT when the data do not fit, or have fewer than two examples
 */
export async function writeTrainingRows(
  path: string,
  data: LocalData,
  options: TrainingRowsOptions,
): Promise<TrainingRows> {
  const { negativesPerQuery, titleSeparator, signal, onProgress, onWarning } = options;
  const reading = { split: data.split ?? 'train', titleSeparator, signal };
  let rows = 0;
  let negatives = negativesPerQuery;
  let most = 0;
  for await (const example of streamTrainingExamples(data.path, { ...reading, onWarning })) {
    negatives = Math.min(negatives, example.negatives.length);
    most = Math.max(most, example.negatives.length);
    rows++;
  }
  if (rows < 2) {
    throw badInput(`training needs at least two examples, got ${rows}`, {
      where: data.path,
      cure: 'in-batch negatives come from the other examples of a batch; give more data',
    });
  }
  if (negatives < Math.min(negativesPerQuery, most)) {
    onWarning?.(
      `${data.path}: some examples have ${negatives} negatives and others ${most}; rows need the same number, so ${negatives} of each are used`,
    );
  }
  const columns = ['anchor', 'positive', ...Array.from({ length: negatives }, (_, i) => `negative_${i + 1}`)];
  const lines = async function* (): AsyncGenerator<string> {
    let done = 0;
    for await (const { query, positive, negatives: others } of streamTrainingExamples(data.path, reading)) {
      const texts = [query, positive, ...others.slice(0, negatives)];
      yield `${JSON.stringify(Object.fromEntries(columns.map((column, i) => [column, texts[i]])))}\n`;
      if (++done % 1000 === 0) onProgress?.({ phase: 'write examples', done, total: rows, unit: 'examples' });
    }
  };
  await writeFileAtomic(path, chunks(lines()));
  return { rows, columns };
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
