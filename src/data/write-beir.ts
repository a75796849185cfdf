/**
 * Writes a retrieval task as a BEIR folder, which Lexray's own verbs and other tools read: `corpus.jsonl` (`_id`,
 * `title`, `text`), `queries.jsonl` (`_id`, `text`) and `qrels/SPLIT.tsv` (header, then `query-id`, `corpus-id`,
 * `score`). Source of the layout: Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of
 * Information Retrieval Models", 2021.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput } from '../util/errors.ts';
import { writeManifest } from '../util/manifest.ts';
import { toolName } from '../util/version.ts';
import { type AtomicWriteOptions, writeFileAtomic, writeFolderAtomic } from '../util/write-atomic.ts';
import { isField } from './columns.ts';

/** The `format` in the manifest of a folder written by {@link writeBeirFolder}. */
export const collectionFormat = 'lexray-collection';

/** What is written. */
export interface BeirContent {
  readonly documents: Iterable<{ readonly docid: string; readonly title: string; readonly text?: string }>;
  readonly queries: Iterable<{
    readonly qid: string;
    readonly text: string;
    /** Which qrels file its judgements go to: `train`, `dev`, `test`. */
    readonly split: string;
    /** Documents of relevance 1. */
    readonly relevant: readonly string[];
  }>;
}

/** Options of {@link writeBeirFolder}. */
export interface BeirWriteOptions extends AtomicWriteOptions {
  /** The options that made the task, for the manifest. @default {} */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Hashes of what it was made from. @default {} */
  readonly parents?: Readonly<Record<string, string>>;
}

/**
 * Writes the folder, whole or not at all.
 * @throws LexrayError USAGE when the folder is occupied and `force` is not set; BAD_INPUT when an identifier cannot be
 * written to a qrels file or the name of a split is no file name
 */
export async function writeBeirFolder(
  folder: string,
  content: BeirContent,
  options: BeirWriteOptions = {},
): Promise<void> {
  const queries = [...content.queries];
  const splits = new Map<string, string[]>();
  for (const { qid, split, relevant } of queries) {
    if (!/^[\w-]+$/.test(split)) throw badInput(`expected a split such as train or test, got ${JSON.stringify(split)}`);
    const lines = splits.get(split) ?? ['query-id\tcorpus-id\tscore\n'];
    splits.set(split, lines);
    for (const docid of relevant) lines.push(`${column(qid)}\t${column(docid)}\t1\n`);
  }
  await writeFolderAtomic(
    folder,
    async (temporary) => {
      await writeFileAtomic(join(temporary, 'corpus.jsonl'), documentLines(content.documents));
      await writeFileAtomic(
        join(temporary, 'queries.jsonl'),
        queries.map(({ qid, text }) => `${JSON.stringify({ _id: qid, text })}\n`).join(''),
      );
      await mkdir(join(temporary, 'qrels'));
      for (const [split, lines] of splits) {
        await writeFileAtomic(join(temporary, 'qrels', `${split}.tsv`), lines.join(''));
      }
      await writeManifest(temporary, {
        format: collectionFormat,
        version: 1,
        config: options.config ?? {},
        parents: options.parents ?? {},
        created: new Date().toISOString(),
        tool: toolName,
      });
    },
    options,
  );
}

const chunkLength = 1 << 16;

function* documentLines(documents: BeirContent['documents']): Generator<string> {
  let chunk = '';
  for (const { docid, title, text = '' } of documents) {
    chunk += `${JSON.stringify({ _id: docid, title, text })}\n`;
    if (chunk.length > chunkLength) {
      yield chunk;
      chunk = '';
    }
  }
  yield chunk;
}

function column(id: string): string {
  if (!isField(id)) {
    throw badInput(`expected an identifier without white space, got ${JSON.stringify(id)}`);
  }
  return id;
}
