/**
 * RoBERTa, XLM-RoBERTa and CamemBERT with their MLM head up to the decoder (Liu et al., arXiv 1907.11692): BERT's
 * encoder over positions that are counted from the padding token on (`token-layout.ts`), and a head whose activation is
 * always GELU.
 */
import type { RobertaConfig } from '../checkpoint/families/roberta.ts';
import type { Graph, Value } from '../compute/graph/graph.ts';
import { Gelu } from '../compute/graph/ops/index.ts';
import { bertEncoder } from './bert.ts';
import type { Dropout } from './dropout.ts';
import type { EncoderGraph } from './encoder-graph.ts';
import { layerNorm, linear } from './named-layers.ts';
import type { TokenLayout } from './token-layout.ts';

/** RoBERTa as a graph. */
export const roberta: EncoderGraph<RobertaConfig> = {
  modelTypes: ['roberta', 'xlm-roberta', 'camembert'],
  headInput,
};

function headInput(graph: Graph, config: RobertaConfig, layout: TokenLayout, dropout: Dropout): Value {
  const x = bertEncoder(graph, 'roberta', config, layout, dropout);
  const transformed = Gelu(linear(x, 'lm_head.dense', config.hidden_size));
  return layerNorm(transformed, 'lm_head.layer_norm', config.layer_norm_eps);
}
