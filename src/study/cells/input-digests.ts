/**
 * Digests of what a design's settings name: of a file its SHA-256, of a folder that of the digests of its files with their
 * relative paths. So a result belongs to the data and the weights that it was made from, wherever they lie.
 */
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { badInput, throwIfAborted } from '../../util/errors.ts';
import { hashFile, hashTexts } from '../../util/manifest.ts';

/** Files of a folder that say when, where and by whom it was made, and change nothing of what is made from it. */
const told = /^(\..*|manifest\.json|.*\.md)$/;

/**
 * SHA-256 of a file or folder. Of a folder, names that begin with a dot, manifests and cards are not counted: a model that is made
 * again is the same when its weights are.
 * @throws LexrayError BAD_INPUT when there is no such path
 */
export async function digestInput(path: string, signal?: AbortSignal): Promise<string> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (cause) {
    throw badInput('a study names a file or folder that is not there', {
      where: path,
      cause,
      cure: 'paths of a design are taken from --root, the current folder unless given',
    });
  }
  if (!isFolder) return hashFile(path);
  const parts: string[] = [];
  for (const file of await filesUnder(path)) {
    throwIfAborted(signal);
    parts.push(`${relative(path, file).split(sep).join('/')} ${await hashFile(file)}`);
  }
  return hashTexts(parts);
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter(({ name }) => !told.test(name))
      .map(async (entry) => {
        const path = join(folder, entry.name);
        const isFolder = entry.isSymbolicLink() ? (await stat(path)).isDirectory() : entry.isDirectory();
        return isFolder ? filesUnder(path) : [path];
      }),
  );
  return found.flat().sort();
}
