/** The demo's folder: an earlier demo is replaced without being asked to, nothing else is. */
import { type Dirent, existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { LexrayError } from '../util/errors.ts';
import { makeFolder } from '../util/make-folder.ts';
import { readManifest, writeManifest } from '../util/manifest.ts';
import { toolName } from '../util/version.ts';

const demoFormat = 'lexray-demo';

/**
 * Checks that a folder may be replaced by a demo, before any work is done.
 * @throws LexrayError USAGE when it holds something else and `force` is not set, or when the project or the current folder
 * is inside it
 */
export async function checkDemoFolder(output: string, project: string, force: boolean): Promise<void> {
  for (const kept of [project, '.']) {
    if (isInside(kept, output)) {
      throw new LexrayError('USAGE', `the output must not be a folder that holds ${resolve(kept)}`, {
        where: output,
        cure: 'choose another folder with -o: what is there would be removed',
      });
    }
  }
  if (!existsSync(output) || force) return;
  const isFolder = (await stat(output)).isDirectory();
  if (isFolder && (await readdir(output)).length === 0) return;
  try {
    await readManifest(output, demoFormat, 1);
  } catch (cause) {
    throw new LexrayError('USAGE', `the output exists and is not an earlier demo: ${output}`, {
      where: output,
      cause,
      cure: 'choose another folder with -o, or pass --force to replace it',
    });
  }
}

/** Makes an empty folder for a demo; what was there is removed. */
export async function replaceDemoFolder(output: string, config: Readonly<Record<string, unknown>>): Promise<void> {
  await rm(output, { recursive: true, force: true });
  await makeFolder(output);
  await writeManifest(output, {
    format: demoFormat,
    version: 1,
    config,
    parents: {},
    created: new Date().toISOString(),
    tool: toolName,
  });
}

/** Bytes of the files in a folder, without those of folders in it. */
export async function folderSize(folder: string): Promise<number> {
  const files = (await readdir(folder, { withFileTypes: true })).filter((entry: Dirent) => entry.isFile());
  const sizes = await Promise.all(files.map(async ({ name }) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function isInside(path: string, folder: string): boolean {
  const way = relative(resolve(folder), resolve(path));
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way));
}
