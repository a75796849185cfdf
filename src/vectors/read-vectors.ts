/**
 * Reads the folder `lexray-vectors` that `write-vectors.ts` describes. The folder may come from anywhere: sizes are
 * checked before anything is allocated, then offsets, indices, values and ids.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { manifestFileName, readManifest } from '../util/manifest.ts';
import { checkCount, filesOf, readMatrix, readStrings } from './matrix-files.ts';
import { checkDimensions } from './sparse-vector.ts';
import { SparseVectors } from './sparse-vectors.ts';
import { type VectorsManifest, vectorsFormat, vectorsVersion } from './write-vectors.ts';

/** Options of {@link readVectors}. */
export interface ReadVectorsOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads vectors into memory.
 * @throws LexrayError BAD_INPUT when the folder is not one of vectors, is damaged, or breaks a rule of the format;
 *   FAILED when it has more than 2³⁰ entries
 */
export async function readVectors(folder: string, { signal }: ReadVectorsOptions = {}): Promise<SparseVectors> {
  const manifest = await readVectorsManifest(folder);
  const files = filesOf(manifest);
  const shape = { rows: manifest.vectors, entries: manifest.entries };
  const rows = await readMatrix(folder, shape, files, { signal });
  const ids = await readStrings(join(folder, 'ids.jsonl'), manifest.vectors, files['ids.jsonl']);
  return new SparseVectors(ids, manifest.dimensions, rows, folder);
}

/** Reads and checks the manifest of a vectors folder. */
export async function readVectorsManifest(folder: string): Promise<VectorsManifest> {
  const manifest = (await readManifest(folder, vectorsFormat, vectorsVersion)) as VectorsManifest;
  const where = join(folder, manifestFileName);
  checkCount(manifest.vectors, 0, 'vectors', where);
  checkCount(manifest.entries, 0, 'entries', where);
  checkDimensions(manifest.dimensions, where);
  return manifest;
}

/**
 * The strings of the terms, by term number, or `undefined` when the folder does not have them.
 * @throws LexrayError BAD_INPUT
 */
export async function readVectorTokens(folder: string): Promise<readonly string[] | undefined> {
  const manifest = await readVectorsManifest(folder);
  const path = join(folder, 'tokens.jsonl');
  if (!existsSync(path)) return undefined;
  return readStrings(path, manifest.dimensions, filesOf(manifest)['tokens.jsonl']);
}
