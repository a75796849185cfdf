/** `lexray prune VECTORS -o OUT`: vectors with fewer terms. `lexray prune --grid …`: what pruning costs and saves. */
import { join } from 'node:path';
import { z } from 'zod';
import { LexrayError } from '../../util/errors.ts';
import type { PruneStrategyName } from '../../vectors/prune/parse-prune-strategy.ts';
import { checkOutput } from '../check-output.ts';
import { formatCount, formatFigure } from '../format.ts';
import { type FrontierResult, frontierResult, measurePrunings } from '../measure-prunings.ts';
import { modelDescription } from '../model-folder.ts';
import {
  allowOtherModel,
  choice,
  flag,
  integer,
  optionalDecimal,
  optionalInteger,
  optionalText,
  textWithDefault,
  words,
} from '../option.ts';
import { defineVerb, type Verb, type VerbContext, type VerbResult } from '../verb.ts';

const pruned = z.strictObject({
  output: z.string(),
  /** In the order in which they were applied. */
  strategies: z.array(z.string()),
  vectors: z.int(),
  dimensions: z.int(),
  entries: z.strictObject({ before: z.int(), after: z.int() }),
  /** Means over the vectors. */
  activeDims: z.strictObject({ before: z.number(), after: z.number() }),
  /** Vectors without an active dimension. */
  zeroVectors: z.strictObject({ before: z.int(), after: z.int() }),
  /** Vectors with the most frequent term. */
  largestList: z.strictObject({ before: z.int(), after: z.int() }),
});

export const pruneVerb: Verb = defineVerb({
  name: 'prune',
  group: 'Vectors and search:',
  summary: 'drop light terms of vectors, or measure what that costs and saves',
  arguments: { vectors: optionalText('folder of vectors; not with --grid', { placeholder: 'VECTORS' }) },
  options: {
    topK: optionalInteger('keep the heaviest terms of each vector, so many'),
    threshold: optionalDecimal('keep terms of at least this weight'),
    heaviestShare: optionalDecimal('keep terms of at least this share of the heaviest of their vector'),
    mass: optionalDecimal('keep the heaviest terms that carry this share of the sum of weights of their vector'),
    termsShare: optionalDecimal('keep this share of the terms of each vector, the heaviest'),
    postingsShare: optionalDecimal('keep this share of all entries, the heaviest'),
    maxPostings: optionalInteger('keep so many entries of each term, the heaviest', { min: 1 }),
    grid: words(
      'measure these prunings, QUERY/DOCUMENT each: terms kept (0 for all) or NAME=VALUE+…; default stands for 0/0,7/20,5/20,5/10',
      { placeholder: 'POINTS', default: [] },
    ),
    data: optionalText('of --grid: BEIR folder to encode', { placeholder: 'DIR' }),
    split: textWithDefault('of --data: which qrels', { default: 'test' }),
    model: optionalText(`of --data: ${modelDescription}`, { placeholder: 'MODEL' }),
    maxLength: optionalInteger('of --data: most tokens of a text (default: what the model records)', { min: 1 }),
    queries: optionalText('of --grid: folder of query vectors', { placeholder: 'VECTORS' }),
    documents: optionalText('of --grid: folder of document vectors', { placeholder: 'VECTORS' }),
    qrels: optionalText('of --queries: judgements, TREC qrels or a BEIR .tsv', { placeholder: 'QRELS' }),
    measures: words('what to measure, separated by commas', {
      placeholder: 'MEASURES',
      default: ['nDCG@10', 'RR@10', 'R@10'],
    }),
    k: integer('documents a query', { default: 1000, min: 1, max: 1_000_000 }),
    passes: integer('passes over the queries whose time is taken', { default: 3, min: 1, max: 1000 }),
    samples: integer('draws of the bootstrap', { default: 10_000, min: 100, max: 1e7 }),
    allowOtherModel: allowOtherModel(),
    dropSameId: flag('leave out the document whose docid is the qid (ArguAna, Quora)'),
    label: optionalText('name of the system in tables and plots (default: the model or the document vectors)'),
    baseline: optionalText('another system, measured before with -o: compare at its cost', { placeholder: 'FRONTIER' }),
    equal: choice('the cost that is held equal', ['flops', 'bytes'], { default: 'flops' }),
  },
  output: { placeholder: 'OUT', description: 'folder to write the vectors, or the frontier, to', required: false },
  examples: [
    'lexray prune corpus.vectors -o pruned.vectors --top-k 20',
    'lexray prune corpus.vectors -o pruned.vectors --mass 0.9 --max-postings 10000',
    'lexray prune --grid default --data scifact --model model -o frontier',
    'lexray prune --grid 0/0,0/50,0/mass=0.8 --queries queries.vectors --documents corpus.vectors --qrels qrels/test.tsv',
    'lexray prune --grid default --data scifact --model expanded -o other --baseline frontier',
  ],
  result: z.union([pruned, frontierResult]),
  async run(settings, context): Promise<VerbResult<z.infer<typeof pruned> | FrontierResult>> {
    const { vectors, grid, topK, threshold, heaviestShare, mass, termsShare, postingsShare, maxPostings } = settings;
    const values: Readonly<Record<PruneStrategyName, number | undefined>> = {
      'top-k': topK,
      threshold,
      'heaviest-share': heaviestShare,
      mass,
      'terms-share': termsShare,
      'postings-share': postingsShare,
      'max-postings': maxPostings,
    };
    if (grid.length === 0) return pruneFolder(vectors, values, context);
    if (vectors !== undefined || Object.values(values).some((value) => value !== undefined)) {
      throw new LexrayError('USAGE', '--grid measures its own points, and takes no VECTORS and no other pruning', {
        cure: 'write the pruning into the grid: --grid 0/mass=0.9',
      });
    }
    return measurePrunings(settings, context);
  },
});

