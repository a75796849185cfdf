/**
 * Artifacts appear whole or not at all: they are written under a temporary name beside their final place and renamed.
 * A write that fails half-way leaves the old artifact, if any, untouched.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { LexrayError } from './errors.ts';
import { makeFolder } from './make-folder.ts';

/** Options of {@link writeFolderAtomic} and {@link writeFileAtomic}. */
export interface AtomicWriteOptions {
  /**
   * Replace what is already there: a file, or a folder whose manifest says that it is of the kind that is written.
   * @default false
   */
  readonly force?: boolean;
  /** The folder is the caller's own and may be replaced whatever it holds. @default false */
  readonly owned?: boolean;
}

/**
 * Writes a folder: `fill` gets the path of a temporary folder, which becomes `target` when it returns.
 * @throws LexrayError USAGE when `target` exists, is not empty, and `force` is not set
 */
export async function writeFolderAtomic(
  target: string,
  fill: (temporary: string) => Promise<void>,
  options: AtomicWriteOptions = {},
): Promise<void> {
  const path = resolve(target);
  const exists = existsSync(path);
  const occupied = exists && (await isOccupied(path));
  if (occupied && !options.force) throw alreadyThere(target);
  if (occupied && !options.owned) await checkReplaceable(target);
  const temporary = temporaryName(path);
  await makeFolder(temporary);
  try {
    await fill(temporary);
    if (occupied && !options.owned && (await formatOf(path)) !== (await formatOf(temporary))) throw foreign(target);
    if (exists) {
      const old = temporaryName(path);
      await rename(path, old);
      await rename(temporary, path);
      await rm(old, { recursive: true, force: true });
    } else {
      await rename(temporary, path);
    }
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** Writes a file from chunks, flushed to disk and renamed into place. Overwrites by default, as a report or a log does. */
export async function writeFileAtomic(
  target: string,
  content: string | Uint8Array | AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
  options: AtomicWriteOptions = { force: true },
): Promise<void> {
  const given = resolve(target);
  const status = await stat(given).catch(() => undefined);
  if (status !== undefined && !options.force) throw alreadyThere(target);
  if (status !== undefined && !status.isFile()) {
    throw new LexrayError(
      'USAGE',
      `the output is no file but a ${status.isDirectory() ? 'folder' : 'device'}: ${target}`,
      {
        where: target,
        cure: 'choose another output',
      },
    );
  }
  // A link stays, and the file that it points to is replaced.
  const path = status === undefined ? given : await realpath(given);
  await makeFolder(dirname(path));
  const temporary = temporaryName(path);
  const chunks = typeof content === 'string' || content instanceof Uint8Array ? [content] : content;
  try {
    const file = await open(temporary, 'w');
    try {
      for await (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Checks that an output may be replaced: a file, an empty folder, or a folder that Lexray wrote and that the process does
 * not stand in. Long work calls it before it begins.
 * @throws LexrayError USAGE when it may not
 */
export async function checkReplaceable(target: string): Promise<void> {
  const path = resolve(target);
  const status = await stat(path).catch(() => undefined);
  if (!status?.isDirectory() || !(await isOccupied(path))) return;
  const standing = relative(path, process.cwd());
  const holdsProcess = standing === '' || (!standing.startsWith('..') && !isAbsolute(standing));
  if (holdsProcess || (await formatOf(path)) === undefined) throw foreign(target);
}

/** The format in a folder's manifest, if it is one of Lexray's. */
async function formatOf(folder: string): Promise<string | undefined> {
  try {
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as { format?: unknown } | null;
    const format = manifest?.format;
    return typeof format === 'string' && format.startsWith('lexray-') ? format : undefined;
  } catch {
    return undefined;
  }
}

function foreign(target: string): LexrayError {
  return new LexrayError('USAGE', `the output is a folder of another kind, which --force does not replace: ${target}`, {
    where: target,
    cure: 'choose another output, or remove the folder yourself',
  });
}

async function isOccupied(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length > 0;
  } catch {
    return true;
  }
}

function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.partial`);
}

function alreadyThere(target: string): LexrayError {
  return new LexrayError('USAGE', `the output already exists: ${target}`, {
    where: target,
    cure: 'choose another output, or pass --force to replace it',
  });
}
