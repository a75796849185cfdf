/**
 * Binary files that are one array of numbers, little-endian, without a header: `.u32`, `.f32` and `.f64`. The length is
 * the file's size divided by the size of a number; a manifest beside it says what it must be. Files may be larger than
 * 4 GiB; an array in memory may not.
 */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { endianness } from 'node:os';
import { basename } from 'node:path';
import { badInput, LexrayError, throwIfAborted } from '../util/errors.ts';

/** Arrays that are stored so. */
export type NumberArray = Uint32Array | Float32Array | Float64Array;

/** Size and digest of a file that was written. */
export interface WrittenFile {
  readonly bytes: number;
  /** SHA-256 of the content, hexadecimal. */
  readonly sha256: string;
}

const bufferBytes = 1 << 20;
const readBytes = 1 << 26;

/** Writes a file piece by piece through a buffer, and takes its digest on the way. */
export class FileWriter {
  readonly #file: FileHandle;
  readonly #buffer = new Uint8Array(bufferBytes);
  readonly #hash: Hash = createHash('sha256');
  #used = 0;
  #bytes = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async create(path: string): Promise<FileWriter> {
    return new FileWriter(await open(path, 'wx'));
  }

  /** Appends bytes, or the numbers of an array. */
  async write(data: Uint8Array | NumberArray): Promise<void> {
    const bytes = bytesOf(data);
    for (let start = 0; start < bytes.length; ) {
      const taken = Math.min(bytes.length - start, bufferBytes - this.#used);
      this.#buffer.set(bytes.subarray(start, start + taken), this.#used);
      this.#used += taken;
      start += taken;
      if (this.#used === bufferBytes) await this.#flush();
    }
  }

  /** Flushes to the disk and closes. */
  async finish(): Promise<WrittenFile> {
    await this.#flush();
    await this.#file.sync();
    await this.#file.close();
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  /** Closes a file that will be thrown away. */
  async abandon(): Promise<void> {
    await this.#file.close().catch(() => {});
  }

  async #flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#used);
    this.#hash.update(bytes);
    await this.#file.writeFile(bytes);
    this.#bytes += this.#used;
    this.#used = 0;
  }
}

/** Options of {@link readArrayFile}. */
export interface ReadArrayOptions {
  /** Digest that the content must have; not checked when absent. */
  readonly sha256?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a file that must have `length` numbers into a new array. Nothing is allocated before the size is known to fit.
 * @throws LexrayError BAD_INPUT when the file is missing, has another size, or another digest
 */
export async function readArrayFile<T extends NumberArray>(
  path: string,
  type: { new (buffer: ArrayBuffer): T; readonly BYTES_PER_ELEMENT: number },
  length: number,
  { sha256, signal }: ReadArrayOptions = {},
): Promise<T> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (cause) {
    throw badInput(`cannot read ${basename(path)}: ${(cause as Error).message}`, {
      where: path,
      cause,
      cure: 'make the folder again',
    });
  }
  try {
    const expected = length * type.BYTES_PER_ELEMENT;
    const status = await file.stat();
    if (!status.isFile() || status.size !== expected) {
      throw misfit(path, `expected ${expected} bytes for ${length} numbers, got ${status.size}`);
    }
    const bytes = new Uint8Array(expected);
    const hash = sha256 === undefined ? undefined : createHash('sha256');
    for (let position = 0; position < expected; ) {
      throwIfAborted(signal);
      const { bytesRead } = await file.read(bytes, position, Math.min(readBytes, expected - position), position);
      if (bytesRead === 0) throw misfit(path, `the file ended after ${position} of ${expected} bytes`);
      hash?.update(bytes.subarray(position, position + bytesRead));
      position += bytesRead;
    }
    if (hash !== undefined && hash.digest('hex') !== sha256) {
      throw misfit(path, 'the content does not have the SHA-256 digest of the manifest');
    }
    bytesOf(bytes);
    return new type(bytes.buffer);
  } finally {
    await file.close();
  }
}

function misfit(path: string, message: string): LexrayError {
  return badInput(`${basename(path)}: ${message}`, { where: path, cure: 'the folder is damaged: make it again' });
}

function bytesOf(data: Uint8Array | NumberArray): Uint8Array {
  if (endianness() !== 'LE') {
    throw new LexrayError('FAILED', 'artifact files are little-endian, and this processor is big-endian', {
      cure: 'use a little-endian machine',
    });
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
