/** Token weights of a model folder, which may be stored by token or be fewer than the vectors have dimensions. */
import type { StaticEmbedding } from '../checkpoint/layouts/static-embedding.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { badInput } from '../util/errors.ts';
import type { WarningListener } from '../util/progress.ts';

/**
 * The weight of each dimension; 0 where a folder has none.
 * @param tokenizer of the queries
 * @throws LexrayError BAD_INPUT when no weight belongs to a token of the tokenizer
 */
export function tokenWeights(
  { weights, paths }: Pick<StaticEmbedding, 'weights' | 'paths'>,
  tokenizer: Tokenizer,
  dimensions: number,
  onWarning?: WarningListener,
): Float32Array {
  const table = new Float32Array(dimensions);
  if (weights instanceof Float32Array) {
    table.set(weights);
    return table;
  }
  let unknown = 0;
  for (const [token, weight] of weights) {
    const id = tokenizer.id(token);
    if (id === undefined) unknown++;
    else table[id] = weight;
  }
  const where = paths[0] ?? 'the token weights';
  if (unknown === weights.size) {
    throw badInput(`${where}: none of its ${unknown} tokens is one of the tokenizer`, {
      where,
      cure: 'weights and tokenizer do not belong together',
    });
  }
  if (unknown > 0) onWarning?.(`${where}: ${unknown} of its ${weights.size} tokens are not in the tokenizer`);
  return table;
}
