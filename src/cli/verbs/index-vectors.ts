/** `lexray index VECTORS -o INDEX`: from document vectors to an inverted index. */
import { join } from 'node:path';
import { z } from 'zod';
import { checkOutput } from '../check-output.ts';
import { formatBytes, formatCount, formatDuration, formatFigure } from '../format.ts';
import { text } from '../option.ts';
import { postingsSchema, summarisePostings } from '../postings-summary.ts';
import { defineVerb, type Verb } from '../verb.ts';

export const indexVerb: Verb = defineVerb({
  name: 'index',
  group: 'Vectors and search:',
  summary: 'build an inverted index of document vectors',
  arguments: { vectors: text('folder of document vectors', { placeholder: 'VECTORS' }) },
  options: {},
  output: { placeholder: 'INDEX', description: 'folder to write the index to', required: true },
  examples: ['lexray index corpus.vectors -o corpus.index'],
  result: z.strictObject({
    output: z.string(),
    documents: z.int(),
    dimensions: z.int(),
    /** Entries of all postings lists. */
    postings: z.int(),
    lists: postingsSchema,
    seconds: z.number(),
  }),
  async run({ vectors: folder }, { output, force, signal, config }) {
    await checkOutput(output, force);
    const [
      { readVectors, readVectorsManifest },
      { readEncoderIdentity },
      { buildIndex },
      { writeIndex },
      { hashFile, manifestFileName },
    ] = await Promise.all([
      import('../../vectors/read-vectors.ts'),
      import('../../vectors/encoder-identity.ts'),
      import('../../search/inverted-index.ts'),
      import('../../search/index-folder.ts'),
      import('../../util/manifest.ts'),
    ]);
    const start = performance.now();
    const index = buildIndex(await readVectors(folder, { signal }));
    const parents = { vectors: await hashFile(join(folder, manifestFileName)) };
    const encoder = readEncoderIdentity(await readVectorsManifest(folder));
    await writeIndex(output, index, { config, parents, encoder, force, signal });
    const lists = summarisePostings(index.statistics());
    const seconds = (performance.now() - start) / 1000;
    return {
      data: {
        output,
        documents: index.documentCount,
        dimensions: index.dimensions,
        postings: index.postingCount,
        lists,
        seconds,
      },
      text: [
        `${formatCount(index.documentCount)} documents, ${formatCount(index.postingCount)} postings (${formatBytes(index.postingCount * 8)}) in ${formatDuration(seconds)}`,
        `postings lists: ${formatCount(lists.terms)} of ${formatCount(index.dimensions)} terms used, mean ${formatFigure(lists.mean)}, CV² ${formatFigure(lists.cv2)}, p99 ${formatCount(lists.p99)}, largest ${formatCount(lists.largest)}`,
        `wrote ${output}`,
      ].join('\n'),
    };
  },
});
