/**
 * Artifacts appear whole or not at all: they are written under a temporary name beside their final place and renamed.
 * A write that fails half-way leaves the old artifact, if any, untouched.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LexrayError } from './errors.ts';

/** Options of {@link writeFolderAtomic} and {@link writeFileAtomic}. */
export interface AtomicWriteOptions {
  /** Replace what is already there. @default false */
  readonly force?: boolean;
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
  if (exists && !options.force && (await isOccupied(path))) throw alreadyThere(target);
  const temporary = temporaryName(path);
  await mkdir(temporary, { recursive: true });
  try {
    await fill(temporary);
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
  const path = resolve(target);
  if (!options.force && existsSync(path)) throw alreadyThere(target);
  await mkdir(dirname(path), { recursive: true });
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
