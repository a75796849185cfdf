/**
 * Where the modules of a model folder are. A folder from outside names them itself (`modules.json`, `router_config.json`,
 * the `path` of a table of weights), so that a hostile one could name any file of the machine: a path must be plain, and
 * what it leads to, links followed, must lie inside the folder. Links into the blobs of the hub's cache, of which a
 * snapshot consists (`docs/formats/hub-cache.md`), are allowed.
 */
import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { badInput } from '../../util/errors.ts';
import { quote } from '../json-cursor.ts';

/**
 * The file or folder at a path inside a model folder.
 * @param folder the model folder
 * @param base the folder that `path` starts from: the model folder, or one inside
 * @param where the file that names the path, for errors
 * @throws LexrayError BAD_INPUT when the path is not plain or leads out of the model folder
 */
export async function pathInside(folder: string, base: string, path: string, where: string): Promise<string> {
  const parts = path.split('/');
  if (path !== '' && (parts.some((part) => part === '' || part === '.' || part === '..') || /[\\:\0]/.test(path))) {
    throw leavesFolder(`the module path ${quote(path)} is not a plain path inside the model folder`, where);
  }
  const target = join(base, path);
  const real = await realpath(target).catch(() => undefined);
  if (real === undefined) return target; // whoever reads it says that it is not there
  const root = await realpath(folder);
  if (!isInside(root, real) && !isInside(blobsOf(root), real)) {
    throw leavesFolder(`the module path ${quote(path)} is a link that leads out of the model folder`, where);
  }
  return target;
}

/** The blobs beside a snapshot in the hub's cache; of another folder, the folder itself. */
function blobsOf(root: string): string {
  const snapshots = dirname(root);
  return basename(snapshots) === 'snapshots' ? join(dirname(snapshots), 'blobs') : root;
}

function isInside(folder: string, path: string): boolean {
  const from = relative(folder, path);
  return from !== '..' && !from.startsWith(`..${sep}`) && !isAbsolute(from);
}

function leavesFolder(message: string, where: string): Error {
  return badInput(message, { where, cure: 'do not use this model: it tries to read other folders' });
}
