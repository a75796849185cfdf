/** `lexray pull ORG/NAME[@REVISION]`: fetches a model from the hub into the cache of Hugging Face's libraries. */
import { z } from 'zod';
import { badInput } from '../../util/errors.ts';
import { text } from '../option.ts';
import { defineVerb, type Verb } from '../verb.ts';

export const pullVerb: Verb = defineVerb({
  name: 'pull',
  group: 'Models:',
  summary: 'fetch a model from the hub and print its folder',
  arguments: {
    model: text('org/name, org/name@revision (branch, tag or commit), or hf://name', { placeholder: 'MODEL' }),
  },
  options: {},
  examples: [
    'lexray pull answerdotai/ModernBERT-base',
    'lexray evaluate "$(lexray pull org/name@v1.0)" --data scifact',
  ],
  result: z.strictObject({
    repo: z.string(),
    revision: z.string(),
    commit: z.string(),
    /** The snapshot in the cache, with every file of the model. */
    folder: z.string(),
    files: z.array(z.string()),
    /** Just now; 0 when all of it was in the cache. */
    bytesFetched: z.int(),
    /** As the model's card states it. */
    license: z.string().optional(),
  }),
  async run({ model }, { signal, onProgress, onWarning }) {
    const [{ parseHubReference }, { pullModel }, { isNonCommercial, readModelLicense }] = await Promise.all([
      import('../../data/hub/hub-reference.ts'),
      import('../../data/hub/pull-model.ts'),
      import('../../data/hub/model-license.ts'),
    ]);
    const reference = parseHubReference(model);
    if (reference === undefined) {
      throw badInput(`${JSON.stringify(model)} is no name of a model on a hub`, {
        where: model,
        cure: 'write org/name or org/name@revision (without an organisation: hf://name)',
      });
    }
    const pulled = await pullModel(reference, { signal, onProgress, onWarning });
    const license = await readModelLicense(pulled.folder);
    if (license !== undefined && isNonCommercial(license)) {
      onWarning(`${pulled.repo} is licensed as ${license}: not for commercial use`);
    }
    const { repo, revision, commit, folder, files, bytesFetched } = pulled;
    return {
      data: {
        repo,
        revision,
        commit,
        folder,
        files: [...files],
        bytesFetched,
        ...(license !== undefined && { license }),
      },
      text: folder,
    };
  },
});
