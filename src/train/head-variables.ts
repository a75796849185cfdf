/**
 * The variables of the head whose learning rate may be a multiple of the model's: those that a correction of the head divides,
 * by the route that it is stored by (`head/corrected-checkpoint.ts`),
 *
 *     norm      γ and β of the LayerNorm before the decoder, and the output bias
 *     decoder   the decoder, and the output bias; not of a tied one, which is the word embeddings too
 *
 * A step of Adam has the size of the learning rate whatever the scale of a variable, so that variables divided by k learn k times
 * as fast for their size. The same rate without the division, k = 1 with the head's rate times k, tells that effect from the scale's.
 */
import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import { findFamily } from '../checkpoint/families/registry.ts';
import { modelVariables } from '../model/splade-graph.ts';
import { LexrayError } from '../util/errors.ts';

/** The words for `headLearningRateOf`. */
export const headParts = ['norm', 'decoder'] as const;

/** Variables of a head. */
export type HeadPart = (typeof headParts)[number];

/**
 * Names of the variables of a head that the model has.
 * @param prefix before each name @default none
 * @throws LexrayError CONFIG for the decoder of a tied head
 */
export function headVariables(config: ModelConfig, part: HeadPart, prefix = ''): string[] {
  const { headNorm, tied } = findFamily(config.model_type, 'config.json');
  if (part === 'decoder' && config.tie_word_embeddings) {
    throw new LexrayError('CONFIG', 'headLearningRateOf: the decoder of this model is its word embeddings', {
      cure: 'use norm, or untie the decoder with lexray rescale --route untied --factor 1',
    });
  }
  const wanted = part === 'norm' ? [`${headNorm}.weight`, `${headNorm}.bias`, tied.bias] : [tied.decoder, tied.bias];
  const names = new Set(wanted.map((name) => prefix + name));
  return modelVariables(config, true, prefix).flatMap(({ name }) => (names.has(name) ? [name] : []));
}