async function pruneFolder(
  folder: string | undefined,
  values: Readonly<Record<PruneStrategyName, number | undefined>>,
  { output, force, config, signal, onProgress, onWarning }: VerbContext,
): Promise<VerbResult<z.infer<typeof pruned>>> {
  const help = 'lexray prune --help shows what it takes';
  if (folder === undefined) throw new LexrayError('USAGE', 'missing VECTORS, or --grid', { cure: help });
  if (output === '') throw new LexrayError('USAGE', 'missing --output: folder to write the vectors to', { cure: help });
  const [strategies, vectorFolders, { readEncoderIdentity }, { writeVectors }, { vectorStatistics }, manifests] =
    await Promise.all([
      import('../../vectors/prune/parse-prune-strategy.ts'),
      import('../../vectors/read-vectors.ts'),
      import('../../vectors/encoder-identity.ts'),
      import('../../vectors/write-vectors.ts'),
      import('../../vectors/statistics.ts'),
      import('../../util/manifest.ts'),
    ]);
  const chain = strategies.pruneStrategyNames.flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [strategies.pruneStrategy(name, value)];
  });
  if (chain.length === 0) {
    throw new LexrayError('USAGE', 'nothing says what to drop', { cure: 'give --top-k, --mass or another pruning' });
  }
  await checkOutput(output, force);
  const vectors = await vectorFolders.readVectors(folder, { signal });
  const tokens = await vectorFolders.readVectorTokens(folder);
  const encoder = readEncoderIdentity(await vectorFolders.readVectorsManifest(folder));
  const kept = strategies.pruneVectors(vectors, chain);
  const parents = { vectors: await manifests.hashFile(join(folder, manifests.manifestFileName)) };
  await writeVectors(output, kept, { config, parents, encoder, tokens, force, signal, onProgress });
  const [before, after] = [vectorStatistics(vectors), vectorStatistics(kept)];
  const emptied = after.zeroVectors - before.zeroVectors;
  if (emptied > 0) onWarning(`${emptied} of ${kept.length} vectors lost all their terms`);
  const share = before.entries > 0 ? after.entries / before.entries : 1;
  return {
    data: {
      output,
      strategies: chain.map(({ label }) => label),
      vectors: kept.length,
      dimensions: kept.dimensions,
      entries: { before: before.entries, after: after.entries },
      activeDims: { before: before.activeDims.mean, after: after.activeDims.mean },
      zeroVectors: { before: before.zeroVectors, after: after.zeroVectors },
      largestList: { before: before.postings.allTerms.max, after: after.postings.allTerms.max },
    },
    text: [
      `${formatCount(after.entries)} of ${formatCount(before.entries)} entries kept (${formatFigure(100 * share)} %), ${formatFigure(before.activeDims.mean)} → ${formatFigure(after.activeDims.mean)} active dimensions a vector, longest list ${formatCount(before.postings.allTerms.max)} → ${formatCount(after.postings.allTerms.max)}`,
      `wrote ${output}`,
    ].join('\n'),
  };
}
