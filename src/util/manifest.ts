/**
 * `manifest.json`: what an artifact folder of Lexray is, how it was made and from what.
 * Every folder that Lexray writes carries one; a folder whose format or version does not fit is refused.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput } from './errors.ts';

/** The name of the manifest file in an artifact folder. */
export const manifestFileName = 'manifest.json';

/** Description of an artifact folder. */
export interface Manifest {
  /** What the folder holds: `lexray-vectors`, `lexray-index`, `lexray-model`, `lexray-training`… */
  readonly format: string;
  /** Version of that format: an integer, raised when old readers would misread it. */
  readonly version: number;
  /** The resolved options that made it. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly seed?: number;
  /** SHA-256 of the files it was made from, by role or path. */
  readonly parents: Readonly<Record<string, string>>;
  /** ISO 8601 time of writing. */
  readonly created: string;
  /** `lexray` and its version. */
  readonly tool: string;
}

/** Writes `manifest.json` into a folder. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await writeFile(join(folder, manifestFileName), `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * Reads the manifest of a folder and checks its format and version.
 * @throws LexrayError BAD_INPUT when it is missing, malformed, of another format, or newer than this reader
 */
export async function readManifest(folder: string, format: string, version: number): Promise<Manifest> {
  const where = join(folder, manifestFileName);
  let text: string;
  try {
    text = await readFile(where, 'utf8');
  } catch (cause) {
    throw badInput(`expected a ${format} folder, but ${where} cannot be read`, {
      where,
      cause,
      cure: 'check the path',
    });
  }
  let manifest: Partial<Manifest> | null;
  try {
    manifest = JSON.parse(text) as Partial<Manifest> | null;
  } catch (cause) {
    throw badInput(`${where} is not JSON`, { where, cause, cure: 'make the folder again' });
  }
  if (manifest?.format !== format) {
    throw badInput(`expected a ${format} folder, got ${JSON.stringify(manifest?.format)}`, {
      where,
      cure: 'check the path',
    });
  }
  if (typeof manifest.version !== 'number' || manifest.version > version || manifest.version < 1) {
    throw badInput(`${format} version ${version} or older expected, got ${JSON.stringify(manifest.version)}`, {
      where,
      cure: 'update lexray, or make the folder again',
    });
  }
  return manifest as Manifest;
}

/** SHA-256 of a file, in hexadecimal. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** SHA-256 of texts, each followed by a newline, in hexadecimal. */
export function hashTexts(texts: Iterable<string>): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\n');
  return hash.digest('hex');
}
