/** Opens the model of a verb. The engine is imported here and not before, so that other verbs work without it. */
import type { SparseEncoder } from '../model/sparse-encoder.ts';
import { modelFolder } from './model-folder.ts';
import type { VerbContext } from './verb.ts';

/**
 * Loads the encoder of a model folder, or of a model on the hub.
 * @param maxLength most tokens of a text, when the user wants another than the model records
 */
export async function loadEncoder(
  model: string,
  maxLength: number | undefined,
  context: VerbContext,
): Promise<SparseEncoder> {
  const { threads, onWarning, signal } = context;
  const folder = await modelFolder(model, context);
  const { SparseEncoder } = await import('../model/sparse-encoder.ts');
  return SparseEncoder.load(folder, { threads, maxLength, onWarning, signal });
}
