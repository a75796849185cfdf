/** Makes a folder and those above it, one by one: Node's recursive mkdir never ends below /proc. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LexrayError } from './errors.ts';

/**
 * Makes a folder where there is none.
 * @throws LexrayError USAGE when a file stands in its way, or the file system makes no folders there
 */
export async function makeFolder(folder: string): Promise<void> {
  const missing: string[] = [];
  for (let path = resolve(folder); !(await isFolder(path)); path = dirname(path)) missing.push(path);
  for (const path of missing.reverse()) {
    try {
      await mkdir(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST' && (await isFolder(path))) continue; // somebody else has made it meanwhile
      if (code !== 'ENOENT') throw error;
      throw new LexrayError('USAGE', `no folder can be made in ${dirname(path)}`, {
        where: dirname(path),
        cause: error,
        cure: 'choose another output',
      });
    }
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    if (code !== 'ENOTDIR') throw error;
  }
  throw new LexrayError('USAGE', `a folder was expected, and ${path} is not one, or lies below a file`, {
    where: path,
    cure: 'choose another output',
  });
}
