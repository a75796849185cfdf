/** `lexray encode MODEL INPUT -o VECTORS --kind KIND`: from texts to sparse vectors, streamed to disk. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { NamedText } from '../../data/read-texts.ts';
import type { TextKind } from '../../model/encoder-parts.ts';
import type { SparseEncoder } from '../../model/sparse-encoder.ts';
import type { NamedVector } from '../../vectors/sparse-vectors.ts';
import { checkOutput } from '../check-output.ts';
import { formatCount, formatDuration, formatFigure } from '../format.ts';
import { loadEncoder } from '../load-encoder.ts';
import { modelDescription, modelFolder } from '../model-folder.ts';
import { choice, optionalInteger, text, weightPrecision } from '../option.ts';
import { defineVerb, type Verb } from '../verb.ts';

export const encodeVerb: Verb = defineVerb({
  name: 'encode',
  group: 'Vectors and search:',
  summary: 'encode texts into sparse vectors',
  arguments: {
    model: text(modelDescription, { placeholder: 'MODEL' }),
    input: text('texts: .jsonl (_id, title, text), .tsv (id, text), .txt (a text a line), Parquet, or a BEIR folder', {
      placeholder: 'INPUT',
    }),
  },
  options: {
    kind: choice('what the texts are', ['document', 'query']),
    maxActiveDims: optionalInteger("keep only the heaviest terms of a vector (default: the model's own limit)", {
      min: 1,
    }),
    maxLength: optionalInteger('most tokens of a text, special tokens included (default: what the model records)', {
      min: 1,
    }),
    weights: weightPrecision(),
  },
  output: { placeholder: 'VECTORS', description: 'folder to write the vectors to', required: true },
  examples: [
    'lexray encode model corpus.jsonl -o corpus.vectors --kind document',
    'lexray encode model queries.jsonl -o queries.vectors --kind query --max-active-dims 32',
  ],
  result: z.strictObject({
    output: z.string(),
    kind: z.enum(['document', 'query']),
    vectors: z.int(),
    dimensions: z.int(),
    /** Mean, over all vectors. */
    activeDims: z.number(),
    /** Vectors without an active dimension. */
    zeroVectors: z.int(),
    seconds: z.number(),
    textsPerSecond: z.number(),
  }),
  async run({ model, input, kind, maxActiveDims, maxLength, weights }, context) {
    const { output, force, seed, config, signal, onProgress, onWarning } = context;
    await checkOutput(output, force);
    const path = await inputFile(input, kind);
    const [{ hashFile }, { modelParents }, { writeVectors }, { countTexts }, { encoderIdentity }] = await Promise.all([
      import('../../util/manifest.ts'),
      import('../model-parents.ts'),
      import('../../vectors/write-vectors.ts'),
      import('../../data/read-texts.ts'),
      import('../../vectors/encoder-identity.ts'),
    ]);
    const total = await countTexts(path);
    const folder = await modelFolder(model, context);
    const encoder = await loadEncoder(folder, maxLength, context, [kind], weights);
    const parents = await modelParents(folder);
    try {
      const counts = { vectors: 0, entries: 0, zeroVectors: 0 };
      const texts = await openTexts(path, encoder, signal);
      const vectors = named(encoder, texts, { kind, maxActiveDims, signal, onProgress, total }, counts);
      const start = performance.now();
      await writeVectors(output, vectors, {
        config: kind === 'query' ? { ...config, queryEncoder: encoder.queryEncoder } : config,
        parents: { input: await hashFile(path), ...parents },
        encoder: encoderIdentity(model, parents),
        seed,
        dimensions: encoder.dimensions,
        tokens: Array.from({ length: encoder.dimensions }, (_, term) => encoder.term(term) ?? ''),
        force,
        signal,
      });
      const seconds = (performance.now() - start) / 1000;
      const { vectors: count, entries, zeroVectors } = counts;
      if (zeroVectors > 0) onWarning(`${zeroVectors} of ${count} vectors have no active dimension`);
      const activeDims = count > 0 ? entries / count : 0;
      const textsPerSecond = seconds > 0 ? count / seconds : 0;
      return {
        data: {
          output,
          kind,
          vectors: count,
          dimensions: encoder.dimensions,
          activeDims,
          zeroVectors,
          seconds,
          textsPerSecond,
        },
        text: [
          `${formatCount(count)} ${kind === 'query' ? 'queries' : 'documents'} in ${formatDuration(seconds)} (${formatFigure(textsPerSecond)} texts/s), ${formatFigure(activeDims)} active dimensions each`,
          `wrote ${output}`,
        ].join('\n'),
      };
    } finally {
      await encoder.dispose();
    }
  },
  async forecast({ model, input, kind, maxActiveDims, maxLength, weights }, context) {
    const path = await inputFile(input, kind);
    const [{ forecastEncoding }, { countTexts }] = await Promise.all([
      import('../encoding-forecast.ts'),
      import('../../data/read-texts.ts'),
    ]);
    const total = await countTexts(path);
    const encoder = await loadEncoder(model, maxLength, context, [kind], weights);
    try {
      const texts = onlyTexts(await openTexts(path, encoder, context.signal), []);
      const options = { maxActiveDims, copiesInMemory: 0, written: true, signal: context.signal };
      return await forecastEncoding(encoder, [{ kind, texts, total }], options);
    } finally {
      await encoder.dispose();
    }
  },
});

/** The file of texts: the input itself, or the file of that kind in a folder. */
async function inputFile(input: string, kind: TextKind): Promise<string> {
  const { findTextFile } = await import('../../data/text-lookup.ts');
  const names = { query: ['queries', 'queries.jsonl'], document: ['documents', 'corpus.jsonl'] } as const;
  const [texts, name] = names[kind];
  return findTextFile(input, texts) ?? (existsSync(input) ? join(input, name) : input);
}

async function openTexts(
  path: string,
  encoder: SparseEncoder,
  signal: AbortSignal,
): Promise<AsyncGenerator<NamedText>> {
  const { readTexts } = await import('../../data/read-texts.ts');
  return readTexts(path, { titleSeparator: encoder.policy.titleSeparator, signal });
}

async function* onlyTexts(texts: AsyncIterable<NamedText>, ids: string[]): AsyncGenerator<string> {
  for await (const { id, text: content } of texts) {
    ids.push(id);
    yield content;
  }
}

async function* named(
  encoder: SparseEncoder,
  texts: AsyncIterable<NamedText>,
  options: Parameters<SparseEncoder['encode']>[1],
  counts: { vectors: number; entries: number; zeroVectors: number },
): AsyncGenerator<NamedVector> {
  const ids: string[] = [];
  for await (const vector of encoder.encode(onlyTexts(texts, ids), options)) {
    const id = ids[counts.vectors]!;
    counts.vectors++;
    counts.entries += vector.indices.length;
    if (vector.indices.length === 0) counts.zeroVectors++;
    yield { id, vector };
  }
}
