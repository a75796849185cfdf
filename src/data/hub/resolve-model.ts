/** From what a user writes for a model, a path or a hub reference, to a local folder. */
import { existsSync } from 'node:fs';
import { badInput } from '../../util/errors.ts';
import { isRevision, parseHubReference } from './hub-reference.ts';
import { type PullOptions, pullModel } from './pull-model.ts';

/** Options of {@link resolveModel}. */
export interface ResolveOptions extends PullOptions {
  /** Branch, tag or commit, for a reference that has none. */
  readonly revision?: string | undefined;
}

/**
 * Gives the folder of a model: a path that exists is returned as it is; `org/name`, `org/name@revision` and
 * `hf://org/name` are fetched into the cache of Hugging Face's libraries, as far as they are not there.
 * @throws LexrayError BAD_INPUT when the text is neither; the errors of {@link pullModel}
 */
export async function resolveModel(model: string, options: ResolveOptions = {}): Promise<string> {
  const { revision, ...rest } = options;
  if (existsSync(model)) {
    if (revision === undefined) return model;
    throw badInput(`${model} is a local folder, which has no revision ${JSON.stringify(revision)}`, {
      where: model,
      cure: `leave the revision out, or write hf://${model}`,
    });
  }
  const reference = parseHubReference(model);
  if (reference === undefined) {
    throw badInput(`there is no folder ${model}, and it is no name of a model on a hub`, {
      where: model,
      cure: 'check the path, or write org/name or org/name@revision (without an organisation: hf://name)',
    });
  }
  if (revision !== undefined && !isRevision(revision)) {
    throw badInput(`${JSON.stringify(revision)} is no branch, tag or commit`, {
      where: model,
      cure: 'check the revision',
    });
  }
  const { folder } = await pullModel({ ...reference, ...(revision !== undefined && { revision }) }, rest);
  return folder;
}
