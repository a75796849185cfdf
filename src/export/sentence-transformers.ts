/**
 * A model of other terms than its tokenizer's pieces (`lexray expand`), in a form that transformers and sentence-transformers
 * open. They know one `vocab_size`, for word embeddings and decoder alike. So both get as many rows as the larger has:
 *
 *     word embeddings   rows of 0 that no text has a token for
 *     decoder           rows of 0 with a bias of −10,000: terms that are never active, called [unused0], [unused1] …
 *
 * Logits of the terms and vectors stay what they were. It costs room, which is why models are not kept like this.
 */
import type { NamedWeight } from '../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import { openModelFolder, requireSharedEncoder } from '../checkpoint/layouts/model-folder.ts';
import type { OutputVocabulary } from '../checkpoint/layouts/output-vocabulary.ts';
import { writeModelFolder } from '../checkpoint/layouts/write-model-folder.ts';
import { locateHead } from '../head/locate-head.ts';
import { badInput } from '../util/errors.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';

const neverActive = -10_000;

const guide = `## Terms

The vectors have the unigrams of \`output_vocabulary.json\` for terms, which the tokenizer does not know. With sentence-transformers:

\`\`\`python
import json

terms = json.load(open('path/to/this/folder/output_vocabulary.json'))['terms']
vector = model.encode_document('a text').coalesce()
print(sorted(zip(vector.values().tolist(), (terms[i] for i in vector.indices()[-1])), reverse=True)[:10])
\`\`\`

\`model.decode\` would name the pieces of the tokenizer that stand at the same places.`;

/** What is exported. */
export interface SentenceTransformersExportOptions {
  /** Folder of a model that `lexray expand` made, or of what was trained from it. */
  readonly model: string;
  /** Folder to write. */
  readonly output: string;
  /** SHA-256 of the files of the model, for the manifest. */
  readonly parents?: Readonly<Record<string, string>> | undefined;
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** What was written. */
export interface SentenceTransformersExport {
  /** Dimensions of the vectors. */
  readonly dimensions: number;
  /** Rows that were added to the word embeddings. */
  readonly embeddingRows: number;
  /** Rows that were added to the decoder: terms that are never active. */
  readonly decoderRows: number;
}

/**
 * Writes the folder, whole or not at all.
 * @throws LexrayError BAD_INPUT when the model has its tokenizer's pieces for terms, or separate encoders; USAGE when the
 * output exists and `force` is not set
 */
export async function exportSentenceTransformers(
  options: SentenceTransformersExportOptions,
): Promise<SentenceTransformersExport> {
  const { output, parents, force, signal, onProgress, onWarning } = options;
  const model = await openModelFolder(options.model, { onWarning });
  try {
    requireSharedEncoder(model, 'export --to sentence-transformers');
    const { checkpoint, outputVocabulary } = model;
    if (outputVocabulary === undefined) {
      throw badInput('sentence-transformers opens this model as it is', {
        where: options.model,
        cure: 'use the folder itself; this export is for models of lexray expand',
      });
    }
    const head = locateHead(checkpoint);
    const pieces = checkpoint.config.vocab_size;
    const terms = outputVocabulary.terms.length;
    const dimensions = Math.max(pieces, terms);
    const config: ModelConfig = { ...checkpoint.config, vocab_size: dimensions, output_vocabulary_size: dimensions };

    async function* weights(): AsyncGenerator<NamedWeight> {
      for (const { name, shape } of checkpoint.family.weights(config)) {
        const data = await checkpoint.readTensor(name);
        yield { name, shape, data: filled(data, shape, name === head.bias ? neverActive : 0) };
      }
    }
    await writeModelFolder(
      output,
      {
        config,
        weights: weights(),
        tokenizer: model.tokenizerFolder,
        outputVocabulary: withUnused(outputVocabulary, dimensions),
        pooling: model.pooling,
        maxSequenceLength: model.maxSequenceLength,
        maxActiveDims: model.maxActiveDims,
        policy: model.policy,
        card: { tags: ['lexray', 'expanded-splade'], body: guide },
        origin: { config: { exported: 'sentence-transformers' }, parents: parents ?? {} },
      },
      { force, signal, onProgress },
    );
    return { dimensions, embeddingRows: dimensions - pieces, decoderRows: dimensions - terms };
  } finally {
    await model.close();
  }
}

/** A tensor with as many elements as a shape wants; rows are added at its end. */
function filled(data: Float32Array, shape: readonly number[], value: number): Float32Array {
  const wanted = shape.reduce((product, size) => product * size, 1);
  if (data.length === wanted) return data;
  const wider = new Float32Array(wanted).fill(value, data.length);
  wider.set(data);
  return wider;
}

/** A vocabulary with terms that no text has, up to a size. */
function withUnused({ terms, counts, ...vocabulary }: OutputVocabulary, size: number): OutputVocabulary {
  const unused = Array.from({ length: size - terms.length }, (_, i) => `[unused${i}]`);
  return { ...vocabulary, terms: [...terms, ...unused], counts: [...counts, ...unused.map(() => 0)] };
}
