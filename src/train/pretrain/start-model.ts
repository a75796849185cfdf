/** Where a pre-training run starts: a model folder, or a new model with random weights for a tokenizer. */
import type { NamedWeight } from '../../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../../checkpoint/families/model-family.ts';
import { findFamily, modelShape } from '../../checkpoint/families/registry.ts';
import { openModelFolder, requireSharedEncoder } from '../../checkpoint/layouts/model-folder.ts';
import type { OutputVocabulary } from '../../checkpoint/layouts/output-vocabulary.ts';
import { initializeWeights } from '../../model/initialize-weights.ts';
import { attendToNeighbours, hasLearnedPositions } from '../../model/neighbour-attention.ts';
import { checkVocabulary } from '../../tokenizer/check-vocabulary.ts';
import { loadTokenizer } from '../../tokenizer/load-tokenizer.ts';
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import { badInput, LexrayError } from '../../util/errors.ts';
import type { WarningListener } from '../../util/progress.ts';
import { schemaComplaint } from '../../util/schema-complaint.ts';

/** A model to be made. */
export interface NewModel {
  readonly type: 'bert' | 'roberta' | 'modernbert';
  /** Folder of its tokenizer. */
  readonly tokenizer: string;
  readonly layers: number;
  readonly hidden: number;
  /** @default hidden / 64, one at least */
  readonly heads?: number | undefined;
  /** Width of the feed-forward layers. @default 4 · hidden, for ModernBERT 1.5 · hidden */
  readonly intermediate?: number | undefined;
  /** Longest input in tokens. @default 512 */
  readonly positions?: number | undefined;
  /** A decoder of its own instead of the word embeddings. @default false */
  readonly untied?: boolean | undefined;
  /**
   * What attention looks at before training: in models with learned positions half of the heads can start by looking at the
   * neighbours of their token. @default neighbours, in ModernBERT (rotary positions) random
   */
  readonly attentionStart?: 'neighbours' | 'random' | undefined;
}

/** A model folder, or a model to be made. */
export type StartModel = { readonly model: string } | { readonly create: NewModel };

/** A model to train. */
export interface OpenStartModel {
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly tokenizerFolder: string;
  /** Whether texts are lower-cased before they are tokenized. */
  readonly casing: 'keep' | 'lower';
  /** The terms of the decoder, where they are not the tokens of the tokenizer. */
  readonly outputVocabulary: OutputVocabulary | undefined;
  /** Files that it is read from. */
  readonly paths: readonly string[];
  loadWeights(): AsyncIterable<NamedWeight> | Iterable<NamedWeight>;
  close(): Promise<void>;
}

/**
 * Opens the model.
 * @param seed of random weights
 * @throws LexrayError BAD_INPUT when the folder, or the tokenizer and the model, do not fit; CONFIG for sizes that do not
 */
export async function openStartModel(
  start: StartModel,
  seed: number,
  onWarning?: WarningListener | undefined,
): Promise<OpenStartModel> {
  if ('create' in start) return createModel(start.create, seed);
  const model = await openModelFolder(start.model, onWarning ? { onWarning } : {});
  try {
    requireSharedEncoder(model, 'pre-training');
    const { checkpoint, tokenizerFolder, outputVocabulary, policy } = model;
    const tokenizer = await loadTokenizer(tokenizerFolder);
    const { inputVocabularySize, ownTerms } = modelShape(checkpoint.config);
    checkVocabulary(tokenizer, inputVocabularySize, { where: start.model, ownTerms, onWarning });
    return {
      config: checkpoint.config,
      tokenizer,
      tokenizerFolder,
      casing: policy.casing === 'lower' ? 'lower' : 'keep',
      outputVocabulary,
      paths: checkpoint.paths,
      loadWeights: () => checkpoint.loadWeights(),
      close: () => model.close(),
    };
  } catch (error) {
    await model.close();
    throw error;
  }
}

async function createModel(wanted: NewModel, seed: number): Promise<OpenStartModel> {
  const tokenizer = await loadTokenizer(wanted.tokenizer);
  const { pad } = tokenizer.specialTokens;
  if (pad === undefined) throw badInput('the tokenizer has no padding token', { where: wanted.tokenizer });
  if (wanted.type === 'modernbert' && wanted.attentionStart === 'neighbours') {
    throw new LexrayError(
      'CONFIG',
      'attention to neighbours is a start for learned positions, and those of modernbert are rotary',
      {
        cure: 'leave it out, or make a bert or roberta',
      },
    );
  }
  const { type, layers, hidden, heads = Math.max(1, Math.floor(hidden / 64)), positions = 512 } = wanted;
  const common = {
    model_type: type,
    vocab_size: tokenizer.size,
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: wanted.intermediate ?? (type === 'modernbert' ? Math.ceil(1.5 * hidden) : 4 * hidden),
    // RoBERTa counts positions from its padding token on.
    max_position_embeddings: type === 'roberta' ? positions + pad + 1 : positions,
    pad_token_id: pad,
    // BERT's .02 at a width of 768; narrower layers need larger weights for the same variance of what they put out.
    initializer_range: 0.02 * Math.sqrt(768 / hidden),
    tie_word_embeddings: !wanted.untied,
  };
  const { cls, sep } = tokenizer.specialTokens;
  const roles = {
    bert: {},
    roberta: { type_vocab_size: 1, layer_norm_eps: 1e-5, bos_token_id: cls, eos_token_id: sep },
    modernbert: { bos_token_id: cls, eos_token_id: sep, cls_token_id: cls, sep_token_id: sep },
  }[type];
  const fields = { ...common, ...roles };
  const parsed = findFamily(type, 'a new model').configSchema.safeParse(fields);
  if (!parsed.success) throw new LexrayError('CONFIG', `a new ${type}: ${schemaComplaint(parsed.error, fields)}`);
  const config = parsed.data;
  return {
    config,
    tokenizer,
    tokenizerFolder: wanted.tokenizer,
    casing: 'keep',
    outputVocabulary: undefined,
    paths: [],
    loadWeights: () => {
      const weights = initializeWeights(config, { seed });
      const { attentionStart = 'neighbours' } = wanted;
      return hasLearnedPositions(config) && attentionStart === 'neighbours'
        ? attendToNeighbours(config, weights)
        : weights;
    },
    close: async () => {},
  };
}

/** Numbers of a model's weights. */
export function parameterCount(config: ModelConfig): number {
  const { weights } = findFamily(config.model_type, 'config.json');
  return weights(config).reduce((sum, { shape }) => sum + shape.reduce((product, dim) => product * dim, 1), 0);
}

/** @throws LexrayError CONFIG when sequences are longer than the model's inputs */
export function checkSequenceLength(config: ModelConfig, length: number): void {
  const { maxPositions } = modelShape(config);
  if (length > maxPositions) {
    throw new LexrayError('CONFIG', `sequences of ${length} tokens, but the model takes at most ${maxPositions}`, {
      cure: `give a length of at most ${maxPositions} (--length)`,
    });
  }
}
