/**
 * The bytes of a file, decompressed when it is gzip or Zstandard (told by its first bytes, not by its name), from any
 * place on, in bounded memory. Zstandard is Node's own where there is one (from 22.15 on), else the package `fzstd`.
 * Formats: RFC 1952 (gzip), RFC 8878 (Zstandard).
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { badInput, LexrayError } from '../../util/errors.ts';

/** Bytes of a file, read once. */
export interface ByteReader {
  /** Chunks of decompressed bytes, from `start` on; whoever stops reading closes the file. */
  readonly chunks: AsyncGenerator<Uint8Array>;
  /** Bytes read from the disk so far, compressed ones where the file is compressed. */
  bytesRead(): number;
}

/** zstd's own limit: files made with a wider window need special options everywhere. */
const largestWindow = 128 << 20;
/** Compressed bytes that fzstd gets at once: what they become is held until it is read. */
const zstdPiece = 16 << 10;

/**
 * Opens a file for reading.
 * @param start bytes to leave out, counted after decompression
 * @throws LexrayError BAD_INPUT when it cannot be read; while reading, when it is damaged
 */
export async function openBytes(path: string, start = 0): Promise<ByteReader> {
  const head = await readHead(path);
  const kind = compressionOf(head);
  if (kind === 'zstd') checkWindow(head, path);
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

/** Refuses a Zstandard frame whose window is wider than zstd itself allows by default. */
function checkWindow(head: Uint8Array, path: string): void {
  const descriptor = head[4] ?? 0;
  const window = head[5] ?? 0;
  if (head[0] !== 0x28 || (descriptor & 0x20) !== 0) return;
  const size = 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8);
  if (size <= largestWindow) return;
  throw badInput(`the Zstandard file asks for a window of ${size} bytes, more than ${largestWindow}`, {
    where: path,
    cure: 'compress it again without --long or --ultra',
  });
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
  const native = kind === 'gzip' ? zlib.createGunzip() : nativeZstd();
  try {
    if (native === undefined) {
      yield* unzstd(source);
      return;
    }
    source.on('error', (error) => native.destroy(error));
    yield* whole(source.pipe(native));
  } catch (error) {
    if (error instanceof LexrayError || !(error instanceof Error) || isSystemError(error)) throw error;
    throw badInput(`the ${kind === 'gzip' ? 'gzip' : 'Zstandard'} file is damaged: ${error.message}`, {
      where: path,
      cause: error,
      cure: 'fetch the file again',
    });
  } finally {
    source.destroy();
    native?.destroy();
  }
}

/** Errors of the file system have codes such as EIO; those of decompression `Z_…`, `ZSTD_…` or numbers. */
function isSystemError(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code);
}

function nativeZstd(): Transform | undefined {
  const create: unknown = 'createZstdDecompress' in zlib ? zlib.createZstdDecompress : undefined;
  return typeof create === 'function' ? (create() as Transform) : undefined;
}

async function* unzstd(source: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  const { Decompress } = await loadZstd();
  let ready: Uint8Array[] = [];
  const stream = new Decompress((chunk) => ready.push(chunk));
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    for (let at = 0; at < chunk.length; at += zstdPiece) {
      stream.push(chunk.subarray(at, at + zstdPiece));
      const pieces = ready;
      ready = [];
      yield* pieces;
    }
  }
  stream.push(new Uint8Array(), true);
  yield* ready;
}

async function loadZstd(): Promise<typeof import('fzstd')> {
  try {
    return await import('fzstd');
  } catch (cause) {
    throw new LexrayError('FAILED', 'reading .zst files needs Node 22.15 or later, or the package fzstd', {
      cause,
      cure: 'run: npm install fzstd, or decompress the file',
    });
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
