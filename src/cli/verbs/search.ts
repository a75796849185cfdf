/** `lexray search INDEX QUERYVECTORS -o RUN`: the best documents of every query, as a TREC run. */
import { z } from 'zod';
import { badInput } from '../../util/errors.ts';
import { checkEncoders } from '../check-encoders.ts';
import { checkOutput } from '../check-output.ts';
import { formatCount, formatDuration, formatFigure } from '../format.ts';
import { allowOtherModel, integer, text, textWithDefault } from '../option.ts';
import { defineVerb, type Verb } from '../verb.ts';

export const searchVerb: Verb = defineVerb({
  name: 'search',
  group: 'Vectors and search:',
  summary: 'search an index with query vectors and write a TREC run',
  arguments: {
    index: text('index folder', { placeholder: 'INDEX' }),
    queries: text('folder of query vectors', { placeholder: 'QUERYVECTORS' }),
  },
  options: {
    k: integer('documents a query', { default: 1000, min: 1, max: 1_000_000 }),
    allowOtherModel: allowOtherModel(),
    tag: textWithDefault('name of the run, its sixth column', { default: 'lexray' }),
  },
  output: { placeholder: 'FILE', description: 'run file to write', required: true },
  examples: ['lexray search corpus.index queries.vectors -o run.trec --k 100'],
  result: z.strictObject({
    output: z.string(),
    documents: z.int(),
    queries: z.int(),
    k: z.int(),
    hits: z.int(),
    queriesWithoutHits: z.int(),
    /** Wall-clock seconds of the search alone, without reading and writing. */
    seconds: z.number(),
    queriesPerSecond: z.number(),
  }),
  async run({ index: indexFolder, queries: queriesFolder, k, tag, allowOtherModel: otherModel }, context) {
    const { output, force, signal, onProgress, onWarning } = context;
    await checkOutput(output, force);
    const [
      { readVectors, readVectorsManifest },
      { readIndex, readIndexManifest },
      { ExactSearcher },
      { searchAll },
      { writeRun },
    ] = await Promise.all([
      import('../../vectors/read-vectors.ts'),
      import('../../search/index-folder.ts'),
      import('../../search/searchers/exact.ts'),
      import('../../search/search-all.ts'),
      import('../../data/run.ts'),
    ]);
    const [queriesManifest, indexManifest] = [
      await readVectorsManifest(queriesFolder),
      await readIndexManifest(indexFolder),
    ];
    if (!otherModel) checkEncoders(queriesManifest, indexManifest, queriesFolder);
    const queries = await readVectors(queriesFolder, { signal });
    const index = await readIndex(indexFolder, { signal });
    if (queries.dimensions !== index.dimensions) {
      throw badInput(`the queries have ${queries.dimensions} dimensions and the index ${index.dimensions}`, {
        where: queriesFolder,
        cure: 'encode the queries with the model that encoded the documents',
      });
    }
    const searcher = new ExactSearcher(index);
    const start = performance.now();
    const run = await searchAll(searcher, queries, { k, signal, onProgress });
    const seconds = (performance.now() - start) / 1000;
    await searcher.dispose();
    await writeRun(output, run, { tag, force });
    let hits = 0;
    let queriesWithoutHits = 0;
    for (const found of run.values()) {
      hits += found.length;
      if (found.length === 0) queriesWithoutHits++;
    }
    if (queriesWithoutHits > 0) onWarning(`${queriesWithoutHits} of ${run.size} queries found nothing`);
    const queriesPerSecond = seconds > 0 ? run.size / seconds : 0;
    return {
      data: {
        output,
        documents: searcher.documentCount,
        queries: run.size,
        k,
        hits,
        queriesWithoutHits,
        seconds,
        queriesPerSecond,
      },
      text: [
        `${formatCount(run.size)} queries on ${formatCount(searcher.documentCount)} documents in ${formatDuration(seconds)} (${formatFigure(queriesPerSecond)} queries/s), ${formatCount(hits)} hits`,
        `wrote ${output}`,
      ].join('\n'),
    };
  },
});
