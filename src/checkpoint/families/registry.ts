/** The model families whose checkpoints Lexray reads. */
import { badInput } from '../../util/errors.ts';
import { bertFamily } from './bert.ts';
import type { ModelFamily } from './model-family.ts';

const families: readonly ModelFamily[] = [bertFamily];

/**
 * The family of a `model_type`.
 * @throws LexrayError BAD_INPUT that names the families there are
 */
export function findFamily(modelType: unknown, where: string): ModelFamily {
  const family = families.find((candidate) => candidate.modelType === modelType);
  if (family !== undefined) return family;
  const got = modelType === undefined ? 'none' : JSON.stringify(modelType).slice(0, 100);
  const known = families.map((candidate) => candidate.modelType).join(', ');
  throw badInput(`expected a model_type that Lexray supports (${known}), got ${got}`, {
    where,
    cure: 'use a model of a supported family',
  });
}
