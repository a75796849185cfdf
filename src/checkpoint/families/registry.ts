/** The model families whose checkpoints Lexray reads. */
import { badInput } from '../../util/errors.ts';
import { albertFamily } from './albert.ts';
import { bertFamily } from './bert.ts';
import { distilBertFamily } from './distilbert.ts';
import { gteFamily, newFamily } from './gte.ts';
import type { ModelConfig, ModelFamily, ModelShape } from './model-family.ts';
import { modernBertFamily } from './modernbert.ts';
import { camembertFamily, robertaFamily, xlmRobertaFamily } from './roberta.ts';

const families: readonly ModelFamily[] = [
  bertFamily,
  distilBertFamily,
  robertaFamily,
  xlmRobertaFamily,
  camembertFamily,
  albertFamily,
  modernBertFamily,
  gteFamily,
  newFamily,
];

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

/** The shape of a model. */
export function modelShape(config: ModelConfig): ModelShape {
  return findFamily(config.model_type, 'config.json').shape(config);
}
