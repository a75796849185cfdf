/**
 * The folder `lexray-index`, version 1:
 *
 *     manifest.json   format, version, config, parents, encoder; documents, dimensions, postings; files with sizes and digests
 *     docids.jsonl    the docid of each document number, descending in byte order, one JSON string a line
 *     offsets.f64 · indices.u32 · values.f32    one row a term: its postings list, documents ascending: `matrix-files.ts`
 */
import { join } from 'node:path';
import { throwIfAborted } from '../util/errors.ts';
import { manifestFileName, readManifest, writeManifest } from '../util/manifest.ts';
import { toolName } from '../util/version.ts';
import { writeFolderAtomic } from '../util/write-atomic.ts';
import type { EncoderIdentity } from '../vectors/encoder-identity.ts';
import {
  checkCount,
  filesOf,
  type ManifestWithFiles,
  MatrixWriter,
  readMatrix,
  readStrings,
  writeStrings,
} from '../vectors/matrix-files.ts';
import { checkDimensions } from '../vectors/sparse-vector.ts';
import { InvertedIndex } from './inverted-index.ts';

const indexFormat = 'lexray-index';
const indexVersion = 1;
const docidsFileName = 'docids.jsonl';

/** The manifest of an index folder. */
export interface IndexManifest extends ManifestWithFiles {
  readonly documents: number;
  /** Size of the vocabulary. */
  readonly dimensions: number;
  /** Entries of all postings lists together. */
  readonly postings: number;
  /** The model that made the documents' vectors, if known. */
  readonly encoder?: EncoderIdentity;
}

/** Options of {@link writeIndex}. */
export interface WriteIndexOptions {
  /** The resolved options that made the index, for the manifest. */
  readonly config: Readonly<Record<string, unknown>>;
  /** SHA-256 of what the index was made from, by role. */
  readonly parents: Readonly<Record<string, string>>;
  /** The model that made the documents' vectors, if known. */
  readonly encoder?: EncoderIdentity | undefined;
  /** Replace a folder that is there. @default false */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes an index to a folder, which appears whole or not at all.
 * @throws LexrayError USAGE when the folder is there already
 */
export async function writeIndex(folder: string, index: InvertedIndex, options: WriteIndexOptions): Promise<void> {
  const fill = async (temporary: string): Promise<void> => {
    const docids = await writeStrings(join(temporary, docidsFileName), index.docids);
    const matrix = await MatrixWriter.create(temporary);
    let files: Awaited<ReturnType<MatrixWriter['finish']>>;
    try {
      for (let term = 0; term < index.dimensions; term++) {
        throwIfAborted(options.signal);
        const { documents, weights } = index.postingList(term);
        await matrix.addRow(documents, weights);
      }
      files = await matrix.finish();
    } catch (error) {
      await matrix.abandon();
      throw error;
    }
    const manifest: IndexManifest = {
      format: indexFormat,
      version: indexVersion,
      config: options.config,
      parents: options.parents,
      ...(options.encoder && { encoder: options.encoder }),
      documents: index.documentCount,
      dimensions: index.dimensions,
      postings: index.postingCount,
      files: { [docidsFileName]: docids, ...files },
      created: new Date().toISOString(),
      tool: toolName,
    };
    await writeManifest(temporary, manifest);
  };
  await writeFolderAtomic(folder, fill, { force: options.force ?? false });
}

/**
 * Reads an index into memory and checks all of it.
 * @throws LexrayError BAD_INPUT when the folder is not an index, is damaged, or breaks a rule of the format; FAILED when
 *   it has more than 2³⁰ postings
 */
export async function readIndex(
  folder: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<InvertedIndex> {
  const manifest = await readIndexManifest(folder);
  const files = filesOf(manifest);
  const shape = { rows: manifest.dimensions, entries: manifest.postings };
  const postings = await readMatrix(folder, shape, files, { signal });
  const docids = await readStrings(join(folder, docidsFileName), manifest.documents, files[docidsFileName]);
  return new InvertedIndex(docids, manifest.dimensions, postings, folder);
}

/** Reads and checks the manifest of an index folder. */
export async function readIndexManifest(folder: string): Promise<IndexManifest> {
  const manifest = (await readManifest(folder, indexFormat, indexVersion)) as IndexManifest;
  const where = join(folder, manifestFileName);
  checkCount(manifest.documents, 0, 'documents', where);
  checkCount(manifest.postings, 0, 'postings', where);
  checkDimensions(manifest.dimensions, where);
  return manifest;
}
