/**
 * The bytes of a file, decompressed when it is gzip or Zstandard (told by its first bytes, not by its name), from any
 * place on, in bounded memory. Formats: RFC 1952 (gzip), RFC 8878 (Zstandard; see `util/zstandard.ts`).
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { badInput } from '../../util/errors.ts';
import { decompressZstandard } from '../../util/zstandard.ts';

/** Bytes of a file, read once. */
export interface ByteReader {
  /** Chunks of decompressed bytes, from `start` on; whoever stops reading closes the file. */
  readonly chunks: AsyncGenerator<Uint8Array>;
  /** Bytes read from the disk so far, compressed ones where the file is compressed. */
  bytesRead(): number;
}

/**
 * Opens a file for reading.
 * @param start bytes to leave out, counted after decompression
 * @throws LexrayError BAD_INPUT when it cannot be read; while reading, when it is damaged
 */
export async function openBytes(path: string, start = 0): Promise<ByteReader> {
  const head = await readHead(path);
  const kind = compressionOf(head);
  const source = createReadStream(path, { start: kind === 'none' ? start : 0, highWaterMark: 256 << 10 });
  return {
    chunks: kind === 'none' ? whole(source) : skipping(decompress(source, kind, path), start),
    bytesRead: () => source.bytesRead + (kind === 'none' ? start : 0),
  };
}

type Compression = 'none' | 'gzip' | 'zstd';

function compressionOf(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  const magic = head.length < 4 ? 0 : new DataView(head.buffer, head.byteOffset).getUint32(0, true);
  return magic === 0xfd2fb528 || magic >>> 4 === 0x184d2a5 ? 'zstd' : 'none';
}

async function* whole(source: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) yield chunk as Uint8Array;
}

async function* skipping(chunks: AsyncIterable<Uint8Array>, start: number): AsyncGenerator<Uint8Array> {
  let rest = start;
  for await (const chunk of chunks) {
    if (chunk.length > rest) yield rest === 0 ? chunk : chunk.subarray(rest);
    rest = Math.max(0, rest - chunk.length);
  }
}

async function* decompress(
  source: ReturnType<typeof createReadStream>,
  kind: 'gzip' | 'zstd',
  path: string,
): AsyncGenerator<Uint8Array> {
  const gunzip = kind === 'gzip' ? createGunzip() : undefined;
  try {
    if (gunzip === undefined) {
      yield* decompressZstandard(source, path);
      return;
    }
    source.on('error', (error) => gunzip.destroy(error));
    yield* whole(source.pipe(gunzip));
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || !`${error.code}`.startsWith('Z_')) throw error;
    throw badInput(`the gzip file is damaged: ${error.message}`, {
      where: path,
      cause: error,
      cure: 'fetch the file again',
    });
  } finally {
    source.destroy();
    gunzip?.destroy();
  }
}

async function readHead(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const head = new Uint8Array(16);
      const { bytesRead } = await file.read(head, 0, head.length, 0);
      return head.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw badInput(`cannot read the file: ${(cause as Error).message}`, { where: path, cause, cure: 'check the path' });
  }
}
