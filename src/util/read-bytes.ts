/**
 * Files as streams of bytes: plain, gzip or Zstandard, told by their first bytes and not by the name. Memory does not grow
 * with the file.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { badInput } from './errors.ts';
import { decompressZstandard } from './zstandard.ts';

/**
 * Reads a file, decompressed.
 * @throws LexrayError BAD_INPUT when it cannot be read or is damaged
 */
export async function* readBytes(path: string): AsyncGenerator<Uint8Array> {
  const head = await readHead(path, 4);
  const source = createReadStream(path);
  try {
    if (head[0] === 0x1f && head[1] === 0x8b) {
      const stream = source.pipe(createGunzip());
      source.on('error', (error) => stream.destroy(error));
      yield* stream as AsyncIterable<Uint8Array>;
    } else if (isZstandard(head)) {
      yield* decompressZstandard(source, path);
    } else {
      yield* source as AsyncIterable<Uint8Array>;
    }
  } catch (error) {
    throw error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
      ? badInput(`the gzip file is damaged: ${error.message}`, {
          where: path,
          cause: error,
          cure: 'fetch the file again',
        })
      : error;
  } finally {
    source.destroy();
  }
}

/**
 * The first bytes of a file as it lies on the disk; fewer where it is shorter.
 * @throws LexrayError BAD_INPUT when it cannot be read
 */
export async function readHead(path: string, length: number): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const head = new Uint8Array(length);
      const { bytesRead } = await file.read(head, 0, length, 0);
      return head.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw badInput(`cannot read the file: ${(cause as Error).message}`, { where: path, cause, cure: 'check the path' });
  }
}

/** The magic number of a frame, or of a skippable frame, with which pzstd begins. */
function isZstandard([a, b, c, d]: Uint8Array): boolean {
  const frame = a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd;
  return frame || (a !== undefined && (a & 0xf0) === 0x50 && b === 0x2a && c === 0x4d && d === 0x18);
}
