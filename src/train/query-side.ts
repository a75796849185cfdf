/**
 * What encodes the queries of a run, where it is not the documents' encoder: a masked language model of their own, or a table
 * of token weights. Both may come from the model, or be made here: the encoder as a copy of the documents', the table as
 * inverse document frequencies of the training documents.
 */

import type { NamedWeight } from '../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import { findFamily, modelShape } from '../checkpoint/families/registry.ts';
import type { ModelFolder } from '../checkpoint/layouts/model-folder.ts';
import type { LexrayModelPolicy } from '../checkpoint/layouts/model-policy.ts';
import type { QueryContent } from '../checkpoint/layouts/write-model-folder.ts';
import type { Graph } from '../compute/graph/graph.ts';
import type { Engine, VariableSpec } from '../compute/runtime/engine.ts';
import { type QueryParts, queryPrefix } from '../model/encoder-parts.ts';
import type { SpladeActivation } from '../model/splade-pooling.ts';
import { makeStaticQueries } from '../model/static-queries.ts';
import {
  staticQueryFeeds,
  staticQueryWeights,
  tokenWeightsName,
  tokenWeightsVariable,
} from '../model/static-query-weights.ts';
import { tokenWeights } from '../model/token-weights.ts';
import { checkVocabulary } from '../tokenizer/check-vocabulary.ts';
import { loadTokenizer } from '../tokenizer/load-tokenizer.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { badInput } from '../util/errors.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';
import type { FinetuneConfig } from './finetune-config.ts';
import {
  type PreparedTexts,
  type SideEncoder,
  type SideGraph,
  TransformerSide,
  type TransformerSideOptions,
} from './side-encoder.ts';
import { trainedWeights } from './trained-weights.ts';

/** The queries' own encoder in a run. */
export interface QueryTraining {
  readonly kind: 'encoder' | 'static';
  /** Of the encoder. */
  readonly config: ModelConfig | undefined;
  readonly tokenizer: Tokenizer;
  readonly casing: LexrayModelPolicy['casing'];
  readonly addSpecialTokens: boolean;
  readonly variables: readonly VariableSpec[];
  /** Initial values of the variables, by name. */
  loadWeights(): AsyncIterable<NamedWeight>;
  readonly side: SideEncoder;
  /** Variables that training leaves as they are. */
  readonly frozen: readonly string[];
  /** For encoding with the weights as they are at the moment. */
  partsFor(engine: Engine): QueryParts;
  /** For the trained model's folder. */
  contentFor(engine: Engine): Promise<QueryContent>;
}

