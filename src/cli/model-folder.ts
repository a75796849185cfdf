/** The MODEL of a verb: a local folder, or a hub reference, which is fetched first. */
import type { VerbContext } from './verb.ts';

/** What help says of such an argument. */
export const modelDescription: string = 'model folder, or org/name[@revision] on the hub';

/** The local folder of a model. */
export async function modelFolder(
  model: string,
  { signal, onProgress, onWarning }: Pick<VerbContext, 'signal' | 'onProgress' | 'onWarning'>,
): Promise<string> {
  const { resolveModel } = await import('../data/hub/resolve-model.ts');
  return resolveModel(model, { signal, onProgress, onWarning });
}
