/**
 * A sparse matrix as files of an artifact folder: what `lexray-vectors` and `lexray-index` have in common.
 *
 *     offsets.f64   rows + 1 float64: where each row begins among the entries; the last is their number
 *     indices.u32   a uint32 an entry: its column, ascending within a row
 *     values.f32    a float32 an entry: finite, not zero
 *     NAME.jsonl    strings, one JSON string a line: ids of vectors, or strings of terms
 *
 * Numbers are little-endian. The manifest lists every file with its size in bytes and, when Lexray wrote it, its SHA-256
 * digest; a digest that is there is checked, so that a flipped bit is found.
 */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { badInput } from '../util/errors.ts';
import { readJsonLines } from '../util/jsonl.ts';
import { hashFile, type Manifest } from '../util/manifest.ts';
import { FileWriter, type ReadArrayOptions, readArrayFile, type WrittenFile } from './array-file.ts';
import { checkEntriesInMemory, type SparseRows } from './sparse-vectors.ts';

/** The names of the array files. */
export const matrixFileNames: { readonly offsets: string; readonly indices: string; readonly values: string } = {
  offsets: 'offsets.f64',
  indices: 'indices.u32',
  values: 'values.f32',
};

/** A manifest that lists the files of its folder. */
export interface ManifestWithFiles extends Manifest {
  readonly files: Readonly<Record<string, WrittenFile>>;
}

/** Writes a matrix row by row, in constant memory. */
export class MatrixWriter {
  readonly #offsets: FileWriter;
  readonly #indices: FileWriter;
  readonly #values: FileWriter;
  readonly #offset = new Float64Array(1);

  private constructor(offsets: FileWriter, indices: FileWriter, values: FileWriter) {
    this.#offsets = offsets;
    this.#indices = indices;
    this.#values = values;
  }

  static async create(folder: string): Promise<MatrixWriter> {
    const [offsets, indices, values] = await Promise.all([
      FileWriter.create(join(folder, matrixFileNames.offsets)),
      FileWriter.create(join(folder, matrixFileNames.indices)),
      FileWriter.create(join(folder, matrixFileNames.values)),
    ]);
    const writer = new MatrixWriter(offsets, indices, values);
    await offsets.write(writer.#offset);
    return writer;
  }

  /** Entries so far. */
  get entries(): number {
    return this.#offset[0]!;
  }

  async addRow(indices: Uint32Array, values: Float32Array): Promise<void> {
    this.#offset[0]! += indices.length;
    await this.#offsets.write(this.#offset);
    await this.#indices.write(indices);
    await this.#values.write(values);
  }

  async finish(): Promise<Record<string, WrittenFile>> {
    return {
      [matrixFileNames.offsets]: await this.#offsets.finish(),
      [matrixFileNames.indices]: await this.#indices.finish(),
      [matrixFileNames.values]: await this.#values.finish(),
    };
  }

  async abandon(): Promise<void> {
    await Promise.all([this.#offsets.abandon(), this.#indices.abandon(), this.#values.abandon()]);
  }
}

/**
 * Reads the arrays of a matrix. Their sizes are checked, their contents are not.
 * @throws LexrayError BAD_INPUT when a file is missing, damaged, or of another size than the manifest says
 */
export async function readMatrix(
  folder: string,
  shape: { readonly rows: number; readonly entries: number },
  files: Readonly<Record<string, WrittenFile>>,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<SparseRows> {
  checkEntriesInMemory(Math.max(shape.entries, shape.rows), folder);
  const options = (name: string): ReadArrayOptions => ({ sha256: files[name]?.sha256, signal });
  const { offsets, indices, values } = matrixFileNames;
  return {
    offsets: await readArrayFile(join(folder, offsets), Float64Array, shape.rows + 1, options(offsets)),
    indices: await readArrayFile(join(folder, indices), Uint32Array, shape.entries, options(indices)),
    values: await readArrayFile(join(folder, values), Float32Array, shape.entries, options(values)),
  };
}

/** Writes strings, one JSON string a line. */
export async function writeStrings(path: string, strings: Iterable<string>): Promise<WrittenFile> {
  const writer = await FileWriter.create(path);
  try {
    let block = '';
    for (const text of strings) {
      block += `${JSON.stringify(text)}\n`;
      if (block.length > 1 << 16) {
        await writer.write(Buffer.from(block));
        block = '';
      }
    }
    await writer.write(Buffer.from(block));
    return await writer.finish();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/**
 * Reads a file of strings that must have `count` of them.
 * @throws LexrayError BAD_INPUT when it is missing, damaged, of another length, or has a line that is not a string
 */
export async function readStrings(path: string, count: number, file: WrittenFile | undefined): Promise<string[]> {
  const where = path;
  const cure = 'the folder is damaged: make it again';
  const bytes = await stat(path).then(
    (status) => status.size,
    (cause: unknown) => {
      throw badInput(`cannot read ${basename(path)}: ${(cause as Error).message}`, { where, cause, cure });
    },
  );
  if (count * 3 > bytes) {
    throw badInput(`${count} strings expected in ${basename(path)}, but it has ${bytes} bytes`, { where, cure });
  }
  if (file?.sha256 !== undefined && (await hashFile(path)) !== file.sha256) {
    throw badInput(`${basename(path)} does not have the SHA-256 digest of the manifest`, { where, cure });
  }
  const strings: string[] = [];
  for await (const { number, value } of readJsonLines(path)) {
    if (typeof value !== 'string') {
      throw badInput(`expected a JSON string, got ${value === null ? 'null' : typeof value}`, {
        where: `${path}:${number}`,
        cure,
      });
    }
    if (strings.length === count) {
      throw badInput(`${count} strings expected in ${basename(path)}, but there are more`, { where, cure });
    }
    strings.push(value);
  }
  if (strings.length !== count) {
    throw badInput(`${count} strings expected in ${basename(path)}, got ${strings.length}`, { where, cure });
  }
  return strings;
}

/** Checks that a field of a manifest is an integer from `least` to 2⁵³ − 1. */
export function checkCount(value: unknown, least: number, field: string, where: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    throw badInput(`${field} must be an integer of at least ${least}, got ${JSON.stringify(value)}`, {
      where,
      cure: 'the folder is damaged: make it again',
    });
  }
  return value as number;
}

/** The files that a manifest lists; none when it lists none, as a folder made by another tool may. */
export function filesOf(manifest: Partial<ManifestWithFiles>): Readonly<Record<string, WrittenFile>> {
  const files: unknown = manifest.files;
  if (typeof files !== 'object' || files === null) return {};
  return Object.fromEntries(
    Object.entries(files as Record<string, unknown>).filter(
      (entry): entry is [string, WrittenFile] => typeof (entry[1] as Partial<WrittenFile> | null)?.sha256 === 'string',
    ),
  );
}