/** Options of {@link openQuerySide}. */
export interface QuerySideOptions {
  readonly model: ModelFolder;
  /** Config and weights of the documents' encoder, its head corrected. */
  readonly documents: { readonly config: ModelConfig; loadWeights(): AsyncIterable<NamedWeight> };
  readonly tokenizer: Tokenizer;
  /** Training documents, for a table that is made here. */
  readonly texts: () => Iterable<string>;
  /** Of the documents' encoder. */
  readonly transformer: TransformerSideOptions;
  /** Of both sides, where the run sets one. @default each side's own */
  readonly activation?: SpladeActivation | undefined;
  readonly maxLength: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** Opens the queries' own encoder; undefined where queries are encoded as documents are. */
export async function openQuerySide(
  wanted: FinetuneConfig['queryEncoder'],
  options: QuerySideOptions,
): Promise<QueryTraining | undefined> {
  const { kind } = options.model.query;
  if (wanted === 'static' || (wanted === 'shared' && kind === 'static')) return openTable(options);
  if (wanted === 'separate' || kind === 'encoder') return openEncoder(options);
  return undefined;
}

async function openEncoder(options: QuerySideOptions): Promise<QueryTraining> {
  const { model, documents, transformer, onWarning, maxLength } = options;
  const own = model.query.kind === 'encoder' ? model.query : undefined;
  const config = own?.checkpoint.config ?? documents.config;
  const tokenizer = own ? await loadTokenizer(own.tokenizerFolder) : options.tokenizer;
  if (own) {
    const { inputVocabularySize, ownTerms } = modelShape(config);
    checkVocabulary(tokenizer, inputVocabularySize, { where: own.tokenizerFolder, ownTerms, onWarning });
  }
  if (own && own.pooling.strategy !== 'max') {
    throw badInput(`training needs max pooling, the queries' encoder has ${own.pooling.strategy} pooling`, {
      where: own.tokenizerFolder,
    });
  }
  const activation = options.activation ?? own?.pooling.activation ?? transformer.activation;
  const { learnedScale, constantScale } = transformer;
  const variables = TransformerSide.variables(config, { prefix: queryPrefix, learnedScale, constantScale });
  return {
    kind: 'encoder',
    config,
    tokenizer,
    casing: own?.casing ?? model.policy.casing,
    addSpecialTokens: true,
    variables,
    frozen: [],
    async *loadWeights() {
      for await (const weight of (own?.checkpoint ?? documents).loadWeights()) {
        yield { ...weight, name: queryPrefix + weight.name };
      }
    },
    side: new TransformerSide(config, { ...transformer, activation, prefix: queryPrefix }),
    partsFor: () => ({ kind: 'encoder', config, tokenizer, activation, learnedScale, prefix: queryPrefix }),
    contentFor: async (engine) => ({
      kind: 'encoder',
      config,
      weights: trainedWeights(findFamily(config.model_type, model.folder), variables, engine, queryPrefix),
      tokenizer: own?.tokenizerFolder ?? model.tokenizerFolder,
      pooling: { strategy: 'max', activation },
      maxSequenceLength: maxLength,
    }),
  };
}

async function openTable(options: QuerySideOptions): Promise<QueryTraining> {
  const { model, texts, signal, onProgress, onWarning } = options;
  const own = model.query.kind === 'static' ? model.query : undefined;
  const { vocabularySize: dimensions, ownTerms } = modelShape(options.documents.config);
  if (ownTerms) {
    throw badInput('queries by token weights have the dimensions of tokens, not those of an output vocabulary', {
      where: model.folder,
      cure: 'choose another query encoder',
    });
  }
  const tokenizer = own ? await loadTokenizer(own.tokenizerFolder) : options.tokenizer;
  const casing = own?.casing ?? model.policy.casing;
  const table = own
    ? tokenWeights(own, tokenizer, dimensions, onWarning)
    : await makeStaticQueries(tokenizer, texts(), { dimensions, casing, signal, onProgress });
  const variable = tokenWeightsVariable(dimensions, true, queryPrefix);
  const read = (engine: Engine): Promise<Float32Array> => engine.readVariable(variable.name, 'value');
  return {
    kind: 'static',
    config: undefined,
    tokenizer,
    casing,
    addSpecialTokens: false,
    variables: [variable],
    frozen: own?.frozen ? [variable.name] : [],
    async *loadWeights() {
      yield { name: variable.name, shape: variable.dims, data: table };
    },
    side: new StaticSide(dimensions),
    partsFor: (engine) => ({ kind: 'static', casing, tokenizer, weights: () => read(engine) }),
    contentFor: async (engine) => ({
      kind: 'static',
      weights: await read(engine),
      tokenizer: own?.tokenizerFolder ?? model.tokenizerFolder,
      frozen: own?.frozen,
    }),
  };
}

/** Token weights as a side of a training graph. */
class StaticSide implements SideEncoder {
  readonly #dimensions: number;

  constructor(dimensions: number) {
    this.#dimensions = dimensions;
  }

  build(graph: Graph): SideGraph {
    const weights = graph.within(queryPrefix, () => staticQueryWeights(graph, { dimensions: this.#dimensions }));
    return { weights, dropoutFeeds: () => ({}) };
  }

  prepare(texts: readonly Int32Array[]): PreparedTexts {
    return {
      feeds: staticQueryFeeds(texts, this.#dimensions),
      columns: Int32Array.from(texts, (_, i) => i),
      buckets: 1,
      tokenCount: texts.reduce((sum, { length }) => sum + length, 0),
    };
  }
}

/** Whether a variable is a table of token weights, which has no weight decay. */
export function isTokenTable(name: string): boolean {
  return name === queryPrefix + tokenWeightsName;
}
