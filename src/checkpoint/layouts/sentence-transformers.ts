/**
 * Reads the layout of a sentence-transformers `SparseEncoder`, as versions 5.0 to 6.2 write it: a masked language model
 * followed by SpladePooling, or a Router with one way for queries and one for documents (`router.ts`). Other modules change
 * the vectors, so they are refused by name.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { badInput } from '../../util/errors.ts';
import type { WarningListener } from '../../util/progress.ts';
import type { OpenCheckpointOptions } from '../checkpoint.ts';
import { quote } from '../json-cursor.ts';
import { checkJson, readJson, readJsonIfExists } from '../read-json.ts';
import { encoderOf, moduleKind, type NamedModule, openEncoderModules } from './encoder-modules.ts';
import type { EncoderFacts, LayoutSides } from './model-folder.ts';
import { pathInside } from './module-path.ts';
import { openRouter, routerFileName } from './router.ts';
import { encoderConfigSchema, modulesSchema } from './sentence-transformers-files.ts';

/**
 * @throws LexrayError BAD_INPUT when a file does not fit, a module is not supported, or a path leaves the folder
 */
export async function openSentenceTransformersLayout(
  folder: string,
  options: OpenCheckpointOptions,
): Promise<LayoutSides> {
  const where = join(folder, 'modules.json');
  const modules: NamedModule[] = [];
  for (const { type, path } of checkJson(modulesSchema, await readJson(where), where)) {
    modules.push({ type, folder: await pathInside(folder, folder, path, where) });
  }
  const facts = await readEncoderConfig(folder, options.onWarning);
  const [first, second] = modules;
  if (moduleKind(first!) === 'Router') {
    if (second === undefined) return { ...(await openRouter(folder, first!.folder, options)), facts };
    throw badInput(`${where} has ${quote(second.type)} where Lexray supports nothing after a Router`, {
      where,
      cure: 'put the module at the end of each route',
    });
  }
  if (existsSync(join(folder, routerFileName))) {
    throw badInput(`${folder} has a ${routerFileName}, but ${where} names no Router`, {
      where,
      cure: 'fetch the model again, all files of one version',
    });
  }
  const document = await openEncoderModules(encoderOf(modules, where), options);
  return { document, query: { kind: 'shared' }, facts };
}

async function readEncoderConfig(folder: string, onWarning: WarningListener | undefined): Promise<EncoderFacts> {
  const path = join(folder, 'config_sentence_transformers.json');
  const config = checkJson(encoderConfigSchema, (await readJsonIfExists(path)) ?? {}, path);
  const stored = config.prompts ?? {};
  const usual = config.default_prompt_name ?? '';
  const prompt = (...names: string[]): string => {
    const name = [...names, usual].find((candidate) => Object.hasOwn(stored, candidate));
    return name === undefined ? '' : (stored[name] ?? '');
  };
  const similarity = config.similarity_fn_name ?? 'dot';
  if (similarity !== 'dot') {
    onWarning?.(`${folder} was made for ${similarity} similarity; Lexray searches by dot product`);
  }
  return {
    layout: 'sentence-transformers',
    prompts: { query: prompt('query'), document: prompt('document', 'passage', 'corpus') },
    similarity,
    maxActiveDims: config.max_active_dims ?? undefined,
  };
}
