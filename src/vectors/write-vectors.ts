/**
 * Writes the folder `lexray-vectors`, version 1:
 *
 *     manifest.json   format, version, config, seed, parents, encoder; vectors, dimensions, entries; files with sizes and digests
 *     ids.jsonl       docids or qids, one JSON string a line, all different
 *     offsets.f64 · indices.u32 · values.f32    the matrix in compressed sparse rows: `matrix-files.ts`
 *     tokens.jsonl    optional: the string of each term of the vocabulary, one JSON string a line
 *
 * Vectors are written as they come, so that a collection need not fit into memory; only ids are kept, to find repeats.
 */
import { join } from 'node:path';
import { badInput, LexrayError, throwIfAborted } from '../util/errors.ts';
import { writeManifest } from '../util/manifest.ts';
import type { ProgressListener } from '../util/progress.ts';
import { toolName } from '../util/version.ts';
import { writeFolderAtomic } from '../util/write-atomic.ts';
import { FileWriter, type WrittenFile } from './array-file.ts';
import type { EncoderIdentity } from './encoder-identity.ts';
import { type ManifestWithFiles, MatrixWriter, writeStrings } from './matrix-files.ts';
import { checkDimensions, checkSparseVector } from './sparse-vector.ts';
import { type NamedVector, SparseVectors } from './sparse-vectors.ts';

/** The format name in the manifest. */
export const vectorsFormat = 'lexray-vectors';
/** The format version in the manifest. */
export const vectorsVersion = 1;

/** The manifest of a vectors folder. */
export interface VectorsManifest extends ManifestWithFiles {
  /** Number of vectors. */
  readonly vectors: number;
  /** Size of the vocabulary. */
  readonly dimensions: number;
  /** Active dimensions of all vectors together. */
  readonly entries: number;
  /** The model that made them, if known. */
  readonly encoder?: EncoderIdentity;
}

/** Options of {@link writeVectors}. */
export interface WriteVectorsOptions {
  /** The resolved options that made the vectors, for the manifest. */
  readonly config: Readonly<Record<string, unknown>>;
  /** SHA-256 of what the vectors were made from, by role. */
  readonly parents: Readonly<Record<string, string>>;
  /** The model that made the vectors, if known. */
  readonly encoder?: EncoderIdentity | undefined;
  readonly seed?: number | undefined;
  /** Size of the vocabulary; must be given for a stream, and is known of {@link SparseVectors}. */
  readonly dimensions?: number | undefined;
  /** The string of each term; as many as dimensions. */
  readonly tokens?: readonly string[] | undefined;
  /** Replace a folder that is there. @default false */
  readonly force?: boolean | undefined;
  /** How many vectors will come, for progress. */
  readonly total?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/**
 * Writes vectors to a folder, which appears whole or not at all.
 * @throws LexrayError BAD_INPUT when a vector does not fit or an id repeats; USAGE when the folder is there already
 */
export async function writeVectors(
  folder: string,
  vectors: SparseVectors | Iterable<NamedVector> | AsyncIterable<NamedVector>,
  options: WriteVectorsOptions,
): Promise<void> {
  const dimensions = vectors instanceof SparseVectors ? vectors.dimensions : options.dimensions;
  if (dimensions === undefined) {
    throw new LexrayError('USAGE', 'the number of dimensions must be given with a stream of vectors');
  }
  checkDimensions(dimensions, folder);
  if (options.tokens !== undefined && options.tokens.length !== dimensions) {
    throw badInput(`${dimensions} tokens expected, one a dimension, got ${options.tokens.length}`, { where: folder });
  }
  const total = options.total ?? (vectors instanceof SparseVectors ? vectors.length : undefined);
  await writeFolderAtomic(
    folder,
    async (temporary) => {
      const counts = await writeRows(temporary, vectors, dimensions, { ...options, total });
      const files: Record<string, WrittenFile> = counts.files;
      if (options.tokens !== undefined) {
        files['tokens.jsonl'] = await writeStrings(join(temporary, 'tokens.jsonl'), options.tokens);
      }
      const manifest: VectorsManifest = {
        format: vectorsFormat,
        version: vectorsVersion,
        config: options.config,
        ...(options.seed === undefined ? {} : { seed: options.seed }),
        parents: options.parents,
        ...(options.encoder && { encoder: options.encoder }),
        vectors: counts.vectors,
        dimensions,
        entries: counts.entries,
        files,
        created: new Date().toISOString(),
        tool: toolName,
      };
      await writeManifest(temporary, manifest);
    },
    { force: options.force ?? false },
  );
}

async function writeRows(
  folder: string,
  vectors: Iterable<NamedVector> | AsyncIterable<NamedVector>,
  dimensions: number,
  { signal, onProgress, total }: Pick<WriteVectorsOptions, 'signal' | 'onProgress' | 'total'>,
): Promise<{ vectors: number; entries: number; files: Record<string, WrittenFile> }> {
  const matrix = await MatrixWriter.create(folder);
  const ids = await FileWriter.create(join(folder, 'ids.jsonl'));
  const seen = new Set<string>();
  const report = (): void =>
    onProgress?.({
      phase: 'write vectors',
      done: seen.size,
      unit: 'vectors',
      ...(total === undefined ? {} : { total }),
    });
  try {
    for await (const { id, vector } of vectors) {
      throwIfAborted(signal);
      const where = `vector ${JSON.stringify(id)}`;
      if (id === '') throw badInput('an id is empty', { where, cure: 'give every vector an id' });
      if (seen.has(id)) {
        throw badInput(`the id ${JSON.stringify(id)} occurs twice`, {
          where,
          cure: 'give every vector an id of its own',
        });
      }
      checkSparseVector(vector, dimensions, where);
      seen.add(id);
      await ids.write(Buffer.from(`${JSON.stringify(id)}\n`));
      await matrix.addRow(vector.indices, vector.values);
      if (seen.size % 1024 === 0) report();
    }
    report();
    const files = { 'ids.jsonl': await ids.finish(), ...(await matrix.finish()) };
    return { vectors: seen.size, entries: matrix.entries, files };
  } catch (error) {
    await Promise.all([ids.abandon(), matrix.abandon()]);
    throw error;
  }
}
