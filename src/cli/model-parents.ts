/** Digests of the files of a model that decide its vectors, for the manifest of what it encoded. */
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { hashFile } from '../util/manifest.ts';

const deciding =
  /(\.safetensors|\.bin|^config[a-z_]*\.json|^modules\.json|^router_config\.json|^idf\.json|^tokenizer[a-z_]*\.json|^vocab\.txt|^lexray\.json|^output_vocabulary\.json)$/;

/** SHA-256 of each such file, by `model/PATH`. */
export async function modelParents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const parents: Record<string, string> = {};
  for (const entry of entries) {
    if (!deciding.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    // In the hub's cache every file is a link.
    if (!(await stat(path)).isFile()) continue;
    parents[`model/${relative(folder, path).split(sep).join('/')}`] = await hashFile(path);
  }
  return Object.fromEntries(Object.entries(parents).sort(([a], [b]) => (a < b ? -1 : 1)));
}
