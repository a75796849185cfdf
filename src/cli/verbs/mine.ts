/** `lexray mine DATA -o FILE.jsonl [--model MODEL]`: hard negatives for training, by BM25 or by a sparse model. */
import { z } from 'zod';
import type { SparseEncoder } from '../../model/sparse-encoder.ts';
import type { Mined } from '../../train/mine/mine-negatives.ts';
import type { MiningSource } from '../../train/mine/mining-source.ts';
import type { MiningSystem } from '../../train/mine/mining-system.ts';
import { LexrayError } from '../../util/errors.ts';
import { checkOutput } from '../check-output.ts';
import { formatCount, formatDuration, formatTable } from '../format.ts';
import { loadEncoder } from '../load-encoder.ts';
import { modelDescription } from '../model-folder.ts';
import {
  choice,
  flag,
  integer,
  optionalDecimal,
  optionalInteger,
  optionalText,
  text,
  textWithDefault,
} from '../option.ts';
import { defineVerb, type Verb, type VerbContext } from '../verb.ts';

interface Settings {
  readonly data: string;
  readonly split: string;
  readonly corpus?: string | undefined;
  readonly model?: string | undefined;
  readonly maxLength?: number | undefined;
  readonly stemming: 'none' | 'porter';
}

export const mineVerb: Verb = defineVerb({
  name: 'mine',
  group: 'Models:',
  summary: 'find hard negatives for training, by BM25 or by a sparse model',
  arguments: {
    data: text('BEIR folder with qrels/train.tsv, or training data (TSV, JSONL, Parquet)', { placeholder: 'DATA' }),
  },
  options: {
    model: optionalText(`search with this model; without it by BM25. ${modelDescription}`, { placeholder: 'MODEL' }),
    corpus: optionalText('BEIR folder or file with the documents to search (default: those of DATA)', {
      placeholder: 'PATH',
    }),
    split: textWithDefault('which qrels of a BEIR folder', { default: 'train' }),
    ranks: textWithDefault('first and last rank to take negatives from, positives not counted', {
      default: '10-100',
      placeholder: 'FROM-TO',
    }),
    count: integer('negatives of a pair of query and positive', { default: 8, min: 1, max: 10_000 }),
    pick: choice('what to take of these ranks', ['random', 'top'], { default: 'random' }),
    excludeAbove: optionalDecimal("leave out documents scored above this share of the positive's score, as 0.95", {
      min: 0,
    }),
    scores: flag('also write the scores of the positive and the negatives'),
    stemming: choice('how BM25 reduces words', ['none', 'porter'], { default: 'none' }),
    maxLength: optionalInteger('most tokens of a text for the model (default: what it records)', { min: 1 }),
    dropSameId: flag('leave out the document whose docid is the qid (ArguAna, Quora)'),
  },
  output: { placeholder: 'FILE', description: 'JSONL file to write, which finetune reads', required: true },
  examples: [
    'lexray mine scifact -o scifact-bm25.jsonl',
    'lexray mine scifact -o scifact-own.jsonl --model my-splade --ranks 5-50 --exclude-above 0.95',
    'lexray mine pairs.jsonl -o triples.jsonl --corpus collection.tsv',
  ],
  result: z.strictObject({
    output: z.string(),
    system: z.string(),
    documents: z.int(),
    queries: z.int(),
    pairs: z.int(),
    /** Of all pairs together. */
    negatives: z.int(),
    /** Pairs without a text of their positive, not written. */
    leftOut: z.int(),
    /** Pairs with fewer negatives than asked for, and those without any. */
    short: z.int(),
    none: z.int(),
    /** What was found and not taken, by reason. */
    removed: z.strictObject({
      positives: z.int(),
      exactDuplicates: z.int(),
      normalizedDuplicates: z.int(),
      repeated: z.int(),
      aboveMargin: z.int(),
    }),
    seconds: z.number(),
  }),
  async run(settings, context) {
    const { ranks, count, pick, excludeAbove, scores, dropSameId } = settings;
    const { output, force, seed, signal, onProgress, onWarning } = context;
    const window = parseRanks(ranks);
    await checkOutput(output, force);
    const [{ mineNegatives, minedLine }, { writeFileAtomic }] = await Promise.all([
      import('../../train/mine/mine-negatives.ts'),
      import('../../util/write-atomic.ts'),
    ]);
    const start = performance.now();
    const opened = await open(settings, context);
    try {
      const options = { ranks: window, count, pick, excludeAbove, scores, dropSameId, seed };
      const mined = await mineNegatives(opened.source, opened.system, { ...options, signal, onProgress, onWarning });
      const lines = function* (): Generator<string> {
        let chunk = '';
        for (const pair of mined.pairs) {
          chunk += minedLine(pair);
          if (chunk.length < 1 << 16) continue;
          yield chunk;
          chunk = '';
        }
        yield chunk;
      };
      await writeFileAtomic(output, lines(), { force });
      const seconds = (performance.now() - start) / 1000;
      const data = { output, system: opened.system.name, ...figures(mined), seconds };
      return { data, text: describe(data, mined) };
    } finally {
      await opened.encoder?.dispose();
    }
  },
  async forecast(settings, context) {
    parseRanks(settings.ranks);
    const { source, encoder } = await open(settings, context);
    const total = await source.countDocuments();
    const queries = source.queries.map(({ text: query }) => query);
    if (encoder === undefined) return forecastBm25(source, total, queries.length);
    try {
      const { forecastEncoding } = await import('../encoding-forecast.ts');
      const documents = async function* (): AsyncGenerator<string> {
        for await (const document of source.documents()) yield document.text;
      };
      const plans = [
        { kind: 'document' as const, texts: documents(), total },
        { kind: 'query' as const, texts: queries, total: queries.length },
      ];
      return await forecastEncoding(encoder, plans, { copiesInMemory: 3, written: false, signal: context.signal });
    } finally {
      await encoder.dispose();
    }
  },
});

