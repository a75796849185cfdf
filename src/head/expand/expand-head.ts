/**
 * Writes a model whose vectors have unigrams for terms (Expanded-SPLADE: Dudek et al., CIKM 2023): the decoder is untied and
 * gets a row for each term, begun from the rows of its word pieces; tokenizer, encoder and the rest of the head stay.
 */

import type { NamedWeight } from '../../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../../checkpoint/families/model-family.ts';
import { type ModelFolder, requireSharedEncoder } from '../../checkpoint/layouts/model-folder.ts';
import type { UnigramRule } from '../../checkpoint/layouts/output-vocabulary.ts';
import { writeModelFolder } from '../../checkpoint/layouts/write-model-folder.ts';
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import type { UnigramCounts } from '../../tokenizer/unigrams/count-unigrams.ts';
import { type PieceStatistics, pieceStatistics, pieceTerms } from '../../tokenizer/unigrams/term-pieces.ts';
import { badInput } from '../../util/errors.ts';
import type { ProgressListener } from '../../util/progress.ts';
import { locateHead } from '../locate-head.ts';
import { type BiasInitialization, expandedBias, moments } from './expanded-bias.ts';
import { pooledRows, type RowInitialization } from './pool-rows.ts';

/** Options of {@link expandHead}. */
export interface ExpandHeadOptions {
  readonly rule: UnigramRule;
  /** @default 'mean' */
  readonly rows?: RowInitialization | undefined;
  /** @default 'frequency' */
  readonly bias?: BiasInitialization | undefined;
  /** Of random rows. @default 42 */
  readonly seed?: number | undefined;
  /** SHA-256 of model and texts, for the manifest. */
  readonly parents?: Readonly<Record<string, string>> | undefined;
  /** Further settings for the manifest. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /** The hub name of the model, for the card. */
  readonly baseModel?: string | undefined;
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** Mean and standard deviation. */
type Moments = ReturnType<typeof moments>;

/** What {@link expandHead} wrote. */
export interface ExpandedHead {
  readonly terms: number;
  readonly pieces: PieceStatistics;
  /** Lengths of the decoder's rows. */
  readonly rowNorms: { readonly before: Moments; readonly after: Moments };
  /** Undefined where the decoder has no bias. */
  readonly bias: { readonly before: Moments; readonly after: Moments } | undefined;
}

/**
 * Checks that a model can be expanded.
 * @throws LexrayError BAD_INPUT when it has separate encoders, or was expanded before
 */
export function checkExpandable(model: ModelFolder): void {
  requireSharedEncoder(model, 'expand');
  if (model.outputVocabulary === undefined) return;
  throw badInput(`${model.folder} has an output vocabulary already`, {
    where: model.folder,
    cure: 'expand the model that it was made from: rows are begun from those of word pieces',
  });
}

/**
 * Expands a model's head and writes the model.
 * @throws LexrayError BAD_INPUT when the model cannot be expanded or its tokenizer does not fit; USAGE when the output exists
 */
export async function expandHead(
  model: ModelFolder,
  tokenizer: Tokenizer,
  counts: UnigramCounts,
  output: string,
  options: ExpandHeadOptions,
): Promise<ExpandedHead> {
  checkExpandable(model);
  const { checkpoint } = model;
  const { rule, rows: initialization = 'mean', bias: biasInitialization = 'frequency', seed = 42 } = options;
  const head = locateHead(checkpoint);
  if (tokenizer.size > head.vocabularySize) {
    throw badInput(`the tokenizer has ids up to ${tokenizer.size - 1}, the decoder ${head.vocabularySize} rows`, {
      where: model.folder,
    });
  }
  const terms = pieceTerms(counts.terms, tokenizer);
  const { width } = head;
  const old = { data: await checkpoint.readTensor(head.decoder), width };
  const before = moments(rowNorms(old.data, width));
  const decoder = pooledRows(terms, old, initialization, seed);
  const oldBias = head.bias === undefined ? undefined : await checkpoint.readTensor(head.bias);
  const bias = oldBias && expandedBias(terms, oldBias, biasInitialization);
  const config = expandedConfig(checkpoint.config, terms.length);
  const after = moments(rowNorms(decoder, width));

  async function* weights(): AsyncGenerator<NamedWeight> {
    for (const { name, shape } of checkpoint.family.weights(config)) {
      if (name === head.untiedDecoder) yield { name, shape, data: decoder };
      else if (name === head.bias) yield { name, shape, data: bias! };
      else yield { name, shape, data: await checkpoint.readTensor(name) };
    }
  }
  const { profile, withoutTerm } = counts;
  await writeModelFolder(
    output,
    {
      config,
      weights: weights(),
      tokenizer: model.tokenizerFolder,
      outputVocabulary: {
        unigrams: rule,
        terms: terms.map(({ term }) => term),
        counts: terms.map(({ count }) => count),
        occurrences: profile.occurrences + withoutTerm,
      },
      pooling: model.pooling,
      maxSequenceLength: model.maxSequenceLength,
      maxActiveDims: model.maxActiveDims,
      policy: model.policy,
      card: {
        tags: ['lexray', 'expanded-splade'],
        body: describe(terms.length, initialization, biasInitialization, oldBias !== undefined),
        ...(options.baseModel === undefined ? {} : { baseModel: options.baseModel }),
      },
      origin: {
        config: { ...options.config, rows: initialization, bias: biasInitialization },
        seed,
        parents: options.parents ?? {},
      },
    },
    { force: options.force, signal: options.signal, onProgress: options.onProgress },
  );
  return {
    terms: terms.length,
    pieces: pieceStatistics(terms, tokenizer),
    rowNorms: { before, after },
    bias: oldBias && bias && { before: moments(oldBias), after: moments(bias) },
  };
}

/** The config with an untied decoder of so many rows. */
function expandedConfig(config: ModelConfig, terms: number): ModelConfig {
  return { ...config, tie_word_embeddings: false, output_vocabulary_size: terms };
}

function rowNorms(data: Float32Array, width: number): Float64Array {
  const norms = new Float64Array(data.length / width);
  for (let i = 0; i < data.length; i++) norms[Math.floor(i / width)]! += data[i]! ** 2;
  return norms.map(Math.sqrt);
}

function describe(terms: number, rows: RowInitialization, bias: BiasInitialization, hasBias: boolean): string {
  const begun = {
    mean: 'the mean of the rows of its word pieces',
    first: 'the row of its first word piece',
    weighted: 'the mean of the rows of its word pieces, rare ones weighing more',
    random: 'random numbers',
  }[rows];
  const biases = {
    frequency: 'log-probabilities, at the old mean and standard deviation',
    pooled: "the mean of the pieces' biases",
    zero: 'zero',
  }[bias];
  return `## Output vocabulary\n\nThe vectors have ${terms} unigrams for terms, the most frequent ones of the texts that the vocabulary was made from, in \`output_vocabulary.json\` with their counts and the rule by which they are found. The row of a term was begun from ${begun}${hasBias ? `, its bias from ${biases}` : ''}. The tokenizer of the input is unchanged.`;
}
