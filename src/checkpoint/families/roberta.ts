/**
 * `RobertaForMaskedLM` (Liu et al., arXiv 1907.11692) and the models of the same build: XLM-RoBERTa (arXiv 1911.02116)
 * and CamemBERT (arXiv 1911.03894). BERT's encoder under other names, and a head of its own.
 *
 * Positions are counted from the padding token's id on, as in fairseq: of the 514 rows that `max_position_embeddings`
 * usually says, 512 are for tokens.
 */
import { z } from 'zod';
import { bertEncoderWeights, bertShape } from './bert.ts';
import { type BertLikeConfig, bertFields } from './bert-config.ts';
import { decoderRows, withFittingSizes } from './config-fields.ts';
import type { ModelFamily, TiedNames, WeightSpec } from './model-family.ts';
import { WeightList } from './weight-list.ts';

/** A checked `config.json` of RoBERTa, XLM-RoBERTa or CamemBERT. */
export interface RobertaConfig extends BertLikeConfig {
  readonly model_type: 'roberta' | 'xlm-roberta' | 'camembert';
  readonly pad_token_id: number;
}

const tied: TiedNames = {
  embeddings: 'roberta.embeddings.word_embeddings.weight',
  decoder: 'lm_head.decoder.weight',
  bias: 'lm_head.bias',
  biasCopy: 'lm_head.decoder.bias',
};

/** RoBERTa. */
export const robertaFamily: ModelFamily<RobertaConfig> = family('roberta', 'RobertaForMaskedLM');
/** XLM-RoBERTa. */
export const xlmRobertaFamily: ModelFamily<RobertaConfig> = family('xlm-roberta', 'XLMRobertaForMaskedLM');
/** CamemBERT. */
export const camembertFamily: ModelFamily<RobertaConfig> = family('camembert', 'CamembertForMaskedLM');

function family(modelType: RobertaConfig['model_type'], architecture: string): ModelFamily<RobertaConfig> {
  return {
    modelType,
    architecture,
    configSchema: schemaOf(modelType),
    weights,
    shape: (config) => ({
      ...bertShape(config, config.max_position_embeddings - config.pad_token_id - 1),
      paddingToken: config.pad_token_id,
    }),
    tied,
    headNorm: 'lm_head.layer_norm',
    isKnownExtra: (name) => /^(roberta\.)?(pooler\.|embeddings\.(position_ids|token_type_ids)$)/.test(name),
  };
}

function schemaOf(modelType: RobertaConfig['model_type']): z.ZodType<RobertaConfig> {
  const schema = withFittingSizes<RobertaConfig>(
    z.looseObject({
      model_type: z.literal(modelType),
      ...bertFields,
      pad_token_id: z.int().min(0).default(1),
    }),
  );
  return schema.refine((config) => config.max_position_embeddings > config.pad_token_id + 1, {
    error: 'positions are counted from pad_token_id + 1 on: max_position_embeddings must be above that',
    path: ['max_position_embeddings'],
  });
}

function weights(config: RobertaConfig): readonly WeightSpec[] {
  const { hidden_size: hidden } = config;
  const list = new WeightList('roberta.', tied);
  bertEncoderWeights(list, 'roberta', config);
  list.dense('lm_head.dense', hidden, hidden, { identityFrom: 0 });
  list.layerNorm('lm_head.layer_norm', hidden);
  list.decoder(decoderRows(config), hidden, { tied: config.tie_word_embeddings });
  return list.specs;
}
