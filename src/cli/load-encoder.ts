/** Opens the model of a verb. The engine is imported here and not before, so that other verbs work without it. */
import type { WeightPrecision } from '../compute/graph/compact-weights.ts';
import type { TextKind } from '../model/encoder-parts.ts';
import type { SparseEncoder } from '../model/sparse-encoder.ts';
import { modelFolder } from './model-folder.ts';
import type { VerbContext } from './verb.ts';

/**
 * Loads the encoder of a model folder, or of a model on the hub.
 * @param maxLength most tokens of a text, when the user wants another than the model records
 * @param kinds what will be encoded, if not both: the rest of the model is not loaded
 * @param weights how its matrices are kept @default 'float32'
 */
export async function loadEncoder(
  model: string,
  maxLength: number | undefined,
  context: VerbContext,
  kinds?: readonly TextKind[],
  weights?: WeightPrecision,
): Promise<SparseEncoder> {
  const { threads, onWarning, signal } = context;
  const folder = await modelFolder(model, context);
  const { SparseEncoder } = await import('../model/sparse-encoder.ts');
  return SparseEncoder.load(folder, { threads, maxLength, kinds, weights, onWarning, signal });
}
