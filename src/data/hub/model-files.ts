/**
 * Which files of a repository make up a model for Lexray: configuration, tokenizer, the modules of sentence-transformers,
 * one set of weights (safetensors before pickles), and the card and licence. Other formats (ONNX, TensorFlow, Flax…), of
 * which many repositories hold gigabytes, are left where they are.
 */
import { badInput } from '../../util/errors.ts';

/** What is to be fetched, or what is missing. */
export interface ModelFiles {
  readonly paths: readonly string[];
  /** What a model needs and the repository does not have: one phrase. */
  readonly missing: string | undefined;
}

const card = /^(README\.md|(LICEN[CS]E|NOTICE)(\.(md|txt))?)$/i;
const configuration = new Set([
  'config.json',
  'lexray.json',
  'manifest.json',
  'modules.json',
  'router_config.json',
  'config_sentence_transformers.json',
]);
/** Of a module: its configuration, and the token weights of queries without an encoder. */
const moduleFile = /^(config|idf|sentence_[a-z-]+_config)\.json$/;
const vocabularies = ['tokenizer.json', 'vocab.txt', 'vocab.json', 'spiece.model', 'sentencepiece.bpe.model'];
const tokenizer = new Set([
  ...vocabularies,
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'merges.txt',
]);
const weights = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
];
const maxModules = 64;

/**
 * Chooses the files of a model.
 * @param names every path in the repository
 * @param readJson reads one of them
 */
export async function chooseModelFiles(
  names: readonly string[],
  readJson: (path: string) => Promise<unknown>,
): Promise<ModelFiles> {
  for (const name of names) checkPath(name);
  const present = new Set(names);
  const paths = new Set(names.filter((name) => isOf(name, '', (file) => card.test(file) || configuration.has(file))));
  const { modules, own } = await moduleFolders(present, readJson);
  let missing: string | undefined;
  for (const folder of ['', ...modules]) {
    for (const name of names) {
      if (isOf(name, folder, (file) => moduleFile.test(file) || tokenizer.has(file))) {
        paths.add(name);
      }
    }
    if (folder === '' && !own) continue;
    const found = weights.map((name) => join(folder, name)).find((name) => present.has(name));
    if (found === undefined) continue;
    paths.add(found);
    if (!found.endsWith('.index.json')) continue;
    for (const shard of await shardsOf(found, readJson)) {
      const path = join(folder, shard);
      if (present.has(path)) paths.add(path);
      else missing ??= `${path}, which its index names`;
    }
  }
  const chosen = [...paths];
  const has = (test: (file: string) => boolean): boolean => chosen.some((path) => test(path.split('/').at(-1)!));
  if (!has((file) => file === 'config.json')) missing ??= 'config.json';
  for (const folder of modules) {
    if (!chosen.some((path) => path.startsWith(`${folder}/`))) missing ??= `${folder}/config.json`;
  }
  if (!has((file) => weights.includes(file))) missing ??= 'weights (model.safetensors or pytorch_model.bin)';
  if (!has((file) => vocabularies.includes(file))) missing ??= 'tokenizer (tokenizer.json)';
  return { paths: chosen, missing };
}

/** The folders that modules.json and router_config.json name, and whether the root is a module itself. */
async function moduleFolders(
  present: ReadonlySet<string>,
  readJson: (path: string) => Promise<unknown>,
): Promise<{ modules: readonly string[]; own: boolean }> {
  if (!present.has('modules.json')) return { modules: [], own: true };
  const modules = await readJson('modules.json');
  const router = present.has('router_config.json') ? await readJson('router_config.json') : undefined;
  if (!Array.isArray(modules) || modules.length > maxModules) throw damaged('modules.json');
  const folders: string[] = [];
  for (const module of modules as readonly unknown[]) {
    if (!isRecord(module) || typeof module.path !== 'string') throw damaged('modules.json');
    // It has nothing to store, and git stores no empty folder.
    if (!String(module.type).endsWith('.Normalize')) folders.push(module.path);
  }
  const types = isRecord(router) && isRecord(router.types) ? Object.keys(router.types) : [];
  if (types.length > maxModules) throw damaged('router_config.json');
  const named = [...new Set([...folders, ...types])];
  for (const folder of named) if (folder !== '') checkFolder(folder);
  return { modules: named.filter((folder) => folder !== ''), own: folders.includes('') };
}

async function shardsOf(index: string, readJson: (path: string) => Promise<unknown>): Promise<ReadonlySet<string>> {
  const value = await readJson(index);
  const map = isRecord(value) && isRecord(value.weight_map) ? Object.values(value.weight_map) : [];
  const shards = new Set(map);
  for (const shard of shards) {
    if (typeof shard !== 'string' || !/^\w[\w.-]*\.(safetensors|bin)$/.test(shard)) throw damaged(index);
  }
  return shards as ReadonlySet<string>;
}

/**
 * Refuses a path that leaves its folder on any system.
 * @throws LexrayError BAD_INPUT
 */
function checkPath(path: string): void {
  const bad = path.split(/[\\/]/).some((part) => /^\.{0,2}$/.test(part)) || /\p{Cc}/u.test(path) || path.length > 1000;
  if (bad) throw notPlain(path);
}

/** Folders of modules are named freely, so that they must also be plain names everywhere. */
function checkFolder(path: string): void {
  if (!path.split('/').every((part) => /^[\w-][\w. -]{0,98}$/.test(part) && !/[. ]$/.test(part))) throw notPlain(path);
}

function notPlain(path: string): Error {
  return badInput(`the repository has a path that is not plain: ${JSON.stringify(path.slice(0, 100))}`, {
    where: path.slice(0, 100),
    cure: 'do not use this repository: it tries to write elsewhere',
  });
}

function isOf(path: string, folder: string, test: (file: string) => boolean): boolean {
  const file = folder === '' ? path : path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : '/';
  return !file.includes('/') && test(file);
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function damaged(path: string): Error {
  return badInput(`${path} is not what its name says`, { where: path, cure: 'choose another model or revision' });
}