function parseRanks(ranks: string): readonly [number, number] {
  const match = /^(\d{1,9})-(\d{1,9})$/.exec(ranks.trim());
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  if (match !== null && from >= 1 && to >= from) return [from, to];
  throw new LexrayError('USAGE', `expected ranks as FROM-TO, counted from 1, got ${JSON.stringify(ranks)}`, {
    cure: 'as in --ranks 10-100',
  });
}

async function open(
  { data, split, corpus, model, maxLength, stemming }: Settings,
  context: VerbContext,
): Promise<{ source: MiningSource; system: MiningSystem; encoder: SparseEncoder | undefined }> {
  const { onWarning, signal } = context;
  const [{ openMiningSource }, { bm25System, encoderSystem }] = await Promise.all([
    import('../../train/mine/mining-source.ts'),
    import('../../train/mine/mining-system.ts'),
  ]);
  const encoder = model === undefined ? undefined : await loadEncoder(model, maxLength, context);
  try {
    const titleSeparator = encoder?.policy.titleSeparator;
    const source = await openMiningSource(data, { split, corpus, titleSeparator, onWarning, signal });
    const system = encoder === undefined ? bm25System({ stemming }) : encoderSystem(model!, encoder);
    return { source, system, encoder };
  } catch (error) {
    await encoder?.dispose();
    throw error;
  }
}

const sampleSize = 1000;

/** Counts the words of the first documents and scales up. */
async function forecastBm25(
  source: MiningSource,
  total: number,
  queries: number,
): Promise<{ seconds: number; memoryBytes: number; outputBytes: number; basis: string }> {
  const { Bm25 } = await import('../../search/bm25.ts');
  const sample: { docid: string; title: string; text: string }[] = [];
  for await (const { id, text: document } of source.documents()) {
    sample.push({ docid: id, title: '', text: document });
    if (sample.length === sampleSize) break;
  }
  const start = performance.now();
  const { vectors } = await Bm25.fit(sample);
  const share = total / Math.max(1, sample.length);
  return {
    seconds: ((performance.now() - start) / 1000) * share,
    // Vectors, index, and the searcher's own copy, 8 bytes an entry.
    memoryBytes: process.memoryUsage().rss + vectors.indices.length * share * 24,
    outputBytes: 0,
    basis: `the words of the first ${sample.length} of ${total} documents; the search of ${queries} queries is not counted`,
  };
}

interface Figures {
  readonly documents: number;
  readonly queries: number;
  readonly pairs: number;
  readonly negatives: number;
  readonly leftOut: number;
  readonly short: number;
  readonly none: number;
  readonly removed: Readonly<
    Record<'positives' | 'exactDuplicates' | 'normalizedDuplicates' | 'repeated' | 'aboveMargin', number>
  >;
}

function figures({ documents, queries, pairs, leftOut, counts }: Mined): Figures {
  const { short, none, withoutScore: _, ...removed } = counts;
  const negatives = pairs.reduce((sum, pair) => sum + pair.negatives.length, 0);
  return { documents, queries, pairs: pairs.length, negatives, leftOut, short, none, removed };
}

function describe(
  data: Figures & { readonly output: string; readonly system: string; readonly seconds: number },
  { counts }: Mined,
): string {
  const rows = [
    ['searched', `${formatCount(data.queries)} queries on ${formatCount(data.documents)} documents by ${data.system}`],
    ['pairs', formatCount(data.pairs)],
    ['negatives', formatCount(data.negatives)],
    [
      'not taken',
      `${formatCount(counts.positives)} positives, ${formatCount(counts.exactDuplicates)} of the same text, ${formatCount(counts.normalizedDuplicates)} of the same text after normalisation, ${formatCount(counts.repeated)} repeated, ${formatCount(counts.aboveMargin)} scored too high`,
    ],
    ['time', formatDuration(data.seconds)],
  ];
  return `${formatTable(rows, ['left', 'left'])}\nwrote ${data.output}`;
}
