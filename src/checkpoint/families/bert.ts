/**
 * The weights of `BertForMaskedLM` (Devlin et al., arXiv 1810.04805) and their names in checkpoints. The output bias is
 * `cls.predictions.bias` or `cls.predictions.decoder.bias`.
 */
import { type BertConfig, type BertLikeConfig, bertConfigSchema } from './bert-config.ts';
import { decoderRows, type ModelFields, vocabularyShape } from './config-fields.ts';
import type { ModelFamily, ModelShape, TiedNames, WeightSpec } from './model-family.ts';
import { WeightList } from './weight-list.ts';

const tied: TiedNames = {
  embeddings: 'bert.embeddings.word_embeddings.weight',
  decoder: 'cls.predictions.decoder.weight',
  bias: 'cls.predictions.bias',
  biasCopy: 'cls.predictions.decoder.bias',
};

/** BERT. */
export const bertFamily: ModelFamily<BertConfig> = {
  modelType: 'bert',
  architecture: 'BertForMaskedLM',
  configSchema: bertConfigSchema,
  weights,
  shape: (config) => bertShape(config, config.max_position_embeddings),
  tied,
  headNorm: 'cls.predictions.transform.LayerNorm',
  isKnownExtra: (name) =>
    /^(bert\.)?(pooler\.|embeddings\.(position_ids|token_type_ids)$)|^cls\.seq_relationship\./.test(name),
};

function weights(config: BertConfig): readonly WeightSpec[] {
  const { hidden_size: hidden } = config;
  const list = new WeightList('bert.', tied);
  bertEncoderWeights(list, 'bert', config);
  list.dense('cls.predictions.transform.dense', hidden, hidden, { identityFrom: 0 });
  list.layerNorm('cls.predictions.transform.LayerNorm', hidden);
  list.decoder(decoderRows(config), hidden, { tied: config.tie_word_embeddings });
  return list.specs;
}

/** Adds the embeddings and layers of BERT, which RoBERTa has too. */
export function bertEncoderWeights(list: WeightList, base: string, config: BertLikeConfig): void {
  const { hidden_size: hidden, intermediate_size: inner } = config;
  list.table(`${base}.embeddings.word_embeddings`, config.vocab_size, hidden);
  list.table(`${base}.embeddings.position_embeddings`, config.max_position_embeddings, hidden);
  list.table(`${base}.embeddings.token_type_embeddings`, config.type_vocab_size, hidden);
  list.layerNorm(`${base}.embeddings.LayerNorm`, hidden);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `${base}.encoder.layer.${i}`;
    list.dense(`${layer}.attention.self.query`, hidden, hidden);
    list.dense(`${layer}.attention.self.key`, hidden, hidden);
    list.dense(`${layer}.attention.self.value`, hidden, hidden, { identityFrom: 0 });
    list.dense(`${layer}.attention.output.dense`, hidden, hidden, { identityFrom: 0 });
    list.layerNorm(`${layer}.attention.output.LayerNorm`, hidden);
    list.dense(`${layer}.intermediate.dense`, inner, hidden);
    list.dense(`${layer}.output.dense`, hidden, inner);
    list.layerNorm(`${layer}.output.LayerNorm`, hidden);
  }
}

/** The shape of a model with BERT's field names. */
export function bertShape(
  config: ModelFields & Pick<BertLikeConfig, 'hidden_size' | 'num_attention_heads' | 'num_hidden_layers'>,
  maxPositions: number,
): ModelShape {
  const { hidden_size: hiddenSize, num_attention_heads: heads } = config;
  return {
    ...vocabularyShape(config),
    hiddenSize,
    decoderWidth: hiddenSize,
    layers: config.num_hidden_layers,
    heads,
    headSize: hiddenSize / heads,
    maxPositions,
    outputBias: true,
  };
}
