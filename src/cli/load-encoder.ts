/** Opens the model of a verb. The engine is imported here and not before, so that other verbs work without it. */
import type { SparseEncoder } from '../model/sparse-encoder.ts';
import type { VerbContext } from './verb.ts';

/**
 * Loads the encoder of a model folder.
 * @param maxLength most tokens of a text, when the user wants another than the model records
 */
export async function loadEncoder(
  model: string,
  maxLength: number | undefined,
  { threads, onWarning, signal }: VerbContext,
): Promise<SparseEncoder> {
  const { SparseEncoder } = await import('../model/sparse-encoder.ts');
  return SparseEncoder.load(model, { threads, maxLength, onWarning, signal });
}
