/** The dimensions that a model leaves out of its vectors: those of special tokens, where its policy says so. */
import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import type { LexrayModelPolicy } from '../checkpoint/layouts/model-policy.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

/** Dimensions to be set to zero. The terms of an output vocabulary have no special tokens among them. */
export function droppedTerms(
  policy: Pick<LexrayModelPolicy, 'specialTokens'>,
  config: ModelConfig,
  tokenizer: Pick<Tokenizer, 'specialIds'>,
): ReadonlySet<number> {
  return policy.specialTokens === 'drop' && config.output_vocabulary_size === undefined
    ? tokenizer.specialIds
    : new Set();
}
