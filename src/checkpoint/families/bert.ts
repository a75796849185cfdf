/**
 * The weights of `BertForMaskedLM` (Devlin et al., 2019) and their names in checkpoints.
 *
 * Spellings: LayerNorm `weight`/`bias` or, in old TensorFlow conversions and files of transformers 5.0, `gamma`/`beta`;
 * with the prefix `bert.` or, in an encoder saved alone, without; the output bias as `cls.predictions.bias` or
 * `cls.predictions.decoder.bias`.
 */
import { type BertConfig, bertConfigSchema } from './bert-config.ts';
import type { ModelFamily, TiedNames, WeightSpec } from './model-family.ts';

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
  tied,
  isKnownExtra: (name) =>
    /^(bert\.)?(pooler\.|embeddings\.(position_ids|token_type_ids)$)|^cls\.seq_relationship\./.test(name),
};

function weights(config: BertConfig): WeightSpec[] {
  const { vocab_size: vocabulary, hidden_size: hidden, intermediate_size: intermediate } = config;
  const specs: WeightSpec[] = [];
  const add = (name: string, ...shape: number[]): void => {
    specs.push({ name, shape, aliases: spellings(name), part: name.startsWith('bert.') ? 'encoder' : 'head' });
  };
  const dense = (name: string, output: number, input: number): void => {
    add(`${name}.weight`, output, input);
    add(`${name}.bias`, output);
  };
  const layerNorm = (name: string): void => {
    add(`${name}.weight`, hidden);
    add(`${name}.bias`, hidden);
  };

  add(tied.embeddings, vocabulary, hidden);
  add('bert.embeddings.position_embeddings.weight', config.max_position_embeddings, hidden);
  add('bert.embeddings.token_type_embeddings.weight', config.type_vocab_size, hidden);
  layerNorm('bert.embeddings.LayerNorm');
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `bert.encoder.layer.${i}`;
    for (const part of ['query', 'key', 'value']) dense(`${layer}.attention.self.${part}`, hidden, hidden);
    dense(`${layer}.attention.output.dense`, hidden, hidden);
    layerNorm(`${layer}.attention.output.LayerNorm`);
    dense(`${layer}.intermediate.dense`, intermediate, hidden);
    dense(`${layer}.output.dense`, hidden, intermediate);
    layerNorm(`${layer}.output.LayerNorm`);
  }
  dense('cls.predictions.transform.dense', hidden, hidden);
  layerNorm('cls.predictions.transform.LayerNorm');
  if (!config.tie_word_embeddings) add(tied.decoder, vocabulary, hidden);
  add(tied.bias, vocabulary);
  return specs;
}

function spellings(name: string): string[] {
  if (name === tied.bias) return [tied.biasCopy];
  const old = name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta');
  const names = new Set([name, old]);
  if (name.startsWith('bert.')) for (const spelling of [name, old]) names.add(spelling.slice('bert.'.length));
  names.delete(name);
  return [...names];
}
